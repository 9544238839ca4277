"""The change feed: what changed in the dataset from one revision to another, as a mirror or a subscriber reads it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field
from pydantic_core import to_json
from sqlalchemy import ColumnElement, Connection, Select, and_, literal, or_, select, tuple_

from app.db.tables import RECORD_VERSION, REGISTRY
from app.models import RESOURCES
from app.models.base import Key
from app.store.examples import EXAMPLE_ADDRESS, example_of
from app.store.read.changes import ON_CREATION, RecordChange
from app.store.read.cursors import read_numbers, write_cursor
from app.store.read.history import FieldChange, Written
from app.store.read.missing import no_record, present_ids
from app.store.read.revision import revision_of
from app.store.read.versions import RecordVersion, has_one_before, in_order, place, read_versions, select_versions

MOST_CHANGES = 1000
USUAL_CHANGES = 100
MOST_LOOKED_AT = 10_000
"""How many editions one page looks for types in, without reading them."""
MOST_COMPARED = 1_000
"""How many editions one page compares with the one before."""
CHUNK = 200
"""How many editions are read at a time."""

Order = Literal["oldest-first", "newest-first"]


@dataclass(frozen=True)
class ChangeQuery:
    """A question to the change feed, checked at the door."""

    since: int = 0
    until: int | None = None
    kinds: tuple[str, ...] = ()
    id: str | None = None
    types: tuple[str, ...] = ()
    order: Order = "oldest-first"
    limit: int = USUAL_CHANGES
    cursor: str | None = None

    def fingerprint(self) -> str:
        """What a cursor is bound to: everything but the size of a page."""
        named = [self.since, self.until, self.kinds, self.id, self.types, self.order]
        return sha256(to_json(named)).hexdigest()[:12]


class ChangedRecord(Written):
    """Which record changed, and what it is from then on."""

    position: int = Field(description="The place of the record's edition among those of the revision.")
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
    """A change, the edition that made it, and its number among those of the edition that were asked for."""

    edition: RecordVersion
    number: int
    change: RecordChange

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it stands in the feed."""
        return (self.edition.revision, self.edition.position, self.number)


def read_changes(
    connection: Connection, asked: ChangeQuery, public_url: str, *, newest: int | None = None
) -> ChangePage:
    """One page, in bounded time; NotFound for an unknown `id`, BadCursor for a cursor of another question.

    A cursor names a change by its edition and its place in it, so that a page may end inside an edition. `newest` is
    the revision at which to stop; the one that stands, unless told.
    """
    newest = revision_of(connection) if newest is None else newest  # first: a page holds nothing that is younger
    start = read_numbers(asked.cursor, asked.fingerprint(), 3) if asked.cursor else None
    size = MOST_LOOKED_AT if asked.types else asked.limit
    keys = connection.execute(_keys(connection, asked, newest, start).limit(size + 1)).all()
    wanted = [(row.revision, row.position) for row in keys[:size] if row.matters]
    found = list(islice(_found(connection, wanted[:MOST_COMPARED], asked, start), asked.limit + 1))
    following = [one.place for one in found[asked.limit :]]
    following += [(*key, 0) for key in wanted[MOST_COMPARED:]]
    following += [(row.revision, row.position, 0) for row in keys[size:]]
    return ChangePage(
        items=[_item(one, public_url) for one in found[: asked.limit]],
        next=write_cursor(asked.fingerprint(), following[0]) if following else None,
        revision=newest,
    )


def _keys(connection: Connection, asked: ChangeQuery, newest: int, start: Sequence[int] | None) -> Select[Any]:
    """The editions to look at, in order, from `start` on; `matters` says whether one can hold a type asked for."""
    matters = literal(True) if not asked.types or ON_CREATION & set(asked.types) else has_one_before()
    until = newest if asked.until is None else min(newest, asked.until)
    statement = select(RECORD_VERSION.c.revision, RECORD_VERSION.c.position, matters.label("matters")).where(
        RECORD_VERSION.c.revision > asked.since, RECORD_VERSION.c.revision <= until
    )
    statement = in_order(statement, newest_first=asked.order == "newest-first")
    if asked.kinds:
        statement = statement.where(RECORD_VERSION.c.kind.in_(asked.kinds))
    if asked.id is not None:
        named = _named(connection, asked.kinds or tuple(RESOURCES), asked.id)
        statement = statement.where(
            or_(*(and_(RECORD_VERSION.c.kind == kind, RECORD_VERSION.c.id == one) for kind, one in named))
        )
    if start is None:
        return statement
    here = tuple_(literal(start[0]), literal(start[1]))
    beyond: ColumnElement[bool] = place() <= here if asked.order == "newest-first" else place() >= here
    return statement.where(beyond)


def _named(connection: Connection, kinds: Sequence[str], record_id: str) -> list[Key]:
    """The records that have or had the id, in the resources that were asked for; NotFound when none ever did."""
    former = present_ids(connection, {kind: [record_id] for kind in kinds})
    wanted = [(kind, former.get((kind, record_id), record_id)) for kind in kinds]
    same = [and_(REGISTRY.c.kind == kind, REGISTRY.c.id == present) for kind, present in wanted]
    there = [(kind, present) for kind, present in connection.execute(select(REGISTRY).where(or_(*same)))]
    if not there:
        raise no_record(connection, [RESOURCES[kind] for kind in kinds], record_id)
    return there


def _found(
    connection: Connection, keys: Sequence[tuple[int, int]], asked: ChangeQuery, start: Sequence[int] | None
) -> Iterator[ListedChange]:
    """The changes of these editions that were asked for, in order, from `start` on; read in chunks, as used."""
    newest_first = asked.order == "newest-first"
    for first in range(0, len(keys), CHUNK):
        statement = select_versions().where(_any_of(keys[first : first + CHUNK]))
        for edition in read_versions(connection, in_order(statement, newest_first=newest_first)):
            changes = [change for change in edition.changes if not asked.types or change.type in asked.types]
            given = start[2] if start and (edition.revision, edition.position) == tuple(start[:2]) else 0
            for number, change in enumerate(reversed(changes) if newest_first else changes):
                if number >= given:
                    yield ListedChange(edition, number, change)


def _any_of(keys: Sequence[tuple[int, int]]) -> ColumnElement[bool]:
    """One of these editions; said by revision, because SQLite would look at every row for a list of pairs."""
    by_revision = groupby(sorted(keys), key=itemgetter(0))
    return or_(
        *(
            and_(
                RECORD_VERSION.c.revision == revision,
                RECORD_VERSION.c.position.in_([position for _, position in alike]),
            )
            for revision, alike in by_revision
        )
    )


def _item(found: ListedChange, public_url: str) -> ChangeItem:
    edition, change = found.edition, found.change
    return ChangeItem(
        revision=edition.revision,
        position=edition.position,
        at=edition.at,
        author=edition.author,
        reason=edition.reason,
        reviewer=edition.reviewer,
        note=edition.note,
        kind=edition.kind,
        id=edition.document["id"],
        version=edition.version,
        updated_at=edition.document["updated_at"],
        **change._asdict(),
        record=edition.document if change.type == "created" else None,
        url=f"{public_url}/v1/{edition.kind}/{edition.id}",
    )


def example_change() -> ChangeItem:
    """How the feed tells that a record of the seed was created, for the documentation."""
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
