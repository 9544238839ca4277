"""Archive of syntheses over a release: each is stored once, unchanged, under the hash of its inputs."""

from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from app.clock import now
from app.db.database import Database
from app.db.failures import unavailable
from app.db.tables import SYNTHESIS

MOST_KEPT = 20_000
"""Maximum number of archived syntheses; further ones get no URL."""


def archive_synthesis(database: Database, digest: str, release: str, answer: bytes) -> bytes | None:
    """Store a synthesis unless its hash is known; returns the archived one, or None when the archive is full."""
    try:
        with database.write() as connection:
            stored = connection.execute(select(SYNTHESIS.c.answer).where(SYNTHESIS.c.hash == digest)).scalar()
            if stored is not None:
                return bytes(stored)
            if connection.execute(select(func.count()).select_from(SYNTHESIS)).scalar_one() >= MOST_KEPT:
                return None
            values = {"hash": digest, "release": release, "at": now(), "answer": answer}
            connection.execute(insert(SYNTHESIS).values(values))
            return answer
    except DBAPIError as failure:
        raise unavailable(failure) from failure
