"""Map database errors to problems (503, 507) by fragments of their messages."""

import time

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.errors import InsufficientStorage, Problem, Unavailable

TOO_LONG = "The query took too long and was cut off."
PROBLEMS_BY_MESSAGE: tuple[tuple[type[Problem], str, tuple[str, ...]], ...] = (
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
"""Problem class and detail by fragments of the error messages of SQLite and PostgreSQL, in lower case."""


def unavailable(failure: DBAPIError) -> Problem:
    """The problem (503, 507) for a database error, with Retry-After; it reveals no internals of the database."""
    return problem_of(failure.orig or failure)


def problem_of(failure: BaseException) -> Problem:
    """The same for an error of the driver itself."""
    message = str(failure).lower()
    found = (
        (kind, detail)
        for kind, detail, fragments in PROBLEMS_BY_MESSAGE
        if any(fragment in message for fragment in fragments)
    )
    kind, detail = next(found, (Unavailable, "The database cannot be reached."))
    return kind(detail, headers={"Retry-After": "1"})


def refuse_late(connection: Connection) -> None:
    """Raise Unavailable once the connection's deadline has passed: to call between the statements of a long read."""
    deadline = connection.info.get("deadline")
    if deadline is not None and time.monotonic() > deadline:
        raise Unavailable(TOO_LONG, headers={"Retry-After": "1"})
