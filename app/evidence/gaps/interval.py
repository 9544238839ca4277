"""Gaps in intervals: what a claim, a trial or a guideline gives is shorter than what the product's labels give."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.evidence.gaps.base import (
    Document,
    Gap,
    GapParty,
    for_condition,
    has_words_of,
    record_side,
    remarks,
    span_of,
    whose,
)
from app.models.claims import Claim
from app.models.dosing_intervals import DAYS, DosingInterval

LEAST_DAYS = DAYS | {"mo": 28.0, "a": 364.0}
"""Days that a unit has at least: the months of a label may be counted as four weeks each, its years as 52 weeks."""
WHO = {"claim": "a claim", "trial": "a trial", "guideline": "a guideline"}


@dataclass(frozen=True)
class DoseInterval:
    """The time from one dose to the next: its shorter and its longer end, as far as they are said."""

    low: float | None
    high: float | None
    unit: str

    def __str__(self) -> str:
        days = [round(end * DAYS[self.unit], 1) for end in (self.low, self.high) if end is not None]
        in_days = "" if self.unit == "d" else f" ({span_of(days[0], days[-1])} d)"
        return f"{span_of(self.low, self.high)} {self.unit}{in_days}"

    def is_below(self, end: float | None, label: "DoseInterval") -> bool:
        """Whether one end of this interval is surely shorter than the shorter end of a label's."""
        if end is None or label.low is None:
            return False
        if self.unit == label.unit:
            return end < label.low
        return end * DAYS[self.unit] < label.low * LEAST_DAYS[label.unit]


@dataclass(frozen=True)
class Statement:
    """An interval that somebody gives for a condition, with the records that say it."""

    basis: str
    condition: str | None
    interval: DoseInterval
    sides: tuple[GapParty, ...]
    id: str


def interval_gaps(treatment: str, dosing: Sequence[Document], claims: Sequence[Document]) -> Iterator[Gap]:
    """Stated intervals that lie, wholly or with their shorter end, below the shortest of the product's labels.

    The bar is the label's for the same condition; where none gives one, the shortest of the product's other labels.
    """
    labels = [row for row in dosing if row["basis"] == "label" and row["interval_min"] is not None]
    for said in [*_claimed(claims, dosing), *_recorded(claims, dosing)]:
        same = [row for row in labels if said.condition is not None and row["condition"] in (said.condition, None)]
        shortest = min((row["interval_days"] for row in same or labels), default=None)
        bars = [row for row in same or labels if row["interval_days"] == shortest]
        if bars and (part := _part_below(said.interval, _shortest_of(bars[0]))):
            statement = (
                f"{for_condition(said.condition)}, {WHO[said.basis]} gives an interval of {said.interval}; "
                f"{_bar_words(said.condition, is_same=bool(same))} is {_shortest_of(bars[0])}, on the label "
                f"for {_places(bars)}: {part} below that."
            )
            sides = (*said.sides, *(_row_side("label", row) for row in bars))
            made_of = (said.id, *sorted(row["id"] for row in bars))
            yield Gap("interval-below-label", treatment, said.condition, statement, sides, made_of)


def _part_below(said: DoseInterval, bar: DoseInterval) -> str | None:
    """Which part of the stated interval lies below the bar, or None."""
    if said.is_below(said.high, bar):
        return "it lies" if said.low == said.high else "all of it lies"
    return "its shorter end lies" if said.is_below(said.low, bar) else None


def _claimed(claims: Sequence[Document], dosing: Sequence[Document]) -> Iterator[Statement]:
    """The intervals that claims give, each with the dosing records that hold the same statement."""
    for claim in claims:
        interval = _interval_of_values(claim)
        if interval is None:
            continue
        for condition in claim["conditions"] or [None]:
            twins = [row for row in dosing if _is_same(row, claim, interval) and row["condition"] in (condition, None)]
            side = record_side("claim", Claim, claim, f"A claim gives {interval}.")
            also = (_row_side("dosing", row) for row in twins)
            yield Statement("claim", condition, interval, (side, *also), claim["id"])


def _recorded(claims: Sequence[Document], dosing: Sequence[Document]) -> Iterator[Statement]:
    """The intervals of dosing records that no claim of ours holds as well."""
    claimed = [(claim, interval) for claim in claims if (interval := _interval_of_values(claim)) is not None]
    for row in dosing:
        interval = _interval_of(row)
        if row["basis"] in WHO and interval and not any(_is_same(row, *each) for each in claimed):
            yield Statement(row["basis"], row["condition"], interval, (_row_side("dosing", row),), row["id"])


def _interval_of(row: Document) -> DoseInterval | None:
    if row["interval_min"] is None and row["interval_max"] is None:
        return None
    return DoseInterval(row["interval_min"], row["interval_max"], row["interval_unit"])


def _shortest_of(label: Document) -> DoseInterval:
    return DoseInterval(label["interval_min"], label["interval_min"], label["interval_unit"])


def _interval_of_values(claim: Document) -> DoseInterval | None:
    """The interval among a claim's values, where it has one in one UCUM unit of time."""
    found = {
        value["name"]: value["number"]
        for value in claim["values"]
        if value["name"] in ("interval", "interval_min", "interval_max") and value["unit"] in DAYS
    }
    units = {value["unit"] for value in claim["values"] if value["name"] in found}
    if len(units) != 1:
        return None
    both = found.get("interval")
    return DoseInterval(found.get("interval_min", both), found.get("interval_max", both), units.pop())


def _is_same(row: Document, claim: Document, interval: DoseInterval) -> bool:
    """Whether a dosing record and a claim hold one statement: the same words, or the claim names the record."""
    if has_words_of(row, claim):
        return True
    is_named = {"kind": DosingInterval.plural, "id": row["id"]} in claim["evidence"]
    return row["basis"] == "claim" and is_named and _interval_of(row) == interval


def _row_side(role: str, row: Document) -> GapParty:
    interval = _interval_of(row)
    return record_side(
        "label" if role == "label" else "dosing", DosingInterval, row, f"{whose(row)}: {interval}.{remarks(row)}"
    )


def _bar_words(condition: str | None, *, is_same: bool) -> str:
    if is_same:
        return "the shortest interval that a label gives for it"
    if condition is None:
        return "the shortest interval that a label of the product gives"
    return "no label that we hold gives one for it, and the shortest for another condition of the product"


def _places(labels: Sequence[Document]) -> str:
    named = ((row["condition"] or "any condition", row["jurisdiction"]) for row in labels)
    return ", ".join(f"{condition} ({place})" if place else condition for condition, place in named)
