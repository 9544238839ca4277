"""Writes take turns, off the event loop, in the order in which they came; those that wait share one commit."""

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
Key = tuple[str, str]
Together = Callable[[], AbstractContextManager[Callable[[Collection[Key]], None]]]
LONGEST_WAIT_SECONDS = 10.0
MOST_TOGETHER = 32
"""Writes that share a commit: the disk is waited for once, and the first of them waits for no more than these."""


@dataclass(eq=False)
class _Turn:
    """One write, and what became of it."""

    work: Callable[[], Any]
    about: Collection[Key]
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


_Outcome = tuple[_Turn, Any, BaseException | None]


class WriteQueue:
    """The queue before the one connection that writes; reads pass it by.

    `together` opens the transaction that the writes of a group share (group commit), and gives what reads ahead the
    records that they will ask for. Whatever a group did is told when the transaction is on disk, and when that fails,
    all of it failed.
    """

    def __init__(self, together: Together, *, seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self.together = together
        self.seconds = seconds
        self._waiting: deque[_Turn] = deque()
        self._lock = threading.Lock()
        self._runner: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many writes wait for their turn."""
        return len(self._waiting)

    async def submit(self, work: Callable[[], T], about: Collection[Key] = ()) -> T:
        """Run a write when its turn comes; Unavailable when that takes too long, and then nothing was begun.

        `about` names the records that it is going to ask for.
        """
        turn = _Turn(work, about)
        with self._lock:
            self._waiting.append(turn)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        try:
            await asyncio.wait([turn.done], timeout=self.seconds)
        except asyncio.CancelledError:  # the caller is gone
            self._leave(turn)
            turn.done.cancel()
            raise
        if not turn.done.done() and self._leave(turn):
            words = f"Other writes have kept this one waiting for {self.seconds:g} seconds; it was not begun."
            raise Unavailable(words, headers={"Retry-After": "1"})
        result: T = await turn.done
        return result

    def _leave(self, turn: _Turn) -> bool:
        """Take a write out of the queue; False when it was begun."""
        with self._lock:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True

    def _take(self) -> list[_Turn]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]

    async def _run(self) -> None:
        while self._waiting:
            for turn, result, failure in await to_thread.run_sync(self._commit, self._take):
                if turn.done.cancelled():
                    continue
                if failure is None:
                    turn.done.set_result(result)
                else:
                    turn.done.set_exception(failure)
        self._runner = None

    def _commit(self, take: Callable[[], list[_Turn]]) -> list[_Outcome]:
        """Do the writes that wait by when the transaction is open, which another process may delay."""
        turns: list[_Turn] = []
        try:
            with self.together() as read_ahead:
                turns = take()
                read_ahead({key for turn in turns for key in turn.about})
                return [_outcome(turn) for turn in turns]
        except Exception as failure:
            turns = turns or take()
            if isinstance(failure, Problem) or len(turns) == 1:  # of the database, which each of them would meet
                return [(turn, None, failure) for turn in turns]
        return [self._commit(partial(list, [turn]))[0] for turn in turns]  # nobody pays for another's fault


def _outcome(turn: _Turn) -> _Outcome:
    try:
        return turn, turn.work(), None
    except Exception as failure:  # it is told to whoever asked for the write
        return turn, None, failure
