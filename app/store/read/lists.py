"""Lists of stored documents: filters, sort order, keyset pagination and counts, as one SQL query."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Table,
    and_,
    func,
    literal,
    or_,
    select,
)

from app.db.tables import REFERENCE
from app.evidence.citations.verification import LADDER
from app.fields import id_filters, reference_filters, uses
from app.models.base import Row
from app.store.read.cursors import read_cursor, unreadable, write_cursor
from app.store.read.missing import present_ids
from app.store.read.query import Query
from app.store.read.records import included


@dataclass(frozen=True)
class Page:
    """One page of a list: documents in order, and the cursor of the next page."""

    documents: list[str]
    next: str | None = None
    total: int | None = None
    included: dict[str, dict[str, Any]] | None = None
    not_found: list[str] | None = None
    facets: Mapping[str, Any] | None = None


def list_rows(connection: Connection, query: Query) -> Page:
    """One page of a list, in one short read; BadCursor when the cursor belongs to another query.

    A renamed record keeps its former id as an alias; in a filter it is replaced by the present one. Since no record
    refers to a former id, aliases are looked up only when one could explain missing rows: the page is empty, an id was
    not found, or a filter names several ids. Then the page is read again.
    """
    page = _page(connection, query, query)
    named = id_filters(query.resource).keys() & query.filters.keys()
    if not named or (page.documents and not page.not_found and all(len(query.filters[name]) == 1 for name in named)):
        return page
    present = with_present_ids(connection, query)
    return page if present is query else _page(connection, query, present)


def with_present_ids(connection: Connection, query: Query) -> Query:
    """The query with former ids in its filters replaced by present ones; the same object when there are none."""
    named = {name: plural for name, plural in id_filters(query.resource).items() if name in query.filters}
    ids: dict[str, set[str]] = {}
    for name, plural in named.items():
        ids.setdefault(plural, set()).update(value for value in query.filters[name] if value is not None)
    former = present_ids(connection, ids)
    if not former:
        return query
    filters = {
        name: [former.get((named[name], value), value) for value in values] if name in named else values
        for name, values in query.filters.items()
    }
    return replace(query, filters=filters)


def _page(connection: Connection, query: Query, present: Query) -> Page:
    """A page of `present`, the query with present ids; its cursor is bound to `query` as it was sent."""
    table = query.resource.table()
    statement = select(table.c.document, *_key_columns(table, query)).where(*narrowed(table, present))
    rows = connection.execute(_ordered_after_cursor(statement, table, query).limit(query.limit + 1)).all()
    page, more = rows[: query.limit], len(rows) > query.limit
    documents = [row[0] for row in page]
    return Page(
        documents=documents,
        next=write_cursor(query.fingerprint(), page[-1][1:]) if more else None,
        total=_count(connection, table, present) if query.count else None,
        included=included(connection, query.resource, documents, query.include) if query.include else None,
        not_found=_not_found(connection, table, query, present),
    )


def export_chunk(connection: Connection, query: Query, size: int = 500) -> tuple[list[str], Query | None]:
    """The next documents of an export, and the query for the chunk after them; None at the end.

    Each chunk is a separate read, so that a slow client holds no database cursor.
    """
    page = list_rows(connection, replace(query, limit=size, count=False, include=()))
    return page.documents, None if page.next is None else replace(query, cursor=page.next)


# SQL clauses


def narrowed(table: Table, query: Query) -> Iterator[ColumnElement[bool]]:
    """The WHERE conditions of a query: published, and its filters."""
    yield table.c.state == "published"
    for name, value in query.filters.items():
        if name in reference_filters(query.resource):
            yield _references_any(table, query.resource.plural, reference_filters(query.resource)[name], value)
        elif name == "min_verification":
            yield table.c.verification.in_(LADDER[LADDER.index(value) :])
        elif name in table.c:
            yield _equal_any(table.c[name], value)
        else:
            yield _bounded(table, query.resource, name, value)


def _equal_any(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """The column equals any of the values; None among them matches NULL."""
    known = [value for value in values if value is not None]
    equal: ColumnElement[bool] = column.in_(known) if len(known) > 1 else column == known[0]
    return or_(equal, column.is_(None)) if None in values else equal


def _references_any(table: Table, from_kind: str, to_kind: str, ids: Sequence[str | None]) -> ColumnElement[bool]:
    """The row references any of the records; None among them matches rows without a reference of that kind."""
    references = select(literal(1)).where(
        REFERENCE.c.to_kind == to_kind, REFERENCE.c.from_kind == from_kind, REFERENCE.c.from_id == table.c.id
    )
    any_of: ColumnElement[bool] = references.where(
        REFERENCE.c.to_id.in_([to_id for to_id in ids if to_id is not None])
    ).exists()
    return or_(any_of, ~references.exists()) if None in ids else any_of


def _bounded(table: Table, resource: type[Row], parameter: str, bound: Any) -> ColumnElement[bool]:
    """A lower or upper bound on a column.

    A partial date is a whole period: `2000` is at least `2000` but not surely `2000-06`.
    """
    name, is_lower = parameter[:-4], parameter.endswith("_gte")
    column: ColumnElement[Any] = table.c[name]
    shape = uses(resource)[name].shape
    if shape == "date":
        padding = "-00-00" if is_lower else "-99-99"
        column, bound = func.substr(column + padding, 1, 10), (bound + padding)[:10]
    elif shape == "time" and not is_lower:
        bound += "~"
    within: ColumnElement[bool] = column >= bound if is_lower else column <= bound
    return within


def _key_columns(table: Table, query: Query) -> list[Any]:
    return [table.c[key.removeprefix("-")] for key in query.order]


def _ordered_after_cursor(statement: Select[Any], table: Table, query: Query) -> Select[Any]:
    keys = [(table.c[key.removeprefix("-")], key.startswith("-")) for key in query.order]
    for column, is_descending in keys:
        ordered = column.desc() if is_descending else column.asc()
        statement = statement.order_by(ordered.nulls_last() if column.nullable else ordered)
    if query.cursor is None:
        return statement
    return statement.where(_is_after(keys, _cursor_values(query)))


def _is_after(keys: Sequence[tuple[Any, bool]], values: Sequence[Any]) -> ColumnElement[bool]:
    """The keyset condition: rows later in the first key, or equal in it and later in the others; nulls come last."""
    (column, is_descending), value = keys[0], values[0]
    later_by_others = _is_after(keys[1:], values[1:]) if len(keys) > 1 else None
    if value is None:
        same: ColumnElement[bool] = column.is_(None)
        return same if later_by_others is None else and_(same, later_by_others)
    bound = literal(value, column.type)
    later: ColumnElement[bool] = column < bound if is_descending else column > bound
    if column.nullable:
        later = or_(later, column.is_(None))
    return later if later_by_others is None else or_(later, and_(column == bound, later_by_others))


def _cursor_values(query: Query) -> list[Any]:
    values = read_cursor(query.cursor or "", query.fingerprint())
    table = query.resource.table()
    if len(values) != len(query.order) or not all(map(_has_column_type, _key_columns(table, query), values)):
        raise unreadable()
    return values


def _has_column_type(column: Any, value: Any) -> bool:
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


def _count(connection: Connection, table: Table, query: Query) -> int:
    return connection.execute(select(func.count()).select_from(table).where(*narrowed(table, query))).scalar_one()


def _not_found(connection: Connection, table: Table, query: Query, present: Query) -> list[str] | None:
    """The ids of the `id` filter that no published record has, as present or former id; None without that filter."""
    if "id" not in query.filters:
        return None
    ids = present.filters["id"]
    existing = set(
        connection.execute(select(table.c.id).where(table.c.id.in_(ids), table.c.state == "published")).scalars()
    )
    return sorted({sent for sent, current in zip(query.filters["id"], ids, strict=True) if current not in existing})
