"""Short reads on the event loop itself: a SQLite connection of its own, without pool, thread or SQLAlchemy.

Only for reads that an index bounds: while one runs, nothing else does. Each is cut off like any other read.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from app.db.engines import OPCODES_BETWEEN_CHECKS, READ_PRAGMAS
from app.db.failures import problem_of

STATEMENTS_KEPT = 500
"""Statements that the driver keeps prepared."""


class InlineReads:
    """A read-only connection for one thread, opened with the first read."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, query_seconds: float) -> None:
        self.query_seconds = query_seconds
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._deadline = 0.0

    def run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows of one statement; Unavailable when it takes too long or the file cannot be read."""
        self._deadline = time.monotonic() + self.query_seconds
        try:
            connection = self._connection or self._open()
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as failure:
            raise problem_of(failure) from failure

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several statements that see the database as of one moment."""
        self.run("BEGIN", ())
        try:
            yield
        finally:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.rollback()

    def _open(self) -> sqlite3.Connection:
        self._connection = self._connect()
        for pragma in READ_PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.set_progress_handler(lambda: time.monotonic() > self._deadline, OPCODES_BETWEEN_CHECKS)
        return self._connection

    def close(self) -> None:
        """Close the connection; the next read would open another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connect_file(file: str, *, seconds: float) -> sqlite3.Connection:
    """A connection to a SQLite file that keeps many statements prepared, and waits so long for a lock."""
    return sqlite3.connect(
        file, timeout=seconds, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS_KEPT
    )
