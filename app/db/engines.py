"""The engines under everything: SQLite in one file, or PostgreSQL; how each connects, begins and is cut off."""

import select
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import psycopg
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.compiler import compiles
from sqlmodel.sql.sqltypes import AutoString

LARGEST_LOG = 8_000_000
"""Bytes of SQLite's write-ahead log that stay on the disk once a large write has been brought over."""
OPCODES_BETWEEN_CHECKS = 200_000
"""SQLite looks at the clock after so many opcodes: some milliseconds of work, for each look takes the interpreter."""

SECONDS_BETWEEN_TRIES = 0.002
"""How soon a writer looks again whether another process has let go of the lock."""


@compiles(AutoString, "postgresql")
def _text_in_byte_order(_type: AutoString, _compiler: Any, **_: Any) -> str:
    """Text compares byte by byte on PostgreSQL as it does on SQLite, so that both order a list alike."""
    return 'TEXT COLLATE "C"'


def dialect_of(url: str) -> str:
    """`sqlite` or `postgresql`."""
    return url.split(":", 1)[0].split("+", 1)[0]


def engine_of(url: str, *, read_only: bool, pool_size: int, seconds: float) -> Engine:
    """Connections that read, each query for so many seconds; or one that writes, and waits so long for its turn."""
    if dialect_of(url) == "sqlite":
        waits = 30.0 if read_only else seconds
        engine = create_engine(url, pool_size=pool_size, max_overflow=0, connect_args={"timeout": waits})
        event.listen(engine, "connect", _sqlite_setup(read_only))
        event.listen(engine, "begin", _begin_reading if read_only else _begin_writing(seconds))
        return engine
    limit = f"{int(seconds * 1000)}"
    writes = f"-c lock_timeout={limit}"
    reads = f"-c default_transaction_read_only=on -c statement_timeout={limit} -c jit=off"  # no read is long enough
    connect_args = {"options": reads if read_only else writes, "connect_timeout": 5}
    level = "AUTOCOMMIT" if read_only else "READ COMMITTED"  # to which a read's transaction would add two round trips
    engine = create_engine(url, pool_size=pool_size, max_overflow=0, connect_args=connect_args, isolation_level=level)
    event.listen(engine, "checkout", _refuse_lost)
    return engine


def _refuse_lost(connection: psycopg.Connection[Any], *_: object) -> None:
    """A connection to a server that has gone is not used again, nor those beside it.

    An idle one has nothing to be read from it, unless the server closed it and said why: a look at the socket tells,
    and saves the round trip of asking.
    """
    idle = select.poll()
    if not connection.closed:
        idle.register(connection.fileno(), select.POLLIN)
    if connection.closed or idle.poll(0):
        raise InvalidatePoolError


def engine_of_new_file(path: Path) -> Engine:
    """Connections that write to a SQLite file which nobody else knows yet, and which checks nothing meanwhile."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    event.listen(engine, "connect", _without_transactions_of_its_own)
    event.listen(engine, "begin", _begin_writing(30.0))
    return engine


def _without_transactions_of_its_own(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _sqlite_setup(read_only: bool) -> Callable[[sqlite3.Connection, object], None]:
    def setup(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"journal_size_limit={LARGEST_LOG}"]
        for pragma in [*pragmas, "query_only=ON"] if read_only else pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return setup


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(seconds: float) -> Callable[[Connection], None]:
    """Take the writer's lock at once, or as soon as another process lets go of it.

    SQLite would look again after up to a tenth of a second, and whoever asks more often would always be there first.
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
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # says what is wrong as SQLAlchemy does
        finally:
            raw.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    return begin


def set_deadline(connection: Connection, deadline: float | None) -> None:
    """Let SQLite interrupt the query of this connection once the deadline has passed; None: never."""
    connection.info["deadline"] = deadline
    raw = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        check = None if deadline is None else lambda: time.monotonic() > deadline
        raw.set_progress_handler(check, OPCODES_BETWEEN_CHECKS)
