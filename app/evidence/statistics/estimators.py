"""Between-study variance τ²: eight estimators, and the generalised Q that its interval stands on.

Reviews: Veroniki et al. 2016 (doi:10.1002/jrsm.1164); Viechtbauer 2005 (doi:10.3102/10769986030003261). All estimators
are cut off at 0 and need two studies. For the letters see `app.evidence.statistics.weights`.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from math import fsum, hypot, inf, log

from app.evidence.statistics.errors import NotConverged
from app.evidence.statistics.weights import Fit, Floats, Sample, squares, trace_of_p

MOST_STEPS = 200
CLOSE = 1e-14
"""Two values that differ by this part of them are one."""
LAST_STEP = 1e-7
"""A step below this part of the value leaves an error of its square, or nearly, and so is the last."""


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
    """The τ² ≥ 0 at which the generalised Q falls to the target; 0 when it is there already.

    The search starts at a τ² and how the effects pull there, or at 0.

    Q is Σ c/(λ + τ²) with c ≥ 0, so that 1/Q is increasing and concave: after the first, Newton's steps on it approach
    from below and never pass the root.
    """
    if sample.q <= target:
        return 0.0
    tau2, pulls = start or (0.0, sample.fixed[2])
    for _ in range(MOST_STEPS):
        q = sample.q_of(pulls)
        step = (q - target) / squares(pulls) * (q / target)
        tau2 = max(0.0, tau2 + step)
        if abs(step) <= LAST_STEP * tau2:
            return tau2
        _, _, pulls = sample.fit(tau2)
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


Look = tuple[float, float]
"""A τ², and how the likelihood goes there: below 1 it climbs, above it falls, and 1 is a top or a valley."""
Fall = Callable[[float], float]


def _greatest_likelihood(sample: Sample, *, is_restricted: bool) -> float:
    """The greatest of all maxima: real data have likelihoods with two, one of them at 0 (`dat.li2007` of metadat).

    Between a climb and a fall is a top.
    """

    def fall(tau2: float) -> float:
        return _fall(sample.fit(tau2), is_restricted)

    looks = list(_looks(sample, fall, _fall(sample.fixed, is_restricted)))
    tops = [0.0] if looks[0][1] >= 1 else []
    tops += [_top(fall, here, there, sample.v[0]) for here, there in pairwise(looks) if here[1] < 1 <= there[1]]
    return tops[0] if len(tops) == 1 else max(tops, key=partial(_log_likelihood, sample, is_restricted=is_restricted))


def _fall(fit: Fit, is_restricted: bool) -> float:
    """How tr P stands to y'PPy; for ML tr W in place of tr P.

    Their difference is twice the slope of the log-likelihood. Their ratio is all but a straight line in τ²: for studies
    of one variance v it is (v + τ²)/s².
    """
    weights, total, pulls = fit
    trace, length = trace_of_p(weights, total) if is_restricted else total, hypot(*pulls)
    return trace / length / length if length > 0 else inf


def _looks(sample: Sample, fall: Fall, at_0: float) -> Iterator[Look]:
    """At 0 and wherever τ² + min v is four times as much, until the likelihood only falls; and between where it is
    nearly level, so that no two tops hide there.
    """
    low, high = sample.v[0], sample.v[-1]
    tau2, here = 0.0, at_0
    yield 0.0, at_0
    if 0.5 < at_0 < 2:
        yield low / 4, fall(low / 4)
    while not _only_falls(tau2, here, low, high):
        there = fall(4 * tau2 + 3 * low)
        if 0.5 < here < 2 and 0.5 < there < 2:
            middle = 2 * tau2 + low
            yield middle, fall(middle)
        tau2, here = 4 * tau2 + 3 * low, there
        yield tau2, here


def _only_falls(tau2: float, here: float, low: float, high: float) -> bool:
    """Whether the likelihood has no top beyond a τ², for variances between low and high.

    For a larger t, y'PPy is at most what it is here times ((high + τ²)/(high + t))², and tr P at least what it is here
    times (low + τ²)/(low + t), because P's eigenvalues lie between those of W. The ratio of both is least at
    t = high − 2 low, or here where τ² is beyond that.
    """
    if tau2 >= high - 2 * low:
        return here >= 1
    return here * 4 * (high - low) * (low + tau2) >= (high + tau2) ** 2


def _top(fall: Fall, before: Look, after: Look, smallest: float) -> float:
    """The τ² between a climb and a fall at which the likelihood is level.

    Anderson and Björck's regula falsi (1973, doi:10.1007/BF01951936): a straight line between a place on either side
    leads to the next; a place that stays counts for less.
    """
    (a, at_a), (b, at_b) = before, after
    at_a, at_b = at_a - 1, at_b - 1
    tau2 = a
    for _ in range(MOST_STEPS):
        last, tau2 = tau2, b - at_b * (b - a) / (at_b - at_a)
        if abs(tau2 - last) <= LAST_STEP * (tau2 + smallest) or abs(b - a) <= CLOSE * b:
            return tau2
        there = fall(tau2) - 1
        if there == 0:
            return tau2
        if there * at_b > 0:
            kept = 1 - there / at_b
            at_a *= kept if kept > 0 else 0.5
        else:
            a, at_a = b, at_b
        b, at_b = tau2, there
    raise NotConverged("the likelihood", tau2)


def _log_likelihood(sample: Sample, tau2: float, *, is_restricted: bool) -> float:
    """Twice the log-likelihood, up to a constant."""
    weights, total, pulls = sample.fit(tau2)
    return sum(map(log, weights)) - (log(total) if is_restricted else 0.0) - sample.q_of(pulls)


def _variance(sample: Sample) -> float:
    """Of the effects, s²."""
    k = len(sample.y)
    mean = sum(sample.y) / k
    length = hypot(*[one - mean for one in sample.y])
    return length * length / (k - 1)
