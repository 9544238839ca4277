"""How long the reads of one request took, measured where the request asks for it (`TEV_SERVER_TIMING`)."""

from contextvars import ContextVar


class Stopwatch:
    """The sum of the seconds that reads of a request waited for the database and ran there."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.reads = 0

    def add(self, seconds: float) -> None:
        """Add one read."""
        self.seconds += seconds
        self.reads += 1


STOPWATCH: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)
"""The stopwatch of the current request; None when nothing is measured."""
