"""Back up and restore a SQLite database: one consistent file, made while the service runs, verified by a restore.

A backup holds everything, drafts and the hashes of API keys too; its file mode is 0600.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from app.db.schema import knows_schema
from app.errors import BrokenSetting
from app.releases.build import sync_folder

PAGES_AT_ONCE = 2_000
"""SQLite pages copied per step of the progress bar: eight megabytes."""
CopyProgress = Callable[[int, int], None]
"""Callback with the number of pages left to copy, and of all pages."""


@dataclass(frozen=True)
class DatabaseContent:
    """Fingerprint for comparing two databases: schema version, dataset revision, number of rows by table."""

    schema: str
    revision: int
    rows: dict[str, int]


def back_up(source: Path, file: Path, progress: CopyProgress = lambda _left, _all: None) -> DatabaseContent:
    """Copy a snapshot of the database into a new file; BrokenSetting when the file exists or the copy differs.

    The file gets its name at the very end, after a restore into a scratch database was compared with the source.
    """
    if not source.is_file():
        raise BrokenSetting(f"There is no database {source}.")
    _refuse_existing(file)
    with _scratch(file) as copy, _scratch(file) as restored:
        with _snapshot(source) as connection:
            content = database_content(connection)
            _copy(connection, copy, progress)
        _copy_file(copy, restored)
        if verified(restored) != content:
            raise BrokenSetting(f"The copy of {source} differs from the database; no backup was written.")
        _refuse_existing(file)
        _link_name(copy, file)
    sync_folder(file.parent)
    return content


def restore(url: str, file: Path, *, replace: bool) -> tuple[DatabaseContent, Path | None]:
    """Restore a backup in place of the database; returns its content and the new path of the previous database.

    That path is None where there was no database. BrokenSetting when the file is not a valid backup, when a database
    with records exists and `replace` is false, or when another process has that database open.
    """
    target = sqlite_file(url).resolve()
    if file.with_name(f"{file.name}-wal").exists():
        raise BrokenSetting(f"{file}-wal lies beside it and holds a part of it: this is a database, and no backup.")
    content = verified(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _scratch(target) as copy, _lock_database(target, replace=replace) as is_there:
        _copy_file(file, copy)
        if verified(copy) != content:
            raise BrokenSetting(f"{file} could not be copied whole; the database is as it was.")
        aside = _rename_previous(target, copy) if is_there else None
        copy.replace(target)
    sync_folder(target.parent)
    return content, aside


def sqlite_file(url: str) -> Path:
    """The file of a SQLite database URL; BrokenSetting for PostgreSQL, naming `pg_dump` and `pg_restore`."""
    if not url.startswith("sqlite:///"):
        raise BrokenSetting(
            "This is for SQLite. PostgreSQL has its own: `pg_dump --format=custom --file=FILE DATABASE` makes a backup "
            "while the service runs, `pg_restore --clean --if-exists --dbname=DATABASE FILE` restores it."
        )
    return Path(url.removeprefix("sqlite:///"))


def verified(file: Path) -> DatabaseContent:
    """Check a backup's integrity, foreign keys and schema; returns its content.

    BrokenSetting when it is damaged, not a database of this program, or has the schema of a later version.
    """
    if not file.is_file():
        raise BrokenSetting(f"There is no file {file}.")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as raw:
            raw.execute("PRAGMA cell_size_check = ON")
            found = raw.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise BrokenSetting(f"{file} is damaged: {found}.")
            broken = raw.execute("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise BrokenSetting(f"{file} is damaged: a row of {broken[0]} points to no row of {broken[2]}.")
            content = database_content(raw)
    except sqlite3.Error as failure:
        raise BrokenSetting(f"{file} is not a backup of this program: {failure}.") from failure
    if not knows_schema(content.schema):
        raise BrokenSetting(f"{file} has the schema {content.schema}, which this program does not know. Update it.")
    return content


def database_content(raw: sqlite3.Connection) -> DatabaseContent:
    """The content fingerprint of an open database; sqlite3.Error when it is not one of this program."""
    schema = raw.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    revision = raw.execute("SELECT coalesce(max(number), 0) FROM revision").fetchone()[0]
    tables = raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
    rows = {name: raw.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in sorted(tables)}  # noqa: S608  # names of tables
    return DatabaseContent(schema, revision, rows)


def _rename_previous(target: Path, copy: Path) -> Path:
    """Give the existing database a second name, and the copy its mode and owner, so that the service can open it."""
    previous = target.stat()
    copy.chmod(previous.st_mode & 0o777)
    if (previous.st_uid, previous.st_gid) != (os.getuid(), os.getgid()):
        os.chown(copy, previous.st_uid, previous.st_gid)
    aside = target.with_name(f"{target.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{token_hex(2)}")
    for end in ("-wal", "-shm"):  # only a damaged database leaves these; beside another one they would damage it
        if (log := target.with_name(target.name + end)).exists():
            log.rename(aside.with_name(aside.name + end))
    _link_name(target, aside)
    return aside


def _link_name(file: Path, name: Path) -> None:
    """Link a file under an unused name, atomically; FileExistsError when it is taken.

    Where the file system has no hard links, rename the file instead.
    """
    try:
        os.link(file, name)
    except FileExistsError:
        raise
    except OSError:  # the file system knows no hard links
        file.rename(name)


@contextmanager
def _snapshot(file: Path) -> Iterator[sqlite3.Connection]:
    """A read transaction: a consistent snapshot of the database, which does not block writers (WAL)."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as raw:
        raw.execute("PRAGMA query_only = ON")
        raw.execute("BEGIN")
        yield raw


def _copy(source: sqlite3.Connection, file: Path, progress: CopyProgress) -> None:
    """Copy the database of a connection into a self-contained file, without a WAL file."""
    with closing(sqlite3.connect(file, isolation_level=None)) as copy:
        source.backup(copy, pages=PAGES_AT_ONCE, progress=lambda _status, left, total: progress(left, total), sleep=0)
        copy.execute("PRAGMA journal_mode = DELETE")


def _copy_file(file: Path, copy: Path) -> None:
    """Restore a backup into a file: the same pages, synced to disk when this returns."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?immutable=1", uri=True)) as raw:
        _copy(raw, copy, lambda _left, _every: None)
    with copy.open("rb") as written:
        os.fsync(written.fileno())


@contextmanager
def _lock_database(file: Path, *, replace: bool) -> Iterator[bool]:
    """Lock the database that is to be replaced against every other process; yields whether it exists.

    BrokenSetting when it has records and `replace` is false, or when another process has it open.
    """
    if not file.exists():
        yield False
        return
    with closing(sqlite3.connect(file, isolation_level=None, timeout=0)) as raw:
        try:
            is_empty = database_content(raw).revision == 0
        except sqlite3.OperationalError as failure:
            if "no such table" not in str(failure):
                raise BrokenSetting(f"{file} cannot be read: {failure}. Stop the process that uses it.") from failure
            is_empty = not raw.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        except sqlite3.DatabaseError:
            is_empty = False
        if not is_empty and not replace:
            raise BrokenSetting(
                f"{file} holds records. Say --replace to restore the backup; the database is then renamed, not deleted."
            )
        _refuse_served(file, raw)
        yield True


def _refuse_served(file: Path, raw: sqlite3.Connection) -> None:
    """Take an exclusive lock; BrokenSetting when another process has the database open.

    SQLite leaves WAL mode only for the sole connection to a database.
    """
    try:
        raw.execute("PRAGMA journal_mode = DELETE")
        raw.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as failure:
        raise BrokenSetting(f"{file} is in use: {failure}. Stop the service first.") from failure
    except sqlite3.DatabaseError:
        return  # damaged beyond reading: what a backup is for


@contextmanager
def _scratch(neighbour: Path) -> Iterator[Path]:
    """A new temporary file in the same folder, mode 0600; its temporary name is removed at the end."""
    file = neighbour.with_name(f".{neighbour.name}.{token_hex(4)}.partial")
    try:
        file.touch(mode=0o600, exist_ok=False)
    except OSError as failure:
        raise BrokenSetting(f"{neighbour.parent}: {failure}") from failure
    try:
        yield file
    finally:
        for name in (file.name, f"{file.name}-journal", f"{file.name}-wal", f"{file.name}-shm"):
            file.with_name(name).unlink(missing_ok=True)


def _refuse_existing(file: Path) -> None:
    if file.exists():
        raise BrokenSetting(f"{file} exists, and a backup overwrites nothing. Take another name.")
