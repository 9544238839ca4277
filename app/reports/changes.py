"""The change feed: every change of a record between two revisions of the dataset, for mirrors and subscribers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Connection, Select, and_, literal, or_, select, tuple_

from app.db.tables import RECORD_VERSION, REGISTRY
from app.errors import EXAMPLE_ADDRESS
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.base import Key
from app.store.examples import example_of
from app.store.read.changes import ON_CREATION, RecordChange
from app.store.read.cursors import read_numbers, write_cursor
from app.store.read.history import FieldChange, Written
from app.store.read.missing import no_record, present_ids
from app.store.read.revision import revision_of
from app.store.read.versions import RecordVersion, has_one_before, in_order, place, read_versions, select_versions

MOST_CHANGES = 1000
USUAL_CHANGES = 100
MOST_LOOKED_AT = 10_000
"""Record versions that one page scans for a change type, without loading their documents."""
MOST_COMPARED = 1_000
"""Record versions that one page compares with their predecessors."""
KEYS_PER_READ = 200
"""Record versions loaded by one SQL query."""

Order = Literal["oldest-first", "newest-first"]


@dataclass(frozen=True)
class ChangeQuery:
    """A validated query of the change feed."""

    since: int = 0
    until: int | None = None
    kinds: tuple[str, ...] = ()
    id: str | None = None
    types: tuple[str, ...] = ()
    order: Order = "oldest-first"
    limit: int = USUAL_CHANGES
    cursor: str | None = None

    def fingerprint(self) -> str:
        """The hash that binds a cursor to its query: all parameters but `limit`."""
        named = [self.since, self.until, self.kinds, self.id, self.types, self.order]
        return sha256(to_json(named)).hexdigest()[:12]


class ChangedRecord(Written):
    """A changed record, with its id and version after the change."""

    position: int = Field(description="The position of the record version within the revision.")
    kind: str = Field(description="The resource, as in the URL.")
    id: str = Field(description="The record's id from this change on.")
    version: int = Field(description="The record's version from this change on.")
    updated_at: str = Field(description="The record's `updated_at` from this change on.")


class ChangeItem(FieldChange, ChangedRecord):
    """One change of one record, with the revision that made it."""

    record: dict[str, Any] | None = Field(description="The whole record, where the type is `created`; otherwise null.")
    url: str = Field(description="Where the record is now.")


class ChangePage(BaseModel):
    """One page of the change feed."""

    items: list[ChangeItem] = Field(description="The changes, in order.")
    next: str | None = Field(
        description="The cursor of the next page; null on the last one. With `type` a page may be short, even empty, "
        "and yet have a next one."
    )
    revision: int = Field(description="The newest revision: after the last page, the `since` of the next visit.")


class ListedChange(NamedTuple):
    """A change, the record version that made it, and its index among the requested changes of that version."""

    record_version: RecordVersion
    number: int
    change: RecordChange

    @property
    def place(self) -> tuple[int, int, int]:
        """The sort key in the feed: revision, position in the revision, index in the version."""
        return (self.record_version.revision, self.record_version.position, self.number)


def read_changes(
    connection: Connection, query: ChangeQuery, public_url: str, *, newest: int | None = None
) -> ChangePage:
    """One page of the feed, in bounded time; NotFound for an unknown `id`, BadCursor for a cursor of another query.

    A cursor identifies a change by its record version and its index in it, so that a page may end inside a version.
    `newest` is the last revision to include; by default the current one.
    """
    newest = revision_of(connection) if newest is None else newest  # read first, so that a page has no later change
    start = read_numbers(query.cursor, query.fingerprint(), 3) if query.cursor else None
    size = MOST_LOOKED_AT if query.types else query.limit
    keys = connection.execute(_keys(connection, query, newest, start).limit(size + 1)).all()
    wanted = [(row.revision, row.position) for row in keys[:size] if row.matters]
    found = list(islice(_matching_changes(connection, wanted[:MOST_COMPARED], query, start), query.limit + 1))
    following = [change.place for change in found[query.limit :]]
    following += [(*key, 0) for key in wanted[MOST_COMPARED:]]
    following += [(row.revision, row.position, 0) for row in keys[size:]]
    return ChangePage(
        items=[_item(change, public_url) for change in found[: query.limit]],
        next=write_cursor(query.fingerprint(), following[0]) if following else None,
        revision=newest,
    )


def _keys(connection: Connection, query: ChangeQuery, newest: int, start: Sequence[int] | None) -> Select[Any]:
    """The SQL query for the record versions to scan, from `start` on; `matters`: may hold a requested change type."""
    matters = literal(True) if not query.types or ON_CREATION & set(query.types) else has_one_before()
    until = newest if query.until is None else min(newest, query.until)
    statement = select(RECORD_VERSION.c.revision, RECORD_VERSION.c.position, matters.label("matters")).where(
        RECORD_VERSION.c.revision > query.since, RECORD_VERSION.c.revision <= until
    )
    statement = in_order(statement, newest_first=query.order == "newest-first")
    if query.kinds:
        statement = statement.where(RECORD_VERSION.c.kind.in_(query.kinds))
    if query.id is not None:
        named = _named(connection, query.kinds or tuple(RESOURCES), query.id)
        statement = statement.where(
            or_(*(and_(RECORD_VERSION.c.kind == kind, RECORD_VERSION.c.id == record_id) for kind, record_id in named))
        )
    if start is None:
        return statement
    here = tuple_(literal(start[0]), literal(start[1]))
    beyond: ColumnElement[bool] = place() <= here if query.order == "newest-first" else place() >= here
    return statement.where(beyond)


def _named(connection: Connection, kinds: Sequence[str], record_id: str) -> list[Key]:
    """The records that have or had this id, in these resources; NotFound when there is none."""
    former = present_ids(connection, {kind: [record_id] for kind in kinds})
    wanted = [(kind, former.get((kind, record_id), record_id)) for kind in kinds]
    same = [and_(REGISTRY.c.kind == kind, REGISTRY.c.id == present) for kind, present in wanted]
    existing = [(kind, present) for kind, present in connection.execute(select(REGISTRY).where(or_(*same)))]
    if not existing:
        raise no_record(connection, [RESOURCES[kind] for kind in kinds], record_id)
    return existing


def _matching_changes(
    connection: Connection, keys: Sequence[tuple[int, int]], query: ChangeQuery, start: Sequence[int] | None
) -> Iterator[ListedChange]:
    """The requested changes of these record versions, in order, from `start` on; `KEYS_PER_READ` versions a read."""
    newest_first = query.order == "newest-first"
    for first in range(0, len(keys), KEYS_PER_READ):
        statement = select_versions().where(_any_of(keys[first : first + KEYS_PER_READ]))
        for record_version in read_versions(connection, in_order(statement, newest_first=newest_first)):
            changes = [change for change in record_version.changes if not query.types or change.type in query.types]
            first_number = (
                start[2] if start and (record_version.revision, record_version.position) == tuple(start[:2]) else 0
            )
            for number, change in enumerate(reversed(changes) if newest_first else changes):
                if number >= first_number:
                    yield ListedChange(record_version, number, change)


def _any_of(keys: Sequence[tuple[int, int]]) -> ColumnElement[bool]:
    """The SQL condition for these record versions, by revision: for a list of pairs SQLite would scan the table."""
    by_revision = groupby(sorted(keys), key=itemgetter(0))
    return or_(
        *(
            and_(
                RECORD_VERSION.c.revision == revision,
                RECORD_VERSION.c.position.in_([position for _, position in pairs]),
            )
            for revision, pairs in by_revision
        )
    )


def _item(listed: ListedChange, public_url: str) -> ChangeItem:
    record_version, change = listed.record_version, listed.change
    return ChangeItem(
        revision=record_version.revision,
        position=record_version.position,
        at=record_version.at,
        author=record_version.author,
        reason=record_version.reason,
        reviewer=record_version.reviewer,
        note=record_version.note,
        kind=record_version.kind,
        id=record_version.document["id"],
        version=record_version.version,
        updated_at=record_version.document["updated_at"],
        **change._asdict(),
        record=record_version.document if change.type == "created" else None,
        url=f"{public_url}/v1/{record_version.kind}/{record_version.id}",
    )


def example_change() -> ChangeItem:
    """The example of the API documentation: the creation of a seed record."""
    plural = next(iter(RESOURCES))
    record = example_of(RESOURCES[plural])
    return ChangeItem(
        revision=1,
        position=1,
        at=record["updated_at"],
        author="seed",
        reason="tev seed seed.json",
        reviewer=None,
        note=None,
        kind=plural,
        id=record["id"],
        version=1,
        updated_at=record["updated_at"],
        type="created",
        field=None,
        old=None,
        new=None,
        record=record,
        url=f"{EXAMPLE_ADDRESS}/v1/{plural}/{record['id']}",
    )
