"""Thread pool for reads with two lanes (bulkhead), so that slow queries cannot hold up quick ones.

Which queries are slow is measured, not configured. A query that takes long marks its shape — the query without its
values — as slow, and later queries of that shape wait for the few slots of the slow lane, each no longer than a query
may take. A quick one of that shape removes the mark. Checked by tests/reliability/expensive.py.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, WouldBlock, fail_after, to_thread

from app.errors import Unavailable

T = TypeVar("T")
MOST_MARKS = 1000
"""Maximum number of shapes marked as slow; beyond it all marks are removed."""


class ReadPool:
    """`slots` threads for all reads, and a quarter as many more for slow ones; belongs to one event loop.

    With `in_process` the query runs on our own thread (SQLite): it is slow after `seconds` / 20 of that thread's CPU
    time, which does not depend on the load of the machine. Otherwise (PostgreSQL) it is slow after `seconds` / 4 of
    elapsed time.
    """

    def __init__(self, slots: int, *, seconds: float, in_process: bool) -> None:
        self.seconds = seconds
        self.slow_after = seconds / 20 if in_process else seconds / 4
        self.in_process = in_process
        self._quick = asyncio.Semaphore(slots)
        self._slow = CapacityLimiter(slow_slots(slots))
        self._threads = CapacityLimiter(slots + slow_slots(slots))
        self._slow_shapes: set[Hashable] = set()

    async def run(self, work: Callable[[], T], shape: Hashable) -> T:
        """Run a read on a thread once it has a slot; Unavailable if its shape is slow and no slot is free in time."""
        slot = ReadSlot(self, shape)
        await slot.begin()
        try:
            return await to_thread.run_sync(slot.run, work, limiter=self._threads)
        finally:
            slot.end()


class ReadSlot:
    """One read: its lane, which may change while it runs, and the time it has taken."""

    def __init__(self, pool: ReadPool, shape: Hashable) -> None:
        self.pool = pool
        self.shape = shape
        self.is_quick = True
        self.is_slow = False
        self._clock = time.CLOCK_MONOTONIC
        self._began: float | None = None

    async def begin(self) -> None:
        """Wait for a slot in the lane of the shape, which may be found to be slow meanwhile."""
        pool = self.pool
        await self._enter()
        self._timer = asyncio.get_running_loop().call_later(pool.slow_after, self._check)

    async def _enter(self) -> None:
        pool = self.pool
        if self.shape not in pool._slow_shapes:
            await pool._quick.acquire()
            if self.shape not in pool._slow_shapes:
                return
            pool._quick.release()
        try:
            with fail_after(pool.seconds):
                await pool._slow.acquire_on_behalf_of(self)
        except TimeoutError as failure:
            detail = "Other queries that take as long kept this one waiting; it was not begun."
            raise Unavailable(detail, headers={"Retry-After": "1"}) from failure
        self.is_quick = False

    def run(self, work: Callable[[], T]) -> T:
        """Run the work on the current thread, and measure it by that thread's clock."""
        if self.pool.in_process:
            self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._began = time.clock_gettime(self._clock)
        try:
            return work()
        except Unavailable:
            self._mark()  # it was cut off, however little CPU time it got
            raise
        finally:
            self._mark_if_slow()
            self._began = None

    def _check(self) -> None:
        """While the read runs: move it to the slow lane if it is slow and a slot is free there."""
        self._mark_if_slow()
        if not self.is_slow:
            self._timer = asyncio.get_running_loop().call_later(self.pool.slow_after, self._check)
            return
        with suppress(WouldBlock):
            if self.is_quick:
                self.pool._slow.acquire_on_behalf_of_nowait(self)
                self.pool._quick.release()
                self.is_quick = False

    def _mark_if_slow(self) -> None:
        began = self._began
        if began is not None and time.clock_gettime(self._clock) - began >= self.pool.slow_after:
            self._mark()

    def _mark(self) -> None:
        self.is_slow = True
        if len(self.pool._slow_shapes) >= MOST_MARKS:
            self.pool._slow_shapes.clear()
        self.pool._slow_shapes.add(self.shape)

    def end(self) -> None:
        """Release the slot, and unmark the shape if this read was quick."""
        self._timer.cancel()
        if self.is_quick:
            self.pool._quick.release()
        else:
            self.pool._slow.release_on_behalf_of(self)
        if not self.is_slow:
            self.pool._slow_shapes.discard(self.shape)


def slow_slots(slots: int) -> int:
    """Number of slots of the slow lane beside `slots` others: a quarter, at least one."""
    return max(1, slots // 4)


def shape_of(work: Callable[..., Any]) -> Hashable:
    """The shape of a read: the code object of its function, without the arguments."""
    while isinstance(work, partial):
        work = work.func
    return getattr(work, "__code__", work)
