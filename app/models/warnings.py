"""Warnings: boxed warnings, contraindications, warnings and interactions on product labels."""

from typing import ClassVar

from sqlmodel import Field

from app.models.approvals import Jurisdiction
from app.models.base import CitedRecord, Row, reference, several, word
from app.models.types import ConditionRef, Line, Prose, TreatmentRef
from app.models.vocabulary import WarningKind, WarningRule


class WarningRecord(CitedRecord):
    """A boxed warning, a contraindication, a warning or an interaction."""

    core: ClassVar[frozenset[str]] = frozenset({"treatment", "kind", "jurisdiction", "statement"})
    treatment: TreatmentRef = reference("treatment", "What it is about; a class stands for all its products.")
    condition: ConditionRef | None = reference("condition", "The condition it is limited to, if any.", default=None)
    kind: WarningKind = word("The kind of warning.", index=True)
    jurisdiction: Jurisdiction | None = Field(
        default=None, index=True, description="Whose label says so: `US`, `GB`, `EU`, …"
    )
    statement: Prose = Field(description="What it says, in our own words.")
    terms: list[Line] = several("The side effects that it names.")
    rule: WarningRule | None = word("The rule that this API enforces because of the warning.", index=True, default=None)


class Warning(Row, WarningRecord, table=True):
    """The table row of a warning."""

    plural: ClassVar[str] = "warnings"
    search_rank: ClassVar[int] = 7
    holds_for_parts: ClassVar[bool] = True
