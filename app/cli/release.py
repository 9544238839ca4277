"""`tev release`: freeze the dataset into an immutable file that can be cited."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.database import DatabaseOption, open_database, progress_bar
from app.errors import BrokenSetting


def release(
    name: Annotated[str, typer.Argument(help="The name under which it is cited: 2026-11-22, 1.0.")],
    notes: Annotated[str | None, typer.Option(help="A few words on what it is for.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Freeze the dataset into a file that never changes, to be cited, and read with `?release=NAME`."""
    from app.models.types import clean_text
    from app.releases.build import build_release, rows_to_copy
    from app.settings import PREFIX, load_settings
    from app.store.read.releases import file_of

    settings = load_settings(database_url=database)
    folder = Path(settings.releases)
    try:
        notes = None if notes is None else clean_text(notes.strip())
    except ValueError as failure:
        raise BrokenSetting(f"--notes: {failure}") from failure
    with open_database(settings) as opened:
        try:
            with progress_bar("Freezing", rows_to_copy(opened)) as bar:
                built = build_release(opened, folder, name, notes=notes, progress=bar.update)
        except OSError as failure:
            raise BrokenSetting(f"{PREFIX}RELEASES={folder}: {failure}") from failure
    print(f"Release {built.name} of dataset revision {built.revision}")
    print(f"  file      {file_of(folder, built.name).absolute()}")
    print(f"  size      {built.size} bytes")
    print(f"  sha256    {built.sha256}")
    print(f"  records   {_counts_text(built.counts)}")
    print(f"  since     {built.previous or 'the beginning'} (revision {built.difference['since']})")
    for label in ("created", "withdrawn", "changed"):
        print(f"  {label:<9} {_counts_text(built.difference[label])}")
    print(f"  changes   {_counts_text(built.difference['by_type'])}")


def _counts_text(counts: dict[str, int]) -> str:
    """Counts in one line: `3 claims, 1 sources`."""
    return ", ".join(f"{count} {noun}" for noun, count in counts.items() if count) or "none"
