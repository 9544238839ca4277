"""Pooled estimates: inverse variance, Mantel–Haenszel and Peto, with confidence and prediction intervals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import fsum, sqrt
from typing import Literal, NamedTuple

from app.evidence.statistics import distributions, two_by_two
from app.evidence.statistics.effects import Effect
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.estimators import ESTIMATORS
from app.evidence.statistics.heterogeneity import NO_INTERVAL, Heterogeneity, about_common_mean, about_random_mean
from app.evidence.statistics.study_data import Row
from app.evidence.statistics.two_by_two import Summary
from app.evidence.statistics.weights import Sample, weighted

Model = Literal["common-effect", "random-effects"]
Method = Literal["inverse-variance", "mantel-haenszel", "peto"]
EstimatorName = Literal["dl", "reml", "pm", "ml", "hs", "sj", "he", "eb"]
IntervalName = Literal["wald", "knapp-hartung"]


@dataclass(frozen=True, slots=True)
class StudyEffect:
    """A study's numbers and its effect; the effect is None under Mantel–Haenszel and Peto where nobody or everybody has
    the event, and the study is pooled none the less.
    """

    row: Row
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The analysis plan: measure, model, weights, estimator of τ², and intervals."""

    measure: str
    model: Model = "random-effects"
    method: Method = "inverse-variance"
    estimator: EstimatorName = "reml"
    interval: IntervalName = "wald"
    level: float = 95.0
    """Confidence level of all intervals, in percent."""

    @property
    def tail(self) -> float:
        """The tail probability on each side of an interval."""
        return (1 - self.level / 100) / 2


class Pooled(NamedTuple):
    """The pooled estimate, on the scale of the analysis."""

    k: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float | None
    """z, or t under Knapp–Hartung; None when the standard error is 0."""
    p_value: float
    weights: tuple[float, ...]
    """The weight of each study, in percent."""
    heterogeneity: Heterogeneity
    prediction_low: float | None = None
    prediction_high: float | None = None


def pool(studies: Sequence[StudyEffect], plan: Plan, *, with_interval_of_tau2: bool = True) -> Pooled:
    """The pooled estimate of one or more studies; Undefined where there is none.

    A single study is returned unpooled. The interval of τ² takes half of the time and may be left out.
    """
    if plan.method == "inverse-variance":
        return _inverse_variance(studies, plan, with_interval_of_tau2=with_interval_of_tau2)
    rows = [study.row for study in studies]
    effects = [study.effect for study in studies if study.effect is not None]
    if plan.method == "peto":
        summary, q = two_by_two.peto(rows)
        return _pooled(summary, plan, len(studies), about_common_mean(effects, summary.estimate, q=q))
    summary = two_by_two.mantel_haenszel(rows, plan.measure)
    return _pooled(summary, plan, len(studies), about_common_mean(effects, summary.estimate))


def _inverse_variance(studies: Sequence[StudyEffect], plan: Plan, *, with_interval_of_tau2: bool) -> Pooled:
    """Weights 1/(v + τ²) (Cochrane Handbook 10.3 and 10.10.4); τ² is 0 for a common effect."""
    effects = [study.effect for study in studies if study.effect is not None]
    y, v = [effect.estimate for effect in effects], [effect.variance for effect in effects]
    k = len(y)
    if plan.interval == "knapp-hartung" and k < 2:
        raise Undefined("Knapp and Hartung's interval needs at least 2 studies; use interval wald")
    sample = Sample(y, v)
    tau2 = tau2_of(sample, plan)
    fit = weighted(y, v, tau2)
    summary = Summary(fit.mean, 1 / fit.total, fit.weights)
    if plan.model == "common-effect" or k < 2:
        return _pooled(summary, plan, k, about_common_mean(effects, fit.mean, q=sample.q))
    q = sample.q_at(tau2) if plan.interval == "knapp-hartung" else 0.0
    tail = plan.tail if with_interval_of_tau2 else NO_INTERVAL
    return _pooled(summary, plan, k, about_random_mean(sample, tau2, tail=tail), q_at_tau2=q, tau2=tau2)


def tau2_of(sample: Sample, plan: Plan) -> float:
    """The between-study variance under the plan; 0 for a common effect and for one study."""
    is_estimated = plan.model == "random-effects" and len(sample.y) > 1
    return ESTIMATORS[plan.estimator](sample) if is_estimated else 0.0


def _pooled(
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
    estimate, variance, weights = summary
    two_sided: Callable[[float], float]
    if plan.interval == "knapp-hartung":
        variance *= q_at_tau2 / (k - 1)
        quantile = -distributions.t_quantile(plan.tail, k - 1)
        two_sided = partial(distributions.t_two_sided, df=k - 1)
    else:
        quantile, two_sided = -distributions.normal_quantile(plan.tail), distributions.normal_two_sided
    se = sqrt(variance)
    statistic = estimate / se if se > 0 else None
    p_value = float(estimate == 0) if statistic is None else two_sided(statistic)
    total = fsum(weights)
    half_width = None if tau2 is None else quantile * sqrt(variance + tau2)
    return Pooled(
        k=k,
        estimate=estimate,
        se=se,
        ci_low=estimate - quantile * se,
        ci_high=estimate + quantile * se,
        statistic=statistic,
        p_value=p_value,
        weights=tuple([100 * weight / total for weight in weights]),
        heterogeneity=heterogeneity,
        prediction_low=None if half_width is None else estimate - half_width,
        prediction_high=None if half_width is None else estimate + half_width,
    )
