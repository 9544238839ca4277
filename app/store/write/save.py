"""Save, withdraw, reinstate and rename records, each in one transaction, for the seed, importers and commands."""

from collections.abc import Iterable, Mapping

from app.db.database import Database
from app.models.base import Record
from app.store.write.batch import batch_of
from app.store.write.documents import Progress, ReasonsByKey
from app.store.write.texts import save_texts
from app.store.write.transaction import Saved, writing


def save_all(
    database: Database,
    records: Iterable[Record],
    *,
    author: str,
    reason: str | None = None,
    texts: Mapping[str, str] | None = None,
    reasons: ReasonsByKey | None = None,
    progress: Progress = lambda _count: None,
) -> Saved:
    """Save records, and texts of sources by id, all or none; InvalidRecord names each that breaks a rule.

    References may point to records of the same batch, in any order. A record that is equal to the stored one is left
    unchanged; when nothing changes, no revision is made. `reasons` are those of an import for a review of its records:
    they stand in `review_reasons` until the record is written again.
    """
    batch = batch_of(records)
    with writing(database, author, reason, texts) as write:
        write.save(batch, progress, reasons=reasons)
        save_texts(write, texts or {}, batch)
        return write.finish()


def withdraw(database: Database, plural: str, record_id: str, *, author: str, reason: str) -> Saved:
    """Withdraw a record: it stays as a tombstone with the reason, and records that reference it need a review."""
    with writing(database, author, reason) as write:
        write.set_state((plural, record_id), "withdrawn")
        return write.finish()


def reinstate(database: Database, plural: str, record_id: str, *, author: str, reason: str) -> Saved:
    """Undo a withdrawal."""
    with writing(database, author, reason) as write:
        write.set_state((plural, record_id), "published")
        return write.finish()


def rename(database: Database, plural: str, old: str, new: str, *, author: str, reason: str | None = None) -> Saved:
    """Change a record's id: references and history follow, and the old id redirects to the new one."""
    with writing(database, author, reason) as write:
        write.rename((plural, old), new)
        return write.finish()
