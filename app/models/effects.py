"""Effect measures: the value of no effect, and what an estimate and its interval say for a finding.

The null is 0 for differences and 1 for ratios (Cochrane Handbook, chapter 6).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app.models.rules import Wrong
from app.models.vocabulary import EstimateDirection

RATIO_MEASURES = frozenset({"risk-ratio", "odds-ratio", "ratio-of-means", "rate-ratio", "hazard-ratio"})
DIFFERENCE_MEASURES = frozenset({"risk-difference", "mean-difference", "standardized-mean-difference"})
USUAL_LEVEL = 95.0
FAVOURS = {"treatment": "favours-treatment", "comparator": "favours-comparator"}
NOT_CONTROLLED = frozenset({None, "baseline", "none"})
"""Comparators that are no group of other people: without such a group a change is no effect of the treatment."""


def null_of(measure: str | None) -> float | None:
    """The value of no effect of a measure; None where the measure does not say."""
    if measure in RATIO_MEASURES:
        return 1.0
    return 0.0 if measure in DIFFERENCE_MEASURES else None


def is_controlled(comparator: str | None) -> bool:
    """Whether a result compares with other people: not with the same people before, and not with nobody."""
    return comparator not in NOT_CONTROLLED


def direction_of(outcome: Mapping[str, Any], measure: str | None) -> str | None:
    """The better direction of an effect under a measure (`lower-is-better`); None where that is not known.

    For a hazard ratio the direction of a time is reversed: the longer the time, the lower the hazard. That needs an
    outcome with a unit of time; of other time-to-event outcomes it is unknown whether the direction is of the time or
    of the event.
    """
    direction = None if outcome["direction"] == "unclear" else outcome["direction"]
    if measure != "hazard-ratio" or outcome["kind"] != "time-to-event":
        return direction
    turned = {"lower-is-better": "higher-is-better", "higher-is-better": "lower-is-better"}
    return turned.get(direction or "") if outcome["unit"] else None


def favoured_above_null(outcome: Mapping[str, Any] | None, measure: str | None) -> EstimateDirection:
    """The side that a value above the null favours, if the estimate is treatment minus or over comparator."""
    if outcome is None or null_of(measure) is None:
        return "unknown"
    sides: dict[str | None, EstimateDirection] = {"lower-is-better": "comparator", "higher-is-better": "treatment"}
    return sides.get(direction_of(outcome, measure), "unknown")


def ratios_above_zero(result: Any) -> Iterator[Wrong]:
    """A ratio lies above 0; only the lower limit may be 0, where nobody in one arm had the event."""
    if result.measure not in RATIO_MEASURES:
        return
    for name in ("estimate", "ci_low", "ci_high"):
        value = getattr(result, name)
        if value is not None and (value < 0 or (value == 0 and name != "ci_low")):
            yield Wrong(f"/{name}", f"a {result.measure} lies above 0, which {value:g} does not")


def finding_and_interval(result: Any) -> Iterator[Wrong]:
    """A finding that its own confidence interval contradicts: a favour with the null inside, a null outside of it."""
    null, level = null_of(result.measure), result.ci_level or USUAL_LEVEL
    if null is None or result.ci_low is None or result.ci_high is None or result.ci_sides == "one-sided":
        return
    interval = f"{result.ci_low:g} to {result.ci_high:g}"
    if result.ci_low < null < result.ci_high and level <= USUAL_LEVEL:
        if result.finding in FAVOURS.values():
            yield Wrong("/finding", f"it {_words(result.finding)}, but its interval {interval} includes {null:g}")
    elif (result.ci_low > null or result.ci_high < null) and level >= USUAL_LEVEL:
        is_small = result.finding == "no-difference" and result.clinically_important is False
        if result.finding in ("not-significant", "no-difference") and not is_small:
            yield Wrong("/finding", f"it is {_words(result.finding)}, but its interval {interval} excludes {null:g}")


def p_value_and_interval(result: Any) -> Iterator[Wrong]:
    """A P value far below what its interval allows, or far above; near the level both may differ by their methods."""
    null, level = null_of(result.measure), result.ci_level
    if None in (null, level, result.ci_low, result.ci_high, result.p_value) or result.ci_sides == "one-sided":
        return
    alpha, words = 1 - level / 100, f"P {result.p_modifier} {result.p_value:g}"
    is_inside = result.ci_low < null < result.ci_high
    if is_inside and result.p_modifier != ">" and result.p_value < alpha / 5:
        yield Wrong("/p_value", f"{words}, but the {level:g} % interval includes {null:g}")
    is_outside = result.ci_low > null or result.ci_high < null
    if is_outside and result.p_modifier != "<" and result.p_value > 5 * alpha:
        yield Wrong("/p_value", f"{words}, but the {level:g} % interval excludes {null:g}")


def finding_and_estimate(result: Any, above: EstimateDirection) -> Iterator[Wrong]:
    """A finding on the other side than its estimate, where it is known which side a value above the null favours."""
    null = null_of(result.measure)
    if null is None or above == "unknown" or result.estimate in (None, null):
        return
    other = "comparator" if above == "treatment" else "treatment"
    favoured = FAVOURS[above if result.estimate > null else other]
    if result.finding in FAVOURS.values() and result.finding != favoured:
        detail = f"it {_words(result.finding)}, but {result.estimate:g} {_words(favoured)}"
        yield Wrong("/finding", f"{detail}: say in estimate_direction which side a value above {null:g} favours")


def finding_and_margin(result: Any, above: EstimateDirection) -> Iterator[Wrong]:
    """Non-inferiority against its margin: shown where the limit on the comparator's side lies within the margin.

    CONSORT extension for non-inferiority trials (Piaggio 2012, doi:10.1001/jama.2012.87802).
    """
    null = null_of(result.measure)
    if result.margin is None or null is None or above == "unknown":
        return
    limit = result.ci_high if above == "comparator" else result.ci_low
    if limit is None:
        return
    is_above, is_ratio = above == "comparator", result.measure in RATIO_MEASURES
    if is_ratio and result.margin <= 0:
        return
    turned = 1 / result.margin if is_ratio else -result.margin
    margin = result.margin if (result.margin > null) == is_above else turned
    is_shown = limit < margin if is_above else limit > margin
    if result.finding == ("non-inferiority-not-shown" if is_shown else "non-inferior"):
        where = "within" if is_shown else "beyond"
        yield Wrong("/finding", f"it is {_words(result.finding)}, but the limit {limit:g} lies {where} the margin")


ON_SCALE = ("mean", "median", "q1", "q3", "min", "max", "geometric_mean", "baseline_mean")
"""The statistics of an arm that lie on the outcome's scale."""


def off_scale(result: Any, outcome: Mapping[str, Any]) -> Iterator[Wrong]:
    """Statistics of arms off the outcome's scale; a change lies within the scale's width, on either side of 0.

    Adjusted figures come from a model, which knows no scale. Where it is not recorded whether values are changes, both
    are taken.
    """
    low, high = outcome["scale_min"], outcome["scale_max"]
    if low is None or high is None:
        return
    width = high - low
    bounds = {"final": (low, high), "change": (-width, width), None: (min(low, -width), max(high, width))}
    for index, arm in enumerate(result.arms):
        for name in () if arm.adjusted else ON_SCALE:
            value = getattr(arm, name)
            smallest, largest = (low, high) if name == "baseline_mean" else bounds[result.score]
            if value is not None and not smallest <= value <= largest:
                detail = f"{name} {value:g} is off the scale of {outcome['id']}, {smallest:g} to {largest:g}"
                yield Wrong(f"/arms/{index}/{name}", detail)


def _words(finding: str) -> str:
    return finding.replace("-", " ").replace("non inferior", "non-inferior")
