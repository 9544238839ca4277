"""Between-study variance τ²: eight estimators, and the generalised Q that its interval stands on.

y are effects, v their variances, w = 1/(v + τ²), μ the weighted mean. Sums are exact (`math.fsum`), so that the order
of the studies changes no digit. Reviews: Veroniki et al. 2016 (doi:10.1002/jrsm.1164); Viechtbauer 2005
(doi:10.3102/10769986030003261). All estimators are cut off at 0 and need two studies.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import fsum, inf, log
from operator import mul
from typing import NamedTuple

from app.synthesis.faults import NotConverged

MOST_STEPS = 200
CLOSE = 1e-14
"""A step below this part of the value is the end of an iteration."""
LAST_STEP = 1e-8
"""A step of Newton's method below this part of the value leaves an error of its square, and so is the last."""

Floats = Sequence[float]


class Weighted(NamedTuple):
    """What inverse-variance weights make of the effects."""

    weights: list[float]
    total: float
    mean: float
    residuals: list[float]
    """y − μ."""
    q: float
    """Σ w(y − μ)²."""


def weighted(y: Floats, v: Floats, tau2: float) -> Weighted:
    """Weights, weighted mean and generalised Q at this τ²."""
    weights = [1 / (one + tau2) for one in v]
    total = fsum(weights)
    mean = fsum(map(mul, weights, y)) / total
    residuals = [one - mean for one in y]
    return Weighted(weights, total, mean, residuals, fsum(map(mul, weights, map(mul, residuals, residuals))))


def trace_of_p(weights: Floats, total: float) -> float:
    """Trace of P, Σw − Σw²/Σw, summed as Σ w(Σw − w)/Σw; what the largest weight leaves is summed by itself."""
    largest = max(weights)
    place = weights.index(largest)
    rest = [*weights[:place], *weights[place + 1 :]]
    return (fsum([w * (total - w) for w in rest]) + largest * fsum(rest)) / total


def dersimonian_laird(y: Floats, v: Floats) -> float:
    """Method of moments with weights 1/v (DerSimonian and Laird 1986)."""
    fixed = weighted(y, v, 0)
    return max(0.0, (fixed.q - (len(y) - 1)) / trace_of_p(fixed.weights, fixed.total))


def hedges(y: Floats, v: Floats) -> float:
    """Method of moments with equal weights, also called variance components (Hedges and Olkin 1985, chapter 9)."""
    return max(0.0, _variance(y) - fsum(v) / len(v))


def hunter_schmidt(y: Floats, v: Floats) -> float:
    """(Q − k)/Σw (Hunter and Schmidt 2004); its bias is downwards."""
    fixed = weighted(y, v, 0)
    return max(0.0, (fixed.q - len(y)) / fixed.total)


def sidik_jonkman(y: Floats, v: Floats) -> float:
    """Two steps from the crude variance of the effects (Sidik and Jonkman 2005); above 0 unless all are equal."""
    crude = _variance(y) * (len(y) - 1) / len(y)
    return crude * weighted(y, v, crude).q / (len(y) - 1) if crude > 0 else 0.0


def paule_mandel(y: Floats, v: Floats) -> float:
    """The τ² at which Q is its expectation k − 1 (Paule and Mandel 1982); Morris's empirical Bayes is the same."""
    return tau2_at_q(y, v, len(y) - 1)


def tau2_at_q(y: Floats, v: Floats, target: float) -> float:
    """The τ² ≥ 0 at which the generalised Q falls to the target; 0 when it is there already.

    Q is Σ c/(λ + τ²) with c ≥ 0, so that 1/Q is increasing and concave: Newton's steps on it approach from below and
    never pass the root.
    """
    tau2 = 0.0
    for _ in range(MOST_STEPS):
        at = weighted(y, v, tau2)
        if at.q <= target:
            return tau2
        pulls = list(map(mul, at.weights, at.residuals))
        fall = fsum(map(mul, pulls, pulls))
        step = (at.q - target) / fall * (at.q / target)
        tau2 += step
        if step <= LAST_STEP * tau2:
            return tau2
    raise NotConverged("the generalised Q", tau2)


def maximum_likelihood(y: Floats, v: Floats) -> float:
    """The τ² of greatest likelihood (Hardy and Thompson 1996)."""
    return _greatest_likelihood(y, v, is_restricted=False)


def restricted_maximum_likelihood(y: Floats, v: Floats) -> float:
    """The τ² of greatest restricted likelihood (Raudenbush 2009; Viechtbauer 2005)."""
    return _greatest_likelihood(y, v, is_restricted=True)


ESTIMATORS: Mapping[str, Callable[[Floats, Floats], float]] = {
    "dl": dersimonian_laird,
    "reml": restricted_maximum_likelihood,
    "pm": paule_mandel,
    "ml": maximum_likelihood,
    "hs": hunter_schmidt,
    "sj": sidik_jonkman,
    "he": hedges,
    "eb": paule_mandel,
}


class Slope(NamedTuple):
    """Twice the first derivative of a log-likelihood in τ², its expected and its observed fall."""

    score: float
    expected: float
    observed: float


def _greatest_likelihood(y: Floats, v: Floats, *, is_restricted: bool) -> float:
    """The greatest of all maxima: real data have likelihoods with two, one of them at 0 (`dat.li2007` of metadat).

    A grid finds the hills, Newton's method their tops.
    """
    grid = _grid(y, v)
    heights = [-inf, *_heights(y, v, grid, is_restricted=is_restricted), -inf]
    tops = [
        _top(y, v, grid[max(i - 1, 0)], grid[i], grid[min(i + 1, len(grid) - 1)], is_restricted=is_restricted)
        for i in range(len(grid))
        if heights[i] <= heights[i + 1] >= heights[i + 2]
    ]
    return tops[0] if len(tops) == 1 else max(tops, key=partial(_log_likelihood, y, v, is_restricted=is_restricted))


def _grid(y: Floats, v: Floats) -> list[float]:
    """0, Hedges' estimate, and doubled from a quarter of the smallest variance, below which a likelihood is all but
    straight, until both likelihoods only fall.

    They fall where s²(τ² + max v) < (τ² + min v)², s² the variance of the effects: y'PPy is at most (k − 1)s² over the
    square of τ² + min v, and tr P at least k − 1 over τ² + max v.
    """
    low, high, spread = min(v), max(v), _variance(y)
    grid = [low / 4]
    while spread * (grid[-1] + high) >= (grid[-1] + low) ** 2:
        grid.append(2 * grid[-1])
    return sorted({0.0, max(0.0, spread - fsum(v) / len(v)), *grid})


def _heights(y: Floats, v: Floats, grid: Floats, *, is_restricted: bool) -> list[float]:
    """Twice the log-likelihood at each τ² of a grid, up to a constant; to the digits that tell a hill from a valley."""
    found = []
    for tau2 in grid:
        weights = [1 / (one + tau2) for one in v]
        total = sum(weights)
        mean = sum(map(mul, weights, y)) / total
        residuals = [one - mean for one in y]
        q = sum(map(mul, weights, map(mul, residuals, residuals)))
        found.append(sum(map(log, weights)) - (log(total) if is_restricted else 0.0) - q)
    return found


def _top(y: Floats, v: Floats, low: float, tau2: float, high: float, *, is_restricted: bool) -> float:
    """The top of the hill between low and high, by Newton's method on the score.

    A step that would leave the hill is replaced by halving what is left of it; where the likelihood is not concave,
    Fisher's step stands in.
    """
    smallest = min(v)
    for _ in range(MOST_STEPS):
        score, expected, observed = _slope(y, v, tau2, is_restricted=is_restricted)
        if tau2 == 0 and score <= 0:
            return 0.0
        low, high = (tau2, high) if score > 0 else (low, tau2)
        step = score / (observed if observed > 0 else expected)
        if high - low <= CLOSE * high:
            return tau2
        is_inside = low < tau2 + step < high
        if abs(step) <= LAST_STEP * (tau2 + smallest):
            return tau2 + step if is_inside else tau2
        tau2 = tau2 + step if is_inside else (low + high) / 2
    raise NotConverged("restricted maximum likelihood" if is_restricted else "maximum likelihood", tau2)


def _log_likelihood(y: Floats, v: Floats, tau2: float, *, is_restricted: bool) -> float:
    """Twice the log-likelihood, up to a constant."""
    fit = weighted(y, v, tau2)
    return fsum(map(log, fit.weights)) - (log(fit.total) if is_restricted else 0.0) - fit.q


def _slope(y: Floats, v: Floats, tau2: float, *, is_restricted: bool) -> Slope:
    """With P the projection that takes out the mean: y'PPy − tr P, tr PP, 2y'PPPy − tr PP; for ML W instead of P."""
    fit = weighted(y, v, tau2)
    weights, total = fit.weights, fit.total
    projected = list(map(mul, weights, fit.residuals))
    lengths, powers = list(map(mul, projected, projected)), list(map(mul, weights, weights))
    shift = fsum(map(mul, weights, projected)) / total
    bend = 2 * (fsum(map(mul, weights, lengths)) - shift * shift * total)
    squares = fsum(powers)
    trace, expected = total, squares
    if is_restricted:
        trace = trace_of_p(weights, total)
        expected = squares - 2 * fsum(map(mul, powers, weights)) / total + (squares / total) ** 2
    return Slope(fsum(lengths) - trace, expected, bend - expected)


def _variance(y: Floats) -> float:
    mean = fsum(y) / len(y)
    return fsum([(one - mean) ** 2 for one in y]) / (len(y) - 1)
