"""Data extraction: the numbers of a study result that a measure needs, with JSON pointers; or why it is excluded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any, Literal, NamedTuple

from typing_extensions import TypeAliasType

from app.evidence.results import CLUSTERED, PAIRED, Document, Reported, exclusion_of
from app.evidence.statistics.distributions import normal_quantile
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.measures import GENERIC_LOG, MEASURES, Measure, effect_of
from app.evidence.statistics.study_data import Counts, Generic, Means, Proportion, Rates, Row
from app.models.effects import direction_of, favoured_above_null

EvidenceMeasure = TypeAliasType(
    "EvidenceMeasure",
    Literal[
        "risk-ratio",
        "odds-ratio",
        "risk-difference",
        "mean-difference",
        "standardized-mean-difference",
        "ratio-of-means",
        "rate-ratio",
        "hazard-ratio",
        "proportion-logit",
        "proportion-freeman-tukey",
    ],
)
ExclusionReason = TypeAliasType(
    "ExclusionReason",
    Literal[
        "retracted",
        "withdrawn",
        "no-comparator",
        "several-arms",
        "paired-arms",
        "summed-arms",
        "no-counts",
        "no-denominators",
        "no-means",
        "no-variance",
        "no-person-time",
        "no-interval",
        "no-estimate",
        "other-measure",
        "no-effect",
        "sign-contradicts-finding",
        "clustered-arms",
        "units-not-people",
    ],
)
"""Why a result is excluded; the `detail` beside it is the explanation in words."""

HAZARD_RATIO = "hazard-ratio"
PROPORTIONS = ("proportion-logit", "proportion-freeman-tukey")
BY_KIND: Mapping[str | None, tuple[EvidenceMeasure, ...]] = {
    "binary": ("risk-ratio", "odds-ratio", "risk-difference", "proportion-logit"),
    "continuous": ("mean-difference", "standardized-mean-difference", "ratio-of-means"),
    "count": ("rate-ratio",),
    "time-to-event": ("hazard-ratio", "mean-difference", "ratio-of-means"),
    None: ("risk-ratio", "odds-ratio", "mean-difference", "standardized-mean-difference", "rate-ratio", "hazard-ratio"),
}
"""The measures that fit an outcome of a kind, the default first."""


class LocatedNumber(NamedTuple):
    """A number and its place in the record, as a JSON pointer."""

    name: str
    value: float
    pointer: str


@dataclass(frozen=True)
class Usable:
    """The numbers of one result for a synthesis."""

    row: Row
    places: Sequence[LocatedNumber]
    is_from_arms: bool
    is_turned: bool = False
    """Whether the estimate, printed as comparator minus or over treatment, was turned round; `places` is as printed."""


@dataclass(frozen=True)
class Unusable:
    """Why a result has no numbers for the measure."""

    reason: ExclusionReason
    detail: str


def measure_named(name: str) -> Measure:
    """The measure of that name; hazard ratios are generic logarithms, as their authors computed them."""
    return GENERIC_LOG if name == HAZARD_RATIO else MEASURES[name]


def extract_numbers(reported: Reported, name: str, *, only_arms: bool = False) -> Usable | Unusable:
    """The numbers of a result under a measure: a trial's arms, else its estimate; of a review the estimate alone.

    `only_arms` is for methods that pool counts and cannot take estimates.
    """
    exclusion = exclusion_of(reported.result)
    if exclusion is not None:
        return Unusable(*exclusion)  # type: ignore[arg-type]  # both reasons are in ExclusionReason
    found = _from_arms(reported, name)
    if isinstance(found, Unusable) and not only_arms and name not in PROPORTIONS:
        estimated = _from_estimate(reported, name)
        is_closer = isinstance(estimated, Usable) or reported.result["estimate"] is not None
        found = estimated if is_closer else found
    return _with_effect(reported, name, found) if isinstance(found, Usable) else found


def _from_arms(reported: Reported, name: str) -> Usable | Unusable:
    if name == HAZARD_RATIO:
        return Unusable("no-estimate", "no hazard ratio with its interval is recorded")
    exposed, comparators = reported.arms("exposed"), reported.arms("comparator")
    shape = measure_named(name).shape
    if not exposed:
        return Unusable("no-estimate", "neither arms nor an estimate with its interval are recorded")
    if reported.is_review:
        return Unusable("summed-arms", "its arms are sums over trials; of a review only its own pooled estimate counts")
    if len(exposed) > 1 or (len(comparators) > 1 and shape is not Proportion):
        return Unusable("several-arms", "several arms have one role, and arms are never summed")
    unit = next(
        (arm.get("denominator_unit") for _, arm in (*exposed, *comparators) if arm.get("denominator_unit")), None
    )
    if unit is not None:
        return Unusable("units-not-people", f"the unit of analysis is {unit}, several of which one person may have")
    if shape is Proportion:
        return _row_of(reported.result, shape, [("", *exposed[0])])
    if not comparators or not reported.is_controlled:
        return Unusable("no-comparator", "there is no comparator arm of other people")
    if reported.study["design"] in PAIRED:
        detail = "both arms are the same people, so that their difference has another error than these numbers give"
        return Unusable("paired-arms", detail)
    if reported.study["design"] in CLUSTERED:
        detail = "groups were allocated, not people, so that these numbers give too small an error"
        return Unusable("clustered-arms", detail)
    return _row_of(reported.result, shape, [("1", *exposed[0]), ("2", *comparators[0])])


_Extracted = LocatedNumber | Unusable


def _row_of(_result: Document, shape: type[Row], arms: Sequence[tuple[str, str, Document]]) -> Usable | Unusable:
    """The row of this shape, filled field by field from the arms."""
    places: list[LocatedNumber] = []
    for suffix, pointer, arm in arms:
        for field, take in _FIELDS[shape].items():
            found = take(field + suffix, pointer, arm)
            if isinstance(found, Unusable):
                return found
            places.append(found)
    build: Callable[..., Row] = shape
    row = build(**{place.name: place.value for place in places})
    fault = next(iter(row.faults()), None)
    return Unusable("no-effect", f"{fault[0]}: {fault[1]}") if fault else Usable(row, places, is_from_arms=True)


def _extractor(arm_field: str, reason: ExclusionReason, detail: str) -> Callable[[str, str, Document], _Extracted]:
    def take(name: str, pointer: str, arm: Document) -> _Extracted:
        value = arm[arm_field]
        if value is None:
            return Unusable(reason, f"{detail} in the arm {arm['arm']!r}")
        return LocatedNumber(name, value, f"{pointer}/{arm_field}")

    return take


def _sd(name: str, pointer: str, arm: Document) -> _Extracted:
    """The standard deviation, else the standard error times √n (Cochrane Handbook 6.5.2.2)."""
    if arm["sd"] is not None:
        return LocatedNumber(name, arm["sd"], f"{pointer}/sd")
    if arm["se"] is not None and arm["n"]:
        return LocatedNumber(name, arm["se"] * sqrt(arm["n"]), f"{pointer}/se")
    return Unusable("no-variance", f"neither standard deviation nor standard error in the arm {arm['arm']!r}")


_EVENTS = _extractor("events", "no-counts", "no number of people with the outcome (a percentage is no count)")
_PEOPLE = _extractor("n", "no-denominators", "no number of people")
_MEAN = _extractor("mean", "no-means", "no mean")
_FIELDS: Mapping[Any, Mapping[str, Callable[[str, str, Document], _Extracted]]] = {
    Counts: {"n": _PEOPLE, "events": _EVENTS},
    Proportion: {"n": _PEOPLE, "events": _EVENTS},
    Means: {"n": _PEOPLE, "mean": _MEAN, "sd": _sd},
    Rates: {
        "time": _extractor("person_time", "no-person-time", "no person-time"),
        "events": _extractor("event_count", "no-counts", "no number of events"),
    },
}
"""How each shape reads its fields from an arm, by the field's name without the number of the arm."""


def _from_estimate(reported: Reported, name: str) -> Usable | Unusable:
    """The estimate as its authors computed it: SE = (upper − lower)/2z (Cochrane Handbook 6.3.1; ratios 6.3.2)."""
    result = reported.result
    if result["estimate"] is None:
        return Unusable("no-estimate", "no estimate is recorded")
    if result["measure"] != name:
        return Unusable("other-measure", f"its estimate is a {result['measure']}, which is not turned into a {name}")
    low, high, level = result["ci_low"], result["ci_high"], result["ci_level"]
    if result.get("ci_sides") == "one-sided":
        return Unusable("no-interval", "its interval is one-sided, which gives no standard error")
    turned = is_turned(reported, name)
    if low is None and high is None and result.get("estimate_se") and not measure_named(name).is_ratio:
        places = [LocatedNumber(field, result[field], f"/{field}") for field in ("estimate", "estimate_se")]
        row = Generic(-result["estimate"] if turned else result["estimate"], result["estimate_se"])
        return Usable(row, places, is_from_arms=False, is_turned=turned)
    if low is None or high is None or level is None or not 0 < level < 100:
        return Unusable("no-interval", "its estimate has no interval, or one without its level")
    places = [
        LocatedNumber(field, result[field], f"/{field}") for field in ("estimate", "ci_low", "ci_high", "ci_level")
    ]
    values = [result["estimate"], low, high]
    if measure_named(name).is_ratio:
        if min(values) <= 0:
            return Unusable("no-effect", "a ratio that is not above 0 has no logarithm")
        values = [log(value) for value in values]
    se = (values[2] - values[1]) / (-2 * normal_quantile((1 - level / 100) / 2))
    if se <= 0:
        return Unusable("no-variance", "its interval has no width")
    return Usable(Generic(-values[0] if turned else values[0], se), places, is_from_arms=False, is_turned=turned)


def is_turned(reported: Reported, name: str) -> bool:
    """Whether a printed estimate is comparator minus or over treatment.

    So it is where the source says that a value above the null favours one side, and by the outcome's direction a
    difference of treatment minus comparator favours the other: improvement is printed as a positive number.
    """
    if reported.result.get("estimate_direction_basis") != "source":
        return False
    sides = {reported.result["estimate_direction"], favoured_above_null(reported.outcome, name)}
    return sides == {"treatment", "comparator"}


def _with_effect(reported: Reported, name: str, usable: Usable) -> Usable | Unusable:
    """The numbers, unless their effect is undefined or its sign contradicts the recorded finding."""
    measure = measure_named(name)
    try:
        estimate = effect_of(measure, usable.row, 0).estimate
    except Undefined as fault:
        return Unusable("no-effect", fault.message)
    favoured = side_of(estimate, direction_under(reported, name)) if measure.no_effect is not None else None
    finding = reported.result["finding"]
    if favoured and finding in ("favours-treatment", "favours-comparator") and finding != favoured:
        detail = (
            f"by the outcome's direction its numbers are on the side of {favoured!r}, its finding is {finding!r}: "
            "improvement may be printed with the other sign: estimate_direction says which side a higher value favours"
        )
        return Unusable("sign-contradicts-finding", detail)
    return usable


def direction_under(reported: Reported, name: str) -> str | None:
    """The better direction of an effect under a measure; None where that is not known (`effects.direction_of`)."""
    return direction_of(reported.outcome, name)


def side_of(estimate: float, direction: str | None) -> str | None:
    """Which arm an effect favours, on the scale of the analysis; None at 0 and where no direction is known."""
    if estimate == 0 or direction is None:
        return None
    is_better = (estimate < 0) == (direction == "lower-is-better")
    return "favours-treatment" if is_better else "favours-comparator"


def usual_measure(found: Sequence[Reported]) -> EvidenceMeasure:
    """The measure under which most results are usable; among equals the default of the outcome's kind.

    Mean differences have the unit of one outcome, so that several outcomes need a standardised measure. Proportions of
    one group are chosen only where no result compares two groups.
    """
    kind = found[0].outcome["kind"] if found else None
    several = len({reported.outcome["id"] for reported in found}) > 1
    known = BY_KIND.get(kind, BY_KIND[None])
    offered = [name for name in known if not (several and name == "mean-difference")] or list(known)
    count = {name: sum(isinstance(extract_numbers(result, name), Usable) for result in found) for name in offered}
    comparing = [name for name in offered if name not in PROPORTIONS]
    best = max(comparing, key=lambda name: count[name])
    return best if count[best] else max(offered, key=lambda name: count[name])
