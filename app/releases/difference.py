"""Count the changes of the dataset between two revisions; a change that was reverted in between does not count."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from sqlalchemy import Connection, and_, case, func, select, tuple_

from app.db.tables import RECORD_VERSION
from app.json_codec import Json, from_json
from app.store.read.changes import changes_between

DOCUMENTS_PER_READ = 500


def difference_between(connection: Connection, since: int, until: int) -> Json:
    """`{since, created, withdrawn, changed, by_type}`: numbers of records by plural, of field changes by type.

    Each record is compared once, its version at revision `since` with its version at `until`. A record that was created
    and withdrawn in between does not count.
    """
    created, withdrawn, changed, by_type = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for kind, before, after in _pairs(connection, since, until):
        if before is None and after["state"] == "withdrawn":
            continue
        changes = list(changes_between(kind, before, after))
        by_type.update(change.type for change in changes)
        if before is None:
            created[kind] += 1
        elif after["state"] == "withdrawn" != before["state"]:
            withdrawn[kind] += 1
        else:
            changed[kind] += bool(changes)
    counted = {"created": created, "withdrawn": withdrawn, "changed": +changed, "by_type": by_type}
    return {"since": since} | {name: dict(sorted(counts.items())) for name, counts in counted.items()}


def _pairs(connection: Connection, since: int, until: int) -> Iterator[tuple[str, Json | None, Json]]:
    """Kind, previous document (None for a new record) and last document of each record with a version in between."""
    record = (RECORD_VERSION.c.kind, RECORD_VERSION.c.id)
    touched = select(*record).where(RECORD_VERSION.c.revision > since, RECORD_VERSION.c.revision <= until)
    is_after = case((RECORD_VERSION.c.revision > since, 1), else_=0)
    rank_in_group = func.row_number().over(
        partition_by=(*record, is_after), order_by=(RECORD_VERSION.c.revision.desc(), RECORD_VERSION.c.position.desc())
    )
    ranked = (
        select(RECORD_VERSION.c.revision, RECORD_VERSION.c.position, rank_in_group.label("place"))
        .where(RECORD_VERSION.c.revision <= until, tuple_(*record).in_(touched))
        .subquery()
    )
    statement = (
        select(*record, RECORD_VERSION.c.revision, RECORD_VERSION.c.document)
        .join(
            ranked, and_(ranked.c.revision == RECORD_VERSION.c.revision, ranked.c.position == RECORD_VERSION.c.position)
        )
        .where(ranked.c.place == 1)
        .order_by(*record, RECORD_VERSION.c.revision)
    )
    rows = connection.execute(statement, execution_options={"yield_per": DOCUMENTS_PER_READ})
    for (kind, _), versions in groupby(rows, key=itemgetter(0, 1)):
        documents = {revision > since: from_json(document) for _, _, revision, document in versions}
        yield kind, documents.get(False), documents[True]
