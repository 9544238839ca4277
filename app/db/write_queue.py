"""Write queue: one write at a time, first in, first out, in a thread; waiting writes share one commit."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from anyio import to_thread

from app.errors import Problem, Unavailable

T = TypeVar("T")
WriteGroup = Callable[[], AbstractContextManager[Callable[[Collection[tuple[str, str]]], None]]]
"""Opens a transaction for several writes; gives a function that prefetches records by key."""
LONGEST_WAIT_SECONDS = 10.0
MOST_TOGETHER = 32
"""Maximum number of writes that share a commit: the disk is waited for once, and the first waits for at most these."""


@dataclass(eq=False)
class _QueuedWrite:
    """A write in the queue, the keys that it reads, and the future of its result."""

    work: Callable[[], Any]
    about: Collection[tuple[str, str]]
    future: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


_Outcome = tuple[_QueuedWrite, Any, BaseException | None]


class WriteQueue:
    """The queue before the one connection that writes; reads do not use it.

    `write_group` opens the transaction that the writes of a group share (group commit), and gives a function that
    prefetches the records that they read. Results are delivered once the transaction is on disk; when the commit fails,
    every write of the group fails.
    """

    def __init__(self, write_group: WriteGroup, *, seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self.write_group = write_group
        self.seconds = seconds
        self._waiting: deque[_QueuedWrite] = deque()
        self._lock = threading.Lock()
        self._runner: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Number of writes in the queue."""
        return len(self._waiting)

    async def submit(self, work: Callable[[], T], about: Collection[tuple[str, str]] = ()) -> T:
        """Queue a write and return its result; Unavailable when it was not begun within `seconds`.

        `about` names the records that the write reads, to be prefetched.
        """
        write = _QueuedWrite(work, about)
        with self._lock:
            self._waiting.append(write)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        try:
            await asyncio.wait([write.future], timeout=self.seconds)
        except asyncio.CancelledError:  # the caller is gone
            self._dequeue(write)
            write.future.cancel()
            raise
        if not write.future.done() and self._dequeue(write):
            detail = f"Other writes have kept this one waiting for {self.seconds:g} seconds; it was not begun."
            raise Unavailable(detail, headers={"Retry-After": "1"})
        result: T = await write.future
        return result

    def _dequeue(self, write: _QueuedWrite) -> bool:
        """Remove a write from the queue; False when it has begun."""
        with self._lock:
            if write not in self._waiting:
                return False
            self._waiting.remove(write)
            return True

    def _take_group(self) -> list[_QueuedWrite]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]

    async def _run(self) -> None:
        while self._waiting:
            for write, result, failure in await to_thread.run_sync(self._commit, self._take_group):
                if write.future.cancelled():
                    continue
                if failure is None:
                    write.future.set_result(result)
                else:
                    write.future.set_exception(failure)
        self._runner = None

    def _commit(self, take: Callable[[], list[_QueuedWrite]]) -> list[_Outcome]:
        """Run the writes that are queued by the time the transaction is open, which another process may delay."""
        writes: list[_QueuedWrite] = []
        try:
            with self.write_group() as read_ahead:
                writes = take()
                read_ahead({key for write in writes for key in write.about})
                return [_outcome(write) for write in writes]
        except Exception as failure:
            writes = writes or take()
            if isinstance(failure, Problem) or len(writes) == 1:  # each write would meet it
                return [(write, None, failure) for write in writes]
        # one at a time, so that none fails for another's fault
        return [self._commit(partial(list, [write]))[0] for write in writes]


def _outcome(write: _QueuedWrite) -> _Outcome:
    try:
        return write, write.work(), None
    except Exception as failure:  # raised to the caller of `submit`
        return write, None, failure
