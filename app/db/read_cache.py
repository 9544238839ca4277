"""Caching of short, frequent reads: until the next commit on SQLite; one shared query at a time on PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

MOST_CACHED = 10_000
"""Maximum number of cached results: callers choose the names, so that there is no other limit."""


class ReadCache:
    """A cache of reads from a SQLite file, valid until this process or another one commits to the file."""

    def __init__(self, url: str) -> None:
        self._file = url.removeprefix("sqlite:///")
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._results: dict[Hashable, Any] = {}

    def valid_results(self) -> dict[Hashable, Any]:
        """The cached results by the name of the read; a new, empty mapping once another connection has committed.

        A commit is noticed by `PRAGMA data_version`. When that fails, the mapping is empty and keeps nothing.
        """
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return {}
        if version != self._version or len(self._results) >= MOST_CACHED:
            self._version, self._results = version, {}
        return self._results

    def close(self) -> None:
        """Close the connection that checks for commits."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class SingleFlight:
    """Single-flight: concurrent callers of one name share one read; belongs to one event loop.

    No caller gets a stale result: one that arrives while a read is under way waits for the next read, which begins
    after its call.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Task[Any]] = {}
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def read(self, name: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The result of the next read that begins under this name."""
        task = self._next.get(name)
        if task is None:
            task = self._next[name] = asyncio.create_task(self._read(name, work))
            task.add_done_callback(_retrieve_exception)
        result: T = await asyncio.shield(task)  # others wait for it even when this caller is gone
        return result

    async def _read(self, name: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        previous = self._under_way.get(name)
        if previous is not None:
            await asyncio.wait([previous])
        current = self._under_way[name] = self._next.pop(name)
        try:
            return await work()
        finally:
            if self._under_way[name] is current and name not in self._next:
                del self._under_way[name]


def _retrieve_exception(task: asyncio.Task[Any]) -> None:
    """Retrieve the exception, so that asyncio does not log it when every waiter has gone."""
    if not task.cancelled():
        task.exception()
