"""Sensitivity analyses: leave-one-out, cumulative, subgroups, Egger's test, and trim and fill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum, sqrt
from typing import Literal, NamedTuple

from app.evidence.statistics import distributions
from app.evidence.statistics.effects import Effect
from app.evidence.statistics.errors import NotConverged, Undefined
from app.evidence.statistics.pooling import Plan, Pooled, StudyEffect, pool, tau2_of
from app.evidence.statistics.weights import Floats, Sample, weighted

MOST_ROUNDS = 100


class Attempt(NamedTuple):
    """A pooled estimate, or why there is none."""

    studies: Sequence[StudyEffect]
    pooled: Pooled | None
    reason: str | None = None


def attempt(studies: Sequence[StudyEffect], plan: Plan) -> Attempt:
    """Pool without the interval of τ²; the reason where that is not possible.

    A single study has a Wald interval, because Knapp and Hartung's needs two studies.
    """
    if len(studies) == 1:
        plan = replace(plan, interval="wald")
    try:
        return Attempt(studies, pool(studies, plan, with_interval_of_tau2=False))
    except Undefined as fault:
        return Attempt(studies, None, fault.message)


def leave_one_out(studies: Sequence[StudyEffect], plan: Plan) -> list[Attempt]:
    """The result without each study in turn; needs two studies."""
    if len(studies) < 2:
        raise Undefined("leave-one-out needs at least 2 studies")
    return [attempt([*studies[:index], *studies[index + 1 :]], plan) for index in range(len(studies))]


def cumulative(studies: Sequence[StudyEffect], plan: Plan) -> list[Attempt]:
    """The result of the first study, the first two, and so on, in the order in which they were given."""
    return [attempt(studies[: index + 1], plan) for index in range(len(studies))]


@dataclass(frozen=True, slots=True)
class Subgroups:
    """The result of each subgroup, and the test of their difference."""

    groups: Mapping[str, Attempt]
    q: float | None
    q_df: int
    q_p: float | None


def subgroups(studies: Sequence[StudyEffect], names: Sequence[str], plan: Plan) -> Subgroups:
    """Each subgroup with a τ² of its own, and Q between them: Σ (θ − θ̄)²/se² with one less than their number as
    degrees of freedom (Borenstein et al. 2009, chapter 19; Cochrane Handbook 10.11.3.1).
    """
    groups = {
        name: attempt([study for study, own in zip(studies, names, strict=True) if own == name], plan)
        for name in dict.fromkeys(names)
    }
    pooled = [found.pooled for found in groups.values() if found.pooled is not None and found.pooled.se > 0]
    df = len(pooled) - 1
    if df < 1:
        return Subgroups(groups, None, max(df, 0), None)
    between = Sample([group.estimate for group in pooled], [group.se**2 for group in pooled])
    return Subgroups(groups, between.q, df, distributions.chi2_upper_tail(between.q, df))


@dataclass(frozen=True, slots=True)
class Egger:
    """Egger's regression: slope of the effects on the standard errors, and the limit at a standard error of 0."""

    bias: float
    se: float
    statistic: float | None
    """t; None when the standard error is 0."""
    df: int
    p_value: float
    limit_estimate: float
    limit_ci_low: float
    limit_ci_high: float


def egger(effects: Sequence[Effect], tail: float) -> Egger:
    """Weighted regression of effects on standard errors with multiplicative dispersion, t with k − 2 degrees of freedom
    (Egger et al. 1997, doi:10.1136/bmj.315.7109.629; Sterne and Egger 2005); metafor's `regtest(model="lm")`.

    `bias` is the slope, which is the intercept in Egger's own form. Needs three studies whose standard errors differ.
    """
    df = len(effects) - 2
    if df < 1:
        raise Undefined("Egger's test needs at least 3 studies")
    line = _line([effect.estimate for effect in effects], [effect.variance for effect in effects], 0)
    if line is None:
        raise Undefined("Egger's test needs studies whose standard errors differ")
    dispersion = line.residual / df
    se, limit_se = sqrt(dispersion * line.slope_variance), sqrt(dispersion * line.start_variance)
    statistic = line.slope / se if se > 0 else None
    p_value = float(line.slope == 0) if statistic is None else distributions.t_two_sided(statistic, df)
    half_width = -distributions.t_quantile(tail, df) * limit_se
    limit = line.start
    return Egger(line.slope, se, statistic, df, p_value, limit, limit - half_width, limit + half_width)


class Line(NamedTuple):
    """A weighted linear regression of effects on standard errors; the variances are for a dispersion of 1."""

    start: float
    start_variance: float
    slope: float
    slope_variance: float
    residual: float


def _line(y: Floats, v: Floats, tau2: float) -> Line | None:
    """The regression with weights 1/(v + τ²); None when all standard errors are equal."""
    fit = weighted(y, v, tau2)
    errors = [sqrt(variance) for variance in v]
    mean_error = weighted(errors, v, tau2).mean
    spread = fsum(w * (error - mean_error) ** 2 for w, error in zip(fit.weights, errors, strict=True))
    if spread <= 1e-18 * fit.total * mean_error**2:
        return None
    triples = list(zip(fit.weights, errors, y, strict=True))
    slope = fsum(w * (error - mean_error) * (effect - fit.mean) for w, error, effect in triples) / spread
    start = fit.mean - slope * mean_error
    residual = fsum(w * (effect - start - slope * error) ** 2 for w, error, effect in triples)
    return Line(start, 1 / fit.total + mean_error**2 / spread, slope, 1 / spread, residual)


@dataclass(frozen=True, slots=True)
class TrimAndFill:
    """The studies that seem to be missing from the funnel plot, and the pooled estimate with them."""

    side: Literal["left", "right"]
    filled: Sequence[Effect]
    pooled: Pooled


def trim_and_fill(studies: Sequence[StudyEffect], plan: Plan) -> TrimAndFill:
    """Duval and Tweedie's L₀ (2000, doi:10.1111/j.0006-341X.2000.00455.x), as metafor's `trimfill`.

    Studies are missing on the right when the effect decreases with the standard error, else on the left; that
    regression is weighted with the model's τ². Needs three studies and inverse variance.
    """
    if plan.method != "inverse-variance":
        raise Undefined("trim and fill needs method inverse-variance")
    if len(studies) < 3:
        raise Undefined("trim and fill needs at least 3 studies")
    effects = [study.effect for study in studies if study.effect is not None]
    y, v = [effect.estimate for effect in effects], [effect.variance for effect in effects]
    line = _line(y, v, tau2_of(Sample(y, v), plan))
    is_right = line is not None and line.slope < 0
    turn = -1 if is_right else 1
    ordered = sorted((turn * effect.estimate, effect.variance) for effect in effects)
    missing, centre = _missing([y for y, _ in ordered], [v for _, v in ordered], plan)
    filled = [Effect(turn * (2 * centre - y), v) for y, v in ordered[len(ordered) - missing :]]
    mirrored = [StudyEffect(studies[0].row, effect) for effect in filled]
    return TrimAndFill("right" if is_right else "left", filled, pool([*studies, *mirrored], plan))


def _missing(y: Floats, v: Floats, plan: Plan) -> tuple[int, float]:
    """The number of effects missing below these, which ascend, and the centre without the same number at the top."""
    k, missing = len(y), 0
    for _ in range(MOST_ROUNDS):
        trimmed = k - missing
        tau2 = tau2_of(Sample(y[:trimmed], v[:trimmed]), plan)
        centre = weighted(y[:trimmed], v[:trimmed], tau2).mean
        ranked = sorted((effect - centre for effect in y), key=abs)
        positive = sum(rank for rank, deviation in enumerate(ranked, 1) if deviation > 0)
        found = max(0, round((4 * positive - k * (k + 1)) / (2 * k - 1)))
        if found == missing:
            return missing, centre
        missing = found
    raise NotConverged("trim and fill", float(missing))
