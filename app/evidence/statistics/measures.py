"""Effect measures by name: the fields that each needs, its effect size, and its display scale."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from math import exp, isfinite, sin, sqrt, tanh
from typing import Any

from app.evidence.statistics import effects
from app.evidence.statistics.effects import Effect, freeman_tukey
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.study_data import Correlation, Counts, Generic, Means, Proportion, Rates, Row

LARGEST_LOGARITHM = 700.0
"""The largest logarithm of a ratio that JSON readers can represent as a number."""
SMALLEST_VARIANCE, LARGEST_VARIANCE = 1e-24, 1e30
WIDEST_RATIO = 1e12
"""Largest ratio of variances (standard errors a million times apart): more is a mistaken unit, and loses all digits."""


@dataclass(frozen=True)
class Measure:
    """An effect measure."""

    name: str
    shape: type[Row]
    effect: Callable[[Any], Effect]
    words: str
    """The name of the displayed effect (`risk ratio`)."""
    symbol: str
    """The symbol of the displayed effect, as a column heading (`RR`)."""
    is_ratio: bool = False
    """Whether the analysis uses natural logarithms and the display ratios."""
    no_effect: float | None = 0.0
    """The value on the scale of the analysis that means no effect; None for proportions."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that a study must have."""
        return tuple(field.name for field in fields(self.shape))

    def shown(self, value: float, rows: Sequence[Row]) -> float | None:
        """A value of the analysis on the display scale; None where it overflows.

        `rows` are the studies behind the value: Freeman and Tukey's arcsine needs the harmonic mean of their sizes.
        """
        if self.is_ratio:
            return exp(value) if abs(value) <= LARGEST_LOGARITHM else None
        if self.name == "fisher-z":
            return tanh(value)
        if self.name == "proportion-logit":
            return 1 / (1 + exp(-value)) if value > -LARGEST_LOGARITHM else 0.0
        if self.name == "proportion-freeman-tukey":
            sizes = [row.n for row in rows if isinstance(row, Proportion)]
            return proportion_of_arcsine(value, len(sizes) / sum(1 / n for n in sizes))
        return value


def proportion_of_arcsine(value: float, n: float) -> float:
    """The inverse of the double arcsine among n people, a proportion (Miller 1978); 0 and 1 beyond the ends."""
    if value <= freeman_tukey(0, n):
        return 0.0
    if value >= freeman_tukey(n, n):
        return 1.0
    sine, sign = sin(2 * value), 1 if 4 * value < 3.141592653589793 else -1
    root = 1 - (sine + (sine - 1 / sine) / n) ** 2
    return (1 - sign * sqrt(max(root, 0.0))) / 2


_ALL = (
    Measure("risk-ratio", Counts, effects.risk_ratio, "risk ratio", "RR", is_ratio=True),
    Measure("odds-ratio", Counts, effects.odds_ratio, "odds ratio", "OR", is_ratio=True),
    Measure("risk-difference", Counts, effects.risk_difference, "risk difference", "RD"),
    Measure("mean-difference", Means, effects.mean_difference, "mean difference", "MD"),
    Measure(
        "standardized-mean-difference",
        Means,
        effects.standardized_mean_difference,
        "standardised mean difference (Hedges' g)",
        "SMD",
    ),
    Measure("ratio-of-means", Means, effects.ratio_of_means, "ratio of means", "RoM", is_ratio=True),
    Measure("rate-ratio", Rates, effects.rate_ratio, "rate ratio", "IRR", is_ratio=True),
    Measure("fisher-z", Correlation, effects.fisher_z, "correlation", "r"),
    Measure("proportion-logit", Proportion, effects.proportion_logit, "proportion", "p", no_effect=None),
    Measure(
        "proportion-freeman-tukey", Proportion, effects.proportion_freeman_tukey, "proportion", "p", no_effect=None
    ),
    Measure("generic", Generic, effects.generic, "effect", "effect"),
)
MEASURES: Mapping[str, Measure] = {measure.name: measure for measure in _ALL}
PETO = Measure("odds-ratio", Counts, effects.peto_odds_ratio, "odds ratio (Peto)", "Peto OR", is_ratio=True)
GENERIC_LOG = Measure("generic", Generic, effects.generic, "ratio", "ratio", is_ratio=True)


def effects_of(measure: Measure, rows: Sequence[Row]) -> list[Effect]:
    """The effect of each study; Undefined, with the index of the study, where it cannot be computed."""
    found = [effect_of(measure, row, index) for index, row in enumerate(rows)]
    smallest = min(effect.variance for effect in found)
    for index, effect in enumerate(found):
        if effect.variance > smallest * WIDEST_RATIO:
            detail = "its standard error is more than a million times that of another study: are the units the same?"
            raise Undefined(detail, study=index)
    return found


def effect_of(measure: Measure, row: Row, index: int) -> Effect:
    """The effect of the study at this index; Undefined, with that index, where it cannot be computed.

    A `Generic` row is a published effect of the measure, on the scale of the analysis.
    """
    try:
        effect = effects.generic(row) if isinstance(row, Generic) else measure.effect(row)
    except Undefined as fault:
        raise Undefined(fault.message, study=index, field=fault.field) from fault
    if not isfinite(effect.estimate):
        raise Undefined("its effect is beyond what a number holds", study=index)
    if not SMALLEST_VARIANCE <= effect.variance <= LARGEST_VARIANCE:
        detail = f"its variance of {effect.variance:.3g} is outside {SMALLEST_VARIANCE:g} to {LARGEST_VARIANCE:g}"
        raise Undefined(detail, study=index)
    return effect
