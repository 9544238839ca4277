"""JSON logging: one object per line on standard error, without any content of requests.

Lines are handed to a thread that writes them, so that a slow reader of standard error holds up no request. What does
not fit into the queue is lost, and the next line that fits says how many were.
"""

import logging
import sys
import traceback
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
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


class QueuedStderr(QueueHandler):
    """Log handler that formats in the calling thread and writes to standard error in the thread of a QueueListener."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(Queue(MOST_WAITING))
        self.lost = 0
        self.listener: QueueListener | None = WaitingListener(self.queue, logging.StreamHandler(stream or sys.stderr))
        self.listener.start()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Put one record into the queue, or count it as lost when the queue is full."""
        try:
            if self.lost:
                text = f"{self.lost} lines were lost: standard error is read too slowly"
                warning = logging.LogRecord("app.web.logging", logging.WARNING, __file__, 0, text, None, None)
                self.queue.put_nowait(self.prepare(warning))
                self.lost = 0
            self.queue.put_nowait(record)
        except Full:
            self.lost += 1

    def close(self) -> None:
        """Write the queued lines, for at most SECONDS_AT_THE_END."""
        if self.listener is not None:
            stopping = Thread(target=self.listener.stop, name="logs", daemon=True)
            self.listener = None
            stopping.start()
            stopping.join(SECONDS_AT_THE_END)
        super().close()


class WaitingListener(QueueListener):
    """A QueueListener that can be stopped while its queue is full: the sentinel waits for room."""

    def enqueue_sentinel(self) -> None:
        """Put the sentinel behind the queued records."""
        self.queue.put(self._sentinel)  # type: ignore[attr-defined]  # the documented way to override the put


def configuration(level: str, *, access_log: bool) -> dict[str, Any]:
    """The `logging.config.dictConfig` configuration that uvicorn applies in each of its processes."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"()": QueuedStderr, "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "uvicorn": {"level": level.upper()},
            "app": {"level": level.upper()},
            "app.access": {"level": "INFO" if access_log else "CRITICAL"},
        },
    }
