"""Reads on threads in two lanes, so that quick ones pass slow ones by.

Which questions are slow is not said anywhere: it is seen. A question that takes long marks its shape — what is asked,
without the values — and later ones of that shape wait for the few places of the slow lane, each no longer than a query
may take. One that turns out to be quick again takes the mark back. Held by tests/reliability/expensive.py.
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


class ReadPool:
    """`places` for all reads, and a quarter as many beside them for slow ones; belongs to one event loop.

    `works_here` says that the work is done by our own thread (SQLite), so that the processor's time tells how long it
    is, however busy the machine. Elsewhere (PostgreSQL) it is the time that passes.
    """

    def __init__(self, places: int, *, seconds: float, works_here: bool) -> None:
        self.seconds = seconds
        self.slow_after = seconds / 20 if works_here else seconds / 4
        self.works_here = works_here
        self._quick = asyncio.Semaphore(places)
        self._slow = CapacityLimiter(slow_places(places))
        self._threads = CapacityLimiter(places + slow_places(places))
        self._marked: set[Hashable] = set()

    async def run(self, work: Callable[[], T], shape: Hashable) -> T:
        """Run a read on a thread when its turn comes; Unavailable when it is slow and others like it come first."""
        turn = ReadSlot(self, shape)
        await turn.begin()
        try:
            return await to_thread.run_sync(turn.watched, work, limiter=self._threads)
        finally:
            turn.end()


class ReadSlot:
    """One read: its lane, which may change while it runs, and how long it has worked."""

    def __init__(self, lanes: ReadPool, shape: Hashable) -> None:
        self.lanes = lanes
        self.shape = shape
        self.is_quick = True
        self.is_slow = False
        self._clock = time.CLOCK_MONOTONIC
        self._began: float | None = None

    async def begin(self) -> None:
        """Wait for a place in the lane of the shape, which may be found to be slow meanwhile."""
        lanes = self.lanes
        await self._enter()
        self._timer = asyncio.get_running_loop().call_later(lanes.slow_after, self._look)

    async def _enter(self) -> None:
        lanes = self.lanes
        if self.shape not in lanes._marked:
            await lanes._quick.acquire()
            if self.shape not in lanes._marked:
                return
            lanes._quick.release()
        try:
            with fail_after(lanes.seconds):
                await lanes._slow.acquire_on_behalf_of(self)
        except TimeoutError as failure:
            words = "Other queries that take as long kept this one waiting; it was not begun."
            raise Unavailable(words, headers={"Retry-After": "1"}) from failure
        self.is_quick = False

    def watched(self, work: Callable[[], T]) -> T:
        """Do the work, on its thread, whose clock is known from now on."""
        if self.lanes.works_here:
            self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._began = time.clock_gettime(self._clock)
        try:
            return work()
        except Unavailable:
            self._mark()  # it was cut off, however little of the processor it got
            raise
        finally:
            self._mark_if_slow()
            self._began = None

    def _look(self) -> None:
        """While it runs: a slow one changes to the slow lane when there is a place."""
        self._mark_if_slow()
        if not self.is_slow:
            self._timer = asyncio.get_running_loop().call_later(self.lanes.slow_after, self._look)
            return
        with suppress(WouldBlock):
            if self.is_quick:
                self.lanes._slow.acquire_on_behalf_of_nowait(self)
                self.lanes._quick.release()
                self.is_quick = False

    def _mark_if_slow(self) -> None:
        began = self._began
        if began is not None and time.clock_gettime(self._clock) - began >= self.lanes.slow_after:
            self._mark()

    def _mark(self) -> None:
        self.is_slow = True
        if len(self.lanes._marked) >= MOST_MARKS:
            self.lanes._marked.clear()
        self.lanes._marked.add(self.shape)

    def end(self) -> None:
        """Give the place back, and the mark too when this one was quick."""
        self._timer.cancel()
        if self.is_quick:
            self.lanes._quick.release()
        else:
            self.lanes._slow.release_on_behalf_of(self)
        if not self.is_slow:
            self.lanes._marked.discard(self.shape)


def slow_places(places: int) -> int:
    """How many slow reads run beside so many others."""
    return max(1, places // 4)


def shape_of(work: Callable[..., Any]) -> Hashable:
    """What a piece of work does, whatever it is asked with: the code of its function."""
    while isinstance(work, partial):
        work = work.func
    return getattr(work, "__code__", work)
