"""Conditions: diseases, symptoms and states that treatments are given for."""

from typing import ClassVar

from sqlmodel import Field

from app.models.base import Citation, Record, Row, reference, several
from app.models.codes import Code
from app.models.types import ConditionRef, Line, Prose


class ConditionRecord(Record):
    """A disease, a symptom or a state that a treatment is given for."""

    core: ClassVar[frozenset[str]] = frozenset({"name"})
    name: Line = Field(description="The name that readers know it by.")
    synonyms: list[Line] = several("Other names.")
    definition: Prose | None = Field(default=None, description="What counts as this condition.")
    codes: list[Code] = several("Identifiers in other systems.")
    part_of: ConditionRef | None = reference("condition", "The wider condition that it belongs to.", default=None)
    citations: list[Citation] = several("Where these particulars were read.")


class Condition(Row, ConditionRecord, table=True):
    """The table row of a condition."""

    plural: ClassVar[str] = "conditions"
    search_rank: ClassVar[int] = 2
    is_evidence: ClassVar[bool] = False
