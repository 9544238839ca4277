"""Problems for an absent record: renamed (308), withdrawn (410) or unknown (404; 422 in a query parameter)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, literal_column, or_, select, union_all

from app.db.tables import ALIAS, RECORD_VERSION, REGISTRY, REVISION
from app.errors import Gone, InvalidParameter, Moved, NotFound, nearest
from app.json_codec import from_json
from app.models.base import Row
from app.search.name_index import entities_named, near_words
from app.search.tokens import tokens
from app.store.read.prepared import ConnectionReader, Reader, Statement, numbered, padded, read_rows

MOST_LOOKED_AT = 100
"""Maximum number of documents of a withdrawn record that are read to find its withdrawal."""
MOST_WORDS = 8
"""Maximum number of words of a wrong id that are corrected."""


def absent(connection: Connection, resource: type[Row], record_id: str) -> Moved | Gone | NotFound:
    """The problem for a record that is not published: Moved, Gone or NotFound."""
    present = present_id(connection, resource, record_id)
    if present != record_id:
        return Moved(resource.plural, record_id, present)
    table = resource.table()
    version = connection.execute(
        select(table.c.version).where(table.c.id == record_id, table.c.state == "withdrawn")
    ).scalar()
    if version is not None:
        return _gone(connection, resource.plural, record_id, version)
    return no_record(connection, [resource], record_id)


def present_id(connection: Connection, resource: type[Row], record_id: str) -> str:
    """The present id of a former id; any other id is returned unchanged."""
    found = present_ids(connection, {resource.plural: [record_id]})
    return found.get((resource.plural, record_id), record_id)


def present_ids(connection: Connection, ids: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
    """The present id by plural and former id, for those of the ids that are former ones."""
    known = read_known_ids(ConnectionReader(connection), ids)
    return {(kind, record_id): present for (kind, record_id), present in known.items() if present != record_id}


def known_ids(connection: Connection, ids: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
    """The present id by plural and id, for those of the ids that a record has or had, withdrawn ones among them."""
    return read_known_ids(ConnectionReader(connection), ids)


def read_known_ids(reader: Reader, ids: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
    """The same, by a reader: one statement."""
    asked = {plural: list(kind_ids) for plural, kind_ids in sorted(ids.items()) if kind_ids}
    if not asked:
        return {}
    shape = tuple((plural, padded(len(kind_ids))) for plural, kind_ids in asked.items())
    values: dict[str, Any] = {}
    for plural, kind_ids in asked.items():
        values |= numbered(plural.replace("-", "_"), kind_ids)
    rows = read_rows(reader, ("known ids", shape), lambda: _select_known_ids(shape), values)
    return {(kind, record_id): present for kind, record_id, present in rows}


def _select_known_ids(shape: Sequence[tuple[str, int]]) -> Statement:
    present: Select[Any] = select(REGISTRY.c.kind, REGISTRY.c.id, REGISTRY.c.id).where(_named_in(REGISTRY, shape))
    former: Select[Any] = select(ALIAS.c.kind, ALIAS.c.id, ALIAS.c.to_id).where(_named_in(ALIAS, shape))
    return union_all(present, former)


def _named_in(table: Table, shape: Sequence[tuple[str, int]]) -> ColumnElement[bool]:
    """The rows with one of the ids, by parameters named after the kind."""
    conditions = []
    for plural, count in shape:
        names = [f"{plural.replace('-', '_')}_{place}" for place in range(count)]
        ids = [bindparam(name, type_=table.c.id.type) for name in names]
        conditions.append(and_(table.c.kind == literal_column(f"'{plural}'"), table.c.id.in_(ids)))
    return or_(*conditions)


def _gone(connection: Connection, plural: str, record_id: str, version: int) -> Gone:
    """The 410 problem with day and reason: those of the oldest document since which all are withdrawn."""
    documents = connection.execute(
        select(RECORD_VERSION.c.document, REVISION.c.at, REVISION.c.reason)
        .join(REVISION, REVISION.c.number == RECORD_VERSION.c.revision)
        .where(RECORD_VERSION.c.kind == plural, RECORD_VERSION.c.id == record_id)
        .order_by(RECORD_VERSION.c.revision.desc(), RECORD_VERSION.c.position.desc())
        .limit(MOST_LOOKED_AT)
    )
    day, reason = "", None
    for document, at, why in documents:
        if from_json(document)["state"] != "withdrawn":
            break
        day, reason = f" on {at[:10]}", why
    explanation = f": {reason.rstrip('.')}." if reason else "; no reason was given."
    return Gone(
        f"{plural}/{record_id} was withdrawn{day}{explanation}", record=f"{plural}/{record_id}", version=version
    )


def no_record(connection: Connection, kinds: Collection[type[Row]], record_id: str) -> NotFound:
    """The 404 problem: none of these resources has the record; it gives the nearest existing id, and its address."""
    where = next(iter(kinds)).plural if len(kinds) == 1 else "any resource"
    close = _nearest_record(connection, kinds, record_id)
    hint = "" if close is None else f" Did you mean {close[1]!r}? It is at /v1/{close[0]}/{close[1]}."
    return NotFound(f"There is no record {record_id!r} in {where}.{hint}")


def refuse_unknown_ids(connection: Connection, named: Mapping[str, tuple[type[Row], Collection[str]]]) -> None:
    """InvalidParameter if an id in a query parameter is none that a record has or had, with the nearest id or name.

    `named` are the resource and the ids by the name of the parameter. A withdrawn or former id is a known one.
    """
    asked: dict[str, set[str]] = {}
    for resource, ids in named.values():
        asked.setdefault(resource.plural, set()).update(ids)
    known = known_ids(connection, asked)
    errors = [
        _unknown_id(connection, parameter, resource, record_id)
        for parameter, (resource, ids) in named.items()
        for record_id in dict.fromkeys(ids)
        if (resource.plural, record_id) not in known
    ]
    if errors:
        raise InvalidParameter(f"{errors[0]['parameter']}: {errors[0]['detail']}", errors=errors)


def _unknown_id(connection: Connection, parameter: str, resource: type[Row], record_id: str) -> dict[str, str]:
    close = _nearest_record(connection, [resource], record_id)
    detail = f"No record in {resource.plural} has or had the id {record_id!r}."
    if close is None:
        return {"parameter": parameter, "detail": detail}
    return {"parameter": parameter, "detail": f"{detail} Did you mean {close[1]!r}?", "nearest": close[1]}


def _nearest_record(connection: Connection, kinds: Collection[type[Row]], word: str) -> tuple[str, str] | None:
    """The plural and id of the record that a wrong id most likely means.

    The one with that name (a brand or synonym, too), else the one with the nearest id, else the one with the nearest
    name.
    """
    words = tokens(word)
    found = _record_named(connection, kinds, [words])
    if found is not None:
        return found
    by_id = {close: kind.plural for kind in kinds if (close := _nearest_id(connection, kind.table(), word))}
    closest = nearest(word, by_id)
    if closest is not None:
        return by_id[closest], closest
    corrected = [near_words(connection, one)[:1] or (one,) for one in words[:MOST_WORDS]]
    return _record_named(connection, kinds, [[one for (one,) in corrected]])


def _record_named(
    connection: Connection, kinds: Collection[type[Row]], names: Collection[Sequence[str]]
) -> tuple[str, str] | None:
    plurals = {kind.plural for kind in kinds}
    entities = entities_named(connection, {" ".join(words) for words in names if words})
    return next((entity for found in entities.values() for entity in found if entity[0] in plurals), None)


def _nearest_id(connection: Connection, table: Table, record_id: str) -> str | None:
    """The nearest id among at most 500 published ones that begin with the same three letters."""
    start = record_id[:3]
    candidates = (
        select(table.c.id).where(table.c.id >= start, table.c.id < start + "~", table.c.state == "published").limit(500)
    )
    return nearest(record_id, connection.execute(candidates).scalars())
