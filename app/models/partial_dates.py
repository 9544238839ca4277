"""Partial dates compared in three values: yes, no, and "that depends on the part that is missing"."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

Truth = bool | None
"""True, False, or None where the missing part of a date decides (Kleene's strong three-valued logic)."""


@dataclass(frozen=True)
class Period:
    """A day of which only this is known: it is not before `first` and not after `last`."""

    first: date
    last: date

    def before(self, other: "Period") -> Truth:
        """Whether this day comes before the other one: `2000` is neither surely before `2000-12` nor surely not."""
        if self.last < other.first:
            return True
        return False if self.first >= other.last else None

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def period(text: str) -> Period:
    """The days that a partial date (`2000`, `2010-10`, `2010-10-15`) may stand for; ValueError for any other text."""
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 1:
        return Period(date(parts[0], 1, 1), date(parts[0], 12, 31))
    if len(parts) == 2:
        year, month = parts
        return Period(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
    return exactly(date(*parts))


def exactly(day: date) -> Period:
    """A day that is known in full."""
    return Period(day, day)


def negated(truth: Truth) -> Truth:
    """Not; what depends still depends."""
    return None if truth is None else not truth


def all_true(*truths: Truth) -> Truth:
    """And: one False decides."""
    return False if False in truths else None if None in truths else True


def any_true(*truths: Truth) -> Truth:
    """Or: one True decides."""
    return True if True in truths else None if None in truths else False
