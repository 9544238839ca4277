"""Whether the service can do its work: migrated, seeded, writable; looked at once a second at most."""

import time
from dataclasses import dataclass

from anyio import CapacityLimiter, Lock, move_on_after, to_thread

from app.db.database import Database
from app.db.schema import newest_schema, schema_of
from app.errors import Unavailable
from app.store.read.revision import revision_of

SECONDS_KEPT = 1.0
"""A probe that many ask at once costs the database no more than one that one asks."""
LONGEST_LOOK_SECONDS = 1.5


@dataclass(frozen=True)
class ReadinessResult:
    """What was found: the revision, and for each check that failed why."""

    revision: int
    faults: dict[str, str]


class Readiness:
    """Looks at the database of a process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._found: tuple[float, ReadinessResult] | None = None
        self._turn = Lock()
        self._limiter: CapacityLimiter | None = None

    async def look(self) -> ReadinessResult:
        """What holds now, or held less than a second ago."""
        async with self._turn:
            if self._found is None or time.monotonic() - self._found[0] > SECONDS_KEPT:
                self._found = time.monotonic(), await self._bounded()
            return self._found[1]

    async def _bounded(self) -> ReadinessResult:
        self._limiter = self._limiter or CapacityLimiter(1)
        with move_on_after(LONGEST_LOOK_SECONDS):
            return await to_thread.run_sync(look, self.database, abandon_on_cancel=True, limiter=self._limiter)
        return ReadinessResult(0, {"migrated": f"The database did not answer within {LONGEST_LOOK_SECONDS:g} seconds."})


def look(database: Database) -> ReadinessResult:
    """What holds of a database; a check that needs another one is told only when that one holds."""
    try:
        with database.read() as connection:
            schema = schema_of(connection)
            if schema != newest_schema():
                is_missing = "holds no schema yet" if schema is None else f"has schema {schema}"
                return ReadinessResult(
                    0, {"migrated": f"The database {is_missing}; this program needs {newest_schema()}."}
                )
            revision = revision_of(connection)
    except Unavailable as failure:
        return ReadinessResult(0, {"migrated": failure.detail})
    faults = {} if revision else {"seeded": "The database holds no records yet."}
    reason = database.why_not_writable()
    return ReadinessResult(revision, faults if reason is None else faults | {"writable": reason})
