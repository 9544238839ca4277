"""Answers an evidence question: selects study results, checks comparability and pools them into one estimate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.errors import EXAMPLE_ADDRESS, InvalidParameter, NotComparable
from app.evidence.calculator.answer import synthesis_of
from app.evidence.calculator.request import Captions
from app.evidence.calculator.schemas import Synthesis
from app.evidence.comparability import ComparabilityConflict
from app.evidence.pooling import PoolingChoices, SortedResults, contradicting, pool_results, pooling_plan, sort_results
from app.evidence.statistics.analysis import Analysis
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.pooling import Plan
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Row
from app.models.conditions import Condition
from app.models.outcomes import Outcome
from app.models.sources import Source
from app.models.studies import Study
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.reports.synthesis.content import (
    Gathered,
    answer_content,
    captions_for_question,
    conflict_content,
    favours,
    notes,
    question_content,
)
from app.reports.synthesis.entries import record_name
from app.reports.synthesis.plain import plain_synthesis
from app.reports.synthesis.question import EXAMPLE, EvidenceQuestion
from app.reports.synthesis.results import read_results, results_in_context
from app.store.examples import RELEASE, example_named
from app.store.read.lists import refuse_unknown_filters
from app.store.read.prepared import ConnectionReader
from app.store.read.query import Query
from app.store.read.records import fetch_named
from app.store.read.revision import revision_of
from app.store.read.scope import left_out

NAMED = ("treatment", "condition", "outcome")
"""Query parameters whose ids must resolve to existing records."""
ASKED = {"treatment": EXAMPLE.treatment, "condition": str(EXAMPLE.condition), "outcome": str(EXAMPLE.outcome)}
"""Query parameters of the example in the API documentation."""


@dataclass(frozen=True)
class Answered:
    """A computed synthesis: the JSON content of the response, and the captions and analysis for its plots."""

    content: dict[str, Any]
    captions: Captions
    analysis: Analysis | None
    synthesis: Synthesis | None


def gather(connection: Connection, question: EvidenceQuestion, public_url: str) -> Gathered:
    """Read the study results and named records of a question.

    InvalidParameter for an unknown id, Moved or Gone for another record that must be there and is not.
    """
    rows = {str(row.__tablename__): row for row in RESOURCES.values()}
    filters = question.filters()
    refuse_unknown_filters(connection, Query(StudyResult, filters))
    names = {
        name: {
            record_id: from_json(fetch_named(connection, name, rows[name], record_id)[0]) for record_id in filters[name]
        }
        for name in NAMED
    }
    return Gathered(
        question,
        read_results(connection, filters),
        names,
        revision_of(connection),
        public_url,
        left_out(ConnectionReader(connection), Query(StudyResult, filters)),
    )


def pooled_answer(gathered: Gathered) -> Answered:
    """Pool the gathered results into an answer.

    NotComparable when comparability conflicts remain that the caller has not accepted; InvalidParameter when the
    plan or the arithmetic fails.
    """
    question = gathered.question
    choices = PoolingChoices(
        **{name: getattr(question, name) for name in ("measure", "model", "method", "estimator", "interval")},
        level=question.level,
        window_days=question.window_days,
        also=frozenset(question.also or ()),
        subgroup=question.subgroup,
    )
    results = sort_results(gathered.found.results, choices)
    refused = [conflict for conflict in results.conflicts if conflict.reason not in (question.accept or ())]
    if refused:
        raise not_comparable(refused)
    plan, analysis = _computed(results, choices)
    captions = captions_for_question(results, gathered, question.subgroup)
    synthesis = None if analysis is None else synthesis_of(captions, analysis)
    content = answer_content(gathered, results, question_content(question, results, plan), synthesis)
    content["notes"] = [*notes(gathered, results), *(analysis.notes if analysis else ())]
    content["favours"] = favours(captions, results)
    if question.audience is not None:
        content["plain"] = plain_synthesis(content, question.audience, captions)
    return Answered(content, captions, analysis, synthesis)


def not_comparable(refused: Sequence[ComparabilityConflict]) -> NotComparable:
    """The 422 problem: each conflict with the results on both sides, and the parameter values that avoid it."""
    errors = [
        {"parameter": conflict.parameter, "known": list(conflict.known)} | conflict_content(conflict)
        for conflict in refused
    ]
    names = ", ".join(dict.fromkeys(f"accept={conflict.reason}" for conflict in refused))
    detail = f"{refused[0].detail[:1].upper()}{refused[0].detail[1:]}."
    return NotComparable(f"{detail} Narrow the question, or take it upon yourself with {names}.", errors=errors)


def _computed(results: SortedResults, choices: PoolingChoices) -> tuple[Plan, Analysis | None]:
    """The pooling plan and its analysis, None when no result counts; InvalidParameter when either is impossible."""
    try:
        plan = pooling_plan(choices, results)
        faults = contradicting(results, plan, choices)
        if faults:
            errors = [{"parameter": name, "detail": detail} for name, detail in faults]
            raise InvalidParameter(f"{faults[0][0]}: {faults[0][1]}.", errors=errors)
        return plan, pool_results(results, plan, choices)
    except Undefined as fault:
        error = {"parameter": "measure" if fault.study is not None else "estimator", "detail": fault.message}
        if fault.study is not None:
            error["record"] = record_name(results.results[fault.study].id)
        raise InvalidParameter(
            f"{error.get('record', error['parameter'])}: {fault.message}.", errors=[error]
        ) from fault


def example_answer() -> Answered:
    """The answer to the documentation's example question, computed from the seed records."""
    result = example_named(StudyResult, EXAMPLE.id)
    rows: dict[str, type[Row]] = {"study": Study, "outcome": Outcome, "treatment": Treatment, "condition": Condition}
    records = {name: example_named(row, result[name]) for name, row in rows.items()}
    included = {row.plural: {records[name]["id"]: records[name]} for name, row in rows.items()}
    cited = [citation["source"] for citation in result["citations"]]
    included["sources"] = {name: example_named(Source, name) for name in cited}
    question = EvidenceQuestion(
        treatment=[ASKED["treatment"]], condition=ASKED["condition"], outcome=[ASKED["outcome"]], release=RELEASE
    )
    names = {name: {records[name]["id"]: records[name]} for name in NAMED}
    found = results_in_context([result], dict(sorted(included.items())))
    return pooled_answer(Gathered(question, found, names, 1, EXAMPLE_ADDRESS))
