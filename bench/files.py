"""The records that all contestants answer from, made once below `build/bench`."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import text

from app.cli.database import open_database
from app.cli.sample_data import SampleRecords
from app.db.database import Database
from app.settings import load_settings
from app.store.write.bulk_copy import fill
from app.store.write.rerender import render_again

HERE = Path(__file__).parent
ROOT = HERE.parent
FOLDER = Path(os.environ.get("BENCH_FOLDER", ROOT / "build" / "bench"))
"""Where what is made stays; git ignores it."""
COLUMNS = (
    "id, citations, treatment, condition, term, organ_class, serious, basis, attribution, study, arms, frequency,"
    " affected, at_risk, percent, missing, curator_checked, version, created_at, updated_at, state, verification,"
    " checked_on, source_status, needs_review, review_due, superseded_by"
)
PEERS = f"""
CREATE TABLE treatment (id TEXT PRIMARY KEY, name TEXT, kind TEXT, definition TEXT);
CREATE TABLE condition (id TEXT PRIMARY KEY, name TEXT, definition TEXT);
CREATE TABLE side_effect (
  id TEXT PRIMARY KEY, citations TEXT, treatment TEXT REFERENCES treatment (id),
  condition TEXT REFERENCES condition (id), term TEXT, organ_class TEXT, serious BOOLEAN, basis TEXT,
  attribution TEXT, study TEXT, arms TEXT, frequency TEXT, affected INTEGER, at_risk INTEGER, percent FLOAT,
  missing TEXT, curator_checked TEXT, version INTEGER, created_at TEXT, updated_at TEXT, state TEXT,
  verification TEXT, checked_on TEXT, source_status TEXT, needs_review BOOLEAN, review_due TEXT, superseded_by TEXT
);
INSERT INTO treatment SELECT id, name, kind, definition FROM ours.treatment;
INSERT INTO condition SELECT id, name, definition FROM ours.condition;
INSERT INTO side_effect SELECT {COLUMNS} FROM ours.side_effect;
CREATE INDEX side_effect_of_treatment ON side_effect (treatment, id);
CREATE INDEX side_effect_by_percent ON side_effect (treatment, percent);
CREATE INDEX side_effect_of_condition ON side_effect (condition, id);
ANALYZE;
"""
"""The same side effects in columns, as a peer would keep them, with every index that its questions want."""


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "app.cli", *words], cwd=ROOT, check=True)


@cache
def made_up(records: int) -> Path:
    """Our database of that many made-up records; a million take twenty minutes, once.

    An older file is brought to the tables and documents of the program as it stands, so that no server does it at its
    start; delete it when `tev bench data` makes other records.
    """
    file = FOLDER / f"made-up-{records}.db"
    if not file.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        _peers_file(file).unlink(missing_ok=True)
        _run("bench", "data", str(unfinished), "--records", str(records))
        unfinished.rename(file)
    with open_database(load_settings(database_url=str(file))):
        return file


def _peers_file(original: Path) -> Path:
    return original.with_name(f"peers-{original.name}")


def for_peers(original: Path) -> Path:
    """The peers' database of the same records as in one of ours."""
    file = _peers_file(original)
    if not file.exists():
        unfinished = file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(unfinished)) as connection:
            connection.execute("ATTACH ? AS ours", (str(original),))
            connection.executescript(PEERS)
        unfinished.rename(file)
    return file


def seeded() -> Path:
    """A database with the seed, migrated by the program as it stands."""
    file = FOLDER / "seeded.db"
    FOLDER.mkdir(parents=True, exist_ok=True)
    _run("seed", "--database", str(file))
    return file


@contextmanager
def postgresql(records: int) -> Iterator[str]:
    """The address of a PostgreSQL database of that many made-up records, which is let go again.

    PostgreSQL looks at its tables first, as it does by itself in time.
    """
    from tests.conftest import new_postgresql_database, running_postgresql  # noqa: PLC0415  # pytest, only where needed

    with running_postgresql() as address:
        url = new_postgresql_database(address)
        database = Database(url)
        database.migrate()
        render_again(database, author="tev bench")  # nothing yet: what comes has the program's shape
        for first, others in SampleRecords(records).batches():
            fill(database, first, others, author="tev bench")
        with database.writer.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
        database.close()
        yield url


@cache
def treatments(records: int, at_least: int = 20) -> dict[str, int]:
    """How many side effects each treatment has that has so many, the most frequent first."""
    with closing(sqlite3.connect(for_peers(made_up(records)))) as connection:
        statement = "SELECT treatment, count(*) FROM side_effect GROUP BY 1 HAVING count(*) >= ? ORDER BY 2 DESC"
        return dict(connection.execute(statement, (at_least,)).fetchall())


@cache
def side_effects(records: int) -> int:
    """How many side effects there are; their ids are numbered from 0."""
    with closing(sqlite3.connect(for_peers(made_up(records)))) as connection:
        return int(connection.execute("SELECT count(*) FROM side_effect").fetchone()[0])


def forget(file: Path) -> None:
    """Let the system drop what it holds of a file in memory, so that the next read comes from the disk."""
    opened = os.open(file, os.O_RDONLY)
    try:
        os.fdatasync(opened)
        os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(opened)
