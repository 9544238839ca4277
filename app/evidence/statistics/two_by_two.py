"""Pooling from the raw counts of two arms: Mantel–Haenszel and Peto, without a continuity correction."""

from collections.abc import Callable, Mapping, Sequence
from math import fsum, log
from typing import Any, NamedTuple

from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.study_data import Counts, Rates, Row


class Summary(NamedTuple):
    """An estimate, its variance, and the weight of each study in any unit."""

    estimate: float
    variance: float
    weights: list[float]


def mantel_haenszel(rows: Sequence[Row], measure: str) -> Summary:
    """Mantel and Haenszel's estimate from the raw counts, no continuity correction (metafor's `add=c(1/2, 0)`)."""
    summary = _MANTEL_HAENSZEL[measure](rows)
    if summary.variance <= 0:
        raise Undefined("the standard error of Mantel and Haenszel's estimate is 0: in these counts nothing varies")
    return summary


def _mh_risk_ratio(rows: Sequence[Counts]) -> Summary:
    """Greenland and Robins 1985 (doi:10.2307/2530643), formulas 4 and 13; Cochrane Handbook 10.4.1."""
    weights = [row.events2 * row.n1 / (row.n1 + row.n2) for row in rows]
    r, s = fsum(row.events1 * row.n2 / (row.n1 + row.n2) for row in rows), fsum(weights)
    _need_events(r, s)
    spread = fsum(_risk_spread(row.events1, row.n1, row.events2, row.n2) for row in rows)
    return Summary(log(r / s), spread / r / s, weights)


def _risk_spread(a: int, n1: int, c: int, n2: int) -> float:
    n = n1 + n2
    return (n1 * n2 * (a + c) - a * c * n) / (n * n)


def _mh_odds_ratio(rows: Sequence[Counts]) -> Summary:
    """Robins, Breslow and Greenland 1986 (doi:10.2307/2531052), variance for sparse data and large strata alike."""
    terms = [
        (
            row.events1 * (row.n2 - row.events2) / (row.n1 + row.n2),
            row.events2 * (row.n1 - row.events1) / (row.n1 + row.n2),
            (row.events1 + row.n2 - row.events2) / (row.n1 + row.n2),
        )
        for row in rows
    ]
    r, s = fsum(term[0] for term in terms), fsum(term[1] for term in terms)
    _need_events(r, s)
    first = fsum(p * term_r for term_r, _, p in terms) / r**2
    middle = fsum(p * term_s + (1 - p) * term_r for term_r, term_s, p in terms) / r / s
    last = fsum((1 - p) * term_s for _, term_s, p in terms) / s**2
    return Summary(log(r / s), (first + middle + last) / 2, [term[1] for term in terms])


def _mh_risk_difference(rows: Sequence[Counts]) -> Summary:
    """Sato, Greenland and Robins 1989 (doi:10.2307/2531526): valid for sparse data, too."""
    weights = [row.n1 * row.n2 / (row.n1 + row.n2) for row in rows]
    total = fsum(weights)
    estimate = fsum(_excess(row) for row in rows) / total
    first, second = fsum(_sato_p(row) for row in rows), fsum(_sato_q(row) for row in rows)
    return Summary(estimate, (estimate * first + second) / total**2, weights)


def _excess(row: Counts) -> float:
    """Observed minus expected events of arm 1 (O − E), given the events of both arms."""
    return (row.events1 * row.n2 - row.events2 * row.n1) / (row.n1 + row.n2)


def _sato_p(row: Counts) -> float:
    n1, n2 = row.n1, row.n2
    return (2 * (row.events2 * n1 * n1 - row.events1 * n2 * n2) + n1 * n2 * (n2 - n1)) / (2 * (n1 + n2) ** 2)


def _sato_q(row: Counts) -> float:
    crossed = row.events1 * (row.n2 - row.events2) + row.events2 * (row.n1 - row.events1)
    return crossed / (2 * (row.n1 + row.n2))


def _mh_rate_ratio(rows: Sequence[Rates]) -> Summary:
    """Greenland and Robins 1985, formulas 8 and 15, for events over person-time."""
    weights = [row.events2 * (row.time1 / (row.time1 + row.time2)) for row in rows]
    r, s = fsum(row.events1 * (row.time2 / (row.time1 + row.time2)) for row in rows), fsum(weights)
    _need_events(r, s)
    spread = fsum(
        (row.events1 + row.events2) * (row.time1 / (row.time1 + row.time2)) * (row.time2 / (row.time1 + row.time2))
        for row in rows
    )
    return Summary(log(r / s), spread / r / s, weights)


_MANTEL_HAENSZEL: Mapping[str, Callable[..., Summary]] = {
    "risk-ratio": _mh_risk_ratio,
    "odds-ratio": _mh_odds_ratio,
    "risk-difference": _mh_risk_difference,
    "rate-ratio": _mh_rate_ratio,
}
MANTEL_HAENSZEL_MEASURES = tuple(_MANTEL_HAENSZEL)


def _need_events(r: float, s: float) -> None:
    if r <= 0 or s <= 0:
        arm = "arm 1" if r <= 0 else "arm 2"
        detail = f"Mantel and Haenszel's ratio is not defined: nothing speaks for {arm} in any study"
        raise Undefined(
            f"{detail}; use measure risk-difference, or method inverse-variance, which adds ½ to empty cells"
        )


def peto(rows: Sequence[Any]) -> tuple[Summary, float]:
    """Σ(O − E)/ΣV of all studies, variance 1/ΣV, and Q = Σ V((O − E)/V − μ)²; all from the raw counts.

    Yusuf et al. 1985, doi:10.1016/S0033-0620(85)80003-7.
    """
    weights = [_hypergeometric_variance(row) for row in rows]
    total = fsum(weights)
    if total <= 0:
        raise Undefined("Peto's method needs a study in which some people have the event and some have not")
    excesses = [_excess(row) for row in rows]
    estimate = fsum(excesses) / total
    pairs = zip(excesses, weights, strict=True)
    q = fsum(weight * (excess / weight - estimate) ** 2 for excess, weight in pairs if weight > 0)
    return Summary(estimate, 1 / total, weights), q


def _hypergeometric_variance(row: Counts) -> float:
    """The variance of the events in arm 1, all margins fixed; 0 when nobody or everybody has the event."""
    n, events = row.n1 + row.n2, row.events1 + row.events2
    return events * (n - events) * row.n1 * row.n2 / (n * n * (n - 1))
