"""Logs: one JSON object a line on standard error, without anything that somebody sent.

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

from pydantic_core import to_json

from app.api_keys import mask_keys

MOST_WAITING = 10_000
"""Lines that wait to be written; a few megabytes."""
SECONDS_AT_THE_END = 2.0
"""How long the end of the process waits for the last lines."""


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON: time, level, logger, message, the fields given with it, and the trace."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; whatever looks like a key is masked."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        entry: dict[str, Any] = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        entry["message"] = record.getMessage()
        entry |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            entry["trace"] = trace_of(record.exc_info[1])
        return mask_keys(to_json(entry, fallback=str).decode())


def trace_of(failure: BaseException) -> list[str]:
    """Where an exception and its causes came from: each class, and below it the lines of code, the outermost first.

    Messages of exceptions stay out: they repeat values from bodies and from the database.
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
    """Formats a record where it is made and lets a thread of its own write it to standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.waiting: Queue[str | None] = Queue(MOST_WAITING)
        super().__init__(self.waiting)
        self.stream = stream or sys.stderr
        self.lost = 0
        self._writer = Thread(target=self._write, name="logs", daemon=True)
        self._writer.start()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Hand over one line, or count it as lost."""
        try:
            if self.lost:
                words = f"{self.lost} lines were lost: standard error is read too slowly"
                note = logging.LogRecord("app.web.logging", logging.WARNING, __file__, 0, words, None, None)
                self.waiting.put_nowait(self.format(note))
                self.lost = 0
            self.waiting.put_nowait(record.msg)
        except Full:
            self.lost += 1

    def close(self) -> None:
        """Write what waits, as far as standard error takes it soon."""
        with suppress(Full):
            self.waiting.put_nowait(None)
        self._writer.join(SECONDS_AT_THE_END)
        super().close()

    def _write(self) -> None:
        with suppress(ValueError, OSError):  # nobody reads standard error any more
            while (line := self.waiting.get()) is not None:
                self.stream.write(f"{line}\n")
                if self.waiting.empty():
                    self.stream.flush()
            self.stream.flush()


def configuration(level: str, *, access_log: bool) -> dict[str, Any]:
    """What uvicorn hands to `logging.config.dictConfig` in each of its processes."""
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
