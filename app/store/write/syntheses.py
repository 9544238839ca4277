"""Answers over a release that stay as they were first given: kept once, by the hash of what they rest on."""

from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from app.clock import now
from app.db.database import Database
from app.db.failures import unavailable
from app.db.tables import SYNTHESIS

MOST_KEPT = 20_000
"""How many answers a database keeps; what is asked beyond has no address of its own."""


def archive_synthesis(database: Database, digest: str, release: str, answer: bytes) -> bytes | None:
    """The answer that is kept under this hash, which is this one unless there was one; None when all room is taken."""
    try:
        with database.write() as connection:
            kept = connection.execute(select(SYNTHESIS.c.answer).where(SYNTHESIS.c.hash == digest)).scalar()
            if kept is not None:
                return bytes(kept)
            if connection.execute(select(func.count()).select_from(SYNTHESIS)).scalar_one() >= MOST_KEPT:
                return None
            values = {"hash": digest, "release": release, "at": now(), "answer": answer}
            connection.execute(insert(SYNTHESIS).values(values))
            return answer
    except DBAPIError as failure:
        raise unavailable(failure) from failure
