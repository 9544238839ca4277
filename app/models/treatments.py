"""Treatments: from a class of products down to one product with its own dose unit."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator
from pydantic import Field as Nested
from sqlmodel import Field

from app.errors import nearest
from app.models.base import Citation, Part, Record, Row, reference, several, structured, word
from app.models.claims import Search
from app.models.codes import Code
from app.models.types import Line, Prose, RefersTo, Slug, TreatmentRef
from app.models.vocabulary import Route, TreatmentKind


class DoseUnit(Part):
    """The unit in which one product is measured; units of different products are never converted."""

    code: Slug = Nested(description="The unit's own code, used as `dose_unit` by the product's dosing intervals.")
    label: Line = Nested(description="How the unit is written beside a number.")
    interchangeable_with: list[Slug] = Nested(
        default_factory=list, description="Codes of units that mean the same amount; empty when there is none."
    )

    def means_the_same_as(self, other: "DoseUnit") -> bool:
        """Whether a number means the same amount in both units: equal ones, or each lists the other."""
        mutual = other.code in self.interchangeable_with and self.code in other.interchangeable_with
        return self.code == other.code or mutual


def known_resource(value: str) -> str:
    """Validate the plural of a resource."""
    known = {row.plural for row in Row.__subclasses__()}
    if value not in known:
        close = nearest(value, known)
        raise ValueError(f"there is no resource {value!r}" + (f"; did you mean {close!r}?" if close else ""))
    return value


class ResourceSearch(Search):
    """A search for everything of one kind that there is on a treatment, whether it found something or nothing."""

    resource: Annotated[Slug, AfterValidator(known_resource)] = Nested(
        description="The resource that was searched for, as in the URL: `side-effects`.", examples=["side-effects"]
    )
    condition: Annotated[Slug, RefersTo("conditions", is_filter=False)] | None = Nested(
        default=None, description="The condition that the search was narrowed to; absent where it was for all."
    )


class TreatmentRecord(Record):
    """A treatment that people receive: a drug, a biologic, a device, a procedure, an exercise, a talking therapy."""

    core: ClassVar[frozenset[str]] = frozenset({"name", "kind"})
    name: Line = Field(description="The name that readers know it by.")
    kind: TreatmentKind = word("What sort of treatment it is.")
    definition: Prose | None = Field(default=None, description="What it is, in a sentence or two.")
    generic_names: list[Line] = several("Non-proprietary names (INN, USAN).")
    brand_names: list[Line] = several("Trade names.")
    synonyms: list[Line] = several("Other names, former ones among them.")
    holder: Line | None = Field(default=None, description="Who holds the marketing authorisation.")
    mechanism: Prose | None = Field(default=None, description="How it works.")
    routes: list[Route] = several("Routes of administration.")
    codes: list[Code] = several("Identifiers in other systems.")
    part_of: TreatmentRef | None = reference("treatment", "The class that this product belongs to.", default=None)
    dose_unit: DoseUnit | None = structured("The unit that its doses are measured in.")
    citations: list[Citation] = several("Where these particulars were read.")
    searches: list[ResourceSearch] = several("Searches for records on it, with or without finds.")


class Treatment(Row, TreatmentRecord, table=True):
    """The table row of a treatment."""

    plural: ClassVar[str] = "treatments"
    search_rank: ClassVar[int] = 1
    is_evidence: ClassVar[bool] = False
