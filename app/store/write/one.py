"""One record at a time, as editors write: with what they believed of it, and safe to send again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select

from app.clock import ago
from app.db.database import Database
from app.db.tables import IDEMPOTENCY
from app.errors import Conflict, IdempotencyMismatch, PreconditionFailed
from app.models import RESOURCES, plural_of
from app.models.base import Key, Record
from app.store.read.missing import absent
from app.store.write.batch import name_of
from app.store.write.documents import ExistingRecord
from app.store.write.loaded import record_from
from app.store.write.transaction import Write, writing

SECONDS_KEPT = 24 * 60 * 60
"""How long the first answer to a request with an idempotency key is given again."""
Expected = frozenset[int] | None
"""The versions of which a writer said that it changes one; None when any will do."""


@dataclass(frozen=True)
class StoredRecord:
    """A record as a write left it, and the revision that holds it."""

    document: str
    version: int
    revision: int
    is_replayed: bool = False


@dataclass(frozen=True)
class IdempotencyKey:
    """What makes a request the same as one before: whose it is, the name it was given, and the hash of what it asks."""

    holder: str
    key: str
    request: str


def create_one(
    database: Database, record: Record, *, author: str, reason: str | None = None, once: IdempotencyKey | None = None
) -> StoredRecord:
    """Save a record that is not there yet; Conflict or Gone when its id is taken, was withdrawn or renamed.

    With `once`, a second call gives what the first one gave, and IdempotencyMismatch when it asks for something else.
    """
    with writing(database, author, reason) as write:
        if once is not None and (first := first_answer(write.connection, once)) is not None:
            return first
        kept = create_within(write, record)
        if once is not None:
            store_response(write, once, kept)
        return kept


def change_one(
    database: Database,
    key: Key,
    change: Callable[[dict[str, Any]], Record],
    *,
    expected: Expected,
    author: str,
    reason: str | None = None,
) -> StoredRecord:
    """Save what `change` makes of the record's own fields; PreconditionFailed when it has another version by now."""
    with writing(database, author, reason) as write:
        return change_within(write, key, change, expected)


def withdraw_one(database: Database, key: Key, *, expected: Expected, author: str, reason: str) -> int:
    """Withdraw a record, and return the revision; PreconditionFailed when it has another version by now."""
    with writing(database, author, reason) as write:
        return withdraw_within(write, key, expected).revision


# The same within a transaction, for whoever has one


def create_within(write: Write, record: Record) -> StoredRecord:
    """What is kept of a record that is not there yet."""
    key = (plural_of(record), record.id)
    _refuse_taken(write, key)
    return _save(write, key, record, None)


def change_within(
    write: Write, key: Key, change: Callable[[dict[str, Any]], Record], expected: Expected
) -> StoredRecord:
    """What is kept of a record that is there."""
    was = _expected_one(write, key, expected)
    return _save(write, key, change(record_from(key[0], was.document).model_dump(mode="json")), was)


def withdraw_within(write: Write, key: Key, expected: Expected) -> StoredRecord:
    """What is kept of a record that is taken back."""
    _expected_one(write, key, expected)
    write.set_state(key, "withdrawn")
    return _kept(write, key)


def _refuse_taken(write: Write, key: Key) -> None:
    present = write.shelf.former([key]).get(key)
    if present is not None:
        raise Conflict(f"{name_of(key)} is the former id of {key[0]}/{present}, and leads there for ever.")
    held = write.shelf.held([key]).get(key)
    if held is None:
        return
    if held.state == "withdrawn":
        raise absent(write.connection, RESOURCES[key[0]], key[1])
    raise Conflict(f"There is a record {name_of(key)} already, in version {held.version}; PUT or PATCH changes it.")


def _expected_one(write: Write, key: Key, expected: Expected) -> ExistingRecord:
    """The record as it is held; Moved, Gone or NotFound when readers do not see it under this id."""
    held = write.shelf.held([key]).get(key)
    if held is None or held.state != "published":
        raise absent(write.connection, RESOURCES[key[0]], key[1])
    if expected is not None and held.version not in expected:
        named = " or ".join(str(version) for version in sorted(expected)) or "no version at all"
        raise PreconditionFailed(f"{name_of(key)} has version {held.version} now; If-Match names {named}.")
    return held


def _save(write: Write, key: Key, record: Record, was: ExistingRecord | None) -> StoredRecord:
    write.save({key: record}, lambda _count: None, {} if was is None else {key: was})
    return _kept(write, key)


def _kept(write: Write, key: Key) -> StoredRecord:
    revision = write.finish().revision
    edition = write.editions.get(key)
    if edition is not None:
        return StoredRecord(edition["document"], edition["version"], revision)
    held = write.shelf.held([key])[key]  # it was so before
    return StoredRecord(held.document, held.version, revision)


def first_answer(connection: Connection, once: IdempotencyKey) -> StoredRecord | None:
    """What the same request was answered before; what is older than a day is let go of."""
    connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.at < ago(SECONDS_KEPT)))
    found = connection.execute(
        select(IDEMPOTENCY).where(IDEMPOTENCY.c.holder == once.holder, IDEMPOTENCY.c.key == once.key)
    ).one_or_none()
    if found is None:
        return None
    if found.request != once.request:
        raise IdempotencyMismatch(f"This Idempotency-Key was sent at {found.at} with another request.")
    return StoredRecord(found.document, found.version, found.revision, is_replayed=True)


def store_response(write: Write, once: IdempotencyKey, kept: StoredRecord) -> None:
    """Keep an answer for whoever sends the same request again."""
    values = {"holder": once.holder, "key": once.key, "request": once.request, "at": write.around.now}
    answer = {"version": kept.version, "revision": kept.revision, "document": kept.document}
    write.insert(IDEMPOTENCY, [values | answer])
