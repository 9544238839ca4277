"""Short reads that are remembered for as long as nobody commits anything to the SQLite file."""

import sqlite3
from collections.abc import Hashable
from typing import Any

MOST_REMEMBERED = 10_000
"""Short reads kept at most: callers may ask for as many things as they like."""


class Memory:
    """What was read from a SQLite file, kept until anybody — this process or another — commits to it."""

    def __init__(self, url: str) -> None:
        self._file = url.removeprefix("sqlite:///")
        self._watch: sqlite3.Connection | None = None
        self._version: int | None = None
        self._held: dict[Hashable, Any] = {}

    def since_last_commit(self) -> dict[Hashable, Any]:
        """What may still be believed; empty after a commit, and when the file cannot be asked."""
        try:
            if self._watch is None:
                self._watch = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
            version = self._watch.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return {}
        if version != self._version or len(self._held) >= MOST_REMEMBERED:
            self._version, self._held = version, {}
        return self._held

    def close(self) -> None:
        """Close the connection that watches for commits."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
