"""Why a record is not at its address: it has another id now, it was withdrawn, or there never was one."""

from collections.abc import Collection, Mapping

from pydantic_core import from_json
from sqlalchemy import Connection, Table, and_, or_, select

from app.db.tables import ALIAS, RECORD_VERSION, REVISION
from app.errors import Gone, Moved, NotFound, nearest
from app.models.base import Row

MOST_LOOKED_AT = 100
"""How many editions of a tombstone are looked at for the one that withdrew it."""


def absent(connection: Connection, resource: type[Row], record_id: str) -> Moved | Gone | NotFound:
    """What a reader is told who asks for a record that is not published."""
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
    """The id under which a record is known now; the id itself when it is no former one."""
    found = present_ids(connection, {resource.plural: [record_id]})
    return found.get((resource.plural, record_id), record_id)


def present_ids(connection: Connection, ids: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
    """Which of the ids (by plural) are former ones, each with the present one."""
    alike = [and_(ALIAS.c.kind == plural, ALIAS.c.id.in_(some)) for plural, some in ids.items() if some]
    if not alike:
        return {}
    found = connection.execute(select(ALIAS.c.kind, ALIAS.c.id, ALIAS.c.to_id).where(or_(*alike)))
    return {(kind, former): present for kind, former, present in found}


def _gone(connection: Connection, plural: str, record_id: str, version: int) -> Gone:
    """When and why it was withdrawn: told by the first of its last editions that are all withdrawn."""
    editions = connection.execute(
        select(RECORD_VERSION.c.document, REVISION.c.at, REVISION.c.reason)
        .join(REVISION, REVISION.c.number == RECORD_VERSION.c.revision)
        .where(RECORD_VERSION.c.kind == plural, RECORD_VERSION.c.id == record_id)
        .order_by(RECORD_VERSION.c.revision.desc(), RECORD_VERSION.c.position.desc())
        .limit(MOST_LOOKED_AT)
    )
    day, reason = "", None
    for document, at, why in editions:
        if from_json(document)["state"] != "withdrawn":
            break
        day, reason = f" on {at[:10]}", why
    words = f": {reason.rstrip('.')}." if reason else "; no reason was given."
    return Gone(f"{plural}/{record_id} was withdrawn{day}{words}", record=f"{plural}/{record_id}", version=version)


def no_record(connection: Connection, kinds: Collection[type[Row]], record_id: str) -> NotFound:
    """That none of these resources ever had such a record, with the nearest id that there is in one."""
    alike = [close for kind in kinds if (close := _nearest_id(connection, kind.table(), record_id))]
    close = nearest(record_id, alike)
    where = next(iter(kinds)).plural if len(kinds) == 1 else "any resource"
    return NotFound(f"There is no record {record_id!r} in {where}." + (f" Did you mean {close!r}?" if close else ""))


def _nearest_id(connection: Connection, table: Table, record_id: str) -> str | None:
    """The nearest id among those that begin alike (a bounded look)."""
    start = record_id[:3]
    alike = (
        select(table.c.id).where(table.c.id >= start, table.c.id < start + "~", table.c.state == "published").limit(500)
    )
    return nearest(record_id, connection.execute(alike).scalars())
