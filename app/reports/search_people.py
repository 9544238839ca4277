"""What the search page shows: what the API finds, with the records themselves, and how old they are."""

from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection

from app.reports.people import AsOf, read_as_of
from app.reports.search import read_search
from app.reports.search_page import RECORD, SearchQuery

FOUND_ROWS = 20
"""How many records a page of the search has."""


@dataclass(frozen=True)
class FoundRecords:
    """A page of a search: the answer of `/v1/search` with the found records under `included`."""

    answer: dict[str, Any]
    as_of: AsOf


def read_found(connection: Connection, query: SearchQuery) -> FoundRecords:
    """Search; BadCursor when the cursor is not of this search."""
    content, _ = read_search(connection, query, str)
    return FoundRecords(from_json(content), read_as_of(connection))


def query_of(text: str, kind: str | None, cursor: str | None, release: str | None) -> SearchQuery:
    """The question of the page."""
    kinds = (kind,) if kind else ()
    return SearchQuery(text, kinds, limit=FOUND_ROWS, cursor=cursor, include=(RECORD,), release=release)
