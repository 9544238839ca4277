"""View model of the search page: the response of `/v1/search` with the found records and the dataset's revision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.json_codec import from_json
from app.models import RESOURCES
from app.models.indications import Indication
from app.reports.record_page import AsOf, Found, PageList, listed, read_as_of
from app.reports.search.counts import NARROWING
from app.reports.search.results import read_search
from app.reports.search.schemas import RECORD, SearchQuery
from app.store.read.query import MOST_ROWS

FOUND_ROWS = 20
"""Hits on one page of the search."""


@dataclass(frozen=True)
class FoundRecords:
    """One page of a search: the response of `/v1/search`, with the found records under `included`."""

    answer: dict[str, Any]
    uses: Mapping[tuple[str, str], str]
    """Ids of the indications, whose pages show all records of a pair, by treatment and condition."""
    names: Mapping[str, Mapping[str, str]]
    """The options of each filter: by filter name, the names of treatments or conditions by id."""
    as_of: AsOf


def read_found(connection: Connection, query: SearchQuery) -> FoundRecords:
    """Search for the page; BadCursor when the cursor belongs to another search."""
    content, _ = read_search(connection, query, str)
    answer = from_json(content)
    names = {name: _names(connection, name, query, answer["facets"][name]) for name in NARROWING}
    return FoundRecords(answer, _uses(connection, answer["included"]), names, read_as_of(connection))


def _names(connection: Connection, name: str, query: SearchQuery, facet: Mapping[str, Any]) -> dict[str, str]:
    """The names of a filter's facet values and of its selected values, by id."""
    ids = [value["value"] for value in facet["values"]] + list(query.narrowing.get(name, ()))
    part = PageList(RESOURCES[NARROWING[name]], MOST_ROWS, ("name",))
    return {item["id"]: item["name"] for item in listed(connection, part, {"id": ids}, {}).items} if ids else {}


def _uses(connection: Connection, records: Found) -> dict[tuple[str, str], str]:
    """Ids of the indications that the found records are about, by treatment and condition."""
    found = [record for by_id in records.values() for record in by_id.values()]
    about = {
        name: sorted({record[name] for record in found if record.get(name)}) for name in ("treatment", "condition")
    }
    if not all(about.values()):
        return {}
    uses = listed(connection, PageList(Indication, MOST_ROWS), about, {}).items
    return {(use["treatment"], use["condition"]): use["id"] for use in uses}


def query_of(text: str, filters: Mapping[str, str], cursor: str | None, release: str | None) -> SearchQuery:
    """The search query of the page, with its filters; it requests the records and the facets of further filters."""
    return SearchQuery(
        text,
        (filters["kind"],) if "kind" in filters else (),
        {name: [filters[name]] for name in NARROWING if name in filters},
        limit=FOUND_ROWS,
        cursor=cursor,
        include=(RECORD,),
        facets=tuple(NARROWING),
        release=release,
    )
