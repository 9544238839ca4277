"""The benefit-harm report: absolute effects per 1,000 people of a treatment for a condition, at a baseline risk."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from app import DISCLAIMER
from app.errors import InvalidParameter, nearest
from app.evidence.absolute_effects import (
    LEVEL,
    AbsoluteEffect,
    Baseline,
    Refusal,
    Subject,
    absolute_effect_of,
    are_alike,
    control_of,
    result_subjects,
    side_effect_subjects,
)
from app.json_codec import from_json
from app.models.conditions import Condition
from app.models.side_effects import SideEffect
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.models.types import plain_number
from app.reports.benefit_harm.plain import plain_people
from app.reports.benefit_harm.pooled import pooled_entries
from app.reports.benefit_harm.rows import baseline_entry, people_entry, record_link
from app.reports.synthesis.results import ResultsInContext, omission_notes, read_all, read_results
from app.store.read.included import included
from app.store.read.query import Address, Query
from app.store.read.records import fetch, fetch_named
from app.store.read.scope import inherited

PER_1000 = re.compile(r"\d{1,4}(\.\d{1,3})?")
NOTES = (
    "Each row is one record by itself, or one of its arms; rows of one study or review may count the same people. What "
    "several results of one outcome say together stands under `pooled`, where they may be joined.",
    "At its own comparator arm a row tells the difference of the arms. At another baseline its relative effect is "
    "carried there, which supposes that it is the same at every risk.",
)


def read_benefit_harm(
    connection: Connection,
    treatment: str,
    condition: str,
    *,
    outcomes: Sequence[str],
    baselines: Sequence[str],
    audience: str | None,
    address: Address,
) -> dict[str, Any]:
    """The content of the response (`BenefitHarm`).

    NotFound for an unknown treatment, InvalidParameter for an unknown condition or outcome or an invalid baseline.
    """
    named = {
        "treatment": from_json(fetch(connection, Treatment, treatment)[0]),
        "condition": from_json(fetch_named(connection, "condition", Condition, condition)[0]),
    }
    found = read_results(connection, {"treatment": [treatment], "condition": [condition]})
    all_subjects, references = _subjects(connection, found, treatment, condition)
    _refuse_unknown(outcomes, all_subjects)
    subjects = [subject for subject in all_subjects if not outcomes or subject.about in outcomes]
    baseline_by_outcome = _baselines(baselines, all_subjects, sorted({subject.about for subject in subjects}))
    effects = [(subject, absolute_effect_of(subject, baseline_by_outcome.get(subject.about))) for subject in subjects]
    rows = _with_duplicates([effect for _, effect in effects if isinstance(effect, AbsoluteEffect)])
    shown = [
        (effect, _row(effect, duplicates, address, is_named=effect.subject.about in baseline_by_outcome))
        for effect, duplicates in rows
    ]
    pooled, why_not = pooled_entries(found.results, outcomes, baseline_by_outcome, address)
    content: dict[str, Any] = {
        **named,
        "level": plain_number(LEVEL),
        "benefits": [row for effect, row in shown if not effect.subject.is_harm],
        "harms": [row for effect, row in shown if effect.subject.is_harm],
        "pooled": pooled,
        "refused": [
            _refused(subject, refusal, address) for subject, refusal in effects if isinstance(refusal, Refusal)
        ],
        "plain": None,
        "notes": [*NOTES, *why_not, *omission_notes(found)],
        "inherited": [
            entry
            for row in (StudyResult, SideEffect)
            for entry in inherited(
                connection, Query(row, {"treatment": [treatment], "condition": [condition]}), address
            )
        ],
        "included": references,
        "disclaimer": DISCLAIMER,
    }
    if audience is not None:
        content["plain"] = plain_people(content, audience)
    return content


def _subjects(
    connection: Connection, found: ResultsInContext, treatment: str, condition: str
) -> tuple[list[Subject], dict[str, Any]]:
    """The subjects of all study results and side effects of a treatment for a condition, and their references."""
    documents = read_all(connection, Query(SideEffect, {"treatment": [treatment], "condition": [condition]}))
    references = dict(found.included)
    for plural, records in included(connection, SideEffect, documents, ("sources", "study")).items():
        references[plural] = references.get(plural, {}) | records
    subjects = [subject for result in found.results for subject in result_subjects(result, StudyResult.plural)]
    for document in documents:
        subjects += side_effect_subjects(from_json(document), SideEffect.plural)
    in_order = sorted(subjects, key=lambda subject: (subject.about, subject.plural, str(subject.record["id"])))
    return in_order, dict(sorted(references.items()))


def _refuse_unknown(outcomes: Sequence[str], subjects: Sequence[Subject]) -> None:
    known = sorted({subject.about for subject in subjects})
    errors = [_unknown("outcome", name, known) for name in outcomes if name not in known]
    if errors:
        raise InvalidParameter(f"outcome: {errors[0]['detail']}.", errors=errors)


def _unknown(parameter: str, name: str, known: Sequence[str]) -> dict[str, Any]:
    close = nearest(name, known)
    error = {"parameter": parameter, "detail": f"no record here is about {name!r}", "known": list(known)}
    return error | ({"nearest": close} if close else {})


def _baselines(parameters: Sequence[str], subjects: Sequence[Subject], known: Sequence[str]) -> dict[str, Baseline]:
    """Parse the `baseline` parameters into baselines by outcome or side effect; InvalidParameter for an invalid one."""
    found: dict[str, Baseline] = {}
    for text in parameters:
        about, _, value = text.rpartition(":")
        if about and about not in known:
            raise InvalidParameter(
                f"baseline: no record here is about {about!r}.", errors=[_unknown("baseline", about, known)]
            )
        if PER_1000.fullmatch(value):
            found[about or _only_outcome(known, value)] = Baseline(_risk(value))
        else:
            baseline, own_about = _named_baseline(value, subjects)
            found[about or own_about] = baseline
    return found


def _only_outcome(known: Sequence[str], number: str) -> str:
    """The outcome of a baseline without one; InvalidParameter unless there is exactly one outcome."""
    if len(known) == 1:
        return known[0]
    detail = "a risk belongs to one outcome; name it before a colon, or narrow with outcome="
    offers = [f"baseline={about}:{number}" for about in known]
    error = {"parameter": "baseline", "detail": detail, "known": offers}
    raise InvalidParameter(f"baseline: {detail}.", errors=[error])


def _risk(number: str) -> float:
    risk = float(number) / 1000
    if risk > 1:
        detail = f"{number} of 1,000 people are more than all of them"
        raise InvalidParameter(f"baseline: {detail}.", errors=[{"parameter": "baseline", "detail": detail}])
    return risk


def _named_baseline(record_id: str, subjects: Sequence[Subject]) -> tuple[Baseline, str]:
    """The baseline from a record's comparator arm, and the record's outcome or term; InvalidParameter if none."""
    ids = {str(subject.record["id"]): subject for subject in reversed(subjects)}
    subject = ids.get(record_id)
    if subject is None:
        raise InvalidParameter(
            f"baseline: no record here has the id {record_id!r}.", errors=[_unknown("baseline", record_id, sorted(ids))]
        )
    baseline = control_of(subject.plural, subject.record)
    if baseline is None:
        detail = f"{record_id} has no comparator arm with people and people with the outcome"
        raise InvalidParameter(f"baseline: {detail}.", errors=[{"parameter": "baseline", "detail": detail}])
    return baseline, subject.about


def _with_duplicates(effects: Sequence[AbsoluteEffect]) -> list[tuple[AbsoluteEffect, list[AbsoluteEffect]]]:
    """Each effect once, with its duplicates: side effects of the same study with the same counts and meaning.

    Equal counts alone do not make a duplicate: in small trials, many side effects have zero events.
    """
    results = [effect for effect in effects if effect.subject.plural == StudyResult.plural]
    rows: list[tuple[AbsoluteEffect, list[AbsoluteEffect]]] = [(result, []) for result in results]
    for effect in effects:
        if effect.subject.plural == StudyResult.plural:
            continue
        duplicates = next((duplicates for first, duplicates in rows if _is_duplicate(first, effect)), None)
        if duplicates is None:
            rows.append((effect, []))
        else:
            duplicates.append(effect)
    return sorted(rows, key=lambda row: (row[0].subject.about, str(row[0].subject.record["id"])))


def _is_duplicate(first: AbsoluteEffect, other: AbsoluteEffect) -> bool:
    subject, other_subject = first.subject, other.subject
    is_one_study = subject.record["study"] is not None and subject.record["study"] == other_subject.record["study"]
    if not is_one_study or _counts_of(subject) is None or _counts_of(subject) != _counts_of(other_subject):
        return False
    had_somebody_it = first.baseline.risk + first.absolute.risk > 0
    is_named_alike = subject.plural == StudyResult.plural and had_somebody_it and are_alike(subject, other_subject)
    return subject.about == other_subject.about or is_named_alike


def _counts_of(subject: Subject) -> Any:
    """The counts of all arms by role, or of one exposed arm and its comparator; None when fewer than two are known."""
    if subject.arm is not None and subject.arms is not None:
        return subject.arms
    arms = sorted((arm["role"], *_counted(arm)) for arm in subject.record["arms"] if None not in _counted(arm))
    return arms if len(arms) > 1 else None


def _counted(arm: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return (arm["events"], arm["n"]) if "events" in arm else (arm["affected"], arm["at_risk"])


def _row(
    effect: AbsoluteEffect, duplicates: Sequence[AbsoluteEffect], address: Address, *, is_named: bool
) -> dict[str, Any]:
    subject, record = effect.subject, effect.subject.record
    return {
        "about": subject.about,
        "name": subject.name,
        "record": record_link(subject.plural, record, address),
        "also_in": [
            record_link(duplicate.subject.plural, duplicate.subject.record, address) for duplicate in duplicates
        ],
        "study": record["study"],
        "arm": subject.arm,
        "comparator": record.get("comparator"),
        "time_frame_text": record.get("time_frame_text"),
        "measure": effect.measure,
        "baseline": baseline_entry(effect.baseline, "named-record" if is_named else "own-comparator-arm", address),
        **people_entry(effect.absolute, subject.more_is or "harm", effect.seen),
        "certainty": record.get("certainty"),
        **{name: record[name] for name in ("source_status", "verification", "citations")},
        "note": record.get("note"),
    }


def _refused(subject: Subject, refusal: Refusal, address: Address) -> dict[str, Any]:
    about = {"about": subject.about, "name": subject.name, "arm": subject.arm}
    return about | {"record": record_link(subject.plural, subject.record, address)} | asdict(refusal)
