"""Engines and connections: SQLite in one file, or PostgreSQL; everything that differs between them stands here."""

import sqlite3
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlmodel.sql.sqltypes import AutoString

from app.errors import InsufficientStorage, Problem, Unavailable
from app.lanes import Lanes, shape_of, slow_places

T = TypeVar("T")
WRITE_LOCK = 7_203_511
"""PostgreSQL advisory lock: one process writes or migrates, the others wait, so that revisions have no gaps."""
LARGEST_LOG = 8_000_000
"""Bytes of SQLite's write-ahead log that stay on the disk once a large write has been brought over."""
OPCODES_BETWEEN_CHECKS = 200_000
"""SQLite looks at the clock after so many opcodes: some milliseconds of work, for each look takes the interpreter."""


@compiles(AutoString, "postgresql")
def _text_in_byte_order(_type: AutoString, _compiler: Any, **_: Any) -> str:
    """Text compares byte by byte on PostgreSQL as it does on SQLite, so that both order a list alike."""
    return 'TEXT COLLATE "C"'


def dialect_of(url: str) -> str:
    """`sqlite` or `postgresql`."""
    return url.split(":", 1)[0].split("+", 1)[0]


class Reads:
    """Short reads on connections that cannot write, each cut off after `query_seconds`."""

    def __init__(self, reader: Engine, *, query_seconds: float, read_threads: int) -> None:
        self.reader = reader
        self.dialect = reader.dialect.name
        self.query_seconds = query_seconds
        self._read_threads = read_threads
        self._lanes: Lanes | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that cannot write; Unavailable when its query takes too long or the database is away."""
        try:
            with self.reader.connect() as connection:
                if self.dialect == "sqlite":
                    _cut_off(connection, time.monotonic() + self.query_seconds)
                yield connection
        except DBAPIError as failure:
            raise unavailable(failure) from failure

    async def fetch(self, work: Callable[[Connection], T], *, short: bool = False, shape: Hashable = None) -> T:
        """Run a read off the event loop; a `short` one, by primary key, stays on it where the database is a file.

        `shape` tells reads that take as long as each other, where one function does different ones (`lanes`).
        """
        if short and self.dialect == "sqlite":
            return self._run(work)
        if self._lanes is None:
            works_here = self.dialect == "sqlite"
            self._lanes = Lanes(self._read_threads, seconds=self.query_seconds, works_here=works_here)
        return await self._lanes.run(partial(self._run, work), shape or shape_of(work))

    def _run(self, work: Callable[[Connection], T]) -> T:
        with self.read() as connection:
            return work(connection)

    def close(self) -> None:
        """Close every connection."""
        self.reader.dispose()


class Database(Reads):
    """One database: short reads, one writer at a time.

    On SQLite every write takes the writer's lock at once (BEGIN IMMEDIATE), so that two writers wait for each other
    instead of failing.
    """

    def __init__(self, url: str, *, query_seconds: float = 1.0, read_threads: int = 8) -> None:
        self.url = url
        # one connection a thread, and one for the event loop, which must never wait for a thread to give its own back
        pool_size = read_threads + slow_places(read_threads) + 1
        reader = _engine(url, read_only=True, pool_size=pool_size, query_seconds=query_seconds)
        super().__init__(reader, query_seconds=query_seconds, read_threads=read_threads)
        self.writer = _engine(url, read_only=False, pool_size=1, query_seconds=None)

    def migrate(self) -> None:
        """Bring the schema to its newest version; processes that start together wait for the first one."""
        if self.dialect == "sqlite":
            Path(self.url.removeprefix("sqlite:///")).absolute().parent.mkdir(parents=True, exist_ok=True)
        with self.write() as connection:
            migrate_schema(connection)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one write transaction: committed at the end, rolled back on any error. Only `store` asks for it."""
        with self.writer.begin() as connection:
            if self.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITE_LOCK})
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read that sees one moment of the whole database, however long it takes: for copies, never for requests."""
        try:
            with self.reader.connect() as connection:
                if self.dialect == "sqlite":
                    _cut_off(connection, None)
                else:
                    connection.execution_options(isolation_level="REPEATABLE READ")
                    connection.execute(text("SET LOCAL statement_timeout = 0"))
                yield connection
        except DBAPIError as failure:
            raise unavailable(failure) from failure

    def close(self) -> None:
        """Close every connection."""
        super().close()
        self.writer.dispose()

    def describe(self) -> str:
        """Engine, version, mode and address without the password, for the line that is said at the start."""
        address = self.reader.url.render_as_string(hide_password=True)
        if self.dialect == "sqlite":
            with self.reader.connect() as connection:
                mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
            return f"SQLite {sqlite3.sqlite_version} ({mode}), {address}"
        with self.reader.connect() as connection:
            return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}, {address}"


@contextmanager
def new_file(path: Path) -> Iterator[Connection]:
    """A SQLite file that did not exist, with the newest schema, to be filled in one transaction and made compact.

    What is copied into it may come in any order: that nothing points to nothing is checked at the end.
    """
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    event.listen(engine, "connect", _without_transactions_of_its_own)
    event.listen(engine, "begin", _sqlite_begin(read_only=False))
    with engine.begin() as connection:
        migrate_schema(connection)
        yield connection
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        broken = raw.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise Problem(f"A row of {broken[0]} points to a row of {broken[2]} that is not there.")
        raw.execute("VACUUM")


def migrate_schema(connection: Connection, to: str = "head") -> None:
    """Bring the schema behind a connection, which is in a transaction, to a version."""
    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def newest_schema() -> str:
    """The version of the schema that this program works on."""
    return str(ScriptDirectory.from_config(_migrations()).get_current_head())


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


TOLD: tuple[tuple[type[Problem], str, tuple[str, ...]], ...] = (
    (Unavailable, "The query took too long and was cut off.", ("interrupted", "statement timeout")),
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


def _engine(url: str, *, read_only: bool, pool_size: int, query_seconds: float | None) -> Engine:
    if dialect_of(url) == "sqlite":
        engine = create_engine(url, pool_size=pool_size, max_overflow=0, connect_args={"timeout": 30})
        event.listen(engine, "connect", _sqlite_setup(read_only))
        event.listen(engine, "begin", _sqlite_begin(read_only))
        return engine
    options = "-c default_transaction_read_only=on" if read_only else "-c lock_timeout=30000"
    if query_seconds is not None:
        options += f" -c statement_timeout={int(query_seconds * 1000)}"
    connect_args = {"options": options.strip(), "connect_timeout": 5}
    return create_engine(url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, connect_args=connect_args)


def _without_transactions_of_its_own(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None


def _sqlite_setup(read_only: bool) -> Callable[[sqlite3.Connection, object], None]:
    def setup(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        pragmas = ["journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"]
        pragmas.append(f"journal_size_limit={LARGEST_LOG}")
        for pragma in [*pragmas, "query_only=ON"] if read_only else pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return setup


def _sqlite_begin(read_only: bool) -> Callable[[Connection], None]:
    statement = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin


def _cut_off(connection: Connection, deadline: float | None) -> None:
    """Let SQLite interrupt the query of this connection once the deadline has passed; None: never."""
    raw = connection.connection.driver_connection
    if raw is not None:
        check = None if deadline is None else lambda: time.monotonic() > deadline
        raw.set_progress_handler(check, OPCODES_BETWEEN_CHECKS)
