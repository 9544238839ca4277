"""The database schema: migrated by Alembic, and its version read from a connection.

Alembic is imported when a database has to be migrated. The versions that this program knows are the numbers before the
names of the migrations' files, so that a start on a database with the newest schema needs no more than this module.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from app.db.engines import engine_of_new_file
from app.errors import Problem

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class SchemaError(Exception):
    """A database has a schema that this program's migrations do not know."""


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
    """Migrate the schema to a version, on a connection that is in a transaction; SchemaError for an unknown schema."""
    if to == "head" and schema_of(connection) == newest_schema():
        return
    from alembic import command  # noqa: PLC0415  # a database that needs no migration is opened without Alembic
    from alembic.config import Config  # noqa: PLC0415  # likewise
    from alembic.util import CommandError  # noqa: PLC0415  # likewise

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError as failure:
        raise SchemaError(str(failure)) from failure


def newest_schema() -> str:
    """The schema version that this program needs."""
    return known_schemas()[-1]


def knows_schema(version: str) -> bool:
    """Whether a schema version is one of this program's migrations."""
    return version in known_schemas()


@cache
def known_schemas() -> tuple[str, ...]:
    """The schema versions of this program's migrations, the newest last."""
    return tuple(sorted(file.name.split("_", 1)[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py")))
