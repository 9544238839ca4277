"""The database: short read-only queries, the one write transaction, consistent snapshots, and a check for readiness."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.db.engines import engine_of, set_deadline
from app.db.failures import unavailable
from app.db.group_commit import GroupCommit, before_execute, group_commit_of, shared
from app.db.inline_reads import InlineReads, connect_file
from app.db.read_cache import MOST_CACHED, ReadCache, SingleFlight
from app.db.read_pool import ReadPool, shape_of, slow_slots
from app.db.schema import migrate_schema
from app.db.stopwatch import STOPWATCH
from app.errors import Unavailable

T = TypeVar("T")
WRITE_LOCK = 7_203_511
"""PostgreSQL advisory lock: one process writes or migrates, the others wait, so that revisions have no gaps."""
LEAST_FREE_BYTES = 32 * 1024 * 1024
"""Free disk space in bytes below which nothing should be written: the write-ahead log alone may take half of it."""


class Reads:
    """Short reads on read-only connections, each query cut off after `query_seconds`."""

    def __init__(self, reader: Engine, *, query_seconds: float, read_threads: int) -> None:
        self.reader = reader
        self.dialect = reader.dialect.name
        self.query_seconds = query_seconds
        self._read_threads = read_threads
        self._pool: ReadPool | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only connection; Unavailable when a query takes too long or the database cannot be reached."""
        try:
            with self.reader.connect() as connection:
                set_deadline(connection, time.monotonic() + self.query_seconds)
                yield connection
        except DBAPIError as failure:
            raise unavailable(failure) from failure

    async def fetch(self, work: Callable[[Connection], T], *, short: bool = False, shape: Hashable = None) -> T:
        """Run a read in a thread of the pool; a `short` one, by primary key, on the event loop if this is SQLite.

        `shape` groups reads of equal cost for the read pool, where one function runs different queries; by default it
        is the function's code (`read_pool.shape_of`).
        """
        stopwatch = STOPWATCH.get()
        start = time.perf_counter()
        try:
            if short and self.dialect == "sqlite":
                return self._run(work)
            if self._pool is None:
                in_process = self.dialect == "sqlite"
                self._pool = ReadPool(self._read_threads, seconds=self.query_seconds, in_process=in_process)
            return await self._pool.run(partial(self._run, work), shape or shape_of(work))
        finally:
            if stopwatch is not None:
                stopwatch.add(time.perf_counter() - start)

    def _run(self, work: Callable[[Connection], T]) -> T:
        with self.read() as connection:
            return work(connection)

    def close(self) -> None:
        """Close every connection."""
        self.reader.dispose()


class Database(Reads):
    """One database: short reads, and one write transaction at a time.

    On SQLite every write takes the write lock when it begins (BEGIN IMMEDIATE), so that two writers wait for each other
    instead of failing.
    """

    def __init__(
        self, url: str, *, query_seconds: float = 1.0, read_threads: int = 8, lock_seconds: float = 30.0
    ) -> None:
        self.url = url
        # one connection a thread, and one for the event loop, which must never wait for a thread to release its own
        pool_size = read_threads + slow_slots(read_threads) + 1
        reader = engine_of(url, read_only=True, pool_size=pool_size, seconds=query_seconds)
        super().__init__(reader, query_seconds=query_seconds, read_threads=read_threads)
        self.writer = engine_of(url, read_only=False, pool_size=1, seconds=lock_seconds)
        event.listen(self.writer, "before_execute", before_execute)
        self._read_cache = ReadCache(url) if self.dialect == "sqlite" else None
        self._single_flight = SingleFlight()
        self.inline: InlineReads | None = None
        """Reads on the event loop, of what an index bounds; None on PostgreSQL, where a read waits for a server."""
        if self.dialect == "sqlite":
            connect = partial(connect_file, self.reader.url.database or "", seconds=query_seconds)
            self.inline = InlineReads(connect, query_seconds=query_seconds)
        self._thread_local = threading.local()
        self._last_write_failed = False
        """Whether the last write failed, so that only another write can show that writing works again."""

    async def cached_read(self, name: Hashable, work: Callable[[Connection], T]) -> T:
        """The result of a short read: cached until the next commit on SQLite, shared by all waiters on PostgreSQL."""
        if self._read_cache is None:
            return await self._single_flight.read(name, partial(self.fetch, work, short=True))
        return self.cached_read_now(name, work)

    def cached_read_now(self, name: Hashable, work: Callable[[Connection], T]) -> T:
        """The result of a short read of a SQLite file, as `cached_read` gives it, without waiting."""
        cached = {} if self._read_cache is None else self._read_cache.valid_results()
        if name not in cached:
            cached[name] = self._run(work)
        result: T = cached[name]
        return result

    def memo(self) -> dict[Hashable, Any]:
        """Results of small reads by name, of a SQLite file: a new, empty dictionary once anything was committed."""
        results: dict[Hashable, Any] = {} if self._read_cache is None else self._read_cache.valid_results()
        memo: dict[Hashable, Any] = results.setdefault("memo", {})
        if len(memo) >= MOST_CACHED:
            memo.clear()
        return memo

    def migrate(self) -> None:
        """Migrate the schema to its newest version; processes that start at the same time wait for the first one."""
        if self.dialect == "sqlite":
            Path(self.url.removeprefix("sqlite:///")).absolute().parent.mkdir(parents=True, exist_ok=True)
        with self.write() as connection:
            migrate_schema(connection)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The one write transaction: committed at the end, rolled back on any error. Only `store` uses it.

        Within `write_group` it joins the open transaction, and an error rolls back only its own part.
        """
        group: GroupCommit | None = getattr(self._thread_local, "group", None)
        if group is not None:
            with group.write():
                yield group.connection
            return
        try:
            with self.writer.begin() as connection:
                if self.dialect == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITE_LOCK})
                with shared(connection):
                    yield connection
        except (DBAPIError, Unavailable):
            self._last_write_failed = True
            raise
        self._last_write_failed = False

    @contextmanager
    def write_group(self) -> Iterator[Connection]:
        """Group commit: the writes of this thread share one transaction, so that the disk is waited for once.

        A write that fails is rolled back alone; none is visible before the common commit. Only `store` uses it. A
        DBAPIError is the fault of one of several writes: nothing was committed, and each may be retried alone.
        """
        is_shared = False
        try:
            with self.write() as connection:
                group = self._thread_local.group = group_commit_of(connection)
                try:
                    yield connection
                finally:
                    self._thread_local.group = None
                    is_shared = group.count > 1
        except DBAPIError as failure:
            if is_shared and _is_caused_by_rows(failure):
                raise
            raise unavailable(failure) from failure

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A consistent snapshot without a time limit: for backups and releases, never for requests."""
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
        if self._read_cache is not None:
            self._read_cache.close()
        if self.inline is not None:
            self.inline.close()

    def why_not_writable(self) -> str | None:
        """The reason why a write would fail now; None when it would succeed, or while another write is under way.

        Checked without writing, unless the last write failed: then SQLite's unused `user_version` is set to its value.
        """
        try:
            if self.dialect == "sqlite":
                return self._why_file_not_writable()
            with self.read() as connection:
                return _why_server_not_writable(connection)
        except (OSError, sqlite3.Error, Unavailable):
            return "The database cannot be reached for writing."

    def _why_file_not_writable(self) -> str | None:
        """Check a SQLite file: take the write lock on a separate connection, and release it."""
        file = Path(self.reader.url.database or "")
        free = shutil.disk_usage(file.parent).free
        if free < LEAST_FREE_BYTES:
            return f"The disk of the database has {free} bytes left; {LEAST_FREE_BYTES} are the least to go on with."
        address = f"{file.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=0.1, isolation_level=None)) as raw:
            try:
                raw.execute("BEGIN IMMEDIATE")
                if self._last_write_failed:
                    raw.execute("PRAGMA user_version = 0")
                raw.execute("COMMIT")
                self._last_write_failed = False
            except sqlite3.OperationalError as failure:
                if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    return "The file of the database cannot be written to."
        return None

    def describe(self) -> str:
        """Engine, version, journal mode and URL without the password, for the log line at startup."""
        address = self.reader.url.render_as_string(hide_password=True)
        if self.dialect == "sqlite":
            with self.reader.connect() as connection:
                mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
            return f"SQLite {sqlite3.sqlite_version} ({mode}), {address}"
        with self.reader.connect() as connection:
            return f"PostgreSQL {connection.execute(text('SHOW server_version')).scalar_one()}, {address}"


def _why_server_not_writable(connection: Connection) -> str | None:
    statement = "SELECT pg_is_in_recovery(), has_table_privilege('revision', 'INSERT')"
    is_standby, may_write = connection.execute(text(statement)).one()
    if is_standby:
        return "The database server is a standby, which takes no writes."
    return None if may_write else "The user of the database may not write to its tables."


def bytes_of(connection: Connection) -> int:
    """Size of the database in bytes, without the write-ahead log."""
    if connection.dialect.name == "sqlite":
        statement = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        statement = "SELECT pg_database_size(current_database())"
    return int(connection.execute(text(statement)).scalar_one())


def _is_caused_by_rows(failure: DBAPIError) -> bool:
    """Whether the written rows caused an error: a constraint, or their size (class 54 of PostgreSQL's SQLSTATE)."""
    too_large = str(getattr(failure.orig, "sqlstate", "")).startswith("54")
    return too_large or not (isinstance(failure, OperationalError) or failure.connection_invalidated)
