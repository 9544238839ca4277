"""The effect of one study and its variance, for each measure, as R metafor's `escalc` computes them by default.

Zero cells: ½ is added to all four cells of a study that has an empty one, and of no other study (`add=1/2`,
`to="only0"`, `drop00=FALSE`); for rates to both numbers of events, for a logit to both cells. Freeman and Tukey's
transformation needs none. Ratios are analysed as natural logarithms.
"""

from dataclasses import dataclass
from math import asin, atanh, exp, lgamma, log, sqrt

from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.study_data import Correlation, Counts, Generic, Means, Proportion, Rates


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimate on the scale of the analysis and its sampling variance."""

    estimate: float
    variance: float
    is_adjusted: bool = False
    """Whether ½ was added because of a zero cell."""


def risk_ratio(row: Counts) -> Effect:
    """Log risk ratio. Cochrane Handbook 10.4.1; variance 1/a − 1/n₁ + 1/c − 1/n₂ (Greenland and Robins 1985)."""
    a, b, c, d, is_adjusted = _cells(row)
    n1, n2 = a + b, c + d
    return Effect(log(a / n1) - log(c / n2), b / (a * n1) + d / (c * n2), is_adjusted)


def odds_ratio(row: Counts) -> Effect:
    """Log odds ratio and Woolf's variance 1/a + 1/b + 1/c + 1/d (Woolf 1955; Cochrane Handbook 10.4.1)."""
    a, b, c, d, is_adjusted = _cells(row)
    return Effect(log(a / b) - log(c / d), 1 / a + 1 / b + 1 / c + 1 / d, is_adjusted)


def peto_odds_ratio(row: Counts) -> Effect:
    """Peto's one-step log odds ratio (O − E)/V with variance 1/V (Yusuf, Peto et al. 1985)."""
    a, b, c, d, is_adjusted = _cells(row)
    n1, n2 = a + b, c + d
    n = n1 + n2
    variance = (a + c) * (b + d) * (n1 / n) * (n2 / n) / (n - 1)
    return Effect((a * n2 - c * n1) / n / variance, 1 / variance, is_adjusted)


def risk_difference(row: Counts) -> Effect:
    """Difference of risks; the variance is the sum of p(1 − p)/n (Cochrane Handbook 10.4.1)."""
    a, b, c, d, is_adjusted = _cells(row)
    n1, n2 = a + b, c + d
    return Effect((a * n2 - c * n1) / (n1 * n2), a * b / n1**3 + c * d / n2**3, is_adjusted)


def mean_difference(row: Means) -> Effect:
    """Difference of means; the variance is the sum of sd²/n, not pooled (Cochrane Handbook 10.5.1)."""
    return Effect(row.mean1 - row.mean2, row.sd1**2 / row.n1 + row.sd2**2 / row.n2)


def standardized_mean_difference(row: Means) -> Effect:
    """Hedges' g with the exact correction; variance 1/n₁ + 1/n₂ + g²/(2(n₁ + n₂)) (Hedges 1981; 1982, formula 8)."""
    df = row.n1 + row.n2 - 2
    if df < 2:
        raise Undefined("Hedges' g needs at least 4 people in both arms together", field="n1")
    pooled_sd = sqrt(((row.n1 - 1) * row.sd1**2 + (row.n2 - 1) * row.sd2**2) / df)
    if pooled_sd == 0 < row.sd1 + row.sd2 and min(row.n1, row.n2) > 1:
        raise Undefined("the standard deviations are too small to divide by", field="sd1")
    if pooled_sd == 0:
        raise Undefined("the arm with more than one person has a standard deviation of 0", field="sd1")
    g = (row.mean1 - row.mean2) / pooled_sd * hedges_correction(df)
    return Effect(g, 1 / row.n1 + 1 / row.n2 + g * g / (2 * (row.n1 + row.n2)))


def ratio_of_means(row: Means) -> Effect:
    """Log ratio of means; the variance is the sum of (sd/mean)²/n (Hedges, Gurevitch and Curtis 1999)."""
    if 0 in (row.mean1, row.mean2) or (row.mean1 > 0) != (row.mean2 > 0):
        raise Undefined("a ratio of means needs two means of the same sign, neither of them 0", field="mean1")
    first, second = row.sd1 / row.mean1, row.sd2 / row.mean2
    return Effect(log(abs(row.mean1)) - log(abs(row.mean2)), first * first / row.n1 + second * second / row.n2)


def rate_ratio(row: Rates) -> Effect:
    """Log incidence rate ratio; variance 1/x₁ + 1/x₂ (Rothman, Greenland and Lash 2008, chapter 14)."""
    is_adjusted = row.events1 == 0 or row.events2 == 0
    half = 0.5 if is_adjusted else 0.0
    x1, x2 = row.events1 + half, row.events2 + half
    return Effect(log(x1 / row.time1) - log(x2 / row.time2), 1 / x1 + 1 / x2, is_adjusted)


def fisher_z(row: Correlation) -> Effect:
    """Fisher's z = artanh r; variance 1/(n − 3) (Fisher 1921)."""
    return Effect(atanh(row.r), 1 / (row.n - 3))


def proportion_logit(row: Proportion) -> Effect:
    """Log odds of one proportion; variance 1/x + 1/(n − x)."""
    is_adjusted = row.events in (0, row.n)
    half = 0.5 if is_adjusted else 0.0
    x, others = row.events + half, row.n - row.events + half
    return Effect(log(x / others), 1 / x + 1 / others, is_adjusted)


def proportion_freeman_tukey(row: Proportion) -> Effect:
    """Double arcsine ½(asin√(x/(n+1)) + asin√((x+1)/(n+1))), in radians; variance 1/(4n + 2) (Freeman, Tukey 1950)."""
    return Effect(freeman_tukey(row.events, row.n), 1 / (4 * row.n + 2))


def generic(row: Generic) -> Effect:
    """The given effect, unchanged."""
    return Effect(row.estimate, row.se**2)


def freeman_tukey(events: float, n: float) -> float:
    """The double arcsine of a proportion, in radians."""
    return (asin(sqrt(events / (n + 1))) + asin(sqrt((events + 1) / (n + 1)))) / 2


def hedges_correction(df: int) -> float:
    """Γ(m/2) / (√(m/2) Γ((m−1)/2)), which makes d unbiased (Hedges 1981, formula 6d).

    The logarithms of Γ lose their digits when m is large; from 100 on the asymptotic series takes over, whose next term
    is below 1e-15 (DLMF 5.11.13).
    """
    if df < 100:
        return exp(lgamma(df / 2) - lgamma((df - 1) / 2)) / sqrt(df / 2)
    x = 1 / df
    return 1 + x * (-3 / 4 + x * (-7 / 32 + x * (-9 / 128 + x * (59 / 2048 + x * (483 / 8192 + x * -2323 / 65536)))))


def _cells(row: Counts) -> tuple[float, float, float, float, bool]:
    """The four cells, with ½ added to each when one of them is empty; and whether it was added."""
    cells = (row.events1, row.n1 - row.events1, row.events2, row.n2 - row.events2)
    is_adjusted = 0 in cells
    half = 0.5 if is_adjusted else 0.0
    a, b, c, d = (cell + half for cell in cells)
    return a, b, c, d, is_adjusted
