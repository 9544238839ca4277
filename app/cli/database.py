"""Shared by the commands: open and migrate the database, and show a progress bar.

Modules of commands import what a command needs when it runs, so that `tev --help` needs none of it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app import __version__, enable_collection
from app.errors import BrokenSetting

if TYPE_CHECKING:
    from app.db.database import Database
    from app.settings import Settings

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="Where the records are; default: TEV_DATABASE_URL or sqlite:///tev.db.")
]


@contextmanager
def open_database(settings: "Settings") -> Iterator["Database"]:
    """Open the database, migrate it, and render stored documents again if their shape is out of date.

    BrokenSetting when the database cannot be reached or migrated.
    """
    from sqlalchemy.exc import DBAPIError

    from app.db.database import Database

    database = Database(settings.database_url, query_seconds=settings.query_seconds, read_threads=settings.read_threads)
    try:
        try:
            database.migrate()
        except (DBAPIError, OSError) as failure:
            address = database.writer.url.render_as_string(hide_password=True)
            detail = " ".join(str(failure.orig if isinstance(failure, DBAPIError) else failure).split())
            raise BrokenSetting(f"TEV_DATABASE_URL={address}: {detail}") from failure
        _render_again(database)
        enable_collection()
        yield database
    finally:
        database.close()


def _render_again(database: "Database") -> None:
    """Render all stored documents again, if an update of the program changed their shape."""
    from app.store.read.shape import is_rendered

    if is_rendered(database):
        return
    from app.store.write.rerender import render_again

    with progress_bar("Rendering", count_records(database)) as bar:
        saved = render_again(database, author="tev", progress=bar.update)
    if saved is not None:
        message = f"Documents brought to version {__version__} of the program; dataset revision {saved.revision}."
        print(message, file=sys.stderr)


def count_records(database: "Database") -> int:
    """The number of records, for the length of a progress bar; a snapshot, so that counting has no time limit."""
    from app.store.read.records import totals

    with database.snapshot() as connection:
        return sum(totals(connection).values())


def progress_bar(label: str, length: int) -> Any:
    """A progress bar on standard error, hidden when that is not a terminal."""
    return typer.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
