"""What a record says about people: out of 1,000 at a named baseline, and how many must be treated; or why it says none.

A study result and a side effect are told alike: an outcome or a term, two arms, perhaps an estimate.
"""

import re
from dataclasses import dataclass, replace
from math import exp, sqrt
from typing import Literal, NamedTuple

from typing_extensions import TypeAliasType

from app.evidence.extraction import ExclusionReason, Unusable, extract_numbers
from app.evidence.results import Document, Reported, standing_of
from app.evidence.statistics.absolute import ABSOLUTE_MEASURES, Absolute, Kind, at_baseline, between_arms
from app.evidence.statistics.distributions import normal_quantile
from app.evidence.statistics.effects import risk_ratio
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.study_data import Counts

LEVEL = 95.0
KINDS_OF_EVENT = {"event", "effect", "reaction"}
"""Words of a term that sources use for one another."""
RefusalReason = TypeAliasType(
    "RefusalReason",
    Literal["not-binary", "no-direction", "no-baseline", "impossible-at-baseline", ExclusionReason],
)
"""Why a record cannot be told per 1,000 people."""


@dataclass(frozen=True)
class Refusal:
    """Why a record cannot be told per 1,000 people."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Baseline:
    """The risk without the treatment, and where it is from."""

    risk: float
    record: tuple[str, str] | None = None
    """Plural and id of the record whose comparator arm it is; None for a number that the caller gave."""
    version: int | None = None
    pointer: str | None = None
    events: int | None = None
    people: int | None = None
    arm: str | None = None
    """What that record calls the arm."""


class Relative(NamedTuple):
    """A relative effect with its interval, as people read it."""

    measure: str
    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Subject:
    """A record to be told per 1,000 people."""

    plural: str
    record: Document
    about: str
    """What happens to people: an outcome's id, or a side effect's term as a slug."""
    name: str
    more_is: Kind | None
    """Whether more people with it are a benefit or a harm; None where that is not known."""
    is_harm: bool
    arms: Counts | None = None
    """Both arms, where they are of one study and may be compared."""
    arm: str | None = None
    """Which exposed arm it is about, where the record has several; none of them is summed."""
    effect: Relative | None = None
    control: Baseline | None = None
    """The risk in its own comparator arm."""
    refusal: Refusal | None = None


@dataclass(frozen=True)
class AbsoluteEffect:
    """A record told per 1,000 people."""

    subject: Subject
    baseline: Baseline
    measure: str
    """How the step from the baseline was made: `risk-difference` between its own arms, else a relative effect."""
    absolute: Absolute

    @property
    def seen(self) -> Counts | None:
        """The people of both arms, where it is their difference that is told."""
        return self.subject.arms if self.measure == "risk-difference" else None


def slug_of(term: str) -> str:
    """A term as a slug: `Injection-site pain` is `injection-site-pain`."""
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def result_subjects(reported: Reported, plural: str) -> list[Subject]:
    """A study result, once for each exposed arm that counts people; refused where it counts none with the outcome."""
    exposed = reported.arms("exposed")
    if len(exposed) < 2 or reported.is_review or any(_people(arm) is None for _, arm in exposed):
        return [_result_subject(reported, plural)]
    others = [arm for _, arm in reported.arms("comparator")]
    each = [replace(reported, result={**reported.result, "arms": [arm, *others]}) for _, arm in exposed]
    told = [(_result_subject(one, plural), str(arm["arm"])) for one, (_, arm) in zip(each, exposed, strict=True)]
    control = control_of(plural, reported.result)
    return [replace(subject, record=reported.result, arm=arm, control=control) for subject, arm in told]


def _result_subject(reported: Reported, plural: str) -> Subject:
    """A result with one exposed arm; with a refusal where it speaks of no people with and without an outcome."""
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
        words = f"{outcome['name']} is {outcome['kind']}: there are no people with it and without it"
        return replace(subject, refusal=Refusal("not-binary", words))
    if subject.more_is is None:
        words = f"whether more people with {outcome['name']} are better or worse is not recorded"
        return replace(subject, refusal=Refusal("no-direction", words))
    return _with_effect(subject, reported)


def side_effect_subjects(record: Document, plural: str) -> list[Subject]:
    """A side effect, once for each exposed arm: people affected there and in the one comparator arm."""
    term = str(record["term"])
    subject = Subject(plural, record, slug_of(term), term, "harm", is_harm=True, control=control_of(plural, record))
    standing = standing_of(record)
    if standing is not None:
        return [replace(subject, refusal=Refusal(*standing))]
    exposed = [arm for arm in record["arms"] if arm["role"] == "exposed"]
    if len(exposed) < 2:
        return [_with_people(subject, exposed[0] if exposed else None)]
    return [_with_people(replace(subject, arm=str(arm["arm"])), arm) for arm in exposed]


def _with_people(subject: Subject, exposed: Document | None) -> Subject:
    """With the people of both arms, or why there are none to compare."""
    counts = _people(exposed) if exposed is not None else None
    if counts is None:
        words = "how many people had it, of how many, is not recorded"
        return replace(subject, refusal=Refusal("no-denominators", words))
    if sum(arm["role"] == "comparator" for arm in subject.record["arms"]) > 1:
        return replace(subject, refusal=Refusal("several-arms", "several comparator arms, and arms are never summed"))
    if subject.control is None or subject.control.events is None or subject.control.people is None:
        seen = (
            f"{counts[0]} of {counts[1]} people had it; without a comparator arm, what the treatment adds is not known"
        )
        return replace(subject, refusal=Refusal("no-comparator", seen))
    arms = Counts(*counts, subject.control.events, subject.control.people)
    return replace(subject, arms=arms, effect=_risk_ratio(arms))


def tell(subject: Subject, baseline: Baseline | None) -> AbsoluteEffect | Refusal:
    """A record at a baseline that somebody named, else at the risk in its own comparator arm.

    At its own, the difference of the arms is told, with the chance in both; at another, the relative effect is carried
    there, and the baseline is taken as known.
    """
    if subject.refusal is not None:
        return subject.refusal
    if baseline is None and subject.arms is not None and subject.control is not None:
        return AbsoluteEffect(subject, subject.control, "risk-difference", between_arms(subject.arms, level=LEVEL))
    used = baseline or subject.control
    if used is None:
        words = f"it has no comparator arm with counts; name a risk of 1,000 people, as in baseline={subject.about}:50"
        return Refusal("no-baseline", words)
    if subject.effect is None:
        words = "nobody or everybody had it in one of its arms, so that no ratio carries it to another baseline"
        return Refusal("no-effect", words)
    try:
        return AbsoluteEffect(subject, used, subject.effect.measure, at_baseline(*subject.effect, baseline=used.risk))
    except Undefined as fault:
        return Refusal("impossible-at-baseline", fault.message)


def are_alike(one: Subject, other: Subject) -> bool:
    """Whether two names may mean the same thing: all words of one stand in the other, `event` or `effect` aside."""
    words, others = (set(subject.about.split("-")) - KINDS_OF_EVENT for subject in (one, other))
    return words <= others or others <= words


def control_of(plural: str, record: Document) -> Baseline | None:
    """The risk in a record's one comparator arm; None where there is none with counts."""
    arms = [(index, arm) for index, arm in enumerate(record["arms"]) if arm["role"] == "comparator"]
    counts = _people(arms[0][1]) if len(arms) == 1 else None
    if counts is None:
        return None
    key = (plural, str(record["id"]))
    index, arm = arms[0]
    return Baseline(counts[0] / counts[1], key, record["version"], f"/arms/{index}", *counts, arm=str(arm["arm"]))


def _people(arm: Document) -> tuple[int, int] | None:
    """People with the outcome and people in all, of a study result's arm or a side effect's."""
    events, people = (arm["events"], arm["n"]) if "events" in arm else (arm["affected"], arm["at_risk"])
    return None if events is None or not people else (events, people)


def _with_effect(subject: Subject, reported: Reported) -> Subject:
    """With its arms, where these may be compared, else with its estimate."""
    found = extract_numbers(reported, "risk-ratio")
    own = reported.result["measure"]
    if isinstance(found, Unusable) and own in ABSOLUTE_MEASURES:
        found = extract_numbers(reported, own)
    if isinstance(found, Unusable):
        return replace(subject, refusal=Refusal(found.reason, found.detail))
    if isinstance(found.row, Counts):
        return replace(subject, arms=found.row, effect=_risk_ratio(found.row))
    estimate = (reported.result[name] for name in ("estimate", "ci_low", "ci_high"))
    return replace(subject, effect=Relative(own, *estimate))


def _risk_ratio(row: Counts) -> Relative | None:
    """The risk ratio with its interval; None where an empty cell would need something added."""
    if not (0 < row.events1 < row.n1 and 0 < row.events2 < row.n2):
        return None
    effect = risk_ratio(row)
    reach = -normal_quantile((1 - LEVEL / 100) / 2) * sqrt(effect.variance)
    return Relative("risk-ratio", *(exp(effect.estimate + side * reach) for side in (0, -1, 1)))
