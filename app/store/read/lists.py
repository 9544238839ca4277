"""Lists of stored documents: one page by keyset pagination, with counts and included records, live or inline."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Float, Integer, bindparam, func, select

from app.db.database import Database
from app.fields import id_filters, words_beside_ids
from app.models import RESOURCES
from app.store.read.cursors import read_cursor, unreadable, write_cursor
from app.store.read.filters import conditions, filter_values, filters_of, published
from app.store.read.included import Included, read_included
from app.store.read.list_statements import ListShape, is_bounded, list_shape, list_statement, list_values
from app.store.read.missing import read_known_ids, refuse_unknown_ids
from app.store.read.prepared import ConnectionReader, InlineReader, Reader, Statement, numbered, padded, read_rows
from app.store.read.query import MOST_ROWS, Query
from app.store.read.scope import LeftOut, left_out, scoped, subjects


@dataclass(frozen=True)
class Page:
    """One page of a list: documents in order, and the cursor of the next page."""

    documents: list[str]
    next: str | None = None
    total: int | None = None
    included: Included | None = None
    not_found: list[str] | None = None
    facets: Mapping[str, Any] | None = None
    inherited: Sequence[LeftOut] = ()
    """What applies to the filters, but is not in the list because of its scope."""
    applies: Mapping[str, int] | None = None
    """With a count: how many records are exact, inherited and general (without a condition)."""
    unknown: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Ids in filters that no record here has or had, by the filter; those of `id` are `not_found`."""


def list_rows(connection: Connection, query: Query, *, is_answer: bool = False) -> Page:
    """One page of a list, in one short read; BadCursor when the cursor belongs to another query.

    A renamed record keeps its former id as an alias; in a filter it is replaced by the present one. Since no record
    refers to a former or an unknown id, these are looked up only when one could explain missing rows: the page is
    empty, an id was not found, or a filter names several ids. Then the page is read again, or says what is unknown.
    With `is_answer` the page also says what its scope leaves out.
    """
    reader = ConnectionReader(connection)
    return _read_page(reader, query, scoped(reader, query), _after(query), is_answer=is_answer)


def list_now(database: Database, query: Query) -> Page | None:
    """The same page, read at once on the event loop's own connection, where an index bounds what is read.

    None where none does, where more is asked for (counts, facets, many rows), and for a database that is no SQLite
    file: then `list_rows` gives the page, in a thread. The errors are the same.
    """
    inline = database.inline
    if inline is None or query.count or query.facets or query.release or query.limit > MOST_ROWS:
        return None
    after = _after(query)
    is_about = bool(subjects(query))
    if query.scope == "exact" and not is_bounded(list_shape(query, after)):
        return None
    names_ids = "id" in query.filters or not all(part.is_one_value for part in filters_of(query))
    memo = database.memo() if is_about else None  # before the read: what is committed meanwhile has another one
    with inline.snapshot() if query.include or names_ids or is_about else nullcontext():  # the others are one statement
        reader = InlineReader(inline, memo)
        concerned = scoped(reader, query)
        if not is_bounded(list_shape(concerned, after)):
            return None
        return _read_page(reader, query, concerned, after, is_answer=True)


def _read_page(reader: Reader, query: Query, concerned: Query, after: Sequence[Any] | None, *, is_answer: bool) -> Page:
    """A page of `concerned`, the query with all ids of its scope, or of the same with present ids."""
    page, present = _page(reader, query, concerned, after), query
    if _may_name_others(query, page):
        present, unknown = _known_ids_of(reader, query)
        if present is not query:
            page = _page(reader, query, scoped(reader, present), after)
        if unknown:
            return replace(page, unknown=unknown)
    if not is_answer or not subjects(query):
        return page
    applies = _counts_of_what_applies(reader, present) if query.count else None
    return replace(page, inherited=left_out(reader, present), applies=applies)


def _may_name_others(query: Query, page: Page) -> bool:
    """Whether the filters may name former or unknown ids: a page that is complete without these proves the contrary."""
    named = id_filters(query.resource).keys() & query.filters.keys()
    if not named or not page.documents or page.not_found:
        return bool(named)
    finds_records_without_condition = query.scope == "applies" and len(subjects(query)) > 1
    return finds_records_without_condition or any(len(query.filters[name]) > 1 for name in named)


def _counts_of_what_applies(reader: Reader, query: Query) -> dict[str, int]:
    """How many records are exact, how many inherited, and how many general, for a filter by treatment and condition."""
    applying = scoped(reader, replace(query, scope="applies"))
    is_both = len(subjects(query)) > 1
    general = replace(applying, filters={**applying.filters, "condition": [None]})
    counts = {"exact": _count(reader, query), "inherited": 0, "general": _count(reader, general) if is_both else 0}
    return counts | {"inherited": _count(reader, applying) - counts["exact"] - counts["general"]}


def with_present_ids(connection: Connection, query: Query) -> Query:
    """The query with former ids in its filters replaced by present ones; the same object when there are none."""
    return _known_ids_of(ConnectionReader(connection), query)[0]


def unknown_ids(connection: Connection, query: Query) -> dict[str, list[str]]:
    """The ids in the filters of a query that no record has or had, by the filter, but for those of `id`."""
    return _known_ids_of(ConnectionReader(connection), query)[1]


def refuse_unknown_filters(connection: Connection, query: Query) -> None:
    """InvalidParameter for an id in a filter that no record has or had."""
    refuse_unknown_ids(
        connection,
        {
            name: (RESOURCES[id_filters(query.resource)[name]], ids)
            for name, ids in unknown_ids(connection, query).items()
        },
    )


def _known_ids_of(reader: Reader, query: Query) -> tuple[Query, dict[str, list[str]]]:
    """The query with present ids, and the unknown ids by filter."""
    named = {name: plural for name, plural in id_filters(query.resource).items() if name in query.filters}
    no_ids = words_beside_ids(query.resource)
    ids: dict[str, set[str]] = {}
    for name, plural in named.items():
        ids.setdefault(plural, set()).update(set(query.filters[name]) - {None} - no_ids.get(name, frozenset()))
    known = read_known_ids(reader, ids)
    unknown = {
        name: sorted(missing)
        for name, plural in named.items()
        if name != "id"
        and (missing := {v for v in query.filters[name] if v in ids[plural] and (plural, v) not in known})
    }
    if all(record_id == present for (_, record_id), present in known.items()):
        return query, unknown
    filters = {
        name: [known.get((named[name], value), value) for value in values] if name in named else values
        for name, values in query.filters.items()
    }
    return replace(query, filters=filters), unknown


def _page(reader: Reader, query: Query, present: Query, after: Sequence[Any] | None) -> Page:
    """A page of `present`, the query with present ids; its cursor is bound to `query` as it was sent."""
    shape = list_shape(present, after)
    values = list_values(present, after, query.limit + 1)
    rows = read_rows(reader, shape, lambda: list_statement(shape), values)
    page, more = rows[: query.limit], len(rows) > query.limit
    documents = [row[0] for row in page]
    names = query.include
    return Page(
        documents=documents,
        next=write_cursor(query.fingerprint(), _key_values(shape, page[-1])) if more else None,
        total=_count(reader, present) if query.count else None,
        included=read_included(reader, query.resource, [row[-1] for row in page], names) if names else None,
        not_found=_not_found(reader, query, present),
    )


def export_chunk(connection: Connection, query: Query, size: int = 500) -> tuple[list[str], Query | None]:
    """The next documents of an export, and the query for the chunk after them; None at the end.

    Each chunk is a separate read, so that a slow client holds no database cursor.
    """
    page = list_rows(connection, replace(query, limit=size, count=False, include=()))
    return page.documents, None if page.next is None else replace(query, cursor=page.next)


# Cursors


def _key_values(shape: ListShape, row: Sequence[Any]) -> list[Any]:
    """The sort keys of a row as a cursor holds them; the driver of SQLite reads a boolean as a number."""
    if len(shape.order) == 1:
        return [row[1]]
    return [
        bool(value) if value is not None and isinstance(column.type, Boolean) else value
        for (column, _), value in zip(shape.keys, row[1:], strict=True)
    ]


def _after(query: Query) -> list[Any] | None:
    return None if query.cursor is None else _cursor_values(query)


def _cursor_values(query: Query) -> list[Any]:
    values = read_cursor(query.cursor or "", query.fingerprint())
    table = query.resource.table()
    columns = [table.c[key.removeprefix("-")] for key in query.order]
    if len(values) != len(columns) or not all(map(_has_column_type, columns, values)):
        raise unreadable()
    return values


def _has_column_type(column: Column[Any], value: Any) -> bool:
    """Whether a cursor's value has the column's type; cursors are untrusted input."""
    if value is None:
        return bool(column.nullable)
    if isinstance(column.type, Boolean):
        return isinstance(value, bool)
    if isinstance(column.type, Integer):
        return type(value) is int and abs(value) < 2**31
    if isinstance(column.type, Float):
        return type(value) in (int, float) and abs(value) < 2**63
    return isinstance(value, str) and "\x00" not in value


# Counts and absent ids


def _count(reader: Reader, query: Query) -> int:
    table, filters = query.resource.table(), filters_of(query)

    def count() -> Statement:
        matching = select(func.count()).select_from(table)
        return matching.where(published(table), *conditions(query.resource, filters))

    return int(read_rows(reader, ("count", query.resource, filters), count, filter_values(query))[0][0])


def _not_found(reader: Reader, query: Query, present: Query) -> list[str] | None:
    """The ids of the `id` filter that no published record has, as present or former id; None without that filter."""
    if "id" not in query.filters:
        return None
    ids, table = present.filters["id"], query.resource.table()
    if not ids:
        return []
    count = padded(len(ids))

    def existing() -> Statement:
        asked = [bindparam(f"id_{place}", type_=table.c.id.type) for place in range(count)]
        return select(table.c.id).where(table.c.id.in_(asked), published(table))

    found = {row[0] for row in read_rows(reader, ("existing", query.resource, count), existing, numbered("id", ids))}
    return sorted({sent for sent, current in zip(query.filters["id"], ids, strict=True) if current not in found})
