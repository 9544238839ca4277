"""SQLAlchemy engines for SQLite and PostgreSQL: connection setup, how a transaction begins, and query time limits."""

import select
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.compiler import compiles
from sqlmodel.sql.sqltypes import AutoString

if TYPE_CHECKING:  # SQLAlchemy imports the driver of the database that is opened
    import psycopg

LARGEST_LOG = 8_000_000
"""Bytes to which SQLite's write-ahead log is cut back after a large write has been checkpointed."""
OPCODES_BETWEEN_CHECKS = 200_000
"""SQLite checks the deadline after so many opcodes: some milliseconds of work, since each check calls into Python."""
PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"journal_size_limit={LARGEST_LOG}")
"""How every connection to a SQLite file is set up."""
READ_PRAGMAS = (*PRAGMAS, "query_only=ON")

SECONDS_BETWEEN_TRIES = 0.002
"""Interval at which a writer retries while another process holds the write lock."""


@compiles(AutoString, "postgresql")
def _compile_text(_type: AutoString, _compiler: Any, **_: Any) -> str:
    """Collation "C": text compares byte by byte on PostgreSQL as on SQLite, so that both sort a list alike."""
    return 'TEXT COLLATE "C"'


def dialect_of(url: str) -> str:
    """The database of a URL: `sqlite` or `postgresql`."""
    return url.split(":", 1)[0].split("+", 1)[0]


def engine_of(url: str, *, read_only: bool, pool_size: int, seconds: float) -> Engine:
    """An engine; `seconds` limits each query if it is read-only, else the wait for the write lock."""
    if dialect_of(url) == "sqlite":
        timeout = 30.0 if read_only else seconds
        engine = create_engine(url, pool_size=pool_size, max_overflow=0, connect_args={"timeout": timeout})
        event.listen(engine, "connect", _sqlite_setup(read_only))
        event.listen(engine, "begin", _begin_reading if read_only else _begin_writing(seconds))
        return engine
    limit = f"{int(seconds * 1000)}"
    write_options = f"-c lock_timeout={limit}"
    # no read is long enough for the JIT compiler to pay
    read_options = f"-c default_transaction_read_only=on -c statement_timeout={limit} -c jit=off"
    connect_args = {"options": read_options if read_only else write_options, "connect_timeout": 5}
    level = "AUTOCOMMIT" if read_only else "READ COMMITTED"  # a transaction would add two round trips to a read
    engine = create_engine(url, pool_size=pool_size, max_overflow=0, connect_args=connect_args, isolation_level=level)
    event.listen(engine, "checkout", _invalidate_closed)
    return engine


def _invalidate_closed(connection: "psycopg.Connection[Any]", *_: object) -> None:
    """Invalidate the connection pool when the server has closed a connection, before it is used again.

    The socket of an idle connection is readable only if the server closed it and sent the reason: polling the socket
    finds that without the round trip of a query.
    """
    poller = select.poll()
    if not connection.closed:
        poller.register(connection.fileno(), select.POLLIN)
    if connection.closed or poller.poll(0):
        raise InvalidatePoolError


def engine_of_new_file(path: Path) -> Engine:
    """An engine that fills a new SQLite file, which no other process has open; foreign keys are not enforced."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    event.listen(engine, "connect", _disable_implicit_transactions)
    event.listen(engine, "begin", _begin_writing(30.0))
    return engine


def _disable_implicit_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _sqlite_setup(read_only: bool) -> Callable[[sqlite3.Connection, object], None]:
    def setup(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in READ_PRAGMAS if read_only else PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return setup


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(seconds: float) -> Callable[[Connection], None]:
    """Begin by taking the write lock, and retry every `SECONDS_BETWEEN_TRIES` while another process holds it.

    SQLite's own busy_timeout retries only after up to a tenth of a second, so that a process that retries more often
    would always be first.
    """

    def begin(connection: Connection) -> None:
        raw = cast(sqlite3.Connection, connection.connection.driver_connection)
        deadline = time.monotonic() + seconds
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            while time.monotonic() < deadline:
                try:
                    raw.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as failure:
                    if failure.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                        break
                time.sleep(SECONDS_BETWEEN_TRIES)
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises SQLAlchemy's exception
        finally:
            raw.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    return begin


def set_deadline(connection: Connection, deadline: float | None) -> None:
    """Set the monotonic time after which SQLite interrupts queries of this connection; None: never."""
    connection.info["deadline"] = deadline
    raw = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        check = None if deadline is None else lambda: time.monotonic() > deadline
        raw.set_progress_handler(check, OPCODES_BETWEEN_CHECKS)
