"""The only writer: whoever writes — the seed, an importer, the API — ends here, in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from pydantic_core import to_json
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from app.batch import batch_of
from app.db import Database, unavailable
from app.ledger import RELEASE, SHAPE
from app.models.base import Record
from app.releases import Release
from app.rendering import Progress, shape
from app.store.drafts import Proposal, discard_draft, propose, publish_draft
from app.store.fill import fill
from app.store.index import build_index, refill
from app.store.keys import create_key, note_use, revoke_key
from app.store.many import save_many
from app.store.reindex import Reindexed, reindex
from app.store.single import (
    Expected,
    Kept,
    Once,
    change_one,
    changed,
    create_one,
    created,
    withdraw_one,
    withdrawn,
)
from app.store.syntheses import keep_synthesis
from app.store.write import Saved, revision_of, together, writing

__all__ = [
    "Expected",
    "Kept",
    "Once",
    "Proposal",
    "Reindexed",
    "Saved",
    "change_one",
    "changed",
    "create_key",
    "create_one",
    "created",
    "discard_draft",
    "fill",
    "index_again",
    "is_rendered",
    "keep_synthesis",
    "note_use",
    "propose",
    "publish_draft",
    "record_release",
    "refill",
    "reindex",
    "reinstate",
    "rename",
    "render_again",
    "revision_of",
    "revoke_key",
    "save_all",
    "save_many",
    "together",
    "withdraw",
    "withdraw_one",
    "withdrawn",
]


def save_all(
    database: Database,
    records: Iterable[Record],
    *,
    author: str,
    reason: str | None = None,
    texts: Mapping[str, str] | None = None,
    progress: Progress = lambda _count: None,
) -> Saved:
    """Save records, and texts of sources by id, all or none; InvalidRecord names each that breaks a rule.

    References may point to records of the same batch, in any order. A record that is equal to what is stored stays as
    it is; when nothing changes, no revision is made.
    """
    batch = batch_of(records)
    with writing(database, author, reason, texts) as write:
        write.save(batch, progress)
        write.save_texts(texts or {}, batch)
        return write.finish()


def withdraw(database: Database, plural: str, record_id: str, *, author: str, reason: str) -> Saved:
    """Take a record back: it stays as a tombstone with the reason, and what points to it needs a review."""
    with writing(database, author, reason) as write:
        write.set_state((plural, record_id), "withdrawn")
        return write.finish()


def reinstate(database: Database, plural: str, record_id: str, *, author: str, reason: str) -> Saved:
    """Undo a withdrawal."""
    with writing(database, author, reason) as write:
        write.set_state((plural, record_id), "published")
        return write.finish()


def rename(database: Database, plural: str, old: str, new: str, *, author: str, reason: str | None = None) -> Saved:
    """Give a record another id: whoever points to it follows, its history goes along, the old id leads to it."""
    with writing(database, author, reason) as write:
        write.rename((plural, old), new)
        return write.finish()


def is_rendered(database: Database) -> bool:
    """Whether the stored documents have the program's shape."""
    with database.read() as connection:
        return connection.execute(select(SHAPE.c.digest)).scalar() == shape()


def render_again(database: Database, *, author: str, progress: Progress = lambda _count: None) -> Saved | None:
    """Render every document again where the stored ones have another shape than the program's; None if none changed."""
    if is_rendered(database):
        return None
    with writing(database, author, "documents rendered again by another version of the program") as write:
        write.render_all(progress)
        saved = write.finish()
        return saved if write.revision_made else None


def index_again(database: Database, progress: Progress = lambda _count: None) -> None:
    """Build the whole index of search anew."""
    try:
        with database.write() as connection:
            build_index(connection, progress)
    except DBAPIError as failure:
        raise unavailable(failure) from failure


def record_release(database: Database, release: Release) -> bool:
    """Record a release whose file is there; False when its name was taken meanwhile."""
    values = asdict(release)
    values |= {"counts": to_json(release.counts).decode(), "difference": to_json(release.difference).decode()}
    try:
        with database.write() as connection:
            if connection.execute(select(RELEASE.c.name).where(RELEASE.c.name == release.name)).first():
                return False
            connection.execute(insert(RELEASE).values(values))
    except DBAPIError as failure:
        raise unavailable(failure) from failure
    return True
