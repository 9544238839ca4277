"""Many records at a time, all or none, as editors send them: none changes that somebody changed meanwhile."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic_core import to_json

from app.db.database import Database
from app.errors import MOST_ERRORS, Conflict, PreconditionFailed, Problem
from app.models.base import Key, Record
from app.store.write.batch import error_at
from app.store.write.documents import ExistingRecord, record_digest
from app.store.write.one import IdempotencyKey, StoredRecord, first_answer, store_response
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
    once: IdempotencyKey | None = None,
) -> StoredRecord:
    """Save records, all or none; what is kept is a JSON object of the counts.

    A record that is there is changed in the version that `versions` names: PreconditionFailed when it has another one
    by now, Conflict when none is named, unless `replace` says that whatever is there may go. One that says the same as
    before stays as it is, whichever version is named.
    """
    with writing(database, author, reason) as write:
        if once is not None and (first := first_answer(write.connection, once)) is not None:
            return first
        _refuse_others_changes(write.shelf.held(batch), batch, versions, replace)
        write.save(batch, lambda _count: None)
        saved = write.finish()
        kept = StoredRecord(to_json(asdict(saved)).decode(), version=0, revision=saved.revision)
        if once is not None:
            store_response(write, once, kept)
        return kept


def _refuse_others_changes(
    held: Mapping[Key, ExistingRecord], batch: Mapping[Key, Record], versions: Mapping[Key, int], replace: bool
) -> None:
    faults = [
        fault
        for key, was in held.items()
        if (fault := _fault(key, was, record_digest(batch[key]), versions.get(key), replace)) is not None
    ]
    if faults:
        kind, first = faults[0]
        errors: list[Mapping[str, Any]] = [error for _, error in faults[:MOST_ERRORS]]
        raise kind(f"{first['record']}: {first['detail']}.", errors=errors)


def _fault(key: Key, was: ExistingRecord, digest: str, version: int | None, replace: bool) -> Fault | None:
    """Why this record must not take the place of the one that is there, if it must not."""
    if was.state == "withdrawn":
        return Conflict, error_at(key, "/id", "it was withdrawn; those who run the service can reinstate it")
    if was.digest == digest or version == was.version:
        return None
    if version is not None:
        return PreconditionFailed, error_at(key, "/version", f"it has version {was.version} now, not {version}")
    if replace:
        return None
    wrong = f"it is there already, in version {was.version}; say which version you change, or ask with replace=true"
    return Conflict, error_at(key, "/version", wrong)
