"""Single-record writes by editors: create, change, withdraw, with If-Match versions and idempotency keys."""

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
"""Seconds for which the first response to a request with an idempotency key is stored and replayed."""
Expected = frozenset[int] | None
"""The versions that a write accepts (If-Match); None for any version."""


@dataclass(frozen=True)
class StoredRecord:
    """A record after a write, and the revision that contains it."""

    document: str
    version: int
    revision: int
    is_replayed: bool = False


@dataclass(frozen=True)
class IdempotencyKey:
    """The identity of a request that may be repeated: id of the API key, Idempotency-Key, and hash of the request."""

    holder: str
    key: str
    request: str


def create_one(
    database: Database,
    record: Record,
    *,
    author: str,
    reason: str | None = None,
    idempotency: IdempotencyKey | None = None,
) -> StoredRecord:
    """Create a record; Conflict when its id is taken or a former one, Gone when its record was withdrawn.

    With `idempotency`, a second call returns the result of the first, and raises IdempotencyMismatch for another
    request.
    """
    with writing(database, author, reason) as write:
        if idempotency is not None and (first := find_stored_response(write.connection, idempotency)) is not None:
            return first
        stored = create_within(write, record)
        if idempotency is not None:
            store_response(write, idempotency, stored)
        return stored


def change_one(
    database: Database,
    key: Key,
    change: Callable[[dict[str, Any]], Record],
    *,
    expected: Expected,
    author: str,
    reason: str | None = None,
) -> StoredRecord:
    """Save what `change` returns for the record's own fields; PreconditionFailed for a version not in `expected`."""
    with writing(database, author, reason) as write:
        return change_within(write, key, change, expected)


def withdraw_one(database: Database, key: Key, *, expected: Expected, author: str, reason: str) -> int:
    """Withdraw a record and return the revision; PreconditionFailed for a version not in `expected`."""
    with writing(database, author, reason) as write:
        return withdraw_within(write, key, expected).revision


# The same inside an open transaction


def create_within(write: Write, record: Record) -> StoredRecord:
    """Create a record inside an open transaction; returns the stored record."""
    key = (plural_of(record), record.id)
    _refuse_taken(write, key)
    return _save(write, key, record, None)


def change_within(
    write: Write, key: Key, change: Callable[[dict[str, Any]], Record], expected: Expected
) -> StoredRecord:
    """Change an existing record inside an open transaction; returns the stored record."""
    existing = _expected_record(write, key, expected)
    return _save(write, key, change(record_from(key[0], existing.document).as_stated()), existing)


def withdraw_within(write: Write, key: Key, expected: Expected) -> StoredRecord:
    """Withdraw a record inside an open transaction; returns the stored record."""
    _expected_record(write, key, expected)
    write.set_state(key, "withdrawn")
    return _stored_record(write, key)


def _refuse_taken(write: Write, key: Key) -> None:
    present = write.loaded.former([key]).get(key)
    if present is not None:
        raise Conflict(f"{name_of(key)} is the former id of {key[0]}/{present}, to which it redirects for ever.")
    existing = write.loaded.existing([key]).get(key)
    if existing is None:
        return
    if existing.state == "withdrawn":
        raise absent(write.connection, RESOURCES[key[0]], key[1])
    raise Conflict(f"There is a record {name_of(key)} already, in version {existing.version}; PUT or PATCH changes it.")


def _expected_record(write: Write, key: Key, expected: Expected) -> ExistingRecord:
    """The existing record in an expected version; Moved, Gone, NotFound or PreconditionFailed otherwise."""
    existing = write.loaded.existing([key]).get(key)
    if existing is None or existing.state != "published":
        raise absent(write.connection, RESOURCES[key[0]], key[1])
    if expected is not None and existing.version not in expected:
        named = " or ".join(str(version) for version in sorted(expected)) or "no version at all"
        raise PreconditionFailed(f"{name_of(key)} has version {existing.version} now; If-Match names {named}.")
    return existing


def _save(write: Write, key: Key, record: Record, existing: ExistingRecord | None) -> StoredRecord:
    write.save({key: record}, lambda _count: None, {} if existing is None else {key: existing})
    return _stored_record(write, key)


def _stored_record(write: Write, key: Key) -> StoredRecord:
    revision = write.finish().revision
    new = write.new_versions.get(key)
    if new is not None:
        return StoredRecord(new["document"], new["version"], revision)
    existing = write.loaded.existing([key])[key]  # unchanged
    return StoredRecord(existing.document, existing.version, revision)


def find_stored_response(connection: Connection, idempotency: IdempotencyKey) -> StoredRecord | None:
    """The stored response to the same request, or None; IdempotencyMismatch if the key was used for another request.

    Deletes the responses older than `SECONDS_KEPT`.
    """
    connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.at < ago(SECONDS_KEPT)))
    found = connection.execute(
        select(IDEMPOTENCY).where(IDEMPOTENCY.c.holder == idempotency.holder, IDEMPOTENCY.c.key == idempotency.key)
    ).one_or_none()
    if found is None:
        return None
    if found.request != idempotency.request:
        raise IdempotencyMismatch(f"This Idempotency-Key was sent at {found.at} with another request.")
    return StoredRecord(found.document, found.version, found.revision, is_replayed=True)


def store_response(write: Write, idempotency: IdempotencyKey, stored: StoredRecord) -> None:
    """Store the response under its idempotency key."""
    values = {
        "holder": idempotency.holder,
        "key": idempotency.key,
        "request": idempotency.request,
        "at": write.context.now,
    }
    response = {"version": stored.version, "revision": stored.revision, "document": stored.document}
    write.insert(IDEMPOTENCY, [values | response])
