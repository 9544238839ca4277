"""Outcomes: endpoints that studies measure, each with the direction of benefit."""

from typing import ClassVar, Self

from pydantic import model_validator
from sqlmodel import Field

from app.models.base import Citation, Record, Row, ordered, several, word
from app.models.types import Line, Number, Prose
from app.models.vocabulary import Direction, OutcomeKind


class OutcomeRecord(Record):
    """Something that a study measures in people."""

    core: ClassVar[frozenset[str]] = frozenset({"name", "direction"})
    name: Line = Field(description="The name of the outcome.")
    synonyms: list[Line] = several("Other names.")
    definition: Prose | None = Field(default=None, description="The exact definition.")
    domain: Line | None = Field(
        default=None, index=True, description="What it is about: pain, function, quality of life, …"
    )
    kind: OutcomeKind | None = word("Its statistical kind.", default=None)
    instrument: Line | None = Field(default=None, description="The scale or questionnaire.")
    unit: Line | None = Field(default=None, description="The unit of its values.")
    scale_min: Number | None = Field(default=None, description="The lowest value of the scale.")
    scale_max: Number | None = Field(default=None, description="The highest value of the scale.")
    direction: Direction | None = word("Which way is better for the person.", default=None)
    important_difference: Number | None = Field(
        default=None, description="Minimal important difference, in `unit`; its citation stands in `citations`."
    )
    citations: list[Citation] = several("Where these particulars were read.")

    @model_validator(mode="after")
    def _scale_and_difference_hold(self) -> Self:
        ordered(self.scale_min, self.scale_max, "scale_min and scale_max")
        if self.important_difference is not None and not self.citations:
            raise ValueError("important_difference needs a citation")
        return self


class Outcome(Row, OutcomeRecord, table=True):
    """The table row of an outcome."""

    plural: ClassVar[str] = "outcomes"
    search_rank: ClassVar[int] = 3
    is_evidence: ClassVar[bool] = False
