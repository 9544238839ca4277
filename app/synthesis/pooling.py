"""Many studies to one estimate: inverse variance, Mantel–Haenszel and Peto, with the interval that was asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import fsum, log, sqrt
from typing import Literal, NamedTuple

from app.synthesis import distributions
from app.synthesis.effects import Effect
from app.synthesis.estimators import ESTIMATORS, Floats, weighted
from app.synthesis.faults import Undefined
from app.synthesis.heterogeneity import NOT_ASKED, Heterogeneity, about_common_mean, about_random_mean
from app.synthesis.rows import Counts, Rates, Row

Model = Literal["common-effect", "random-effects"]
Method = Literal["inverse-variance", "mantel-haenszel", "peto"]
EstimatorName = Literal["dl", "reml", "pm", "ml", "hs", "sj", "he", "eb"]
IntervalName = Literal["wald", "knapp-hartung"]


@dataclass(frozen=True, slots=True)
class Study:
    """A study's numbers, and its effect; Mantel–Haenszel and Peto count studies in which nobody or everybody has the
    event, although these have no effect of their own.
    """

    row: Row
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How to pool."""

    measure: str
    model: Model = "random-effects"
    method: Method = "inverse-variance"
    estimator: EstimatorName = "reml"
    interval: IntervalName = "wald"
    level: float = 95.0
    """Of the intervals, in percent."""

    @property
    def tail(self) -> float:
        """The probability on each side of an interval."""
        return (1 - self.level / 100) / 2


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled estimate, on the scale of the analysis."""

    k: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    """z, or t under Knapp–Hartung."""
    p_value: float
    weights: tuple[float, ...]
    """In percent, one a study."""
    heterogeneity: Heterogeneity
    prediction_low: float | None = None
    prediction_high: float | None = None


class Summary(NamedTuple):
    """An estimate, its variance, and the weight of each study in any unit."""

    estimate: float
    variance: float
    weights: list[float]


def pool(studies: Sequence[Study], plan: Plan, *, with_interval_of_tau2: bool = True) -> Pooled:
    """The pooled estimate of at least one study; Undefined when these numbers have none.

    One study is given back as it is. The interval of τ² takes as long as all the rest and may be left out.
    """
    if plan.method == "inverse-variance":
        return _inverse_variance(studies, plan, with_interval_of_tau2=with_interval_of_tau2)
    summary = _peto(studies) if plan.method == "peto" else _mantel_haenszel(studies, plan.measure)
    effects = [study.effect for study in studies if study.effect is not None]
    heterogeneity = about_common_mean(effects, summary.estimate)
    if plan.method == "peto":
        heterogeneity = about_common_mean(effects, summary.estimate, q=_peto_q(studies, summary))
    return _finished(summary, plan, len(studies), heterogeneity)


def _inverse_variance(studies: Sequence[Study], plan: Plan, *, with_interval_of_tau2: bool) -> Pooled:
    """Weights 1/(v + τ²) (Cochrane Handbook 10.3 and 10.10.4); τ² is 0 for a common effect."""
    effects = [study.effect for study in studies if study.effect is not None]
    y, v = [effect.estimate for effect in effects], [effect.variance for effect in effects]
    k = len(y)
    if plan.interval == "knapp-hartung" and k < 2:
        raise Undefined("Knapp and Hartung's interval needs at least 2 studies; use interval wald")
    tau2 = tau2_of(y, v, plan)
    fit = weighted(y, v, tau2)
    summary = Summary(fit.mean, 1 / fit.total, fit.weights)
    if plan.model == "common-effect" or k < 2:
        return _finished(summary, plan, k, about_common_mean(effects, fit.mean))
    tail = plan.tail if with_interval_of_tau2 else NOT_ASKED
    return _finished(summary, plan, k, about_random_mean(y, v, tau2, tail=tail), q_at_tau2=fit.q, tau2=tau2)


def tau2_of(y: Floats, v: Floats, plan: Plan) -> float:
    """The between-study variance under the plan; 0 for a common effect and for one study."""
    return ESTIMATORS[plan.estimator](y, v) if plan.model == "random-effects" and len(y) > 1 else 0.0


def _finished(
    summary: Summary,
    plan: Plan,
    k: int,
    heterogeneity: Heterogeneity,
    *,
    q_at_tau2: float = 0.0,
    tau2: float | None = None,
) -> Pooled:
    """The estimate with its interval: Wald's z, or t with k − 1 degrees of freedom and Knapp and Hartung's variance.

    Knapp and Hartung 2003 (doi:10.1002/sim.1482) multiply the variance with Σ w(y − μ)²/(k − 1), unbounded below, as
    metafor's `test="knha"`. The prediction interval (Higgins, Thompson and Spiegelhalter 2009) takes the same quantile.
    """
    variance = summary.variance
    quantile, two_sided = -distributions.normal_quantile(plan.tail), distributions.normal_two_sided
    if plan.interval == "knapp-hartung":
        variance *= q_at_tau2 / (k - 1)
        quantile = -distributions.t_quantile(plan.tail, k - 1)
        two_sided = partial(distributions.t_two_sided, df=k - 1)
    se = sqrt(variance)
    statistic = summary.estimate / se if se > 0 else 0.0
    p_value = two_sided(statistic) if se > 0 else float(summary.estimate == 0)
    whole = fsum(summary.weights)
    reach = None if tau2 is None else quantile * sqrt(variance + tau2)
    return Pooled(
        k=k,
        estimate=summary.estimate,
        se=se,
        ci_low=summary.estimate - quantile * se,
        ci_high=summary.estimate + quantile * se,
        statistic=statistic,
        p_value=p_value,
        weights=tuple(100 * weight / whole for weight in summary.weights),
        heterogeneity=heterogeneity,
        prediction_low=None if reach is None else summary.estimate - reach,
        prediction_high=None if reach is None else summary.estimate + reach,
    )


def _mantel_haenszel(studies: Sequence[Study], measure: str) -> Summary:
    """Mantel and Haenszel's estimate from the raw counts, nothing added to empty cells (metafor's `add=c(1/2, 0)`)."""
    summary = _MANTEL_HAENSZEL[measure]([study.row for study in studies])
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
    first = fsum(p * one for one, _, p in terms) / r**2
    middle = fsum(p * other + (1 - p) * one for one, other, p in terms) / r / s
    last = fsum((1 - p) * other for _, other, p in terms) / s**2
    return Summary(log(r / s), (first + middle + last) / 2, [term[1] for term in terms])


def _mh_risk_difference(rows: Sequence[Counts]) -> Summary:
    """Sato, Greenland and Robins 1989 (doi:10.2307/2531526): valid for sparse data, too."""
    weights = [row.n1 * row.n2 / (row.n1 + row.n2) for row in rows]
    total = fsum(weights)
    estimate = fsum(_excess(row) for row in rows) / total
    first, second = fsum(_sato_p(row) for row in rows), fsum(_sato_q(row) for row in rows)
    return Summary(estimate, (estimate * first + second) / total**2, weights)


def _excess(row: Counts) -> float:
    """Events of arm 1 beyond what both arms together let expect."""
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
        words = f"Mantel and Haenszel's ratio is not defined: nothing speaks for {arm} in any study"
        raise Undefined(
            f"{words}; use measure risk-difference, or method inverse-variance, which adds ½ to empty cells"
        )


def _peto(studies: Sequence[Study]) -> Summary:
    """Σ(O − E)/ΣV of all studies, variance 1/ΣV (Yusuf et al. 1985, doi:10.1016/S0033-0620(85)80003-7)."""
    rows = [study.row for study in studies if isinstance(study.row, Counts)]
    weights = [peto_variance(row) for row in rows]
    total = fsum(weights)
    if total <= 0:
        raise Undefined("Peto's method needs a study in which some people have the event and some have not")
    return Summary(fsum(_excess(row) for row in rows) / total, 1 / total, weights)


def peto_variance(row: Counts) -> float:
    """The hypergeometric variance of the events in arm 1; 0 when nobody or everybody has the event."""
    n, events = row.n1 + row.n2, row.events1 + row.events2
    return events * (n - events) * row.n1 * row.n2 / (n * n * (n - 1))


def _peto_q(studies: Sequence[Study], summary: Summary) -> float:
    """Σ V((O − E)/V − μ)², from the raw counts."""
    rows = [study.row for study in studies if isinstance(study.row, Counts)]
    return fsum(
        weight * (_excess(row) / weight - summary.estimate) ** 2
        for row, weight in zip(rows, summary.weights, strict=True)
        if weight > 0
    )
