"""Approvals: the regulatory ledger, one row a decision, with its jurisdiction and its dates."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import StringConstraints, model_validator
from sqlmodel import Field

from app.models.base import CitedRecord, Known, Row, ordered, reference, word
from app.models.types import ConditionRef, Day, IndicationRef, Line, PartialDate, Prose, TreatmentRef
from app.models.vocabulary import ApprovalStatus

Jurisdiction = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2 (`US`, `GB`), or `EU`."""


class ApprovalRecord(CitedRecord):
    """A decision of a regulator on an indication, as of the day of our check.

    Off-label is never stored: it follows from these rows for a jurisdiction and a day.
    """

    core: ClassVar[frozenset[str]] = frozenset({"indication", "jurisdiction", "authority", "status", "as_of"})
    indication: IndicationRef = reference("indication", "The indication that was decided on.")
    jurisdiction: Jurisdiction = Field(
        index=True,
        description="Where it holds: ISO 3166-1 alpha-2 (`US`, `GB`), or `EU`.",
        schema_extra={"examples": ["US"]},
    )
    authority: Line | None = Field(default=None, index=True, description="Who decided: FDA, MHRA, EMA, …")
    status: ApprovalStatus = word("What was decided.", index=True)
    valid_from: PartialDate | None = Field(default=None, description="Since when: `2000`, `2010-10` or `2010-10-15`.")
    valid_to: PartialDate | None = Field(default=None, description="Until when, where it has ended.")
    first_approval: bool | None = Field(
        default=None, description="Whether this is the first approval of the indication in that jurisdiction."
    )
    scope: Prose | None = Field(default=None, description="How the approval is narrowed.")
    as_of: Day = Field(description="The day on which this was checked.")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.valid_from is not None and self.valid_to is not None:
            shared = min(len(self.valid_from), len(self.valid_to))
            ordered(self.valid_from[:shared], self.valid_to[:shared], "valid_from and valid_to")
        if self.first_approval and self.status not in ("approved", "conditional"):
            raise ValueError(f"first_approval cannot be true of a row whose status is {self.status}")
        return self


class Approval(Row, ApprovalRecord, table=True):
    """The table row of an approval, with the treatment and the condition of its indication."""

    plural: ClassVar[str] = "approvals"
    search_rank: ClassVar[int] = 5
    treatment: TreatmentRef = reference("treatment", "The treatment of the indication.")
    condition: ConditionRef = reference("condition", "The condition of the indication.")

    @classmethod
    def derive(cls, record: Any, known: Known) -> dict[str, Any]:
        """The treatment and the condition, copied from the indication."""
        indication = known("indications", record.indication)
        return {"treatment": indication["treatment"], "condition": indication["condition"]}
