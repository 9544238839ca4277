"""Stored documents are rendered again when another version of the program gives them another shape."""

from sqlalchemy import select

from app.db.database import Database
from app.db.tables import SHAPE
from app.store.write.documents import Progress, shape
from app.store.write.transaction import Saved, writing


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
