"""Drafts: proposed, then published by a reviewer or discarded. Open drafts are not a part of the dataset."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from app.clock import now
from app.db.database import Database
from app.db.tables import API_KEY, DRAFT
from app.errors import Decided, InvalidRecord, NotFound, PreconditionFailed
from app.models.base import Key
from app.models.vocabulary import DraftAction
from app.store.write.batch import error_at, name_of
from app.store.write.loaded import record_from
from app.store.write.one import (
    IdempotencyKey,
    StoredRecord,
    change_within,
    create_within,
    find_stored_response,
    store_response,
    withdraw_within,
)
from app.store.write.transaction import Write, writing

RenderDraft = Callable[[Connection, int], str]
"""Renders the JSON of a draft for the response, by its number."""


@dataclass(frozen=True)
class Proposal:
    """A proposed change of a record; `work` makes the change inside a transaction."""

    action: DraftAction
    key: Key
    work: Callable[[Write], StoredRecord]


def propose(  # one call a request
    database: Database,
    proposal: Proposal,
    *,
    holder: str,
    author: str,
    reason: str | None,
    render: RenderDraft,
    idempotency: IdempotencyKey | None = None,
) -> StoredRecord:
    """Store a draft. In the result, `version` is the draft's number and `document` its JSON.

    The change is made and rolled back in the same transaction, so that it raises the same problems now as it would when
    the draft is published.
    """
    with writing(database, author, reason) as write:
        if idempotency is not None and (first := find_stored_response(write.connection, idempotency)) is not None:
            return first
        existing = write.loaded.existing([proposal.key]).get(proposal.key)
        revision = write.revision
        rehearsal = write.connection.begin_nested()
        try:
            document = proposal.work(write).document
        finally:
            rehearsal.rollback()
            write.loaded.forget()
            write.revision = revision
        if not write.revision_made:
            detail = "the draft says what the record says already"
            raise InvalidRecord(f"{name_of(proposal.key)}: {detail}.", errors=[error_at(proposal.key, "", detail)])
        number = 1 + write.connection.execute(select(func.coalesce(func.max(DRAFT.c.number), 0))).scalar_one()
        kind, record = proposal.key
        values = {"number": number, "holder": holder, "action": proposal.action, "kind": kind, "record": record}
        values |= {
            "base_version": None if existing is None else existing.version,
            "document": document,
            "reason": reason,
        }
        write.connection.execute(insert(DRAFT).values(**values, at=write.context.now, state="open"))
        stored = StoredRecord(render(write.connection, number), number, revision)
        if idempotency is not None:
            store_response(write, idempotency, stored)
        return stored


def publish_draft(database: Database, number: int, *, reviewer: str, note: str, render: RenderDraft) -> StoredRecord:
    """Apply a draft in its author's name; the history shows author and reviewer.

    NotFound when there is no such draft, Decided when it was published or discarded before; PreconditionFailed,
    Conflict or Gone when the record has changed since the draft was made.
    """
    with writing(database, reviewer, None) as write:
        draft = _find_open_draft(write.connection, number, None)
        write.author, write.reason, write.reviewer, write.note = draft.author, draft.reason, reviewer, note
        revision = _apply(write, draft).revision
        _decide(write.connection, number, state="published", decided_by=reviewer, note=note, revision=revision)
        return StoredRecord(render(write.connection, number), number, revision)


def discard_draft(database: Database, number: int, *, holder: str | None, by: str, reason: str) -> None:
    """Discard a draft with a reason for its author; `holder` limits it to the drafts of one API key, None: any key."""
    with writing(database, by, reason) as write:
        _find_open_draft(write.connection, number, holder)
        _decide(write.connection, number, state="discarded", decided_by=by, note=reason)


def _apply(write: Write, draft: Any) -> StoredRecord:
    key = (draft.kind, draft.record)
    present = write.loaded.former([key]).get(key)
    if present is not None:
        raise PreconditionFailed(f"{name_of(key)} is called {draft.kind}/{present} now; it needs a new draft.")
    record = record_from(draft.kind, draft.document)
    if draft.action == "create":
        return create_within(write, record)
    existing = write.loaded.existing([key])[key]
    if existing.state == "published" and existing.version != draft.base_version:
        detail = f"{name_of(key)} has version {existing.version} now; the draft changes version {draft.base_version}."
        raise PreconditionFailed(detail)
    if draft.action == "withdraw":
        return withdraw_within(write, key, None)
    return change_within(write, key, lambda _existing: record, None)


def _find_open_draft(connection: Connection, number: int, holder: str | None) -> Any:
    query = select(DRAFT, API_KEY.c.name.label("author")).join(API_KEY, API_KEY.c.id == DRAFT.c.holder)
    draft = connection.execute(query.where(DRAFT.c.number == number)).one_or_none()
    if draft is None or holder not in (None, draft.holder):
        raise NotFound(f"There is no draft {number} that this key may see.")
    if draft.state != "open":
        raise Decided(f"Draft {number} was {draft.state} by {draft.decided_by} at {draft.decided_at}.")
    return draft


def _decide(connection: Connection, number: int, **decision: Any) -> None:
    connection.execute(update(DRAFT).where(DRAFT.c.number == number).values(**decision, decided_at=now()))
