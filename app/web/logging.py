"""JSON logging: one object per line on standard error, without any content of requests.

Lines are handed to a thread that writes them, so that a slow reader of standard error holds up no request. What does
not fit into the queue is lost, and the next line that fits says how many were.
"""

import logging
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from logging.handlers import QueueHandler
from queue import Full, Queue
from threading import Thread
from typing import Any, TextIO

from app.api_keys import mask_keys
from app.json_codec import to_json

MOST_WAITING = 10_000
"""Most lines in the queue; a few megabytes."""
SECONDS_AT_THE_END = 2.0
"""How long the process waits at exit for the last lines to be written."""


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON: time, level, logger, message, the fields given with it, and the trace."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON; API keys are masked."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        entry["message"] = record.getMessage()
        entry |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            entry["trace"] = trace_of(record.exc_info[1])
        return mask_keys(to_json(entry, fallback=str).decode())


def trace_of(failure: BaseException) -> list[str]:
    """The traceback of an exception and its causes: each class name, then its frames, the outermost first.

    Exception messages are left out: they repeat values from request bodies and from the database.
    """
    lines: list[str] = []
    cause: BaseException | None = failure
    while cause is not None:
        frames = traceback.extract_tb(cause.__traceback__)
        lines.append(type(cause).__qualname__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}: {frame.line}" for frame in frames]
        cause = cause.__cause__ or cause.__context__
    return lines


class Buffered(QueueHandler):
    """Log handler that formats in the calling thread and writes to standard error in its own thread."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.waiting: Queue[str | None] = Queue(MOST_WAITING)
        super().__init__(self.waiting)
        self.stream = stream or sys.stderr
        self.lost = 0
        self._writer = Thread(target=self._write, name="logs", daemon=True)
        self._writer.start()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put one line into the queue, or count it as lost when the queue is full."""
        try:
            if self.lost:
                text = f"{self.lost} lines were lost: standard error is read too slowly"
                warning = logging.LogRecord("app.web.logging", logging.WARNING, __file__, 0, text, None, None)
                self.waiting.put_nowait(self.format(warning))
                self.lost = 0
            self.waiting.put_nowait(record.msg)
        except Full:
            self.lost += 1

    def close(self) -> None:
        """Write the queued lines, for at most SECONDS_AT_THE_END."""
        with suppress(Full):
            self.waiting.put_nowait(None)
        self._writer.join(SECONDS_AT_THE_END)
        super().close()

    def _write(self) -> None:
        with suppress(ValueError, OSError):  # standard error is closed
            while (line := self.waiting.get()) is not None:
                self.stream.write(f"{line}\n")
                if self.waiting.empty():
                    self.stream.flush()
            self.stream.flush()


def configuration(level: str, *, access_log: bool) -> dict[str, Any]:
    """The `logging.config.dictConfig` configuration that uvicorn applies in each of its processes."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"()": Buffered, "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "uvicorn": {"level": level.upper()},
            "app": {"level": level.upper()},
            "app.access": {"level": "INFO" if access_log else "CRITICAL"},
        },
    }
