"""Batch writes by editors: all records or none, with a version check against concurrent changes of each."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.db.database import Database
from app.errors import MOST_ERRORS, Conflict, PreconditionFailed, Problem
from app.json_codec import to_json
from app.models.base import Key, Record
from app.store.write.batch import error_at
from app.store.write.documents import ExistingRecord, record_digest
from app.store.write.one import IdempotencyKey, StoredRecord, find_stored_response, store_response
from app.store.write.transaction import writing

Fault = tuple[type[Problem], dict[str, str]]


def save_many(
    database: Database,
    batch: dict[Key, Record],
    *,
    versions: Mapping[Key, int],
    replace: bool,
    author: str,
    reason: str | None = None,
    idempotency: IdempotencyKey | None = None,
) -> StoredRecord:
    """Save records, all or none; `document` of the result is a JSON object of the counts.

    An existing record is changed only in the version that `versions` names: PreconditionFailed when it has another one,
    Conflict when none is named, unless `replace` allows any version to be overwritten. A record that is equal to the
    stored one is left unchanged, whichever version is named.
    """
    with writing(database, author, reason) as write:
        if idempotency is not None and (first := find_stored_response(write.connection, idempotency)) is not None:
            return first
        _refuse_others_changes(write.loaded.existing(batch), batch, versions, replace)
        write.save(batch, lambda _count: None)
        saved = write.finish()
        stored = StoredRecord(to_json(asdict(saved)).decode(), version=0, revision=saved.revision)
        if idempotency is not None:
            store_response(write, idempotency, stored)
        return stored


def _refuse_others_changes(
    existing: Mapping[Key, ExistingRecord], batch: Mapping[Key, Record], versions: Mapping[Key, int], replace: bool
) -> None:
    faults = [
        fault
        for key, current in existing.items()
        if (fault := _fault(key, current, record_digest(batch[key]), versions.get(key), replace)) is not None
    ]
    if faults:
        kind, first = faults[0]
        errors: list[Mapping[str, Any]] = [error for _, error in faults[:MOST_ERRORS]]
        raise kind(f"{first['record']}: {first['detail']}.", errors=errors)


def _fault(key: Key, existing: ExistingRecord, digest: str, version: int | None, replace: bool) -> Fault | None:
    """The problem and error entry if a record must not replace the existing one; None if it may."""
    if existing.state == "withdrawn":
        return Conflict, error_at(key, "/id", "it was withdrawn; those who run the service can reinstate it")
    if existing.digest == digest or version == existing.version:
        return None
    if version is not None:
        return PreconditionFailed, error_at(key, "/version", f"it has version {existing.version} now, not {version}")
    if replace:
        return None
    detail = (
        f"it is there already, in version {existing.version}; say which version you change, or ask with replace=true"
    )
    return Conflict, error_at(key, "/version", detail)
