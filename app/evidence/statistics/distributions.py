"""Quantiles and tail probabilities of the normal, t and χ² distributions; scipy is imported on the first t or χ²."""

from functools import cache
from importlib import import_module
from math import erfc, sqrt
from statistics import NormalDist
from typing import Any

_NORMAL = NormalDist()


@cache
def _special() -> Any:
    """scipy.special, imported late because its import would delay the start of the service too much."""
    return import_module("scipy.special")


def normal_quantile(probability: float) -> float:
    """The z with this much probability below it (Wichura 1988, AS 241)."""
    return _NORMAL.inv_cdf(probability)


def normal_two_sided(z: float) -> float:
    """The probability of a standard normal at least this far from 0."""
    return erfc(abs(z) / sqrt(2))


def t_quantile(probability: float, df: int) -> float:
    """The t with this much probability below it."""
    return float(_special().stdtrit(df, probability))


def t_two_sided(t: float, df: int) -> float:
    """The probability of Student's t at least this far from 0."""
    return 2 * float(_special().stdtr(df, -abs(t)))


def chi2_upper_tail(value: float, df: int) -> float:
    """The probability of a χ² of at least this value."""
    return float(_special().chdtrc(df, value))


def chi2_quantile(upper: float, df: int) -> float:
    """The χ² with this much probability above it."""
    return float(_special().chdtri(df, upper))
