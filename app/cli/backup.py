"""`tev backup` and `tev restore`: copy a SQLite database to a file, and put such a file in its place."""

import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.database import DatabaseOption, open_database
from app.errors import BrokenSetting

if TYPE_CHECKING:
    from app.releases.backups import DatabaseContent

RELEASES = "The files of releases are not in it: copy the folder TEV_RELEASES as well."


commands = typer.Typer()


@commands.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; a file that does not exist.")],
    database: DatabaseOption = None,
) -> None:
    """Copy the database into one file while the service runs. The file is verified by restoring it."""
    from app.releases.backups import back_up, sqlite_file
    from app.settings import load_settings

    source = sqlite_file(load_settings(database_url=database).database_url)
    with typer.progressbar(length=0, label="Copying", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:

        def show(left: int, total: int) -> None:
            bar.length = total
            bar.update(total - left - bar.pos)

        try:
            content = back_up(source, file, show)
        except (OSError, sqlite3.Error) as failure:
            raise BrokenSetting(f"{file}: {failure}; no backup was written.") from failure
    print(f"Backup {file.absolute()} of {source.absolute()}: {_summary(content)}.")
    print("Restored into a scratch file and compared: the same, and sound.")
    print(f"It holds the hashes of the keys and all drafts; only its owner may read it. {RELEASES}")


@commands.command("restore")
def restore_backup(
    file: Annotated[Path, typer.Argument(help="A file that `tev backup` made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a database that holds records; it is renamed, not deleted.")
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Replace the database with a backup. Stop the service first."""
    from app.releases.backups import restore, sqlite_file
    from app.settings import load_settings

    url = load_settings(database_url=database).database_url
    try:
        content, aside = restore(url, file, replace=replace)
    except (OSError, sqlite3.Error) as failure:
        raise BrokenSetting(f"{file}: {failure}; the database is as it was.") from failure
    with open_database(load_settings(database_url=url)):
        print(f"Restored {sqlite_file(url).absolute()} from {file.absolute()}: {_summary(content)}.")
    if aside is not None:
        print(f"The database that was there: {aside}")
    print(f"Keys are valid again as they were on that day: look at `tev key list`. {RELEASES}")


def _summary(content: "DatabaseContent") -> str:
    return f"dataset revision {content.revision}, schema {content.schema}, {sum(content.rows.values())} rows"
