"""View model of an archived synthesis for cards and pages: the answer, today's source status, and its context."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from app.json_codec import from_json
from app.models.base import Row
from app.models.conditions import Condition
from app.models.outcomes import Outcome
from app.models.sources import Source
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.reports.cards import APPROVALS
from app.reports.record_page import AsOf, Found, Record, listed, read_as_of
from app.reports.synthesis.archive import ArchivedSynthesis, read_archived
from app.store.read.lists import list_rows
from app.store.read.query import MOST_ROWS, Query

NAMED: tuple[type[Row], ...] = (Treatment, Condition, Outcome)
"""Resources whose records a question names."""


@dataclass(frozen=True)
class SynthesisFacts:
    """The content of a card or page of an archived synthesis."""

    hash: str
    kept: ArchivedSynthesis
    content: dict[str, Any]
    included: Found
    """The referenced records, by plural and id; sources with their state and source status of today."""
    withdrawn: list[str]
    """Ids of counted results that have been withdrawn since."""
    approvals: list[Record]
    """The approvals of the treatments for the condition, in the release."""
    as_of: AsOf


def read_synthesis(connection: Connection, digest: str) -> SynthesisFacts:
    """An archived synthesis with today's status of its sources and results; NotFound for an unknown hash."""
    archived = read_archived(connection, digest)
    content: dict[str, Any] = from_json(archived.forms["json"])
    included: Found = content["included"]
    sources = included.setdefault(Source.plural, {})
    today = _current_status(connection, Source, sources)
    for name, (state, status) in today.items():
        sources[name] |= {"state": state, "source_status": status}
    results = _current_status(connection, StudyResult, [result["id"] for result in content["results"]])
    withdrawn = [name for name, (state, _) in results.items() if state == "withdrawn"]
    return SynthesisFacts(digest, archived, content, included, withdrawn, [], AsOf(0, None))


def _current_status(connection: Connection, row: type[Row], ids: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """State and source status of records in the live dataset, by id."""
    table = row.table()
    query = select(table.c.id, table.c.state, table.c.source_status).where(table.c.id.in_(list(ids)))
    return {name: (state, status) for name, state, status in connection.execute(query.order_by(table.c.id))}


def with_surroundings(connection: Connection, facts: SynthesisFacts) -> SynthesisFacts:
    """The facts completed from the synthesis' release: names of records, approvals, revision and date."""
    question = facts.content["question"]
    ids = {name: value if isinstance(value, list) else [value] for name, value in question.items()}
    for row in NAMED:
        rows = list_rows(connection, Query(row, {"id": ids[str(row.__tablename__)]}, limit=MOST_ROWS))
        named = {record["id"]: record for record in map(from_json, rows.documents)}
        facts.included[row.plural] = named | facts.included.get(row.plural, {})
    about = {name: ids[name] for name in ("treatment", "condition")}
    approvals = listed(connection, APPROVALS, about, facts.included).items
    return replace(facts, approvals=approvals, as_of=read_as_of(connection))
