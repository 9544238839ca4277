"""Indications: one treatment for one condition, whether or not anybody approved it."""

from typing import ClassVar

from sqlmodel import Field

from app.models.base import Citation, Record, Row, reference, several, word
from app.models.types import ConditionRef, Line, TreatmentRef
from app.models.vocabulary import Purpose


class IndicationRecord(Record):
    """A treatment given for a condition. Whether it is approved is recorded in `approvals`."""

    core: ClassVar[frozenset[str]] = frozenset({"treatment", "condition", "purpose"})
    treatment: TreatmentRef = reference("treatment", "What is given.")
    condition: ConditionRef = reference("condition", "What it is given for.")
    purpose: Purpose | None = word("The purpose of the treatment.", default=None)
    population: Line | None = Field(default=None, description="Whom it is given to.")
    citations: list[Citation] = several("Where these particulars were read.")


class Indication(Row, IndicationRecord, table=True):
    """The table row of an indication."""

    plural: ClassVar[str] = "indications"
    search_rank: ClassVar[int] = 4
    is_evidence: ClassVar[bool] = False
