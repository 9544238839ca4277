"""Single records by id or by code, and totals."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, bindparam, func, or_, select

from app.db.database import Database
from app.db.tables import CODE
from app.models import RESOURCES
from app.models.base import Row
from app.models.registries import lookup_key
from app.store.read.filters import published
from app.store.read.missing import absent, refuse_unknown_ids
from app.store.read.prepared import ConnectionReader, InlineReader, Reader, Statement, read_rows
from app.store.read.query import MOST_ROWS


def fetch(connection: Connection, resource: type[Row], record_id: str) -> tuple[str, int]:
    """The document and version of a published record.

    Raises Moved for a former id, Gone for a withdrawn record, and NotFound with the nearest id.
    """
    found = _read_record(ConnectionReader(connection), resource, record_id)
    if found is None:
        raise absent(connection, resource, record_id)
    return found


def fetch_named(connection: Connection, parameter: str, resource: type[Row], record_id: str) -> tuple[str, int]:
    """The same for an id in a query parameter: an unknown one is InvalidParameter, not NotFound."""
    found = _read_record(ConnectionReader(connection), resource, record_id)
    if found is None:
        refuse_unknown_ids(connection, {parameter: (resource, [record_id])})
        raise absent(connection, resource, record_id)
    return found


def fetch_now(database: Database, resource: type[Row], record_id: str) -> tuple[str, int] | None:
    """The same, read at once on the event loop's own connection.

    None where no such record is published, and for a database that is no SQLite file: then `fetch` has the answer.
    """
    return None if database.inline is None else _read_record(InlineReader(database.inline), resource, record_id)


def _read_record(reader: Reader, resource: type[Row], record_id: str) -> tuple[str, int] | None:
    def select_record() -> Statement:
        table = resource.table()
        is_record = table.c.id == bindparam("id", type_=table.c.id.type)
        return select(table.c.document, table.c.version).where(is_record, published(table))

    rows = read_rows(reader, ("record", resource), select_record, {"id": record_id})
    return (rows[0][0], rows[0][1]) if rows else None


def lookup(connection: Connection, system: str, code: str) -> list[tuple[str, str, str]]:
    """The published records with a code: plural, id, document. `icd-10` finds national versions (`icd-10-cm`), too."""
    same = or_(CODE.c.system == system, CODE.c.system.like(f"{system}-%"))
    keys = connection.execute(
        select(CODE.c.kind, CODE.c.id)
        .where(same, CODE.c.code.in_({lookup_key(system, code), code.lower()}))
        .order_by(CODE.c.kind, CODE.c.id)
        .limit(MOST_ROWS)
    ).all()
    found: list[tuple[str, str, str]] = []
    for kind, same_kind in groupby(keys, key=itemgetter(0)):
        ids = [record_id for _, record_id in same_kind]
        found += [(kind, record_id, document) for record_id, document in sorted(documents_of(connection, kind, ids))]
    return found


def totals(connection: Connection) -> dict[str, int]:
    """The number of published records by resource."""
    return {
        plural: connection.execute(
            select(func.count()).select_from(row.table()).where(published(row.table()))
        ).scalar_one()
        for plural, row in RESOURCES.items()
    }


def documents_of(connection: Connection, plural: str, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Id and document of those of the records that are published, unordered."""
    table = RESOURCES[plural].table()
    for start in range(0, len(ids), MOST_ROWS):
        query = select(table.c.id, table.c.document).where(
            table.c.id.in_(ids[start : start + MOST_ROWS]), published(table)
        )
        for row in connection.execute(query):
            yield row[0], row[1]
