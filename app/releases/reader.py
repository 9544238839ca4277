"""An opened release: its file as it was frozen, under today's marks.

A record of a release shows today's `source_status`, and `withdrawn` as its state when it was withdrawn since. The file
is never written to: views of the connection, which SQLite finds before the tables of the same name, lay the marks over
the rows. Which records a release shows stays as it was.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, QueuePool, create_engine, event, select

from app.db.database import Database, Reads
from app.db.read_pool import slow_slots
from app.db.tables import ALIAS, RECORD_VERSION
from app.models import RESOURCES
from app.models.base import Row
from app.store.read.releases import Release
from app.store.read.revision import revision_of

CHUNK = 400
"""Ids per statement: below the parameter limits of both engines."""
MARK = """CREATE TEMP TABLE mark (
    kind TEXT NOT NULL, id TEXT NOT NULL, source_status TEXT, state TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID"""


class CurrentStanding(NamedTuple):
    """What became of a record: the worst standing of what it rests on, and whether it was withdrawn."""

    kind: str
    id: str
    source_status: str | None
    state: str


class ReleaseReader(Reads):
    """Reads from the file of one release."""

    def __init__(self, file: Path, release: Release, *, query_seconds: float, read_threads: int) -> None:
        self.release = release
        self.followed = release.revision
        """The live revision whose marks it shows."""
        self._marks: list[CurrentStanding] = []
        pool_size = read_threads + slow_slots(read_threads)
        engine = create_engine(
            "sqlite://", creator=partial(connect, file), poolclass=QueuePool, pool_size=pool_size, max_overflow=0
        )
        event.listen(engine, "connect", _shadow)
        super().__init__(engine, query_seconds=query_seconds, read_threads=read_threads)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection over the file and the marks of the moment."""
        with super().read() as connection:
            marks = self._marks
            if connection.info.get("marks") is not marks:
                connection.exec_driver_sql("DELETE FROM temp.mark")
                if marks:
                    connection.exec_driver_sql("INSERT INTO temp.mark VALUES (?, ?, ?, ?)", [*map(tuple, marks)])
                connection.info["marks"] = marks
            yield connection

    async def follow(self, live: Database) -> None:
        """Take over from the live database what became of the records since they were frozen."""
        revision = await live.cached_read("revision", revision_of)
        if revision == self.followed:
            return
        marks: list[CurrentStanding] = []
        for row in RESOURCES.values():
            edited = await live.fetch(partial(standings_since, resource=row, revision=self.release.revision))
            marks += await self.fetch(partial(_differing, resource=row, standings=edited))
        self._marks, self.followed = marks, revision


def standings_since(connection: Connection, resource: type[Row], revision: int) -> dict[str, CurrentStanding]:
    """How the records of a resource that were written after a revision stand now, also by their former ids."""
    table, kind = resource.table(), resource.plural
    written = select(RECORD_VERSION.c.id).where(RECORD_VERSION.c.kind == kind, RECORD_VERSION.c.revision > revision)
    found = {
        record_id: CurrentStanding(kind, record_id, status, state)
        for record_id, status, state in connection.execute(
            select(table.c.id, table.c.source_status, table.c.state).where(table.c.id.in_(written))
        )
    }
    former = connection.execute(select(ALIAS.c.id, ALIAS.c.to_id).where(ALIAS.c.kind == kind))
    renamed = {old: found[new]._replace(id=old) for old, new in former if new in found}
    return found | renamed


def _differing(
    connection: Connection, resource: type[Row], standings: dict[str, CurrentStanding]
) -> list[CurrentStanding]:
    """The marks of the records that stand otherwise than when they were frozen."""
    marks: list[CurrentStanding] = []
    columns = ", ".join(f'"{name}"' for name in ("id", "source_status", "state"))
    ids = list(standings)
    for start in range(0, len(ids), CHUNK):
        some = tuple(ids[start : start + CHUNK])
        places = ", ".join("?" * len(some))
        frozen = f'SELECT {columns} FROM main."{resource.table().name}" WHERE "id" IN ({places})'  # noqa: S608  # our own names
        for record_id, status, state in connection.exec_driver_sql(frozen, some):
            now = standings[record_id]
            shown = "withdrawn" if "withdrawn" in (state, now.state) else state
            if (now.source_status, shown) != (status, state):
                marks.append(now._replace(state=shown))
    return marks


def connect(file: Path) -> sqlite3.Connection:
    """A connection to a release's file, which nobody writes to."""
    address = f"file:{quote(str(file.absolute()))}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)


def _shadow(connection: sqlite3.Connection, _record: object) -> None:
    """Lay the views over the tables of the records."""
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(MARK)
    for view in _views():
        connection.execute(view)


@cache
def _views() -> tuple[str, ...]:
    return tuple(_view(row) for row in RESOURCES.values())


def _view(row: type[Row]) -> str:
    """One view: every column as it was frozen, but for the standing and the document of a marked record."""
    marked = {
        "source_status": "mark.source_status",
        "document": "json_set(frozen.document, '$.source_status', mark.source_status, '$.state', mark.state)",
    }
    columns = ", ".join(
        f'CASE WHEN mark.id IS NULL THEN frozen."{name}" ELSE {marked[name]} END AS "{name}"'
        if name in marked
        else f'frozen."{name}" AS "{name}"'
        for name in (column.name for column in row.table().columns)
    )
    name = row.table().name
    return (
        f'CREATE TEMP VIEW "{name}" AS SELECT {columns} FROM main."{name}" AS frozen '  # noqa: S608  # our own names
        f"LEFT JOIN temp.mark AS mark ON mark.kind = '{row.plural}' AND mark.id = frozen.id"
    )
