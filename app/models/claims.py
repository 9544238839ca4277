"""Claims: quoted statements of documents, each with a verdict and the records that decide it."""

from typing import ClassVar, Self, cast

from pydantic import Field as Nested
from pydantic import model_validator
from sqlmodel import Field

from app.models.base import (
    NumberBinding,
    Part,
    Record,
    RecordRef,
    Row,
    Span,
    check_bindings,
    reference,
    several,
    structured,
    word,
)
from app.models.dosing_intervals import DAYS, in_days
from app.models.types import ConditionRef, Day, Line, Number, Prose, SourceRef, TreatmentRef
from app.models.vocabulary import ClaimKind, TimeUnit, Verdict


class ClaimValue(Part):
    """A value that the claim asserts, in the quote's own unit."""

    name: Line = Nested(description="What the value is: `interval_min`, `responders`, `brand`.")
    number: Number | None = Nested(default=None, description="The number, where it is one.")
    text: Line | None = Nested(default=None, description="The words, where it is none.")
    unit: Line | None = Nested(
        default=None, description="The unit of the number: UCUM, `percent`, or the product's unit."
    )
    days: Number | None = Nested(
        default=None, description="The number in days, where its unit is one of time (1 mo = 30.4375 d); computed."
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.number is None) == (self.text is None):
            raise ValueError("a claimed value is either a number or a text")
        self.days = in_days(self.number, cast(TimeUnit, self.unit)) if self.unit in DAYS else None
        return self


class Search(Part):
    """A search: what was searched, where, and on which day."""

    looked_for: Prose = Nested(description="What was searched, and where.")
    on: Day = Nested(description="The day of the search.")


class ClaimRecord(Record):
    """A statement of a document, quoted, with our verdict on it and the records that decide it.

    The verdict is about the statement, not about the treatment: `contradicted` means that evidence speaks against it,
    `unverifiable` that nothing decides it.
    """

    core: ClassVar[frozenset[str]] = frozenset({"source", "quote", "kind", "verdict", "rationale"})
    source: SourceRef = reference("source", "The document that says it.")
    quote: Prose = Field(description="Its words, verbatim.")
    span: Span | None = structured("Where the quote stands in the stored text.")
    kind: ClaimKind = word("What the statement is about.", index=True)
    treatment: TreatmentRef | None = reference("treatment", "The treatment that it speaks of.", default=None)
    conditions: list[ConditionRef] = several("The conditions that it speaks of.")
    values: list[ClaimValue] = several("The values that it asserts.")
    verdict: Verdict = word("What our records say to it.", index=True)
    numbers: list[NumberBinding] = several("Where each number among the values stands in the quote.")
    rationale: Prose = Field(description="Why, in our own words.")
    evidence: list[RecordRef] = several("The records that decide the verdict.")
    searched: Search | None = structured("For `unverifiable`: what was searched, and when.")
    safety_flag: bool = Field(default=False, index=True, description="Whether following the statement could do harm.")
    safety_note: Prose | None = Field(default=None, description="The reason for the safety flag.")

    @model_validator(mode="after")
    def _verdict_rests_on_something(self) -> Self:
        if self.verdict == "unverifiable" and self.searched is None:
            raise ValueError("unverifiable needs what was searched, and when, under searched")
        if self.verdict != "unverifiable" and not self.evidence:
            raise ValueError(f"{self.verdict} needs at least one record under evidence")
        if self.safety_flag and self.safety_note is None:
            raise ValueError("a safety flag needs its reason under safety_note")
        if self.span is not None and self.span.end - self.span.start != len(self.quote):
            raise ValueError(
                f"the span holds {self.span.end - self.span.start} characters, the quote {len(self.quote)}"
            )
        check_bindings(self.numbers, self.quote)
        return self


class Claim(Row, ClaimRecord, table=True):
    """The table row of a claim."""

    plural: ClassVar[str] = "claims"
    search_rank: ClassVar[int] = 11
