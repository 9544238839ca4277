"""Reads study results with their study, outcome and treatment, for reports that combine several results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.errors import InvalidParameter
from app.evidence.results import Reported
from app.fields import includable
from app.json_codec import from_json
from app.models.outcomes import Outcome
from app.models.sources import Source
from app.models.studies import Study
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.store.read.included import included
from app.store.read.lists import export_chunk
from app.store.read.query import Query

MOST_RESULTS = 500
"""How many study results one answer may use."""
MENTIONED = ("study", "outcome", "treatment", "condition", "sources")
"""References that are read with each result, besides a comparator that is one of our treatments."""


@dataclass(frozen=True)
class ResultsInContext:
    """Study results, and the records that they reference, by plural, then by id."""

    results: list[Reported]
    withdrawn: list[dict[str, Any]]
    """Results whose study, outcome or treatment was withdrawn."""
    unlisted: list[str]
    """Ids of results whose outcome is not in our list yet."""
    included: dict[str, dict[str, Any]]


def read_results(connection: Connection, filters: Mapping[str, Any]) -> ResultsInContext:
    """The published study results that match the filters, each with its study, outcome and treatment, the oldest first.

    InvalidParameter when more than `MOST_RESULTS` match.
    """
    documents = read_all(connection, Query(StudyResult, filters))
    names = [name for name in (*MENTIONED, "comparator") if name in includable(StudyResult)]
    found = included(connection, StudyResult, documents, names)
    return results_in_context([from_json(document) for document in documents], found)


def read_all(connection: Connection, query: Query) -> list[str]:
    """Every document of a query; InvalidParameter when more than `MOST_RESULTS` match."""
    documents: list[str] = []
    following: Query | None = query
    while following is not None and len(documents) <= MOST_RESULTS:
        chunk, following = export_chunk(connection, following)
        documents += chunk
    if len(documents) > MOST_RESULTS:
        detail = f"more than {MOST_RESULTS} {query.resource.plural} match; narrow the question"
        raise InvalidParameter(f"condition: {detail}.", errors=[{"parameter": "condition", "detail": detail}])
    return documents


def results_in_context(documents: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> ResultsInContext:
    """Results with their references, sorted by the issue date of their oldest source, then by id.

    Results without an outcome of our list are left out and named under `unlisted`.
    """
    results, withdrawn = [], []
    for document in (document for document in documents if document["outcome"] is not None):
        parts = [
            records.get(row.plural, {}).get(document[str(row.__tablename__)]) for row in (Study, Outcome, Treatment)
        ]
        if None in parts:
            withdrawn.append(document)
        else:
            results.append(Reported(document, *parts))  # type: ignore[arg-type]  # none is None
    unlisted = sorted(document["id"] for document in documents if document["outcome"] is None)
    return ResultsInContext(
        sorted(results, key=lambda reported: (_first_issued(reported, records), reported.id)),
        withdrawn,
        unlisted,
        records,
    )


def omission_notes(found: ResultsInContext) -> Iterator[str]:
    """Notes on the results that were left out: withdrawn, or without a listed outcome."""
    if found.withdrawn:
        ids = ", ".join(sorted(document["id"] for document in found.withdrawn))
        yield f"Left out, because the study or the outcome was withdrawn: {ids}."
    if found.unlisted:
        yield f"Left out, because the outcome is not in our list yet: {', '.join(found.unlisted)}."


def _first_issued(reported: Reported, records: Mapping[str, Mapping[str, Any]]) -> str:
    sources = [records.get(Source.plural, {}).get(citation["source"], {}) for citation in reported.result["citations"]]
    return min((str(source["issued"]) for source in sources if source.get("issued")), default="9999")
