"""Short reads that many ask for: remembered until somebody commits to the SQLite file, or read for many at once."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

MOST_REMEMBERED = 10_000
"""Short reads kept at most: callers may ask for as many things as they like."""


class ReadCache:
    """What was read from a SQLite file, kept until anybody — this process or another — commits to it."""

    def __init__(self, url: str) -> None:
        self._file = url.removeprefix("sqlite:///")
        self._watch: sqlite3.Connection | None = None
        self._version: int | None = None
        self._held: dict[Hashable, Any] = {}

    def since_last_commit(self) -> dict[Hashable, Any]:
        """What may still be believed; empty after a commit, and when the file cannot be asked."""
        try:
            if self._watch is None:
                self._watch = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
            version = self._watch.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return {}
        if version != self._version or len(self._held) >= MOST_REMEMBERED:
            self._version, self._held = version, {}
        return self._held

    def close(self) -> None:
        """Close the connection that watches for commits."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None


class SingleFlight:
    """Reads of a server that everybody who comes meanwhile waits for together; belongs to one event loop.

    Each gets what was read after they had asked, so nobody is told what was so before: whoever comes while a read is
    under way waits for the next one.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Task[Any]] = {}
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def read(self, name: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What the read of this name that begins next finds."""
        task = self._next.get(name)
        if task is None:
            task = self._next[name] = asyncio.create_task(self._read(name, work))
            task.add_done_callback(_heard)
        found: T = await asyncio.shield(task)  # others wait for it even when this caller is gone
        return found

    async def _read(self, name: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        before = self._under_way.get(name)
        if before is not None:
            await asyncio.wait([before])
        mine = self._under_way[name] = self._next.pop(name)
        try:
            return await work()
        finally:
            if self._under_way[name] is mine and name not in self._next:
                del self._under_way[name]


def _heard(task: asyncio.Task[Any]) -> None:
    """A failure of which nobody is left to hear is none to complain of."""
    if not task.cancelled():
        task.exception()
