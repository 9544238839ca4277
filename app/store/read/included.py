"""Included records (`include`): those that a page's records refer to, by one statement, as they stand stored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    false,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)

from app.db.tables import REFERENCE
from app.fields import includable, singular, uses
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Row, reference_target
from app.store.read.filters import published
from app.store.read.prepared import ConnectionReader, Reader, Statement, numbered, padded, read_rows
from app.store.read.query import MOST_ROWS

Included = Mapping[str, Mapping[str, str]]
"""The stored documents by plural and id, both in the order of the letters; a plural without records is left out.

Neither holds a character that JSON escapes: both are slugs.
"""


def included(
    connection: Connection, resource: type[Row], documents: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The records that the documents refer to by the given names (`include`): by plural, then by id."""
    ids = [from_json(document)["id"] for document in documents]
    return parsed(read_included(ConnectionReader(connection), resource, ids, names))


def included_texts(connection: Connection, resource: type[Row], ids: Sequence[str], names: Sequence[str]) -> Included:
    """The same as stored documents, of records that are known by their ids."""
    return read_included(ConnectionReader(connection), resource, ids, names)


def parsed(found: Included) -> dict[str, dict[str, Any]]:
    """Included records as objects."""
    return {
        plural: {record_id: from_json(document) for record_id, document in records.items()}
        for plural, records in found.items()
    }


def included_json(found: Included) -> str:
    """Included records as a JSON text, in which the stored documents stand as they are."""
    kinds = (json_object(records.items()) for records in found.values())
    return json_object(zip(found, kinds, strict=True))


def json_object(members: Iterable[tuple[str, str]]) -> str:
    """A JSON object of names and JSON texts."""
    return "{" + ",".join(f'"{name}":{text}' for name, text in members) + "}"


def read_included(reader: Reader, resource: type[Row], ids: Sequence[str], names: Sequence[str]) -> Included:
    """The records that the records with these ids refer to by the given names (`include`)."""
    rows: set[tuple[str, str, str]] = set()
    for start in range(0, len(ids), MOST_ROWS):
        chunk = ids[start : start + MOST_ROWS]
        shape = ("included", resource, tuple(names), padded(len(chunk)))
        select_them = partial(_select_included, resource, names, padded(len(chunk)))
        rows.update((row[0], row[1], row[2]) for row in read_rows(reader, shape, select_them, numbered("id", chunk)))
    found: dict[str, dict[str, str]] = {}
    for kind, record_id, document in sorted(rows):
        found.setdefault(kind, {})[record_id] = document
    return found


def _select_included(resource: type[Row], names: Sequence[str], count: int) -> Statement:
    """Kind, id and document of the included records of `count` records; one part for each kind that may occur."""
    ids = [bindparam(f"id_{place}", type_=REFERENCE.c.from_id.type) for place in range(count)]
    parts: list[Any] = []
    for plural, row in RESOURCES.items():
        targets = list(_targets(resource, names, plural, ids))
        if targets:
            table = row.table()
            is_target = or_(*(table.c.id.in_(target) for target in targets))
            kind: Any = literal_column(f"'{plural}'").label("kind")
            parts.append(select(kind, table.c.id, table.c.document).where(is_target, published(table)))
    return union_all(*(parts or [select(null(), null(), null()).where(false())]))


def _targets(resource: type[Row], names: Sequence[str], plural: str, ids: Sequence[Any]) -> Iterator[Select[Any]]:
    """The ids of the included records of one kind: from the table of references, and from derived columns."""
    own_fields = resource.record_class().model_fields
    fields = [name for name in names if name in own_fields and _may_refer(resource, name, plural)]
    paths = [_is_under(name) for name in fields]
    if plural in names:
        paths.append(and_(true(), *(not_(_is_under(name)) for name in includable(resource) if name in own_fields)))
    if paths:
        yield select(REFERENCE.c.to_id).where(
            REFERENCE.c.from_kind == literal_column(f"'{resource.plural}'"),
            REFERENCE.c.from_id.in_(ids),
            REFERENCE.c.to_kind == literal_column(f"'{plural}'"),
            or_(*paths),
        )
    table = resource.table()
    for name in names:
        if name not in own_fields and name in uses(resource) and singular(plural) == name:
            yield select(table.c[name]).where(table.c.id.in_(ids))


def _may_refer(resource: type[Row], name: str, plural: str) -> bool:
    """Whether a field may hold references to records of this kind; a field of kind and id, to those of any kind."""
    target = reference_target(resource.record_class(), name)
    return target is None or target.plural == plural


def _is_under(name: str) -> ColumnElement[bool]:
    """The reference stands in this field, directly or at any depth: its path is `name` or begins with `name.`."""
    path = REFERENCE.c.path
    after_point = and_(path >= literal_column(f"'{name}.'"), path < literal_column(f"'{name}/'"))
    return or_(path == literal_column(f"'{name}'"), after_point)
