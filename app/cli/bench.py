"""`tev bench data`: fill a database with synthetic records for benchmarks."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.database import open_database, progress_bar
from app.errors import BrokenSetting

commands = typer.Typer(help="Make synthetic data for benchmarks.", no_args_is_help=True)


@commands.callback()
def _group() -> None:
    """Makes Typer keep `data` as a subcommand while it is the only command."""


@commands.command()
def data(
    file: Annotated[Path, typer.Argument(help="The database file to create; it must not exist.")],
    records: Annotated[int, typer.Option(min=1000, max=10_000_000, help="How many records.")] = 100_000,
) -> None:
    """Fill a new SQLite database with made-up records, written as real ones are."""
    from app.cli.sample_data import SampleRecords
    from app.settings import load_settings
    from app.store.read.revision import revision_of
    from app.store.write.bulk_copy import fill

    if file.exists():
        raise BrokenSetting(f"{file} is there already. Name a file that is not.")
    with open_database(load_settings(database_url=str(file))) as database:
        with progress_bar("Making up", records) as progress:
            for first, others in SampleRecords(records).batches():
                fill(database, first, others, author="tev bench")
                progress.update(1 + len(others))
        with database.read() as connection:
            revision = revision_of(connection)
    print(f"{records} made-up records in {file}, {file.stat().st_size} bytes; dataset revision {revision}.")
