"""Drafts: proposed, then published by a reviewer or discarded. Nothing of an open one is in the dataset."""

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
    first_answer,
    store_response,
    withdraw_within,
)
from app.store.write.transaction import Write, writing

Tell = Callable[[Connection, int], str]
"""Gives what the caller is told of a draft, by its number."""


@dataclass(frozen=True)
class Proposal:
    """What somebody would do to a record, if they might: `work` does it."""

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
    tell: Tell,
    once: IdempotencyKey | None = None,
) -> StoredRecord:
    """Keep a draft; `version` of what is kept is its number, and `document` what is told of it.

    The change is made and taken back in the same transaction, so that whatever is wrong with it is told now, exactly as
    it would be when it is published.
    """
    with writing(database, author, reason) as write:
        if once is not None and (first := first_answer(write.connection, once)) is not None:
            return first
        was = write.shelf.held([proposal.key]).get(proposal.key)
        revision = write.revision
        rehearsal = write.connection.begin_nested()
        try:
            document = proposal.work(write).document
        finally:
            rehearsal.rollback()
            write.shelf.forget()
            write.revision = revision
        if not write.revision_made:
            wrong = "the draft says what the record says already"
            raise InvalidRecord(f"{name_of(proposal.key)}: {wrong}.", errors=[error_at(proposal.key, "", wrong)])
        number = 1 + write.connection.execute(select(func.coalesce(func.max(DRAFT.c.number), 0))).scalar_one()
        kind, record = proposal.key
        values = {"number": number, "holder": holder, "action": proposal.action, "kind": kind, "record": record}
        values |= {"base_version": None if was is None else was.version, "document": document, "reason": reason}
        write.connection.execute(insert(DRAFT).values(**values, at=write.around.now, state="open"))
        kept = StoredRecord(tell(write.connection, number), number, revision)
        if once is not None:
            store_response(write, once, kept)
        return kept


def publish_draft(database: Database, number: int, *, reviewer: str, note: str, tell: Tell) -> StoredRecord:
    """Save what a draft proposes, in its author's name; both stand in the history.

    NotFound when there is no such draft, Decided when it was published or discarded before; PreconditionFailed,
    Conflict or Gone when the record is not what it was when the draft was made.
    """
    with writing(database, reviewer, None) as write:
        draft = _open_one(write.connection, number, None)
        write.author, write.reason, write.reviewer, write.note = draft.author, draft.reason, reviewer, note
        revision = _published(write, draft).revision
        _decide(write.connection, number, state="published", decided_by=reviewer, note=note, revision=revision)
        return StoredRecord(tell(write.connection, number), number, revision)


def discard_draft(database: Database, number: int, *, holder: str | None, by: str, reason: str) -> None:
    """Let a draft go; its author and `by` can read why. `holder` is the key whose drafts alone may go; None: any."""
    with writing(database, by, reason) as write:
        _open_one(write.connection, number, holder)
        _decide(write.connection, number, state="discarded", decided_by=by, note=reason)


def _published(write: Write, draft: Any) -> StoredRecord:
    key = (draft.kind, draft.record)
    present = write.shelf.former([key]).get(key)
    if present is not None:
        raise PreconditionFailed(f"{name_of(key)} is called {draft.kind}/{present} now; it needs a new draft.")
    record = record_from(draft.kind, draft.document)
    if draft.action == "create":
        return create_within(write, record)
    held = write.shelf.held([key])[key]
    if held.state == "published" and held.version != draft.base_version:
        words = f"{name_of(key)} has version {held.version} now; the draft changes version {draft.base_version}."
        raise PreconditionFailed(words)
    if draft.action == "withdraw":
        return withdraw_within(write, key, None)
    return change_within(write, key, lambda _held: record, None)


def _open_one(connection: Connection, number: int, holder: str | None) -> Any:
    query = select(DRAFT, API_KEY.c.name.label("author")).join(API_KEY, API_KEY.c.id == DRAFT.c.holder)
    draft = connection.execute(query.where(DRAFT.c.number == number)).one_or_none()
    if draft is None or holder not in (None, draft.holder):
        raise NotFound(f"There is no draft {number} that this key may see.")
    if draft.state != "open":
        raise Decided(f"Draft {number} was {draft.state} by {draft.decided_by} at {draft.decided_at}.")
    return draft


def _decide(connection: Connection, number: int, **decision: Any) -> None:
    connection.execute(update(DRAFT).where(DRAFT.c.number == number).values(**decision, decided_at=now()))
