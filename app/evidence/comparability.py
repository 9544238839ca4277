"""Comparability: conflicts that forbid pooling, each with the results on its sides and the parameter to settle it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product
from typing import Any, Literal

from typing_extensions import TypeAliasType

from app.evidence.results import Document, Reported
from app.models.registries import lookup_key

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
"""Why results may not be pooled."""
Known = Callable[[Sequence[Reported], Sequence[Reported]], tuple[str, tuple[str, ...]]]
"""Returns the query parameter that would settle a conflict of two studies, and the values that would."""
WINDOW_DAYS = 30
"""Default of the largest difference between time frames, in days."""
MOST_OF_ONE_REASON = 20
"""Conflicts of one reason that are reported."""


@dataclass(frozen=True, order=True)
class ConflictSide:
    """One side of a conflict: the results that share one value (`what`) of the property that differs, say a unit."""

    what: str
    results: tuple[str, ...]


@dataclass(frozen=True)
class ComparabilityConflict:
    """One reason against pooling results."""

    reason: ConflictReason
    detail: str
    sides: tuple[ConflictSide, ...]
    parameter: str
    """The query parameter that would settle it."""
    known: tuple[str, ...]
    """The parameter with each value that would settle it (`outcome=pain`)."""


def conflicts(
    found: Sequence[Reported], *, is_standardised: bool, window_days: float, has_comparator: bool = True
) -> list[ComparabilityConflict]:
    """All conflicts between these results, in the order of `ConflictReason`; empty for fewer than two results.

    At most 20 of one reason. Pass `has_comparator=False` for proportions of one group, which have no comparator.
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


def _sides(found: Iterable[Reported], key: Callable[[Reported], str]) -> tuple[ConflictSide, ...]:
    groups: dict[str, list[str]] = defaultdict(list)
    for result in found:
        groups[key(result)].append(result.id)
    return tuple(sorted(ConflictSide(name, tuple(sorted(ids))) for name, ids in groups.items()))


def _different(
    found: Sequence[Reported],
    reason: ConflictReason,
    parameter: str,
    key: Callable[[Reported], str],
    detail: str = "",
) -> Iterator[ComparabilityConflict]:
    sides = _sides(found, key)
    if len(sides) > 1:
        values = ", ".join(side.what for side in sides)
        detail = detail or f"the results have different values of {parameter}: {values}"
        yield ComparabilityConflict(
            reason, detail, sides, parameter, tuple(f"{parameter}={side.what}" for side in sides)
        )


def _outcomes(found: Sequence[Reported], *, is_standardised: bool) -> Iterator[ComparabilityConflict]:
    """Different outcomes; instruments of one domain with one direction may be pooled under a standardised measure."""
    outcomes = {result.outcome["id"]: result.outcome for result in found}
    if len(outcomes) < 2:
        return
    of_one_domain = len({outcome["domain"] for outcome in outcomes.values()} | {None}) == 2
    same_way = len({result.direction for result in found}) == 1 and found[0].direction is not None
    continuous = all(outcome["kind"] == "continuous" for outcome in outcomes.values())
    if not (of_one_domain and same_way and continuous and all(result.outcome["domain"] for result in found)):
        yield from _different(found, "different-outcomes", "outcome", lambda result: str(result.outcome["id"]))
    elif not is_standardised:
        sides = _sides(found, lambda result: str(result.outcome["id"]))
        detail = "the outcomes are measured on different scales; standardize them, or ask for one outcome"
        known = ("measure=standardized-mean-difference", *(f"outcome={side.what}" for side in sides))
        yield ComparabilityConflict("different-instruments", detail, sides, "measure", known)


def _times(found: Sequence[Reported], window_days: float) -> Iterator[ComparabilityConflict]:
    """Time frames further apart than the window; results without a time frame in days are ignored."""
    time_frames = ((result.id, result.result["time_frame_days"]) for result in found)
    days = {result_id: time_frame for result_id, time_frame in time_frames if time_frame is not None}
    if not days or max(days.values()) - min(days.values()) <= window_days:
        return
    timed = [result for result in found if result.id in days]
    sides = tuple(sorted(_sides(timed, lambda result: _days(days[result.id])), key=lambda side: days[side.results[0]]))
    apart = max(days.values()) - min(days.values())
    detail = f"the time frames lie up to {_days(apart)} apart, the window is {_days(window_days)}"
    known = tuple(f"time_frame_days={days[side.results[0]]:g}" for side in sides)
    yield ComparabilityConflict(
        "time-frames-apart", detail, sides, "time_frame_days", (*known, f"window_days={apart:g}")
    )


def _days(days: float) -> str:
    return "1 day" if days == 1 else f"{days:g} days"


def _comparators(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    return _different(found, "different-comparators", "comparator", lambda result: str(result.result["comparator"]))


def _products(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    """Different treatments; products with interchangeable dose units count as one."""
    treatments = {result.treatment["id"]: result.treatment for result in found}
    if all(_is_same_amount(*pair) for pair in combinations(treatments.values(), 2)):
        return
    detail = "the results are of different products, whose units are not interchangeable: " + ", ".join(
        sorted(f"{name} ({_unit(treatment)})" for name, treatment in treatments.items())
    )
    yield from _different(found, "different-products", "treatment", lambda result: str(result.treatment["id"]), detail)


def _is_same_amount(treatment: Any, other: Any) -> bool:
    """Whether the dose units of two treatments mean the same amount."""
    units = [treatment["dose_unit"], other["dose_unit"]]
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
    for result in sorted(found, key=lambda reported: reported.id):
        groups[str(result.study["id"])].append(result)
    return [groups[name] for name in sorted(groups)]


def _pairs(
    found: Sequence[Reported], reason: ConflictReason, why: Callable[[Reported, Reported], str | None], known: Known
) -> Iterator[ComparabilityConflict]:
    """One conflict for each two studies of which a result of one may not be pooled with a result of the other."""
    for studies in combinations(_by_study(found), 2):
        details = (detail for pair in product(*studies) if (detail := why(*pair) or why(*reversed(pair))))
        detail = next(details, None)
        if detail:
            sides = tuple(
                ConflictSide(results[0].label(), tuple(result.id for result in results)) for results in studies
            )
            yield ComparabilityConflict(reason, detail, sides, *known(*studies))


def _overlaps(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    for results in _by_study(found):
        if len(results) > 1:
            detail = f"all are results of the study {results[0].study['id']}: its people would count more than once"
            ids = tuple(result.id for result in results)
            sides = tuple(ConflictSide(name, (name,)) for name in ids)
            known = tuple(f"id={name}" for name in ids)
            yield ComparabilityConflict("overlapping-reports", detail, sides, "id", known)
    yield from _pairs(found, "overlapping-reports", _overlap, _either_study)


def _either_study(*sides: Sequence[Reported]) -> tuple[str, tuple[str, ...]]:
    return "study", tuple(f"study={results[0].study['id']}" for results in sides)


def _overlap(result: Reported, other: Reported) -> str | None:
    """Why two results may count the same people twice, by the record of the first one's study; else None."""
    if other.study["id"] in result.study["overlaps"]:
        return f"the studies {result.study['id']} and {other.study['id']} have people or trials in common"
    shared = _registry_codes(result) & _registry_codes(other)
    if shared:
        return f"both studies are registered as {', '.join(sorted(shared)).upper()}"
    if result.is_review and other.is_review:
        in_both = set(_included(result)) & set(_included(other))
        if in_both:
            return f"both reviews include {', '.join(sorted(in_both))}"
        if not (_names_all(result) and _names_all(other)):
            return "which trials the reviews include is not wholly recorded: they may have trials in common"
    return None


def _registry_codes(result: Reported) -> set[str]:
    """The keys of a study's numbers, which are equal however a number is written."""
    return {lookup_key(code["system"], code["code"]) for code in result.study["registry_ids"]}


def _included(review: Reported) -> list[str]:
    """The trials of a review's result: its own list where that is complete, else those of the review, too."""
    return [*review.result["includes"], *([] if _lists_all(review.result) else review.study["includes"])]


def _names_all(review: Reported) -> bool:
    """Whether all trials of a review's result are recorded, or all trials of the review, which contain them."""
    return _lists_all(review.result) or _lists_all(review.study)


def _lists_all(record: Document) -> bool:
    """Whether a record lists at least as many trials as its `trial_count`."""
    return bool(record["trial_count"]) and len(set(record["includes"])) >= record["trial_count"]


def _reviews(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    def includes(review: Reported, trial: Reported) -> str | None:
        if not review.is_review or trial.is_review:
            return None
        if trial.study["id"] in _included(review):
            return f"{review.study['id']} includes the trial {trial.study['id']}, which would count twice"
        if not _names_all(review):
            return f"{review.study['id']} does not name all its trials: {trial.study['id']} may be one of them"
        return None

    def trials_only(*sides: Sequence[Reported]) -> tuple[str, tuple[str, ...]]:
        if any(result.is_review and result.result["synthesis"] == "none" for side in sides for result in side):
            return _either_study(*sides)  # the review reports a single trial, so that the filter would not remove it
        return "synthesis", ("synthesis=none",)

    yield from _pairs(found, "review-with-its-trials", includes, trials_only)


def _scores(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    """Changes from baseline beside final values; results with neither recorded are ignored."""
    scored = [result for result in found if result.result["score"] is not None]
    detail = "some results are changes from the start, others final values"
    yield from _different(scored, "change-with-final", "score", lambda result: str(result.result["score"]), detail)


def _designs(found: Sequence[Reported]) -> Iterator[ComparabilityConflict]:
    """Randomised studies are not pooled with others (Cochrane Handbook, chapter 24); reviews are not checked."""
    trials = [result for result in found if not result.is_review and result.study["design"] is not None]
    sides = _sides(trials, lambda trial: "randomized" if _is_randomized(trial) else "not randomized")
    if len(sides) > 1:
        ids = sorted({str(trial.study["id"]) for trial in trials if _is_randomized(trial)})
        detail = "some studies are randomized, others are not"
        yield ComparabilityConflict("different-designs", detail, sides, "study", tuple(f"study={name}" for name in ids))


def _is_randomized(trial: Reported) -> bool:
    return str(trial.study["design"]).startswith("randomized")
