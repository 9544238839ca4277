"""What our study results say to one question: which count, whether they may be joined, and what they come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection

from app.errors import InvalidParameter, NotComparable
from app.evidence.calculator.answer import synthesis_of
from app.evidence.calculator.request import Captions
from app.evidence.calculator.schemas import Synthesis
from app.evidence.comparability import ComparabilityConflict
from app.evidence.pooling import PoolingChoices, SortedResults, contradicting, pool_results, pooling_plan, sort_results
from app.evidence.statistics.analysis import Analysis
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.pooling import Plan
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
    favours,
    notes,
    question_content,
    told,
)
from app.reports.synthesis.entries import record_name
from app.reports.synthesis.plain import plain_synthesis
from app.reports.synthesis.question import EXAMPLE, EvidenceQuestion
from app.reports.synthesis.results import read_results, results_in_context
from app.store.examples import EXAMPLE_ADDRESS, RELEASE, example_named
from app.store.read.records import fetch
from app.store.read.revision import revision_of

NAMED = ("treatment", "condition", "outcome")
"""The parameters that name records which there must be."""
ASKED = {"treatment": EXAMPLE.treatment, "condition": str(EXAMPLE.condition), "outcome": str(EXAMPLE.outcome)}
"""The question of the documentation."""


@dataclass(frozen=True)
class Answered:
    """A question answered: the answer as it is sent, and what plots are drawn from."""

    content: dict[str, Any]
    captions: Captions
    analysis: Analysis | None
    synthesis: Synthesis | None


def gather(connection: Connection, asked: EvidenceQuestion, public_url: str) -> Gathered:
    """Read what a question needs; Moved, Gone or NotFound where it names what is not there."""
    rows = {str(row.__tablename__): row for row in RESOURCES.values()}
    filters = asked.filters()
    names = {
        name: {record_id: from_json(fetch(connection, rows[name], record_id)[0]) for record_id in filters[name]}
        for name in NAMED
    }
    return Gathered(asked, read_results(connection, filters), names, revision_of(connection), public_url)


def pooled_answer(gathered: Gathered) -> Answered:
    """The answer; NotComparable where the results may not be joined and the caller has not said that they shall."""
    asked = gathered.asked
    choices = PoolingChoices(
        **{name: getattr(asked, name) for name in ("measure", "model", "method", "estimator", "interval")},
        level=asked.level,
        window_days=asked.window_days,
        also=frozenset(asked.also or ()),
        subgroup=asked.subgroup,
    )
    results = sort_results(gathered.found.results, choices)
    refused = [conflict for conflict in results.conflicts if conflict.reason not in (asked.accept or ())]
    if refused:
        raise not_comparable(refused)
    plan, analysis = _computed(results, choices)
    captions = captions_for_question(results, gathered, asked.subgroup)
    synthesis = None if analysis is None else synthesis_of(captions, analysis)
    question = question_content(asked, results, plan)
    content = answer_content(gathered, results, question, synthesis)
    content["notes"] = [*notes(gathered, results), *(analysis.notes if analysis else ())]
    content["favours"] = favours(captions, results)
    if asked.audience is not None:
        content["plain"] = plain_synthesis(content, asked.audience, captions)
    return Answered(content, captions, analysis, synthesis)


def not_comparable(refused: Sequence[ComparabilityConflict]) -> NotComparable:
    """The refusal: each reason with the results on both sides and what would be right."""
    errors = [{"parameter": one.parameter, "known": list(one.known)} | told(one) for one in refused]
    names = ", ".join(dict.fromkeys(f"accept={one.reason}" for one in refused))
    words = f"{refused[0].detail[:1].upper()}{refused[0].detail[1:]}."
    return NotComparable(f"{words} Narrow the question, or take it upon yourself with {names}.", errors=errors)


def _computed(results: SortedResults, choices: PoolingChoices) -> tuple[Plan, Analysis | None]:
    """How the results are joined, and what they come to; InvalidParameter where that cannot be."""
    try:
        plan = pooling_plan(choices, results)
        faults = contradicting(results, plan, choices)
        if faults:
            errors = [{"parameter": name, "detail": words} for name, words in faults]
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
    """What the seed's release answers to the question of the documentation."""
    result = example_named(StudyResult, EXAMPLE.id)
    rows: dict[str, type[Row]] = {"study": Study, "outcome": Outcome, "treatment": Treatment, "condition": Condition}
    records = {name: example_named(row, result[name]) for name, row in rows.items()}
    included = {row.plural: {records[name]["id"]: records[name]} for name, row in rows.items()}
    cited = [citation["source"] for citation in result["citations"]]
    included["sources"] = {name: example_named(Source, name) for name in cited}
    asked = EvidenceQuestion(
        treatment=[ASKED["treatment"]], condition=ASKED["condition"], outcome=[ASKED["outcome"]], release=RELEASE
    )
    names = {name: {records[name]["id"]: records[name]} for name in NAMED}
    found = results_in_context([result], dict(sorted(included.items())))
    return pooled_answer(Gathered(asked, found, names, 1, EXAMPLE_ADDRESS))
