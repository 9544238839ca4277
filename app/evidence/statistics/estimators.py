"""Between-study variance τ²: eight estimators, and the generalised Q behind its confidence interval.

Reviews: Veroniki et al. 2016 (doi:10.1002/jrsm.1164); Viechtbauer 2005 (doi:10.3102/10769986030003261). All estimators
are cut off at 0 and need two studies. For the notation see `app.evidence.statistics.weights`.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from math import fsum, hypot, inf, log

from app.evidence.statistics.errors import NotConverged
from app.evidence.statistics.weights import Fit, Floats, Sample, squares, trace_of_p

MOST_STEPS = 200
CLOSE = 1e-14
"""Relative difference below which two values are equal."""
LAST_STEP = 1e-7
"""Relative size of a step that ends the iteration: the error after it is about the square of the step."""


def dersimonian_laird(sample: Sample) -> float:
    """Method of moments with weights 1/v (DerSimonian and Laird 1986)."""
    return max(0.0, (sample.q - (len(sample.y) - 1)) / sample.trace)


def hedges(sample: Sample) -> float:
    """Method of moments with equal weights, also called variance components (Hedges and Olkin 1985, chapter 9)."""
    return max(0.0, _variance(sample) - fsum(sample.v) / len(sample.v))


def hunter_schmidt(sample: Sample) -> float:
    """(Q − k)/Σw (Hunter and Schmidt 2004); its bias is downwards."""
    _, total, _ = sample.fixed
    return max(0.0, (sample.q - len(sample.y)) / total)


def sidik_jonkman(sample: Sample) -> float:
    """Two steps from the crude variance of the effects (Sidik and Jonkman 2005); above 0 unless all are equal."""
    df = len(sample.y) - 1
    crude = _variance(sample) * df / (df + 1)
    return crude * sample.q_at(crude) / df if crude > 0 else 0.0


def paule_mandel(sample: Sample) -> float:
    """The τ² at which Q is its expectation k − 1 (Paule and Mandel 1982); Morris's empirical Bayes is the same."""
    return tau2_at_q(sample, len(sample.y) - 1)


def tau2_at_q(sample: Sample, target: float, *, start: tuple[float, Floats] | None = None) -> float:
    """The τ² ≥ 0 at which the generalised Q falls to the target; 0 when Q is not above the target at τ² = 0.

    The search starts at 0, or at a τ² with the weighted residuals there.

    Q is Σ c/(λ + τ²) with c ≥ 0, so that 1/Q is increasing and concave: after the first, Newton's steps on it approach
    from below and never pass the root.
    """
    if sample.q <= target:
        return 0.0
    tau2, residuals = start or (0.0, sample.fixed[2])
    for _ in range(MOST_STEPS):
        q = sample.q_of(residuals)
        step = (q - target) / squares(residuals) * (q / target)
        tau2 = max(0.0, tau2 + step)
        if abs(step) <= LAST_STEP * tau2:
            return tau2
        _, _, residuals = sample.fit(tau2)
    raise NotConverged("the generalised Q", tau2)


def maximum_likelihood(sample: Sample) -> float:
    """The τ² of greatest likelihood (Hardy and Thompson 1996)."""
    return _greatest_likelihood(sample, is_restricted=False)


def restricted_maximum_likelihood(sample: Sample) -> float:
    """The τ² of greatest restricted likelihood (Raudenbush 2009; Viechtbauer 2005)."""
    return _greatest_likelihood(sample, is_restricted=True)


ESTIMATORS: Mapping[str, Callable[[Sample], float]] = {
    "dl": dersimonian_laird,
    "reml": restricted_maximum_likelihood,
    "pm": paule_mandel,
    "ml": maximum_likelihood,
    "hs": hunter_schmidt,
    "sj": sidik_jonkman,
    "he": hedges,
    "eb": paule_mandel,
}


Evaluation = tuple[float, float]
"""A τ² and its slope ratio: below 1 the likelihood increases there, above 1 it decreases, at 1 it has an extremum."""
SlopeRatio = Callable[[float], float]


def _greatest_likelihood(sample: Sample, *, is_restricted: bool) -> float:
    """The global maximum: real data have likelihoods with two maxima, one of them at 0 (`dat.li2007` of metadat).

    There is a maximum between an increase and a decrease.
    """

    def slope_ratio(tau2: float) -> float:
        return _slope_ratio(sample.fit(tau2), is_restricted)

    grid = list(_evaluations(sample, slope_ratio, _slope_ratio(sample.fixed, is_restricted)))
    maxima = [0.0] if grid[0][1] >= 1 else []
    brackets = ((before, after) for before, after in pairwise(grid) if before[1] < 1 <= after[1])
    maxima += [_maximum(slope_ratio, before, after, sample.v[0]) for before, after in brackets]
    if len(maxima) == 1:
        return maxima[0]
    return max(maxima, key=partial(_log_likelihood, sample, is_restricted=is_restricted))


def _slope_ratio(fit: Fit, is_restricted: bool) -> float:
    """The ratio of tr P to y'PPy; for ML tr W in place of tr P.

    Their difference is twice the slope of the log-likelihood. Their ratio is nearly linear in τ²: for studies of one
    variance v it is (v + τ²)/s².
    """
    weights, total, residuals = fit
    trace, length = trace_of_p(weights, total) if is_restricted else total, hypot(*residuals)
    return trace / length / length if length > 0 else inf


def _evaluations(sample: Sample, slope_ratio: SlopeRatio, at_0: float) -> Iterator[Evaluation]:
    """A grid over τ²: 0, then τ² + min v grows fourfold, until the likelihood only decreases; with a point between
    where it is nearly flat, so that no pair of maxima is missed.
    """
    low, high = sample.v[0], sample.v[-1]
    tau2, here = 0.0, at_0
    yield 0.0, at_0
    if 0.5 < at_0 < 2:
        yield low / 4, slope_ratio(low / 4)
    while not _only_decreases(tau2, here, low, high):
        there = slope_ratio(4 * tau2 + 3 * low)
        if 0.5 < here < 2 and 0.5 < there < 2:
            middle = 2 * tau2 + low
            yield middle, slope_ratio(middle)
        tau2, here = 4 * tau2 + 3 * low, there
        yield tau2, here


def _only_decreases(tau2: float, here: float, low: float, high: float) -> bool:
    """Whether the likelihood has no maximum above a τ², for variances between low and high.

    For a larger t, y'PPy is at most what it is here times ((high + τ²)/(high + t))², and tr P at least what it is here
    times (low + τ²)/(low + t), because P's eigenvalues lie between those of W. The ratio of both is least at
    t = high − 2 low, or here where τ² is beyond that.
    """
    if tau2 >= high - 2 * low:
        return here >= 1
    return here * 4 * (high - low) * (low + tau2) >= (high + tau2) ** 2


def _maximum(slope_ratio: SlopeRatio, before: Evaluation, after: Evaluation, smallest: float) -> float:
    """The τ² of the maximum of the likelihood between an increase and a decrease.

    Anderson and Björck's regula falsi (1973, doi:10.1007/BF01951936): linear interpolation between the ends of the
    bracket; the value at an end that does not move is scaled down.
    """
    (a, at_a), (b, at_b) = before, after
    at_a, at_b = at_a - 1, at_b - 1
    tau2 = a
    for _ in range(MOST_STEPS):
        last, tau2 = tau2, b - at_b * (b - a) / (at_b - at_a)
        if abs(tau2 - last) <= LAST_STEP * (tau2 + smallest) or abs(b - a) <= CLOSE * b:
            return tau2
        there = slope_ratio(tau2) - 1
        if there == 0:
            return tau2
        if there * at_b > 0:
            scale = 1 - there / at_b
            at_a *= scale if scale > 0 else 0.5
        else:
            a, at_a = b, at_b
        b, at_b = tau2, there
    raise NotConverged("the likelihood", tau2)


def _log_likelihood(sample: Sample, tau2: float, *, is_restricted: bool) -> float:
    """Twice the log-likelihood, up to a constant."""
    weights, total, residuals = sample.fit(tau2)
    return sum(map(log, weights)) - (log(total) if is_restricted else 0.0) - sample.q_of(residuals)


def _variance(sample: Sample) -> float:
    """The sample variance s² of the effects."""
    k = len(sample.y)
    mean = sum(sample.y) / k
    length = hypot(*[effect - mean for effect in sample.y])
    return length * length / (k - 1)
