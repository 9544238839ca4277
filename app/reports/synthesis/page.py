"""A kept synthesis as cards and pages show it: the answer, how what it rests on stands today, and what surrounds it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, select

from app.models.base import Row
from app.models.conditions import Condition
from app.models.outcomes import Outcome
from app.models.sources import Source
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.reports.cards import APPROVALS
from app.reports.record_page import AsOf, Found, Record, listed, read_as_of
from app.reports.synthesis.archive import KeptSynthesis, read_kept
from app.store.read.lists import list_rows
from app.store.read.query import MOST_ROWS, Query

NAMED: tuple[type[Row], ...] = (Treatment, Condition, Outcome)
"""What a question names."""


@dataclass(frozen=True)
class SynthesisFacts:
    """All that a card or page of a synthesis shows."""

    hash: str
    kept: KeptSynthesis
    content: dict[str, Any]
    included: Found
    """What the answer mentions, by plural and id; sources as they stand today."""
    withdrawn: list[str]
    """The ids of results that count and were withdrawn since."""
    approvals: list[Record]
    """What regulators decided on the treatments for the condition, in the release."""
    as_of: AsOf


def read_synthesis(connection: Connection, digest: str) -> SynthesisFacts:
    """A kept synthesis, with how its sources and results stand in the dataset today; NotFound for an unknown hash."""
    kept = read_kept(connection, digest)
    content: dict[str, Any] = from_json(kept.forms["json"])
    included: Found = content["included"]
    sources = included.setdefault(Source.plural, {})
    today = _standing(connection, Source, sources)
    for name, (state, status) in today.items():
        sources[name] |= {"state": state, "source_status": status}
    results = _standing(connection, StudyResult, [result["id"] for result in content["results"]])
    withdrawn = [name for name, (state, _) in results.items() if state == "withdrawn"]
    return SynthesisFacts(digest, kept, content, included, withdrawn, [], AsOf(0, None))


def _standing(connection: Connection, row: type[Row], ids: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """State and standing of records in the dataset as it is now, by id."""
    table = row.table()
    query = select(table.c.id, table.c.state, table.c.source_status).where(table.c.id.in_(list(ids)))
    return {name: (state, status) for name, state, status in connection.execute(query.order_by(table.c.id))}


def with_surroundings(connection: Connection, facts: SynthesisFacts) -> SynthesisFacts:
    """The same, with what the synthesis' release says around it: names, regulators' decisions, its day."""
    question = facts.content["question"]
    ids = {name: value if isinstance(value, list) else [value] for name, value in question.items()}
    for row in NAMED:
        rows = list_rows(connection, Query(row, {"id": ids[str(row.__tablename__)]}, limit=MOST_ROWS))
        named = {one["id"]: one for one in map(from_json, rows.documents)}
        facts.included[row.plural] = named | facts.included.get(row.plural, {})
    about = {name: ids[name] for name in ("treatment", "condition")}
    approvals = listed(connection, APPROVALS, about, facts.included).items
    return replace(facts, approvals=approvals, as_of=read_as_of(connection))
