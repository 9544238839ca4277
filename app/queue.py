"""Writes take turns, off the event loop, in the order in which they came; those that wait share one commit."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from anyio import to_thread

from app.errors import Problem, Unavailable

T = TypeVar("T")
Key = tuple[str, str]
Together = Callable[[Collection[Key]], AbstractContextManager[None]]
LONGEST_WAIT_SECONDS = 10.0
MOST_TOGETHER = 32
"""Writes that share a commit: the disk is waited for once, and the first of them waits for no more than these."""


@dataclass(eq=False)
class _Turn:
    """One write, and what became of it."""

    work: Callable[[], Any]
    about: Collection[Key]
    done: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


_Outcome = tuple[Any, BaseException | None]


class WriteQueue:
    """The queue before the one connection that writes; reads pass it by.

    `together` opens the transaction that the writes of a group share (group commit), and is given the records that they
    will ask for: whatever a group did is told when the transaction is on disk, and when that fails, all of it failed.
    """

    def __init__(self, together: Together, *, seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self.together = together
        self.seconds = seconds
        self._waiting: deque[_Turn] = deque()
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
        if turn not in self._waiting:
            return False
        self._waiting.remove(turn)
        return True

    async def _run(self) -> None:
        while self._waiting:
            turns = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
            outcomes = await to_thread.run_sync(self._commit, turns)
            for turn, (result, failure) in zip(turns, outcomes, strict=True):
                if turn.done.cancelled():
                    continue
                if failure is None:
                    turn.done.set_result(result)
                else:
                    turn.done.set_exception(failure)
        self._runner = None

    def _commit(self, turns: Sequence[_Turn]) -> list[_Outcome]:
        """Do the writes in one transaction, and say what became of each."""
        try:
            with self.together({key for turn in turns for key in turn.about}):
                return [_outcome(turn.work) for turn in turns]
        except Problem as failure:  # of the database, which each of them would meet
            return [(None, failure)] * len(turns)
        except Exception as failure:
            if len(turns) == 1:
                return [(None, failure)]
        return [self._commit([turn])[0] for turn in turns]  # nothing was kept, and nobody pays for another's fault


def _outcome(work: Callable[[], Any]) -> _Outcome:
    try:
        return work(), None
    except Exception as failure:  # it is told to whoever asked for the write
        return None, failure
