"""Comparison of partial dates in three-valued logic: true, false, or unknown where the missing part decides."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

Truth = bool | None
"""True, False, or None where the missing part of a date decides (Kleene's strong three-valued logic)."""


@dataclass(frozen=True)
class Period:
    """A partially known day, as the range of days from `first` to `last`, both included."""

    first: date
    last: date

    def before(self, other: "Period") -> Truth:
        """Whether this day is before the other one; None where the ranges overlap: `2000` and `2000-12`."""
        if self.last < other.first:
            return True
        return False if self.first >= other.last else None

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def period(text: str) -> Period:
    """The range of days of a partial date (`2000`, `2010-10`, `2010-10-15`); ValueError for any other text."""
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 1:
        return Period(date(parts[0], 1, 1), date(parts[0], 12, 31))
    if len(parts) == 2:
        year, month = parts
        return Period(date(year, month, 1), date(year, month, monthrange(year, month)[1]))
    return exactly(date(*parts))


def exactly(day: date) -> Period:
    """The range of a day that is fully known."""
    return Period(day, day)


def negated(truth: Truth) -> Truth:
    """Logical NOT; None stays None."""
    return None if truth is None else not truth


def all_true(*truths: Truth) -> Truth:
    """Logical AND: one False decides."""
    return False if False in truths else None if None in truths else True


def any_true(*truths: Truth) -> Truth:
    """Logical OR: one True decides."""
    return True if True in truths else None if None in truths else False
