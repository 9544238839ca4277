"""Absolute effects of a record: risk per 1,000 people at a baseline, and number needed to treat; or why there is none.

Study results and side effects are treated alike: an outcome or a term, two arms, perhaps an estimate.
"""

import re
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import Literal, NamedTuple

from typing_extensions import TypeAliasType

from app.evidence.extraction import ExclusionReason, Unusable, extract_numbers, measure_named
from app.evidence.results import Document, Reported, exclusion_of, is_compared
from app.evidence.statistics.absolute import ABSOLUTE_MEASURES, Absolute, Kind, at_baseline, between_arms
from app.evidence.statistics.distributions import normal_quantile
from app.evidence.statistics.effects import risk_ratio
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.study_data import Counts

LEVEL = 95.0
KINDS_OF_EVENT = {"event", "effect", "reaction"}
"""Words of a term that sources use as synonyms."""
RefusalReason = TypeAliasType(
    "RefusalReason",
    Literal["not-binary", "no-direction", "no-baseline", "impossible-at-baseline", ExclusionReason],
)
"""Why a record has no absolute effect per 1,000 people."""


@dataclass(frozen=True)
class Refusal:
    """Why a record has no absolute effect per 1,000 people."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Baseline:
    """The baseline risk (without the treatment, 0 to 1), and its origin."""

    risk: float
    record: tuple[str, str] | None = None
    """Plural and id of the record with the comparator arm; None for a number from a query parameter."""
    version: int | None = None
    pointer: str | None = None
    events: int | None = None
    people: int | None = None
    arm: str | None = None
    """The name of the arm in that record."""


class Relative(NamedTuple):
    """A relative effect with its confidence interval, on the display scale (ratios, not logarithms)."""

    measure: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Subject:
    """A record whose absolute effect is computed, for one exposed arm."""

    plural: str
    record: Document
    about: str
    """The event: an outcome's id, or a side effect's term as a slug."""
    name: str
    more_is: Kind | None
    """Whether more people with the event are a benefit or a harm; None where that is not recorded."""
    is_harm: bool
    arms: Counts | None = None
    """The counts of both arms, where they are of one study and may be compared."""
    arm: str | None = None
    """The name of the exposed arm, where the record has several; arms are never summed."""
    effect: Relative | None = None
    control: Baseline | None = None
    """The risk in the record's own comparator arm."""
    refusal: Refusal | None = None


@dataclass(frozen=True)
class AbsoluteEffect:
    """What a study result or side effect means for people: the risk difference at a baseline risk without treatment."""

    subject: Subject
    baseline: Baseline
    measure: str
    """The measure of the effect: `risk-difference` between the record's own arms, else that of the relative effect."""
    absolute: Absolute

    @property
    def seen(self) -> Counts | None:
        """The counts of both arms, where the effect is their observed risk difference."""
        return self.subject.arms if self.measure == "risk-difference" else None


def slug_of(term: str) -> str:
    """A term as a slug: `Injection-site pain` is `injection-site-pain`."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def result_subjects(reported: Reported, plural: str) -> list[Subject]:
    """The subjects of a study result, one for each exposed arm with counts; with a refusal where it is not binary."""
    exposed = reported.arms("exposed")
    if len(exposed) < 2 or reported.is_review or any(_people(arm) is None for _, arm in exposed):
        return [_result_subject(reported, plural)]
    others = [arm for _, arm in reported.arms("comparator")]
    by_arm = [replace(reported, result={**reported.result, "arms": [arm, *others]}) for _, arm in exposed]
    subjects = [_result_subject(result, plural) for result in by_arm]
    control = control_of(plural, reported.result)
    return [
        replace(subject, record=reported.result, arm=str(arm["arm"]), control=control)
        for subject, (_, arm) in zip(subjects, exposed, strict=True)
    ]


def _result_subject(reported: Reported, plural: str) -> Subject:
    """The subject of a result with one exposed arm; refused where the outcome is not binary or has no direction."""
    outcome = reported.outcome
    kinds: dict[str | None, Kind] = {"higher-is-better": "benefit", "lower-is-better": "harm"}
    subject = Subject(
        plural=plural,
        record=reported.result,
        about=str(outcome["id"]),
        name=str(outcome["name"]),
        more_is=kinds.get(reported.direction),
        is_harm=outcome["domain"] == "harm",
        control=control_of(plural, reported.result),
    )
    if outcome["kind"] not in (None, "binary"):
        detail = f"{outcome['name']} is {outcome['kind']}: there are no people with it and without it"
        return replace(subject, refusal=Refusal("not-binary", detail))
    if subject.more_is is None:
        detail = f"whether more people with {outcome['name']} are better or worse is not recorded"
        return replace(subject, refusal=Refusal("no-direction", detail))
    return _with_effect(subject, reported)


def side_effect_subjects(record: Document, plural: str) -> list[Subject]:
    """The subjects of a side effect, one for each exposed arm: people affected there and in the one comparator arm."""
    term = str(record["term"])
    subject = Subject(plural, record, slug_of(term), term, "harm", is_harm=True, control=control_of(plural, record))
    exclusion = exclusion_of(record)
    if exclusion is not None:
        return [replace(subject, refusal=Refusal(*exclusion))]
    exposed = [arm for arm in record["arms"] if arm["role"] == "exposed"]
    if len(exposed) < 2:
        return [_with_people(subject, exposed[0] if exposed else None)]
    return [_with_people(replace(subject, arm=str(arm["arm"])), arm) for arm in exposed]


def _with_people(subject: Subject, exposed: Document | None) -> Subject:
    """The subject with the counts of both arms, or with a refusal where they cannot be compared."""
    counts = _people(exposed) if exposed is not None else None
    if counts is None:
        detail = "how many people had it, of how many, is not recorded"
        return replace(subject, refusal=Refusal("no-denominators", detail))
    if sum(arm["role"] == "comparator" for arm in subject.record["arms"]) > 1:
        return replace(subject, refusal=Refusal("several-arms", "several comparator arms, and arms are never summed"))
    if subject.control is None or subject.control.events is None or subject.control.people is None:
        detail = (
            f"{counts[0]} of {counts[1]} people had it; without a comparator arm, what the treatment adds is not known"
        )
        return replace(subject, refusal=Refusal("no-comparator", detail))
    arms = Counts(*counts, subject.control.events, subject.control.people)
    return replace(subject, arms=arms, effect=_risk_ratio(arms))


def absolute_effect_of(subject: Subject, baseline: Baseline | None) -> AbsoluteEffect | Refusal:
    """The absolute effect of a record at the given baseline, else at the risk in its own comparator arm.

    At its own, the risk difference of the arms, with the sampling error of both; at another, the relative effect
    applied to the baseline, which is taken as known without error.
    """
    if subject.refusal is not None:
        return subject.refusal
    if baseline is None and subject.arms is not None and subject.control is not None:
        return AbsoluteEffect(subject, subject.control, "risk-difference", between_arms(subject.arms, level=LEVEL))
    known_baseline = baseline or subject.control
    if known_baseline is None:
        detail = f"it has no comparator arm with counts; name a risk of 1,000 people, as in baseline={subject.about}:50"
        return Refusal("no-baseline", detail)
    if subject.effect is None:
        detail = "nobody or everybody had it in one of its arms, so that no ratio carries it to another baseline"
        return Refusal("no-effect", detail)
    try:
        absolute = at_baseline(*subject.effect, baseline=known_baseline.risk)
        return AbsoluteEffect(subject, known_baseline, subject.effect.measure, absolute)
    except Undefined as fault:
        return Refusal("impossible-at-baseline", fault.message)


def are_alike(first: Subject, second: Subject) -> bool:
    """Whether two names may mean the same event: one has all words of the other, `KINDS_OF_EVENT` ignored."""
    first_words, second_words = (set(subject.about.split("-")) - KINDS_OF_EVENT for subject in (first, second))
    return first_words <= second_words or second_words <= first_words


def control_of(plural: str, record: Document) -> Baseline | None:
    """The baseline risk in a record's only comparator arm; None without counts or with several comparator arms."""
    arms = [
        (index, arm)
        for index, arm in enumerate(record["arms"])
        if arm["role"] == "comparator" and is_compared(record, arm)
    ]
    counts = _people(arms[0][1]) if len(arms) == 1 else None
    if counts is None:
        return None
    key = (plural, str(record["id"]))
    index, arm = arms[0]
    return Baseline(counts[0] / counts[1], key, record["version"], f"/arms/{index}", *counts, arm=str(arm["arm"]))


def _people(arm: Document) -> tuple[int, int] | None:
    """People with the event and people in total, in an arm of a study result or side effect; None if unrecorded."""
    events, people = (arm["events"], arm["n"]) if "events" in arm else (arm["affected"], arm["at_risk"])
    return None if events is None or not people else (events, people)


def _with_effect(subject: Subject, reported: Reported) -> Subject:
    """The subject with the counts of its arms, where these may be compared, else with its own estimate."""
    found = extract_numbers(reported, "risk-ratio")
    own_measure = reported.result["measure"]
    if isinstance(found, Unusable) and own_measure in ABSOLUTE_MEASURES:
        found = extract_numbers(reported, own_measure)
    if isinstance(found, Unusable):
        return replace(subject, refusal=Refusal(found.reason, found.detail))
    if isinstance(found.row, Counts):
        return replace(subject, arms=found.row, effect=_risk_ratio(found.row))
    estimate, low, high = (reported.result[name] for name in ("estimate", "ci_low", "ci_high"))
    if found.is_turned:
        is_ratio = measure_named(own_measure).is_ratio
        estimate, low, high = (1 / end if is_ratio else -end for end in (estimate, high, low))
    return replace(subject, effect=Relative(own_measure, estimate, low, high))


def _risk_ratio(row: Counts) -> Relative | None:
    """The risk ratio with its confidence interval; None where an empty cell would need a continuity correction."""
    if not (0 < row.events1 < row.n1 and 0 < row.events2 < row.n2):
        return None
    effect = risk_ratio(row)
    half_width = -normal_quantile((1 - LEVEL / 100) / 2) * sqrt(effect.variance)
    return Relative("risk-ratio", *(exp(effect.estimate + side * half_width) for side in (0, -1, 1)))
