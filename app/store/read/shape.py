"""The shape of stored documents, by which a start knows whether they are those of this version of the program."""

from hashlib import sha256

from sqlalchemy import select

from app.db.database import Database
from app.db.tables import SHAPE
from app.json_codec import to_json
from app.models import RESOURCES
from app.search.index_entries import INDEXING

RENDERING = 1
"""Version of the rendering: increment it when documents change, so that every database renders its own again."""


def shape() -> str:
    """SHA-256 of the shape of documents and index entries in this version of the program."""
    return sha256(
        to_json([RENDERING, INDEXING, {plural: row.shown() for plural, row in RESOURCES.items()}])
    ).hexdigest()


def is_rendered(database: Database) -> bool:
    """Whether the stored documents have the shape of this version of the program."""
    with database.read() as connection:
        return connection.execute(select(SHAPE.c.digest)).scalar() == shape()
