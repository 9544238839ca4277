"""A page of a list in the plainest SQL: one SELECT with all filters, sorted, that SQLAlchemy builds for each query.

What lists answer is compared with it: the shapes, ranges and prepared statements of `app/store/read` must not change
a page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, func, literal, or_, select

from app.db.tables import ALIAS, REFERENCE
from app.evidence.citations.verification import LADDER
from app.fields import id_filters, includable, reference_filters, singular, uses
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Row
from app.store.read.cursors import read_cursor, write_cursor
from app.store.read.query import Query


def plain_page(connection: Connection, query: Query) -> tuple[list[str], str | None, list[str] | None]:
    """Documents, cursor of the next page, and the ids that were not found."""
    present = _with_present_ids(connection, query)
    table = query.resource.table()
    keys = [(table.c[key.removeprefix("-")], key.startswith("-")) for key in query.order]
    statement = select(table.c.document, *(column for column, _ in keys)).where(*_narrowed(table, present))
    for column, is_descending in keys:
        ordered = column.desc() if is_descending else column.asc()
        statement = statement.order_by(ordered.nulls_last() if column.nullable else ordered)
    if query.cursor is not None:
        statement = statement.where(_is_after(keys, read_cursor(query.cursor, query.fingerprint())))
    rows = connection.execute(statement.limit(query.limit + 1)).all()
    page = rows[: query.limit]
    following = write_cursor(query.fingerprint(), page[-1][1:]) if len(rows) > query.limit else None
    not_found = None
    if "id" in query.filters:
        existing = select(table.c.id).where(table.c.id.in_(present.filters["id"]), table.c.state == "published")
        found = set(connection.execute(existing).scalars())
        asked = zip(query.filters["id"], present.filters["id"], strict=True)
        not_found = sorted({sent for sent, current in asked if current not in found})
    return [row[0] for row in page], following, not_found


def plain_included(
    connection: Connection, resource: type[Row], documents: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The records that the documents refer to by these names, each read by a query of its own."""
    wanted: dict[str, set[str]] = {}
    ids = [from_json(document)["id"] for document in documents]
    query = select(REFERENCE.c.path, REFERENCE.c.to_kind, REFERENCE.c.to_id).where(
        REFERENCE.c.from_kind == resource.plural, REFERENCE.c.from_id.in_(ids)
    )
    for path, kind, record_id in connection.execute(query):
        top = path.split(".")[0]
        if top in names or (top not in includable(resource) and kind in names):
            wanted.setdefault(kind, set()).add(record_id)
    for name in names:
        if name in uses(resource) and name not in resource.record_class().model_fields:
            plural = next(plural for plural in RESOURCES if singular(plural) == name)
            wanted.setdefault(plural, set()).update(from_json(document)[name] for document in documents)
    found: dict[str, dict[str, Any]] = {}
    for plural in sorted(wanted):
        table = RESOURCES[plural].table()
        for record_id in sorted(wanted[plural]):
            document = connection.execute(
                select(table.c.document).where(table.c.id == record_id, table.c.state == "published")
            ).scalar()
            if document is not None:
                found.setdefault(plural, {})[record_id] = from_json(document)
    return found


def _with_present_ids(connection: Connection, query: Query) -> Query:
    kinds = id_filters(query.resource)
    former = {
        (kind, old): new for kind, old, new in connection.execute(select(ALIAS.c.kind, ALIAS.c.id, ALIAS.c.to_id))
    }
    filters = {
        name: [former.get((kinds[name], value), value) for value in values] if name in kinds else values
        for name, values in query.filters.items()
    }
    return replace(query, filters=filters)


def _narrowed(table: Table, query: Query) -> Iterator[ColumnElement[bool]]:
    yield table.c.state == "published"
    for name, value in query.filters.items():
        if name in reference_filters(query.resource):
            kind = reference_filters(query.resource)[name]
            references = select(literal(1)).where(
                REFERENCE.c.to_kind == kind,
                REFERENCE.c.from_kind == query.resource.plural,
                REFERENCE.c.from_id == table.c.id,
            )
            any_of = references.where(REFERENCE.c.to_id.in_([to_id for to_id in value if to_id is not None])).exists()
            yield or_(any_of, ~references.exists()) if None in value else any_of
        elif name == "min_verification":
            yield table.c.verification.in_(LADDER[LADDER.index(value) :])
        elif name in table.c:
            column = table.c[name]
            equal = column.in_([one for one in value if one is not None])
            yield or_(equal, column.is_(None)) if None in value else equal
        else:
            yield _bounded(table, query.resource, name, value)


def _bounded(table: Table, resource: type[Row], parameter: str, bound: Any) -> ColumnElement[bool]:
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


def _is_after(keys: Sequence[tuple[Any, bool]], values: Sequence[Any]) -> ColumnElement[bool]:
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
