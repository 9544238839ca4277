"""What the search page shows: what the API finds, with the records themselves, and how old they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection

from app.models import RESOURCES
from app.models.indications import Indication
from app.reports.record_page import AsOf, Found, PageList, listed, read_as_of
from app.reports.search.counts import NARROWING
from app.reports.search.results import read_search
from app.reports.search.schemas import RECORD, SearchQuery
from app.store.read.query import MOST_ROWS

FOUND_ROWS = 20
"""How many records a page of the search has."""


@dataclass(frozen=True)
class FoundRecords:
    """A page of a search: the answer of `/v1/search` with the found records under `included`."""

    answer: dict[str, Any]
    uses: Mapping[tuple[str, str], str]
    """The page that shows all that belongs to a treatment and a condition: the id of the indication, by both."""
    names: Mapping[str, Mapping[str, str]]
    """What the records could be narrowed to: by the name of the filter, names by id."""
    as_of: AsOf


def read_found(connection: Connection, query: SearchQuery) -> FoundRecords:
    """Search; BadCursor when the cursor is not of this search."""
    content, _ = read_search(connection, query, str)
    answer = from_json(content)
    names = {name: _names(connection, name, query, answer["facets"][name]) for name in NARROWING}
    return FoundRecords(answer, _uses(connection, answer["included"]), names, read_as_of(connection))


def _names(connection: Connection, name: str, query: SearchQuery, facet: Mapping[str, Any]) -> dict[str, str]:
    """The names of a filter's values, and of the one that is chosen."""
    ids = [value["value"] for value in facet["values"]] + list(query.narrowing.get(name, ()))
    part = PageList(RESOURCES[NARROWING[name]], MOST_ROWS, ("name",))
    return {item["id"]: item["name"] for item in listed(connection, part, {"id": ids}, {}).items} if ids else {}


def _uses(connection: Connection, records: Found) -> dict[tuple[str, str], str]:
    """The uses that the found records are about."""
    found = [one for kind in records.values() for one in kind.values()]
    about = {name: sorted({one[name] for one in found if one.get(name)}) for name in ("treatment", "condition")}
    if not all(about.values()):
        return {}
    uses = listed(connection, PageList(Indication, MOST_ROWS), about, {}).items
    return {(use["treatment"], use["condition"]): use["id"] for use in uses}


def query_of(text: str, filters: Mapping[str, str], cursor: str | None, release: str | None) -> SearchQuery:
    """The question of the page, narrowed to a kind and to what records are about; with what could narrow it further."""
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
