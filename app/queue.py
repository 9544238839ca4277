"""Writes take turns: one at a time in a process, in the order in which they came, off the event loop."""

from collections.abc import Callable
from typing import TypeVar

from anyio import Lock, fail_after, to_thread

from app.errors import Unavailable

T = TypeVar("T")
LONGEST_WAIT_SECONDS = 10.0


class WriteQueue:
    """The queue before the one connection that writes; reads pass it by."""

    def __init__(self, *, seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self.seconds = seconds
        self._turn = Lock()

    @property
    def waiting(self) -> int:
        """How many writes wait for their turn."""
        return self._turn.statistics().tasks_waiting

    async def submit(self, work: Callable[[], T]) -> T:
        """Run a write when its turn comes; Unavailable when that takes too long, and then nothing was begun."""
        try:
            with fail_after(self.seconds):
                await self._turn.acquire()
        except TimeoutError as failure:
            words = f"Other writes have kept this one waiting for {self.seconds:g} seconds; it was not begun."
            raise Unavailable(words, headers={"Retry-After": "1"}) from failure
        try:
            return await to_thread.run_sync(work)
        finally:
            self._turn.release()
