"""LRU pool of the releases that this process has open, each file verified against its SHA-256."""

import shutil
import tempfile
from collections import OrderedDict
from contextlib import closing
from hashlib import file_digest
from pathlib import Path
from sqlite3 import DatabaseError

from anyio import Lock, to_thread

from app.db.database import Database
from app.db.schema import SchemaError, newest_schema
from app.errors import Unavailable
from app.models import RESOURCES
from app.releases.reader import ReleaseReader, connect
from app.store.read.releases import Release, file_of, find_release

MOST_OPEN = 4
"""Releases that are open at once; the least recently used one is closed."""
READ_THREADS = 2
"""Concurrent reads of one release; few, since releases are read seldom."""

Signature = tuple[int, int, int]
"""Identifies an unchanged file: inode, size in bytes, modification time in nanoseconds."""


class ReleasePool:
    """LRU pool of the open releases of one process."""

    def __init__(self, live: Database, folder: Path) -> None:
        self.live = live
        self.folder = folder
        self._rows: dict[str, Release] = {}
        self._checked: dict[str, Signature] = {}
        self._open: OrderedDict[str, ReleaseReader] = OrderedDict()
        self._lock = Lock()
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    async def take(self, name: str) -> ReleaseReader:
        """An open reader of a release, with the current source status of its records.

        NotFound for an unknown name; Unavailable when the file is missing, altered or unreadable.
        """
        release = await self.row(name)
        path = await self.file(release)
        if name not in self._open:
            async with self._lock:
                if name not in self._open:
                    self._open[name] = await to_thread.run_sync(self._open_release, release, path)
        self._open.move_to_end(name)
        reader = self._open[name]
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)[1].close()
        await reader.follow(self.live)
        return reader

    async def row(self, name: str) -> Release:
        """The row of a release in the live database, cached; NotFound with the nearest name."""
        if name not in self._rows:
            self._rows[name] = await self.live.fetch(lambda connection: find_release(connection, name), short=True)
        return self._rows[name]

    async def file(self, release: Release) -> Path:
        """The path of the release's file, verified against its SHA-256; Unavailable when it is missing or altered."""
        path = file_of(self.folder, release.name)
        if not self._is_checked(release.name, path):
            async with self._lock:
                if not self._is_checked(release.name, path):
                    await self._check(release, path)
        return path

    def _is_checked(self, name: str, path: Path) -> bool:
        return name in self._checked and self._checked[name] == _signature(path)

    async def _check(self, release: Release, path: Path) -> None:
        self._forget(release.name)
        signature = _signature(path)
        digest = None if signature is None else await to_thread.run_sync(_digest, path)
        if signature is None or digest != release.sha256:
            detail = "is missing" if digest is None else "is not the one that was released"
            raise Unavailable(f"The file of release {release.name!r} {detail}; everything else is served as usual.")
        self._checked[release.name] = signature

    def close(self) -> None:
        """Close every release."""
        for name in list(self._open):
            self._forget(name)
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _forget(self, name: str) -> None:
        self._checked.pop(name, None)
        if name in self._open:
            self._open.pop(name).close()

    def _open_release(self, release: Release, path: Path) -> ReleaseReader:
        later: dict[str, frozenset[str]] = {}
        try:
            if _schema_of(path) != newest_schema():
                later = _later_columns(path)
                path = self._migrated_copy(path)
        except (SchemaError, DatabaseError, OSError) as failure:
            raise Unavailable(f"The file of release {release.name!r} cannot be read by this program.") from failure
        seconds = self.live.query_seconds
        return ReleaseReader(path, release, query_seconds=seconds, read_threads=READ_THREADS, later_columns=later)

    def _migrated_copy(self, path: Path) -> Path:
        """A migrated and reindexed temporary copy of a release whose schema is older than this program's."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="tev-releases-")
        copy = Path(self._scratch.name) / path.name
        if not copy.exists():
            from app.store.write.reindex import index_again  # noqa: PLC0415  # few releases are that old

            growing = copy.with_suffix(".partial")
            shutil.copyfile(path, growing)
            database = Database(f"sqlite:///{growing}")
            try:
                database.migrate()
                index_again(database)
            finally:
                database.close()
            growing.rename(copy)
        return copy


def _signature(path: Path) -> Signature | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _schema_of(path: Path) -> str:
    with closing(connect(path)) as raw:
        return str(raw.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def _later_columns(path: Path) -> dict[str, frozenset[str]]:
    """By resource, the columns of this program that the file of a release does not have, and so no value of."""
    with closing(connect(path)) as raw:
        had = {
            plural: {name for _, name, *_ in raw.execute(f'PRAGMA table_info("{row.table().name}")')}
            | row.filled_by_migrations
            for plural, row in RESOURCES.items()
        }
    return {plural: frozenset(RESOURCES[plural].table().c.keys()) - names for plural, names in had.items()}
