"""The database schema: migrated by Alembic, and its version read from a connection."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from app.db.engines import engine_of_new_file
from app.errors import Problem


def schema_of(connection: Connection) -> str | None:
    """The schema version of a database; None for one without a schema."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


@contextmanager
def new_file(path: Path) -> Iterator[Connection]:
    """Create a SQLite file with the newest schema; the caller fills it in one transaction, and then it is vacuumed.

    Rows may be inserted in any order: foreign keys are checked at the end, and Problem is raised for a broken one.
    """
    with engine_of_new_file(path).begin() as connection:
        migrate_schema(connection)
        yield connection
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        broken = raw.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise Problem(f"A row of {broken[0]} points to a row of {broken[2]} that is not there.")
        raw.execute("VACUUM")


def migrate_schema(connection: Connection, to: str = "head") -> None:
    """Migrate the schema to a version, on a connection that is in a transaction."""
    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


@cache
def newest_schema() -> str:
    """The schema version that this program needs."""
    return str(ScriptDirectory.from_config(_migrations()).get_current_head())


def knows_schema(version: str) -> bool:
    """Whether a schema version is one of this program's migrations."""
    return version in {script.revision for script in ScriptDirectory.from_config(_migrations()).walk_revisions()}


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    return config
