"""Benefits and harms on one scale: every record of a treatment and condition per 1,000 people, at a named baseline."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic_core import from_json
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
from app.models.side_effects import SideEffect
from app.models.study_results import StudyResult
from app.models.types import plain_number
from app.reports.benefit_harm.plain import plain_people
from app.reports.benefit_harm.pooled import pooled_entries
from app.reports.benefit_harm.rows import baseline_entry, people_entry, record_link
from app.reports.synthesis.results import ResultsInContext, omission_notes, read_all, read_named, read_results
from app.store.read.query import Address, Query
from app.store.read.records import included

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
    """The answer; NotFound for an unknown treatment or condition, InvalidParameter for a baseline that is none."""
    named = read_named(connection, treatment=treatment, condition=condition)
    found = read_results(connection, {"treatment": [treatment], "condition": [condition]})
    every, mentioned = _subjects(connection, found, treatment, condition)
    _refuse_unknown(outcomes, every)
    subjects = [subject for subject in every if not outcomes or subject.about in outcomes]
    wanted = _baselines(baselines, every, sorted({subject.about for subject in subjects}))
    told = [(subject, absolute_effect_of(subject, wanted.get(subject.about))) for subject in subjects]
    rows = _without_twins([one for _, one in told if isinstance(one, AbsoluteEffect)])
    given = set(wanted)
    shown = [(one, _row(one, others, address, is_named=one.subject.about in given)) for one, others in rows]
    pooled, why_not = pooled_entries(found.results, outcomes, wanted, address)
    content: dict[str, Any] = {
        **named,
        "level": plain_number(LEVEL),
        "benefits": [row for one, row in shown if not one.subject.is_harm],
        "harms": [row for one, row in shown if one.subject.is_harm],
        "pooled": pooled,
        "refused": [_refused(subject, one, address) for subject, one in told if isinstance(one, Refusal)],
        "plain": None,
        "notes": [*NOTES, *why_not, *omission_notes(found)],
        "included": mentioned,
        "disclaimer": DISCLAIMER,
    }
    if audience is not None:
        content["plain"] = plain_people(content, audience)
    return content


def _subjects(
    connection: Connection, found: ResultsInContext, treatment: str, condition: str
) -> tuple[list[Subject], dict[str, Any]]:
    """Every result and side effect of the treatment for the condition, and what they mention."""
    documents = read_all(connection, Query(SideEffect, {"treatment": [treatment], "condition": [condition]}))
    mentioned = dict(found.included)
    for plural, records in included(connection, SideEffect, documents, ("sources", "study")).items():
        mentioned[plural] = mentioned.get(plural, {}) | records
    subjects = [subject for result in found.results for subject in result_subjects(result, StudyResult.plural)]
    for document in documents:
        subjects += side_effect_subjects(from_json(document), SideEffect.plural)
    in_order = sorted(subjects, key=lambda subject: (subject.about, subject.plural, str(subject.record["id"])))
    return in_order, dict(sorted(mentioned.items()))


def _refuse_unknown(outcomes: Sequence[str], subjects: Sequence[Subject]) -> None:
    known = sorted({subject.about for subject in subjects})
    errors = [_unknown("outcome", name, known) for name in outcomes if name not in known]
    if errors:
        raise InvalidParameter(f"outcome: {errors[0]['detail']}.", errors=errors)


def _unknown(parameter: str, name: str, known: Sequence[str]) -> dict[str, Any]:
    close = nearest(name, known)
    error = {"parameter": parameter, "detail": f"no record here is about {name!r}", "known": list(known)}
    return error | ({"nearest": close} if close else {})


def _baselines(asked: Sequence[str], subjects: Sequence[Subject], known: Sequence[str]) -> dict[str, Baseline]:
    """The baselines that were named, by what they are about; InvalidParameter where one is none."""
    found: dict[str, Baseline] = {}
    for text in asked:
        about, _, what = text.rpartition(":")
        if about and about not in known:
            raise InvalidParameter(
                f"baseline: no record here is about {about!r}.", errors=[_unknown("baseline", about, known)]
            )
        if PER_1000.fullmatch(what):
            found[about or _only(known, what)] = Baseline(_risk(what))
        else:
            baseline, own = _named_baseline(what, subjects)
            found[about or own] = baseline
    return found


def _only(known: Sequence[str], number: str) -> str:
    """The one thing that a bare number can be about."""
    if len(known) == 1:
        return known[0]
    words = "a risk belongs to one outcome; name it before a colon, or narrow with outcome="
    offers = [f"baseline={about}:{number}" for about in known]
    error = {"parameter": "baseline", "detail": words, "known": offers}
    raise InvalidParameter(f"baseline: {words}.", errors=[error])


def _risk(number: str) -> float:
    risk = float(number) / 1000
    if risk > 1:
        words = f"{number} of 1,000 people are more than all of them"
        raise InvalidParameter(f"baseline: {words}.", errors=[{"parameter": "baseline", "detail": words}])
    return risk


def _named_baseline(record_id: str, subjects: Sequence[Subject]) -> tuple[Baseline, str]:
    """The comparator arm of a study result or side effect, and what it is about."""
    ids = {str(subject.record["id"]): subject for subject in reversed(subjects)}
    subject = ids.get(record_id)
    if subject is None:
        raise InvalidParameter(
            f"baseline: no record here has the id {record_id!r}.", errors=[_unknown("baseline", record_id, sorted(ids))]
        )
    baseline = control_of(subject.plural, subject.record)
    if baseline is None:
        words = f"{record_id} has no comparator arm with people and people with the outcome"
        raise InvalidParameter(f"baseline: {words}.", errors=[{"parameter": "baseline", "detail": words}])
    return baseline, subject.about


def _without_twins(told: Sequence[AbsoluteEffect]) -> list[tuple[AbsoluteEffect, list[AbsoluteEffect]]]:
    """Each body of data once: a side effect stands with the study result of the same study, counts and meaning.

    Equal counts alone do not make two records one: in small trials nobody has this, and nobody has that.
    """
    results = [one for one in told if one.subject.plural == StudyResult.plural]
    rows: list[tuple[AbsoluteEffect, list[AbsoluteEffect]]] = [(result, []) for result in results]
    for one in told:
        if one.subject.plural == StudyResult.plural:
            continue
        twins = next((twins for first, twins in rows if _is_twin(first, one)), None)
        if twins is None:
            rows.append((one, []))
        else:
            twins.append(one)
    return sorted(rows, key=lambda row: (row[0].subject.about, str(row[0].subject.record["id"])))


def _is_twin(first: AbsoluteEffect, other: AbsoluteEffect) -> bool:
    subject, twin = first.subject, other.subject
    is_one_study = subject.record["study"] is not None and subject.record["study"] == twin.record["study"]
    if not is_one_study or _people_of(subject) is None or _people_of(subject) != _people_of(twin):
        return False
    had_somebody_it = first.baseline.risk + first.absolute.risk > 0
    is_named_alike = subject.plural == StudyResult.plural and had_somebody_it and are_alike(subject, twin)
    return subject.about == twin.about or is_named_alike


def _people_of(subject: Subject) -> Any:
    """Who was counted, by roles, or in the one exposed arm and the comparator; None where somebody was not."""
    if subject.arm is not None and subject.arms is not None:
        return subject.arms
    arms = sorted((arm["role"], *_counted(arm)) for arm in subject.record["arms"] if None not in _counted(arm))
    return arms if len(arms) > 1 else None


def _counted(arm: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return (arm["events"], arm["n"]) if "events" in arm else (arm["affected"], arm["at_risk"])


def _row(one: AbsoluteEffect, others: Sequence[AbsoluteEffect], address: Address, *, is_named: bool) -> dict[str, Any]:
    subject, record = one.subject, one.subject.record
    return {
        "about": subject.about,
        "name": subject.name,
        "record": record_link(subject.plural, record, address),
        "also_in": [record_link(other.subject.plural, other.subject.record, address) for other in others],
        "study": record["study"],
        "arm": subject.arm,
        "comparator": record.get("comparator"),
        "time_frame_text": record.get("time_frame_text"),
        "measure": one.measure,
        "baseline": baseline_entry(one.baseline, "named-record" if is_named else "own-comparator-arm", address),
        **people_entry(one.absolute, subject.more_is or "harm", one.seen),
        "certainty": record.get("certainty"),
        **{name: record[name] for name in ("source_status", "verification", "citations")},
        "note": record.get("note"),
    }


def _refused(subject: Subject, why: Refusal, address: Address) -> dict[str, Any]:
    about = {"about": subject.about, "name": subject.name, "arm": subject.arm}
    return about | {"record": record_link(subject.plural, subject.record, address)} | asdict(why)
