"""The database: short reads, the one write transaction, copies of one moment, and what its failures are called."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.db.engines import engine_of, set_deadline
from app.db.failures import unavailable
from app.db.group_commit import GroupCommit, before_execute, group_commit_of, shared
from app.db.read_cache import ReadCache, SingleFlight
from app.db.read_pool import ReadPool, shape_of, slow_places
from app.db.schema import migrate_schema
from app.errors import Unavailable

T = TypeVar("T")
WRITE_LOCK = 7_203_511
"""PostgreSQL advisory lock: one process writes or migrates, the others wait, so that revisions have no gaps."""
LEAST_FREE_BYTES = 32 * 1024 * 1024
"""With less than this left on the disk nothing more should be written: the log of changes alone may take half of it."""


class Reads:
    """Short reads on connections that cannot write, each cut off after `query_seconds`."""

    def __init__(self, reader: Engine, *, query_seconds: float, read_threads: int) -> None:
        self.reader = reader
        self.dialect = reader.dialect.name
        self.query_seconds = query_seconds
        self._read_threads = read_threads
        self._lanes: ReadPool | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that cannot write; Unavailable when its query takes too long or the database is away."""
        try:
            with self.reader.connect() as connection:
                set_deadline(connection, time.monotonic() + self.query_seconds)
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
            self._lanes = ReadPool(self._read_threads, seconds=self.query_seconds, works_here=works_here)
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

    def __init__(
        self, url: str, *, query_seconds: float = 1.0, read_threads: int = 8, lock_seconds: float = 30.0
    ) -> None:
        self.url = url
        # one connection a thread, and one for the event loop, which must never wait for a thread to give its own back
        pool_size = read_threads + slow_places(read_threads) + 1
        reader = engine_of(url, read_only=True, pool_size=pool_size, seconds=query_seconds)
        super().__init__(reader, query_seconds=query_seconds, read_threads=read_threads)
        self.writer = engine_of(url, read_only=False, pool_size=1, seconds=lock_seconds)
        event.listen(self.writer, "before_execute", before_execute)
        self._memory = ReadCache(url) if self.dialect == "sqlite" else None
        self._joined = SingleFlight()
        self._together = threading.local()
        self._is_doubted = False
        """Whether the last write failed, so that only writing tells whether one can."""

    async def remember(self, name: Hashable, work: Callable[[Connection], T]) -> T:
        """What a short read finds: remembered on SQLite until somebody commits, read for many at once on PostgreSQL."""
        if self._memory is None:
            return await self._joined.read(name, partial(self.fetch, work, short=True))
        held = self._memory.since_last_commit()
        if name not in held:
            held[name] = await self.fetch(work, short=True)
        found: T = held[name]
        return found

    def migrate(self) -> None:
        """Bring the schema to its newest version; processes that start together wait for the first one."""
        if self.dialect == "sqlite":
            Path(self.url.removeprefix("sqlite:///")).absolute().parent.mkdir(parents=True, exist_ok=True)
        with self.write() as connection:
            migrate_schema(connection)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one write transaction: committed at the end, rolled back on any error. Only `store` asks for it.

        Within `together` it is a part of the transaction that is open already, undone by itself.
        """
        sharing: GroupCommit | None = getattr(self._together, "sharing", None)
        if sharing is not None:
            with sharing.one():
                yield sharing.connection
            return
        try:
            with self.writer.begin() as connection:
                if self.dialect == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITE_LOCK})
                with shared(connection):
                    yield connection
        except (DBAPIError, Unavailable):
            self._is_doubted = True
            raise
        self._is_doubted = False

    @contextmanager
    def together(self) -> Iterator[Connection]:
        """Let the writes of this thread share one transaction, so that the disk is waited for once.

        Each is undone by itself when it fails; none is there before all are. Only `store` asks for it. A DBAPIError is
        of something that one of several writes asked for: nothing was kept, and each may be done alone.
        """
        several = False
        try:
            with self.write() as connection:
                sharing = self._together.sharing = group_commit_of(connection)
                try:
                    yield connection
                finally:
                    self._together.sharing = None
                    several = sharing.count > 1
        except DBAPIError as failure:
            if several and _is_of_a_row(failure):
                raise
            raise unavailable(failure) from failure

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read that sees one moment of the whole database, however long it takes: for copies, never for requests."""
        try:
            with self.reader.connect() as connection:
                set_deadline(connection, None)
                if self.dialect == "postgresql":
                    connection.execution_options(isolation_level="REPEATABLE READ")
                    connection.execute(text("SET LOCAL statement_timeout = 0"))
                yield connection
        except DBAPIError as failure:
            raise unavailable(failure) from failure

    def close(self) -> None:
        """Close every connection."""
        super().close()
        self.writer.dispose()
        if self._memory is not None:
            self._memory.close()

    def why_not_writable(self) -> str | None:
        """Why nothing could be written now; None when it could, or when somebody is writing.

        Found without writing, unless the last write failed: then the file's unused version number is written as it is.
        """
        try:
            if self.dialect == "sqlite":
                return self._why_file_not_writable()
            with self.read() as connection:
                return _why_server_not_writable(connection)
        except (OSError, sqlite3.Error, Unavailable):
            return "The database cannot be reached for writing."

    def _why_file_not_writable(self) -> str | None:
        """Takes the writer's lock on a connection of its own and gives it back."""
        file = Path(self.reader.url.database or "")
        free = shutil.disk_usage(file.parent).free
        if free < LEAST_FREE_BYTES:
            return f"The disk of the database has {free} bytes left; {LEAST_FREE_BYTES} are the least to go on with."
        address = f"{file.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=0.1, isolation_level=None)) as raw:
            try:
                raw.execute("BEGIN IMMEDIATE")
                if self._is_doubted:
                    raw.execute("PRAGMA user_version = 0")
                raw.execute("COMMIT")
                self._is_doubted = False
            except sqlite3.OperationalError as failure:
                if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    return "The file of the database cannot be written to."
        return None

    def describe(self) -> str:
        """Engine, version, mode and address without the password, for the line that is said at the start."""
        address = self.reader.url.render_as_string(hide_password=True)
        if self.dialect == "sqlite":
            with self.reader.connect() as connection:
                mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
            return f"SQLite {sqlite3.sqlite_version} ({mode}), {address}"
        with self.reader.connect() as connection:
            return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}, {address}"


def _why_server_not_writable(connection: Connection) -> str | None:
    asked = "SELECT pg_is_in_recovery(), has_table_privilege('revision', 'INSERT')"
    is_standby, may_write = connection.execute(text(asked)).one()
    if is_standby:
        return "The database server is a standby, which takes no writes."
    return None if may_write else "The user of the database may not write to its tables."


def bytes_of(connection: Connection) -> int:
    """How large the database is, without the log of what is still to be moved into it."""
    if connection.dialect.name == "sqlite":
        asked = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        asked = "SELECT pg_database_size(current_database())"
    return int(connection.execute(text(asked)).scalar_one())


def _is_of_a_row(failure: DBAPIError) -> bool:
    """Whether a failure is about what was written: its rules, or its size (class 54 of PostgreSQL's SQLSTATE)."""
    too_large = str(getattr(failure.orig, "sqlstate", "")).startswith("54")
    return too_large or not (isinstance(failure, OperationalError) or failure.connection_invalidated)
