"""Problems for an absent record: renamed (308), withdrawn (410) or unknown (404)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, bindparam, literal_column, or_, select

from app.db.tables import ALIAS, RECORD_VERSION, REVISION
from app.errors import Gone, Moved, NotFound, nearest
from app.json_codec import from_json
from app.models.base import Row
from app.store.read.prepared import ConnectionReader, Reader, numbered, padded, read_rows

MOST_LOOKED_AT = 100
"""Maximum number of documents of a withdrawn record that are read to find its withdrawal."""


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
    return read_present_ids(ConnectionReader(connection), ids)


def read_present_ids(reader: Reader, ids: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
    """The same, by a reader."""
    asked = {plural: list(kind_ids) for plural, kind_ids in sorted(ids.items()) if kind_ids}
    if not asked:
        return {}
    shape = tuple((plural, padded(len(kind_ids))) for plural, kind_ids in asked.items())
    values: dict[str, Any] = {}
    for plural, kind_ids in asked.items():
        values |= numbered(plural.replace("-", "_"), kind_ids)
    rows = read_rows(reader, ("present ids", shape), lambda: _select_present_ids(shape), values)
    return {(kind, former): present for kind, former, present in rows}


def _select_present_ids(shape: Sequence[tuple[str, int]]) -> Select[Any]:
    conditions = []
    for plural, count in shape:
        names = [f"{plural.replace('-', '_')}_{place}" for place in range(count)]
        ids = [bindparam(name, type_=ALIAS.c.id.type) for name in names]
        conditions.append(and_(ALIAS.c.kind == literal_column(f"'{plural}'"), ALIAS.c.id.in_(ids)))
    return select(ALIAS.c.kind, ALIAS.c.id, ALIAS.c.to_id).where(or_(*conditions))


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
    """The 404 problem: none of these resources has the record; it names the nearest existing id."""
    candidates = [close for kind in kinds if (close := _nearest_id(connection, kind.table(), record_id))]
    close = nearest(record_id, candidates)
    where = next(iter(kinds)).plural if len(kinds) == 1 else "any resource"
    return NotFound(f"There is no record {record_id!r} in {where}." + (f" Did you mean {close!r}?" if close else ""))


def _nearest_id(connection: Connection, table: Table, record_id: str) -> str | None:
    """The nearest id among at most 500 published ones that begin with the same three letters."""
    start = record_id[:3]
    candidates = (
        select(table.c.id).where(table.c.id >= start, table.c.id < start + "~", table.c.state == "published").limit(500)
    )
    return nearest(record_id, connection.execute(candidates).scalars())
