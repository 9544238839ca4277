"""The schema: brought to its newest version by Alembic, and read off a connection."""

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
    """The version of the schema behind a connection; None where there is none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


@contextmanager
def new_file(path: Path) -> Iterator[Connection]:
    """A SQLite file that did not exist, with the newest schema, to be filled in one transaction and made compact.

    What is copied into it may come in any order: that nothing points to nothing is checked at the end.
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
    """Bring the schema behind a connection, which is in a transaction, to a version."""
    config = _migrations()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


@cache
def newest_schema() -> str:
    """The version of the schema that this program works on."""
    return str(ScriptDirectory.from_config(_migrations()).get_current_head())


def knows_schema(version: str) -> bool:
    """Whether a version of the schema is one of this program's history."""
    return version in {script.revision for script in ScriptDirectory.from_config(_migrations()).walk_revisions()}


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    return config
