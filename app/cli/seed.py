"""`tev seed`: load records from a seed file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.database import DatabaseOption, open_database, progress_bar

if TYPE_CHECKING:
    from app.db.database import Database
    from app.store.write.transaction import Saved


def seed(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="A seed file; default: the one that comes with the program."),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Load the seed into the database, which is created when it is absent. Doing it twice changes nothing."""
    from app.settings import load_settings
    from app.store.examples import SEED

    with open_database(load_settings(database_url=database)) as opened:
        print_saved(seed_database(opened, file or SEED))


def seed_database(database: "Database", file: Path) -> "Saved":
    """Save the records of a seed file and the texts beside it in one transaction; InvalidRecord stores nothing."""
    from app.formats.importers.seed import read
    from app.store.examples import texts_beside
    from app.store.write.save import save_all

    records = read(file.read_text(encoding="utf-8"))
    texts = texts_beside(file)
    with progress_bar("Seeding", len(records)) as bar:
        return save_all(
            database, records, author="seed", reason=f"tev seed {file.name}", texts=texts, progress=bar.update
        )


def print_saved(saved: "Saved") -> None:
    """Print what a seed created and changed."""
    counts = f"{saved.created} created, {saved.changed} changed, {saved.unchanged} unchanged"
    print(f"Seeded: {counts}; dataset revision {saved.revision}.")
