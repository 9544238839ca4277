"""Heterogeneity of studies: Cochran's Q, I², H², and τ² with its Q-profile confidence interval."""

from collections.abc import Sequence
from math import fsum
from typing import NamedTuple

from app.evidence.statistics import distributions
from app.evidence.statistics.effects import Effect
from app.evidence.statistics.estimators import tau2_at_q
from app.evidence.statistics.weights import Sample

NO_INTERVAL = 0.0
"""As `tail`: compute no interval of τ²."""


class Heterogeneity(NamedTuple):
    """Heterogeneity statistics; for one study all but Q and its degrees of freedom are None."""

    q: float
    q_df: int
    q_p: float | None = None
    tau2: float | None = None
    tau2_ci_low: float | None = None
    tau2_ci_high: float | None = None
    i2: float | None = None
    """In percent."""
    i2_ci_low: float | None = None
    i2_ci_high: float | None = None
    h2: float | None = None
    """Total variance over sampling variance; 1 without heterogeneity."""


def about_common_mean(effects: Sequence[Effect], mean: float, *, q: float | None = None) -> Heterogeneity:
    """Q = Σ (y − μ)²/v, I² = (Q − df)/Q cut off at 0, H² = Q/df (Higgins and Thompson 2002, doi:10.1002/sim.1186).

    τ² is 0 by assumption. Mantel–Haenszel and Peto count the studies that have an effect of their own.
    """
    df = len(effects) - 1
    if df < 1:
        return Heterogeneity(q=0.0, q_df=max(df, 0))
    if q is None:
        q = fsum((effect.estimate - mean) ** 2 / effect.variance for effect in effects)
    i2 = 100 * max(0.0, (q - df) / q) if q > 0 else 0.0
    return Heterogeneity(q=q, q_df=df, q_p=distributions.chi2_upper_tail(q, df), tau2=0.0, i2=i2, h2=q / df)


def about_random_mean(sample: Sample, tau2: float, *, tail: float) -> Heterogeneity:
    """I² = τ²/(τ² + s²) and H² = 1 + τ²/s² (Higgins and Thompson 2002), with the typical variance s² = (k − 1)/tr P.

    The interval of τ² inverts Q(τ²) at the χ² quantiles of both tails (Viechtbauer 2007, doi:10.1002/sim.2514); where
    even τ² = 0 makes Q too small, both its ends are 0. I²'s interval follows from it.
    """
    df, q = len(sample.y) - 1, sample.q
    typical = df / sample.trace

    def i2(value: float) -> float:
        return 100 * value / (value + typical)

    low = high = None
    if tail != NO_INTERVAL:
        start = tau2, sample.fit(tau2)[2]
        low = tau2_at_q(sample, distributions.chi2_quantile(tail, df), start=start)
        high = tau2_at_q(sample, distributions.chi2_quantile(1 - tail, df), start=start)
    return Heterogeneity(
        q=q,
        q_df=df,
        q_p=distributions.chi2_upper_tail(q, df),
        tau2=tau2,
        tau2_ci_low=low,
        tau2_ci_high=high,
        i2=i2(tau2),
        i2_ci_low=None if low is None else i2(low),
        i2_ci_high=None if high is None else i2(high),
        h2=1 + tau2 / typical,
    )
