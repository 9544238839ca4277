"""Effects and their variances as the estimators of τ² see them, and what a τ² makes of them.

y are effects, v their variances, w = 1/(v + τ²), μ the weighted mean, P the projection that takes it out of the
effects: P = W − Ww'W/Σw.
"""

from collections.abc import Sequence
from math import fsum, hypot
from operator import mul
from typing import NamedTuple

Floats = Sequence[float]


class Weighted(NamedTuple):
    """What inverse-variance weights make of the effects, in the order in which these were given."""

    weights: list[float]
    total: float
    mean: float


def weighted(y: Floats, v: Floats, tau2: float) -> Weighted:
    """Weights and weighted mean at this τ²; the sums are exact, so that the order of the studies changes no digit."""
    weights = [1 / (one + tau2) for one in v]
    total = fsum(weights)
    return Weighted(weights, total, fsum(map(mul, weights, y)) / total)


Fit = tuple[list[float], float, list[float]]
"""At a τ²: the weights, the largest first; their sum; and how each effect pulls, w(y − μ)."""


def squares(pulls: Floats) -> float:
    """Σ w²(y − μ)², which is y'PPy."""
    length = hypot(*pulls)
    return length * length


def trace_of_p(weights: Floats, total: float) -> float:
    """The trace of P, Σw − Σw²/Σw, with the largest weight first, whose square is not taken from that of the sum."""
    largest, *others = weights
    length = hypot(*others)
    return (sum(others) * (total + largest) - length * length) / total


class Sample:
    """Studies from the smallest variance to the largest, their effects as distances from that of the first.

    The order, and the direction in which distances are counted, follow from the studies alone. So the order in which
    they were given changes no digit of a sum, and effects turned round give the same digits.
    """

    __slots__ = ("fixed", "q", "trace", "v", "y")

    def __init__(self, y: Floats, v: Floats) -> None:
        """At least one effect, and as many variances above 0."""
        side = fsum(y)
        studies = sorted(zip(v, y, strict=True))
        if side <= 0:
            turned = sorted(zip(v, [-one for one in y], strict=True))
            studies = turned if side < 0 else min(studies, turned)
        _, origin = studies[0]
        self.v = [variance for variance, _ in studies]
        self.y = [effect - origin for _, effect in studies]
        self.fixed = self.fit(0.0)
        weights, total, pulls = self.fixed
        self.q = self.q_of(pulls)
        """Cochran's Q."""
        self.trace = trace_of_p(weights, total)
        """tr P at τ² = 0."""

    def fit(self, tau2: float) -> Fit:
        """The weights, their sum and the pulls at this τ²."""
        y = self.y
        weights = [1 / (one + tau2) for one in self.v]
        total = sum(weights)
        mean = sum(map(mul, weights, y)) / total
        return weights, total, list(map(mul, weights, [one - mean for one in y]))

    def q_of(self, pulls: Floats) -> float:
        """The generalised Q, Σ w(y − μ)² = Σ w(y − μ)y, where each effect pulls so."""
        return fsum(map(mul, pulls, self.y))

    def q_at(self, tau2: float) -> float:
        """The generalised Q at this τ²."""
        _, _, pulls = self.fit(tau2)
        return self.q_of(pulls)
