"""Absolute effects: the risk at a baseline from a relative effect, the risk difference, the number needed to treat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, floor, isinf, sqrt
from operator import add, mul
from typing import Literal

from app.evidence.statistics.distributions import normal_quantile
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.study_data import Counts

Kind = Literal["benefit", "harm"]
ROUNDING = 1e-9
"""Tolerance by which a risk may be outside 0 to 1, because numbers are rounded."""


@dataclass(frozen=True, slots=True)
class Absolute:
    """Risks between 0 and 1, at a baseline that is taken as known; differences are treatment minus baseline."""

    baseline: float
    risk: float
    risk_low: float
    risk_high: float

    @property
    def difference(self) -> float:
        """The risk difference."""
        return self.risk - self.baseline

    @property
    def low(self) -> float:
        """Lower end of the confidence interval of the risk difference."""
        return self.risk_low - self.baseline

    @property
    def high(self) -> float:
        """Upper end of the confidence interval of the risk difference."""
        return self.risk_high - self.baseline


def at_baseline(measure: str, estimate: float, low: float, high: float, *, baseline: float) -> Absolute:
    """The risk with the treatment where it is `baseline` without (Cochrane Handbook 15.4.4; GRADE guidelines 12).

    `estimate`, `low` and `high` are on the display scale: ratios, not logarithms. The interval is cut off at 0 and 1.
    Raises Undefined for a baseline outside 0 to 1, for a ratio at a baseline of 0 or 1, and where the resulting risk
    would be outside 0 to 1.
    """
    if not 0 <= baseline <= 1:
        raise Undefined("a baseline risk lies between 0 and 1")
    if measure != "risk-difference" and baseline in (0, 1):
        raise Undefined("a ratio says nothing of a risk at which nobody or everybody has the outcome")
    risk, *ends = (_RISK[measure](value, baseline) for value in (estimate, low, high))
    if not -ROUNDING <= risk <= 1 + ROUNDING:
        people = f"{1000 * risk:,.0f}".replace("-", "−")
        raise Undefined(f"at {1000 * baseline:g} of 1,000 people without, its effect would mean {people} of 1,000 with")
    return Absolute(baseline, *(min(1.0, max(0.0, value)) for value in (risk, *ends)))


def between_arms(row: Counts, *, level: float) -> Absolute:
    """The observed risks of two arms, with Newcombe's interval for their difference, which has the error of both arms
    (Newcombe 1998, method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I). Empty cells need
    no continuity correction. `level` in percent.
    """
    z = -normal_quantile((1 - level / 100) / 2)
    risk, baseline = row.events1 / row.n1, row.events2 / row.n2
    low1, high1 = _wilson(risk, row.n1, z)
    low2, high2 = _wilson(baseline, row.n2, z)
    low = risk - baseline - sqrt((risk - low1) ** 2 + (high2 - baseline) ** 2)
    high = risk - baseline + sqrt((high1 - risk) ** 2 + (baseline - low2) ** 2)
    return Absolute(baseline, risk, max(0.0, baseline + low), min(1.0, baseline + high))


def _wilson(risk: float, n: int, z: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927)."""
    centre = risk + z * z / (2 * n)
    half_width = z * sqrt(risk * (1 - risk) / n + z * z / (4 * n * n))
    return (centre - half_width) / (1 + z * z / n), (centre + half_width) / (1 + z * z / n)


def _by_odds_ratio(ratio: float, baseline: float) -> float:
    odds = ratio * baseline / (1 - baseline)
    return 1.0 if isinf(odds) else odds / (1 + odds)


_RISK: Mapping[str, Callable[[float, float], float]] = {
    "risk-ratio": mul,
    "odds-ratio": _by_odds_ratio,
    "risk-difference": add,
}
ABSOLUTE_MEASURES = tuple(_RISK)
"""The measures that can be applied to a baseline risk."""


@dataclass(frozen=True, slots=True)
class Needed:
    """A number needed to treat, to benefit or to harm; `value` None is infinity."""

    kind: Kind | None
    value: float | None

    def whole(self) -> int | None:
        """As a whole number, rounded up for a benefit and down for a harm, so that neither looks better, or None."""
        if self.value is None:
            return None
        return ceil(round(self.value, 9)) if self.kind == "benefit" else max(1, floor(round(self.value, 9)))


@dataclass(frozen=True, slots=True)
class NumberNeeded:
    """The number needed to treat for one more person to benefit (NNTB) or to be harmed (NNTH), with its interval.

    `first` and `last` are the ends, from the largest benefit to the largest harm. When the interval of the difference
    contains 0, this one passes through infinity: NNTB 10 (NNTB 4 to ∞ to NNTH 20) (Altman 1998,
    doi:10.1136/bmj.317.7168.1309).
    """

    estimate: Needed
    first: Needed
    last: Needed
    through_infinity: bool

    def text(self) -> str:
        """The text in Altman's notation."""
        ends = [_nnt_text(self.first), _nnt_text(self.last)]
        if self.through_infinity and "∞" not in ends:
            ends.insert(1, "∞")
        if self.first.kind == "harm":
            ends.reverse()  # the smaller number first
        return f"{_nnt_text(self.estimate)} ({' to '.join(ends)})"


def number_needed(absolute: Absolute, *, more_is: Kind) -> NumberNeeded:
    """The number needed to treat; `more_is` says whether more people with the outcome are a benefit or a harm."""
    sign = 1 if more_is == "benefit" else -1
    low, high = sorted((sign * absolute.low, sign * absolute.high))
    return NumberNeeded(
        estimate=_needed(sign * absolute.difference),
        first=_needed(high),
        last=_needed(low),
        through_infinity=low <= 0 <= high,
    )


def _needed(benefit: float) -> Needed:
    if abs(benefit) < 1e-12:
        return Needed(None, None)
    return Needed("benefit" if benefit > 0 else "harm", 1 / abs(benefit))


def _nnt_text(needed: Needed) -> str:
    if needed.kind is None:
        return "∞"
    return f"NNT{'B' if needed.kind == 'benefit' else 'H'} {needed.whole()}"
