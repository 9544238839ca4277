"""Readiness of the service: the database is migrated, seeded and writable; checked at most once a second."""

import time
from dataclasses import dataclass

from anyio import CapacityLimiter, Lock, move_on_after, to_thread

from app.db.database import Database
from app.db.schema import newest_schema, schema_of
from app.errors import Unavailable
from app.store.read.revision import revision_of

SECONDS_KEPT = 1.0
"""For how long a result is reused, so that many simultaneous probes cost the database one check."""
LONGEST_LOOK_SECONDS = 1.5
"""Timeout of a check."""


@dataclass(frozen=True)
class ReadinessResult:
    """The revision of the dataset (0 when unknown), and a message for each failed check."""

    revision: int
    faults: dict[str, str]


class Readiness:
    """Readiness check of the database of a process, with a cached result."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._cached: tuple[float, ReadinessResult] | None = None
        self._lock = Lock()
        self._limiter: CapacityLimiter | None = None

    async def look(self) -> ReadinessResult:
        """The result of a check now or within the last SECONDS_KEPT."""
        async with self._lock:
            if self._cached is None or time.monotonic() - self._cached[0] > SECONDS_KEPT:
                self._cached = time.monotonic(), await self._look_with_timeout()
            return self._cached[1]

    async def _look_with_timeout(self) -> ReadinessResult:
        self._limiter = self._limiter or CapacityLimiter(1)
        with move_on_after(LONGEST_LOOK_SECONDS):
            return await to_thread.run_sync(look, self.database, abandon_on_cancel=True, limiter=self._limiter)
        return ReadinessResult(0, {"migrated": f"The database did not answer within {LONGEST_LOOK_SECONDS:g} seconds."})


def look(database: Database) -> ReadinessResult:
    """Check a database; a check is reported only when those that it depends on passed."""
    try:
        with database.read() as connection:
            schema = schema_of(connection)
            if schema != newest_schema():
                state = "holds no schema yet" if schema is None else f"has schema {schema}"
                return ReadinessResult(0, {"migrated": f"The database {state}; this program needs {newest_schema()}."})
            revision = revision_of(connection)
    except Unavailable as failure:
        return ReadinessResult(0, {"migrated": failure.detail})
    faults = {} if revision else {"seeded": "The database holds no records yet."}
    reason = database.why_not_writable()
    return ReadinessResult(revision, faults if reason is None else faults | {"writable": reason})
