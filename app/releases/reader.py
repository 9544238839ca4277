"""Read a release: its frozen file, overlaid with the current status of its records' sources.

A record of a release shows today's `source_status`, and `withdrawn` as its state when it was withdrawn since. The file
is never written to: temporary views, which SQLite resolves before tables of the same name, join each table with the
current status in `temp.mark`. Which records a release lists stays as it was.
"""

import sqlite3
from collections.abc import Iterator, Mapping
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

IDS_PER_STATEMENT = 400
"""Ids per statement: below the parameter limits of both engines."""
STATUS_TABLE = """CREATE TEMP TABLE mark (
    kind TEXT NOT NULL, id TEXT NOT NULL, source_status TEXT, state TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID"""


class CurrentStatus(NamedTuple):
    """The current status of a record: the worst status of its sources, and its state."""

    kind: str
    id: str
    source_status: str | None
    state: str


class ReleaseReader(Reads):
    """Reads from the file of one release."""

    def __init__(
        self,
        file: Path,
        release: Release,
        *,
        query_seconds: float,
        read_threads: int,
        later_columns: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self.release = release
        self.later_columns = later_columns or {}
        """By resource, the columns that the release was made before; they are empty in its migrated copy."""
        self.followed = release.revision
        """The revision of the live database whose statuses are shown."""
        self._marks: list[CurrentStatus] = []
        pool_size = read_threads + slow_slots(read_threads)
        engine = create_engine(
            "sqlite://", creator=partial(connect, file), poolclass=QueuePool, pool_size=pool_size, max_overflow=0
        )
        event.listen(engine, "connect", _create_views)
        super().__init__(engine, query_seconds=query_seconds, read_threads=read_threads)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to the file, with the latest statuses in its temporary table."""
        with super().read() as connection:
            marks = self._marks
            if connection.info.get("marks") is not marks:
                connection.exec_driver_sql("DELETE FROM temp.mark")
                if marks:
                    connection.exec_driver_sql("INSERT INTO temp.mark VALUES (?, ?, ?, ?)", [*map(tuple, marks)])
                connection.info["marks"] = marks
            yield connection

    async def follow(self, live: Database) -> None:
        """Read from the live database the status of records that changed since the release; a no-op if up to date."""
        revision = await live.cached_read("revision", revision_of)
        if revision == self.followed:
            return
        differing: list[CurrentStatus] = []
        for row in RESOURCES.values():
            statuses = await live.fetch(partial(statuses_since, resource=row, revision=self.release.revision))
            differing += await self.fetch(partial(_differing, resource=row, statuses=statuses))
        self._marks, self.followed = differing, revision


def statuses_since(connection: Connection, resource: type[Row], revision: int) -> dict[str, CurrentStatus]:
    """The current status of a resource's records that were written after a revision, by id and by former ids."""
    table, kind = resource.table(), resource.plural
    written = select(RECORD_VERSION.c.id).where(RECORD_VERSION.c.kind == kind, RECORD_VERSION.c.revision > revision)
    statuses = {
        record_id: CurrentStatus(kind, record_id, status, state)
        for record_id, status, state in connection.execute(
            select(table.c.id, table.c.source_status, table.c.state).where(table.c.id.in_(written))
        )
    }
    former = connection.execute(select(ALIAS.c.id, ALIAS.c.to_id).where(ALIAS.c.kind == kind))
    renamed = {old: statuses[new]._replace(id=old) for old, new in former if new in statuses}
    return statuses | renamed


def _differing(connection: Connection, resource: type[Row], statuses: dict[str, CurrentStatus]) -> list[CurrentStatus]:
    """The statuses that differ from those in the release."""
    differing: list[CurrentStatus] = []
    columns = ", ".join(f'"{name}"' for name in ("id", "source_status", "state"))
    ids = list(statuses)
    for start in range(0, len(ids), IDS_PER_STATEMENT):
        chunk = tuple(ids[start : start + IDS_PER_STATEMENT])
        placeholders = ", ".join("?" * len(chunk))
        frozen = f'SELECT {columns} FROM main."{resource.table().name}" WHERE "id" IN ({placeholders})'  # noqa: S608  # our own names
        for record_id, status, state in connection.exec_driver_sql(frozen, chunk):
            current = statuses[record_id]
            shown = "withdrawn" if "withdrawn" in (state, current.state) else state
            if (current.source_status, shown) != (status, state):
                differing.append(current._replace(state=shown))
    return differing


def connect(file: Path) -> sqlite3.Connection:
    """A read-only connection (`immutable=1`: no locks) to a release's file."""
    address = f"file:{quote(str(file.absolute()))}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)


def _create_views(connection: sqlite3.Connection, _record: object) -> None:
    """On connect: create the temporary table of statuses and the views over the tables of records."""
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute(STATUS_TABLE)
    for view in _views():
        connection.execute(view)


@cache
def _views() -> tuple[str, ...]:
    return tuple(_view(row) for row in RESOURCES.values())


def _view(row: type[Row]) -> str:
    """The view of one table: frozen columns, but the current `source_status` and document of a record with a status."""
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
