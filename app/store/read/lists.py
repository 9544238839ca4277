"""Lists of stored documents: one page by keyset pagination, with counts and included records, live or inline."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Float, Integer, bindparam, func, select

from app.db.database import Database
from app.fields import id_filters
from app.store.read.cursors import read_cursor, unreadable, write_cursor
from app.store.read.filters import conditions, filter_values, filters_of, published
from app.store.read.included import Included, read_included
from app.store.read.list_statements import ListShape, is_bounded, list_shape, list_statement, list_values
from app.store.read.missing import read_present_ids
from app.store.read.prepared import ConnectionReader, InlineReader, Reader, Statement, numbered, padded, read_rows
from app.store.read.query import MOST_ROWS, Query


@dataclass(frozen=True)
class Page:
    """One page of a list: documents in order, and the cursor of the next page."""

    documents: list[str]
    next: str | None = None
    total: int | None = None
    included: Included | None = None
    not_found: list[str] | None = None
    facets: Mapping[str, Any] | None = None


def list_rows(connection: Connection, query: Query) -> Page:
    """One page of a list, in one short read; BadCursor when the cursor belongs to another query.

    A renamed record keeps its former id as an alias; in a filter it is replaced by the present one. Since no record
    refers to a former id, aliases are looked up only when one could explain missing rows: the page is empty, an id was
    not found, or a filter names several ids. Then the page is read again.
    """
    after = _after(query)
    return _read_page(ConnectionReader(connection), query, after, list_shape(query, after))


def list_now(database: Database, query: Query) -> Page | None:
    """The same page, read at once on the event loop's own connection, where an index bounds what is read.

    None where none does, where more is asked for (counts, facets, many rows), and for a database that is no SQLite
    file: then `list_rows` gives the page, in a thread. The errors are the same.
    """
    inline = database.inline
    if inline is None or query.count or query.facets or query.release or query.limit > MOST_ROWS:
        return None
    after = _after(query)
    shape = list_shape(query, after)
    if not is_bounded(shape):
        return None
    names_ids = "id" in query.filters or not all(part.is_one_value for part in shape.filters)
    with inline.snapshot() if query.include or names_ids else nullcontext():  # the others are one statement
        return _read_page(InlineReader(inline), query, after, shape)


def _read_page(reader: Reader, query: Query, after: Sequence[Any] | None, shape: ListShape) -> Page:
    page = _page(reader, query, query, after, shape)
    named = id_filters(query.resource).keys() & query.filters.keys()
    if not named or (page.documents and not page.not_found and all(len(query.filters[name]) == 1 for name in named)):
        return page
    present = _with_present_ids(reader, query)
    return page if present is query else _page(reader, query, present, after, list_shape(present, after))


def with_present_ids(connection: Connection, query: Query) -> Query:
    """The query with former ids in its filters replaced by present ones; the same object when there are none."""
    return _with_present_ids(ConnectionReader(connection), query)


def _with_present_ids(reader: Reader, query: Query) -> Query:
    named = {name: plural for name, plural in id_filters(query.resource).items() if name in query.filters}
    ids: dict[str, set[str]] = {}
    for name, plural in named.items():
        ids.setdefault(plural, set()).update(value for value in query.filters[name] if value is not None)
    former = read_present_ids(reader, ids)
    if not former:
        return query
    filters = {
        name: [former.get((named[name], value), value) for value in values] if name in named else values
        for name, values in query.filters.items()
    }
    return replace(query, filters=filters)


def _page(reader: Reader, query: Query, present: Query, after: Sequence[Any] | None, shape: ListShape) -> Page:
    """A page of `present`, the query with present ids; its cursor is bound to `query` as it was sent."""
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
