"""Rendering stored documents again when a new version of the program changes their shape."""

from app.db.database import Database
from app.store.read.shape import is_rendered
from app.store.write.documents import Progress
from app.store.write.transaction import Saved, writing


def render_again(database: Database, *, author: str, progress: Progress = lambda _count: None) -> Saved | None:
    """Render every document again if the stored shape differs from the program's; None if no document changed."""
    if is_rendered(database):
        return None
    with writing(database, author, "documents rendered again by another version of the program") as write:
        write.render_all(progress)
        saved = write.finish()
        return saved if write.revision_made else None
