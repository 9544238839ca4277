"""Build a release: a snapshot of the dataset in one read-only SQLite file that is never changed again.

The file is built under a temporary name and gets its own at the very end, together with its row in the table of
releases. The next run removes what a crash left; a lock on the folder serialises runs.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, select

from app.db.database import Database
from app.db.schema import new_file
from app.db.tables import (
    ALIAS,
    CODE,
    RECORD_VERSION,
    REFERENCE,
    REGISTRY,
    RELEASE,
    REVISION,
    SEARCH_INDEX,
    SHAPE,
    SOURCE_TEXT,
    metadata,
)
from app.errors import BrokenSetting, NotFound
from app.evidence.citations.masking import mask_text, spans_in
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.sources import Source
from app.models.types import RELEASE_PATTERN
from app.releases.difference import difference_between
from app.store.read.records import totals
from app.store.read.releases import Release, file_of, find_release, list_releases
from app.store.read.revision import revision_of
from app.store.write.documents import Progress
from app.store.write.index import refill
from app.store.write.releases import record_release

OTHER_TABLES = (REGISTRY, REFERENCE, CODE, SOURCE_TEXT, REVISION, RECORD_VERSION, ALIAS, RELEASE, SHAPE, *SEARCH_INDEX)
"""The tables of a release beside those of records: an allow-list, since other tables may hold secrets (API keys)."""
ROWS_PER_READ = 500


def build_release(
    database: Database, folder: Path, name: str, *, notes: str | None = None, progress: Progress = lambda _count: None
) -> Release:
    """Build a release of the current dataset and record it.

    BrokenSetting when the name is malformed or taken, or when the database has no records.
    """
    if not re.fullmatch(RELEASE_PATTERN, name):
        raise BrokenSetting(
            f"{name[:100]!r} is no name of a release: 1–60 of a–z, 0–9, '.' and '-', beginning with a letter or digit."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with _lock_folder(folder):
        _remove_leftovers(database, folder)
        _refuse_taken(database, folder, name)
        partial = folder / f".{name}.partial"
        release = _build_file(database, partial, name, notes, progress)
        _publish(database, partial, file_of(folder, name), release)
    return release


def rows_to_copy(database: Database) -> int:
    """The number of rows in the released tables, for a progress bar."""
    with database.snapshot() as connection:
        return sum(
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in released_tables()
        )


def released_tables() -> list[Table]:
    """The tables of a release, in the order of their foreign keys."""
    named = {row.table().name for row in RESOURCES.values()} | {table.name for table in OTHER_TABLES}
    return [table for table in metadata.sorted_tables if table.name in named]


# Before


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Hold an exclusive lock (flock) on the folder; the system releases it when the process ends."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_leftovers(database: Database, folder: Path) -> None:
    """Remove the partial files of interrupted runs, and a file that such a run published but did not record."""
    for partial in sorted(folder.glob(".*.partial")):
        name = partial.name.removeprefix(".").removesuffix(".partial")
        file = file_of(folder, name)
        if file.exists() and file.samefile(partial) and not _is_recorded(database, name):
            file.unlink()
        partial.unlink()
        partial.with_name(f"{partial.name}-journal").unlink(missing_ok=True)


def _is_recorded(database: Database, name: str) -> bool:
    with database.read() as connection:
        try:
            find_release(connection, name)
        except NotFound:
            return False
        return True


def _refuse_taken(database: Database, folder: Path, name: str) -> None:
    if _is_recorded(database, name):
        raise BrokenSetting(f"There is a release {name!r} already, and a release never changes. Take another name.")
    if file_of(folder, name).exists():
        raise BrokenSetting(f"{file_of(folder, name)} exists and is no release of this database. Take another name.")


# The file


def _build_file(database: Database, partial: Path, name: str, notes: str | None, progress: Progress) -> Release:
    """Build the file under its partial name, read-only and synced to disk; returns the row to record."""
    with database.snapshot() as connection:
        revision = revision_of(connection)
        if revision == 0:
            raise BrokenSetting("There is nothing to release: the database holds no records yet.")
        previous = next(iter(list_releases(connection, 1)), None)
        release = Release(
            name=name,
            at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            revision=revision,
            previous=previous.name if previous else None,
            sha256="",
            size=0,
            counts=totals(connection),
            difference=difference_between(connection, previous.revision if previous else 0, revision),
            notes=notes,
        )
        with new_file(partial) as copy:
            for table in released_tables():
                for rows in _rows(connection, table):
                    copy.execute(table.insert(), rows)
                    progress(len(rows))
            refill(copy)
    partial.chmod(0o444)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
        digest = file_digest(file, "sha256").hexdigest()
    return replace(release, sha256=digest, size=partial.stat().st_size)


def _rows(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table, without drafts, in chunks; source texts masked where they may not be served."""
    statement = select(table)
    if "state" in table.c:
        statement = statement.where(table.c.state != "draft")
    mappings = connection.execute(statement, execution_options={"yield_per": ROWS_PER_READ}).mappings()
    for rows in mappings.partitions():
        yield [_servable_text(connection, dict(row)) if table is SOURCE_TEXT else dict(row) for row in rows]


def _servable_text(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """The row of a source's text: whole where its `text_served` is `full`, else with all but the quotes masked."""
    sources = Source.table()
    source = row["source"]
    if connection.execute(select(sources.c.text_served).where(sources.c.id == source)).scalar() == "full":
        return row
    spans = [
        span for document in _citing_documents(connection, source) for span in spans_in(from_json(document), source)
    ]
    return {"source": source, "text": mask_text(row["text"], spans)}


def _citing_documents(connection: Connection, source: str) -> Iterator[str]:
    """The documents of every record that refers to a source."""
    for kind, resource in RESOURCES.items():
        table = resource.table()
        mentioning = select(REFERENCE.c.from_id).where(
            REFERENCE.c.to_kind == Source.plural, REFERENCE.c.to_id == source, REFERENCE.c.from_kind == kind
        )
        yield from connection.execute(select(table.c.document).where(table.c.id.in_(mentioning))).scalars()


# After


def _publish(database: Database, partial: Path, file: Path, release: Release) -> None:
    """Link the file under its name and record the release, or undo both; BrokenSetting when the name was taken.

    The partial name is removed last, since it tells the next run what to clean up after a crash.
    """
    os.link(partial, file)
    sync_folder(file.parent)
    if not record_release(database, release):
        file.unlink()
        partial.unlink()
        raise BrokenSetting(f"There is a release {release.name!r} already, made meanwhile. Take another name.")
    partial.unlink()
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries to disk (fsync)."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
