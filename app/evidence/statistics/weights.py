"""Inverse-variance weights, the weighted mean and its residuals at a given τ², for the estimators of τ².

y are effects, v their variances, w = 1/(v + τ²), μ the weighted mean, P the projection that takes it out of the
effects: P = W − Ww'W/Σw.
"""

from collections.abc import Sequence
from math import fsum, hypot
from operator import mul
from typing import NamedTuple

Floats = Sequence[float]


class Weighted(NamedTuple):
    """Inverse-variance weights in the order of the input, their sum, and the weighted mean."""

    weights: list[float]
    total: float
    mean: float


def weighted(y: Floats, v: Floats, tau2: float) -> Weighted:
    """Weights and weighted mean at this τ²; the sums are exact, so that the order of the studies changes no digit."""
    weights = [1 / (variance + tau2) for variance in v]
    total = fsum(weights)
    return Weighted(weights, total, fsum(map(mul, weights, y)) / total)


Fit = tuple[list[float], float, list[float]]
"""At a τ²: the weights, the largest first; their sum; and the weighted residuals w(y − μ)."""


def squares(residuals: Floats) -> float:
    """Σ w²(y − μ)², which is y'PPy, of weighted residuals."""
    length = hypot(*residuals)
    return length * length


def trace_of_p(weights: Floats, total: float) -> float:
    """The trace of P, Σw − Σw²/Σw; the largest weight is first, and its square not subtracted, to keep the digits."""
    largest, *others = weights
    length = hypot(*others)
    return (sum(others) * (total + largest) - length * length) / total


class Sample:
    """Studies sorted by variance, ascending, with their effects as differences from the effect of the first.

    The order, and the sign of the differences, follow from the studies alone. So the order of the input changes no
    digit of a sum, and effects with reversed signs give the same digits.
    """

    __slots__ = ("fixed", "q", "trace", "v", "y")

    def __init__(self, y: Floats, v: Floats) -> None:
        """At least one effect, and as many variances above 0."""
        side = fsum(y)
        studies = sorted(zip(v, y, strict=True))
        if side <= 0:
            turned = sorted(zip(v, [-effect for effect in y], strict=True))
            studies = turned if side < 0 else min(studies, turned)
        _, origin = studies[0]
        self.v = [variance for variance, _ in studies]
        self.y = [effect - origin for _, effect in studies]
        self.fixed = self.fit(0.0)
        weights, total, residuals = self.fixed
        self.q = self.q_of(residuals)
        """Cochran's Q."""
        self.trace = trace_of_p(weights, total)
        """tr P at τ² = 0."""

    def fit(self, tau2: float) -> Fit:
        """The weights, their sum and the weighted residuals at this τ²."""
        y = self.y
        weights = [1 / (variance + tau2) for variance in self.v]
        total = sum(weights)
        mean = sum(map(mul, weights, y)) / total
        return weights, total, list(map(mul, weights, [effect - mean for effect in y]))

    def q_of(self, residuals: Floats) -> float:
        """The generalised Q, Σ w(y − μ)² = Σ w(y − μ)y, from the weighted residuals."""
        return fsum(map(mul, residuals, self.y))

    def q_at(self, tau2: float) -> float:
        """The generalised Q at this τ²."""
        _, _, residuals = self.fit(tau2)
        return self.q_of(residuals)
