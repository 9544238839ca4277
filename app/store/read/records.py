"""Single records by id, by code or as included references, and totals."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    Connection,
    func,
    or_,
    select,
)

from app.db.tables import CODE, REFERENCE
from app.fields import includable, singular, uses
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Row
from app.models.registries import lookup_key
from app.store.read.missing import absent
from app.store.read.query import MOST_ROWS


def fetch(connection: Connection, resource: type[Row], record_id: str) -> tuple[str, int]:
    """The document and version of a published record.

    Raises Moved for a former id, Gone for a withdrawn record, and NotFound with the nearest id.
    """
    table = resource.table()
    found = connection.execute(
        select(table.c.document, table.c.version).where(table.c.id == record_id, table.c.state == "published")
    ).one_or_none()
    if found is None:
        raise absent(connection, resource, record_id)
    return found[0], found[1]


def included(
    connection: Connection, resource: type[Row], documents: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The records that the documents reference by the given names (`include`): by plural, then by id."""
    wanted: dict[str, set[str]] = {}
    ids = [from_json(document)["id"] for document in documents]
    columns = [name for name in names if name in uses(resource) and name not in resource.record_class().model_fields]
    query = select(REFERENCE.c.path, REFERENCE.c.to_kind, REFERENCE.c.to_id).where(
        REFERENCE.c.from_kind == resource.plural, REFERENCE.c.from_id.in_(ids)
    )
    for path, kind, record_id in connection.execute(query) if ids else ():
        top = path.split(".")[0]
        if top in names or (top not in includable(resource) and kind in names):
            wanted.setdefault(kind, set()).add(record_id)
    for name in columns:
        plural = next(plural for plural in RESOURCES if singular(plural) == name)
        wanted.setdefault(plural, set()).update(from_json(document)[name] for document in documents)
    records = {plural: dict(_by_id(connection, plural, sorted(found))) for plural, found in sorted(wanted.items())}
    return {plural: by_id for plural, by_id in records.items() if by_id}


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
            select(func.count()).select_from(row.table()).where(row.table().c.state == "published")
        ).scalar_one()
        for plural, row in RESOURCES.items()
    }


def documents_of(connection: Connection, plural: str, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Id and document of those of the records that are published, unordered."""
    table = RESOURCES[plural].table()
    for start in range(0, len(ids), MOST_ROWS):
        query = select(table.c.id, table.c.document).where(
            table.c.id.in_(ids[start : start + MOST_ROWS]), table.c.state == "published"
        )
        for row in connection.execute(query):
            yield row[0], row[1]


def _by_id(connection: Connection, plural: str, ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for record_id, document in sorted(documents_of(connection, plural, ids)):
        yield record_id, from_json(document)
