"""May these results be joined? Each reason against it, with the results on both sides and what would be right."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product
from typing import Any, Literal

from typing_extensions import TypeAliasType

from app.evidence.results import Document, Reported

ConflictReason = TypeAliasType(
    "ConflictReason",
    Literal[
        "different-outcomes",
        "different-instruments",
        "time-frames-apart",
        "different-comparators",
        "different-products",
        "overlapping-reports",
        "review-with-its-trials",
        "change-with-final",
        "different-designs",
    ],
)
"""Why results may not be joined."""
Known = Callable[[Sequence[Reported], Sequence[Reported]], tuple[str, tuple[str, ...]]]
"""The query parameter that would settle a conflict of two studies, and what would be right for it."""
WINDOW_DAYS = 30
"""How far apart time frames may lie unless a caller says otherwise."""
MOST_OF_ONE_REASON = 20
"""How many conflicts of one reason are told."""


@dataclass(frozen=True, order=True)
class ConflictSide:
    """What some of the results have in common, and the others not."""

    what: str
    results: tuple[str, ...]


@dataclass(frozen=True)
class ComparabilityConflict:
    """One reason against joining results."""

    reason: ConflictReason
    detail: str
    sides: tuple[ConflictSide, ...]
    parameter: str
    """The query parameter that would settle it."""
    known: tuple[str, ...]
    """What would be right for that parameter."""


def conflicts(
    found: Sequence[Reported], *, is_standardised: bool, window_days: float, has_comparator: bool = True
) -> list[ComparabilityConflict]:
    """Every reason against joining these results, in the order of the vocabulary; none for fewer than two.

    Of one reason at most 20 are told. Proportions of one group have no comparator to differ in.
    """
    if len(found) < 2:
        return []
    checks: list[Iterator[ComparabilityConflict]] = [
        _outcomes(found, is_standardised=is_standardised),
        _times(found, window_days),
        _comparators(found if has_comparator else ()),
        _products(found),
        _overlaps(found),
        _reviews(found),
        _scores(found),
        _designs(found),
    ]
    return [conflict for check in checks for conflict in islice(check, MOST_OF_ONE_REASON)]


def _sides(found: Iterable[Reported], what: Callable[[Reported], str]) -> tuple[ConflictSide, ...]:
    groups: dict[str, list[str]] = defaultdict(list)
    for one in found:
        groups[what(one)].append(one.id)
    return tuple(sorted(ConflictSide(name, tuple(sorted(ids))) for name, ids in groups.items()))


def _different(
    found: Sequence[Reported],
    reason: ConflictReason,
    parameter: str,
    what: Callable[[Reported], str],
    words: str = "",
) -> Iterator[ComparabilityConflict]:
    sides = _sides(found, what)
    if len(sides) > 1:
        named = ", ".join(side.what for side in sides)
        detail = words or f"the results have different values of {parameter}: {named}"
        yield ComparabilityConflict(
            reason, detail, sides, parameter, tuple(f"{parameter}={side.what}" for side in sides)
        )


def _outcomes(found: Sequence[Reported], *, is_standardised: bool) -> Iterator[ComparabilityConflict]:
    """Instruments of one domain whose directions agree may be joined when they are standardised; other outcomes not."""
    outcomes = {one.outcome["id"]: one.outcome for one in found}
    if len(outcomes) < 2:
        return
    of_one_domain = len({outcome["domain"] for outcome in outcomes.values()} | {None}) == 2
    same_way = len({one.direction for one in found}) == 1 and found[0].direction is not None
    continuous = all(outcome["kind"] == "continuous" for outcome in outcomes.values())
    if not (of_one_domain and same_way and continuous and all(one.outcome["domain"] for one in found)):
        yield from _different(found, "different-outcomes", "outcome", lambda one: str(one.outcome["id"]))
    elif not is_standardised:
        sides = _sides(found, lambda one: str(one.outcome["id"]))
        words = "the outcomes are measured on different scales; standardize them, or ask for one outcome"
        known = ("measure=standardized-mean-difference", *(f"outcome={side.what}" for side in sides))
        yield ComparabilityConflict("different-instruments", words, sides, "measure", known)


def _times(found: Sequence[Reported], window_days: float) -> Iterator[ComparabilityConflict]:
    """Results without a time frame in days are not against it: nothing is known of them."""
    days = {one.id: one.result["time_frame_days"] for one in found if one.result["time_frame_days"] is not None}
    if not days or max(days.values()) - min(days.values()) <= window_days:
        return
    named = [one for one in found if one.id in days]
    sides = tuple(sorted(_sides(named, lambda one: _days(days[one.id])), key=lambda side: days[side.results[0]]))
    apart = max(days.values()) - min(days.values())
    detail = f"the time frames lie up to {_days(apart)} apart, the window is {_days(window_days)}"
    known = tuple(f"time_frame_days={days[side.results[0]]:g}" for side in sides)
    yield ComparabilityConflict(
        "time-frames-apart", detail, sides, "time_frame_days", (*known, f"window_days={apart:g}")
    )


def _days(days: float) -> str:
    return "1 day" if days == 1 else f"{days:g} days"


def _comparators(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    return _different(found, "different-comparators", "comparator", lambda one: str(one.result["comparator"]))


def _products(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    """Different treatments; products whose units mean the same amount are one."""
    treatments = {one.treatment["id"]: one.treatment for one in found}
    if all(_is_same_amount(one, other) for one, other in combinations(treatments.values(), 2)):
        return
    words = "the results are of different products, whose units are not interchangeable: " + ", ".join(
        sorted(f"{name} ({_unit(treatment)})" for name, treatment in treatments.items())
    )
    yield from _different(found, "different-products", "treatment", lambda one: str(one.treatment["id"]), words)


def _is_same_amount(one: Any, other: Any) -> bool:
    units = [one["dose_unit"], other["dose_unit"]]
    if None in units:
        return False
    first, second = units
    return (
        first["code"] == second["code"]
        or second["code"] in first["interchangeable_with"]
        or first["code"] in second["interchangeable_with"]
    )


def _unit(treatment: Any) -> str:
    return treatment["dose_unit"]["label"] if treatment["dose_unit"] else "no unit of its own"


def _by_study(found: Sequence[Reported]) -> list[list[Reported]]:
    groups: dict[str, list[Reported]] = defaultdict(list)
    for one in sorted(found, key=lambda reported: reported.id):
        groups[str(one.study["id"])].append(one)
    return [groups[name] for name in sorted(groups)]


def _pairs(
    found: Sequence[Reported], reason: ConflictReason, why: Callable[[Reported, Reported], str | None], known: Known
) -> Iterator[ComparabilityConflict]:
    """One conflict for each two studies of which a result of one may not stand with a result of the other."""
    for ones, others in combinations(_by_study(found), 2):
        words = next((told for pair in product(ones, others) if (told := why(*pair) or why(*reversed(pair)))), None)
        if words:
            sides = tuple(ConflictSide(some[0].label(), tuple(one.id for one in some)) for some in (ones, others))
            yield ComparabilityConflict(reason, words, sides, *known(ones, others))


def _overlaps(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    for ones in _by_study(found):
        if len(ones) > 1:
            words = f"all are results of the study {ones[0].study['id']}: its people would count more than once"
            ids = tuple(one.id for one in ones)
            sides = tuple(ConflictSide(name, (name,)) for name in ids)
            yield ComparabilityConflict("overlapping-reports", words, sides, "id", tuple(f"id={name}" for name in ids))
    yield from _pairs(found, "overlapping-reports", _overlap, _either_study)


def _either_study(*sides: Sequence[Reported]) -> tuple[str, tuple[str, ...]]:
    return "study", tuple(f"study={some[0].study['id']}" for some in sides)


def _overlap(one: Reported, other: Reported) -> str | None:
    """Why two results may count the same people twice, as far as the first one's study says so."""
    if other.study["id"] in one.study["overlaps"]:
        return f"the studies {one.study['id']} and {other.study['id']} have people or trials in common"
    shared = {_code(code) for code in one.study["registry_ids"]} & {_code(code) for code in other.study["registry_ids"]}
    if shared:
        return f"both studies are registered as {', '.join(sorted(shared))}"
    if one.is_review and other.is_review:
        both = set(_included(one)) & set(_included(other))
        if both:
            return f"both reviews include {', '.join(sorted(both))}"
        if not (_names_all(one) and _names_all(other)):
            return "which trials the reviews include is not wholly recorded: they may have trials in common"
    return None


def _code(code: Any) -> str:
    return str(code["code"])


def _included(one: Reported) -> list[str]:
    """The trials of a review's result: its own where it names them all, else every one that its review has as well."""
    return [*one.result["includes"], *([] if _lists_all(one.result) else one.study["includes"])]


def _names_all(review: Reported) -> bool:
    """Whether all trials of a review's result are recorded, or all of the review, of which they are some."""
    return _lists_all(review.result) or _lists_all(review.study)


def _lists_all(record: Document) -> bool:
    """Whether a record names as many trials as it counts."""
    return bool(record["trial_count"]) and len(set(record["includes"])) >= record["trial_count"]


def _reviews(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    def own(review: Reported, trial: Reported) -> str | None:
        if not review.is_review or trial.is_review:
            return None
        if trial.study["id"] in _included(review):
            return f"{review.study['id']} includes the trial {trial.study['id']}, which would count twice"
        if not _names_all(review):
            return f"{review.study['id']} does not name all its trials: {trial.study['id']} may be one of them"
        return None

    def trials_alone(*sides: Sequence[Reported]) -> tuple[str, tuple[str, ...]]:
        if any(one.is_review and one.result["synthesis"] == "none" for some in sides for one in some):
            return _either_study(*sides)  # the review retells a trial, as if it had measured by itself
        return "synthesis", ("synthesis=none",)

    yield from _pairs(found, "review-with-its-trials", own, trials_alone)


def _scores(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    """Changes from the start and final values; where neither is recorded, nothing is known."""
    named = [one for one in found if one.result["score"] is not None]
    words = "some results are changes from the start, others final values"
    yield from _different(named, "change-with-final", "score", lambda one: str(one.result["score"]), words)


def _designs(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    """Randomised studies are not joined with others (Cochrane Handbook, chapter 24); a review stands for itself."""
    trials = [one for one in found if not one.is_review and one.study["design"] is not None]
    sides = _sides(trials, lambda one: "randomized" if _is_randomized(one) else "not randomized")
    if len(sides) > 1:
        ids = sorted({str(trial.study["id"]) for trial in trials if _is_randomized(trial)})
        words = "some studies are randomized, others are not"
        yield ComparabilityConflict("different-designs", words, sides, "study", tuple(f"study={name}" for name in ids))


def _is_randomized(one: Reported) -> bool:
    return str(one.study["design"]).startswith("randomized")
