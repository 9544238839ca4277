"""The problem (503, 507) that a failure of the database becomes, by the words of its message."""

import time

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.errors import InsufficientStorage, Problem, Unavailable

TOO_LONG = "The query took too long and was cut off."
TOLD: tuple[tuple[type[Problem], str, tuple[str, ...]], ...] = (
    (Unavailable, TOO_LONG, ("interrupted", "statement timeout")),
    (Unavailable, "The database is busy with another write.", ("database is locked", "lock timeout")),
    (
        InsufficientStorage,
        "The disk of the database is full; nothing was saved.",
        ("disk is full", "no space left on device", "disk full"),
    ),
    (
        Unavailable,
        "The database cannot be written to; nothing was saved.",
        ("readonly database", "read-only file system", "in a read-only transaction"),
    ),
    (
        Unavailable,
        "A part of the database cannot be read; nothing was changed.",
        ("malformed", "not a database", "disk i/o error", "invalid page", "could not read block"),
    ),
)
"""What the caller is told, by words in the messages of SQLite and PostgreSQL."""


def unavailable(failure: DBAPIError) -> Problem:
    """What the caller is told of a failure of the database: nothing of its insides."""
    message = str(failure.orig).lower()
    found = ((kind, detail) for kind, detail, words in TOLD if any(word in message for word in words))
    kind, detail = next(found, (Unavailable, "The database cannot be reached."))
    return kind(detail, headers={"Retry-After": "1"})


def refuse_late(connection: Connection) -> None:
    """For a read of many statements: begin none when they have taken too long together."""
    deadline = connection.info.get("deadline")
    if deadline is not None and time.monotonic() > deadline:
        raise Unavailable(TOO_LONG, headers={"Retry-After": "1"})
