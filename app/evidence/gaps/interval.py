"""Gaps in dosing intervals: one of a claim, trial or guideline that is shorter than those of the product's labels."""

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
"""The least days of a unit: the months of a label may be counted as four weeks each, its years as 52 weeks."""
WHO = {"claim": "a claim", "trial": "a trial", "guideline": "a guideline"}


@dataclass(frozen=True)
class DoseInterval:
    """The time from one dose to the next: its shorter and its longer end; None where an end is not recorded."""

    low: float | None
    high: float | None
    unit: str

    def __str__(self) -> str:
        days = [round(end * DAYS[self.unit], 1) for end in (self.low, self.high) if end is not None]
        in_days = "" if self.unit == "d" else f" ({span_of(days[0], days[-1])} d)"
        return f"{span_of(self.low, self.high)} {self.unit}{in_days}"

    def is_below(self, end: float | None, label: "DoseInterval") -> bool:
        """Whether an end of this interval is certainly below the shorter end of a label's, also in another unit."""
        if end is None or label.low is None:
            return False
        if self.unit == label.unit:
            return end < label.low
        return end * DAYS[self.unit] < label.low * LEAST_DAYS[label.unit]


@dataclass(frozen=True)
class Statement:
    """A dosing interval of a claim, trial or guideline for a condition, with the records that state it."""

    basis: str
    condition: str | None
    interval: DoseInterval
    sides: tuple[GapParty, ...]
    id: str


def interval_gaps(treatment: str, dosing: Sequence[Document], claims: Sequence[Document]) -> Iterator[Gap]:
    """Stated intervals that are, wholly or with their shorter end, below the shortest one of the product's labels.

    The threshold is that of the labels for the same condition; without any, the shortest of the product's other labels.
    """
    labels = [row for row in dosing if row["basis"] == "label" and row["interval_min"] is not None]
    for stated in [*_claimed(claims, dosing), *_recorded(claims, dosing)]:
        same = [row for row in labels if stated.condition is not None and row["condition"] in (stated.condition, None)]
        shortest = min((row["interval_days"] for row in same or labels), default=None)
        shortest_labels = [row for row in same or labels if row["interval_days"] == shortest]
        if shortest_labels and (part := _part_below(stated.interval, _shortest_of(shortest_labels[0]))):
            statement = (
                f"{for_condition(stated.condition)}, {WHO[stated.basis]} gives an interval of {stated.interval}; "
                f"{_threshold_text(stated.condition, is_same=bool(same))} is {_shortest_of(shortest_labels[0])}, "
                f"on the label for {_places(shortest_labels)}: {part} below that."
            )
            sides = (*stated.sides, *(_row_side("label", row) for row in shortest_labels))
            made_of = (stated.id, *sorted(row["id"] for row in shortest_labels))
            yield Gap("interval-below-label", treatment, stated.condition, statement, sides, made_of)


def _part_below(stated: DoseInterval, threshold: DoseInterval) -> str | None:
    """Which part of the stated interval is below the threshold, as a subject and verb; None if no part is."""
    if stated.is_below(stated.high, threshold):
        return "it lies" if stated.low == stated.high else "all of it lies"
    return "its shorter end lies" if stated.is_below(stated.low, threshold) else None


def _claimed(claims: Sequence[Document], dosing: Sequence[Document]) -> Iterator[Statement]:
    """The intervals of claims, each with the dosing records that have the same statement."""
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
    """The intervals of dosing records that no stored claim states, too."""
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
    """The interval among a claim's values, in one UCUM unit of time; None without one or with several units."""
    found = {
        value["name"]: value["number"]
        for value in claim["values"]
        if value["name"] in ("interval", "interval_min", "interval_max") and value["unit"] in DAYS
    }
    units = {value["unit"] for value in claim["values"] if value["name"] in found}
    if len(units) != 1:
        return None
    single = found.get("interval")
    return DoseInterval(found.get("interval_min", single), found.get("interval_max", single), units.pop())


def _is_same(row: Document, claim: Document, interval: DoseInterval) -> bool:
    """Whether a dosing record and a claim state the same: the same quote, or the claim refers to the record."""
    if has_words_of(row, claim):
        return True
    is_named = {"kind": DosingInterval.plural, "id": row["id"]} in claim["evidence"]
    return row["basis"] == "claim" and is_named and _interval_of(row) == interval


def _row_side(role: str, row: Document) -> GapParty:
    interval = _interval_of(row)
    return record_side(
        "label" if role == "label" else "dosing", DosingInterval, row, f"{whose(row)}: {interval}.{remarks(row)}"
    )


def _threshold_text(condition: str | None, *, is_same: bool) -> str:
    if is_same:
        return "the shortest interval that a label gives for it"
    if condition is None:
        return "the shortest interval that a label of the product gives"
    return "no label that we hold gives one for it, and the shortest for another condition of the product"


def _places(labels: Sequence[Document]) -> str:
    named = ((row["condition"] or "any condition", row["jurisdiction"]) for row in labels)
    return ", ".join(f"{condition} ({place})" if place else condition for condition, place in named)
