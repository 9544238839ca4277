"""`tev export`: print every published record of a resource as NDJSON or CSV."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.database import DatabaseOption, open_database, progress_bar
from app.errors import BrokenSetting, nearest

if TYPE_CHECKING:
    from app.db.database import Database
    from app.store.read.query import Query


def export(
    resource: Annotated[str, typer.Argument(help="The resource, as in the URL: study-results.")],
    format: Annotated[str, typer.Option(help="ndjson or csv.")] = "ndjson",  # the option's name
    database: DatabaseOption = None,
) -> None:
    """Print every published record of a resource, ordered by id, in constant memory."""
    from app.fields import uses
    from app.formats.csv_ndjson import csv_header, csv_lines, ndjson_lines
    from app.models import RESOURCES
    from app.settings import load_settings
    from app.store.read.query import Query
    from app.store.read.records import totals

    if resource not in RESOURCES:
        close = nearest(resource, RESOURCES)
        raise BrokenSetting(f"There is no resource {resource!r}." + (f" Did you mean {close!r}?" if close else ""))
    if format not in ("ndjson", "csv"):
        raise BrokenSetting(f"format is {format!r}; it must be ndjson or csv.")
    with open_database(load_settings(database_url=database)) as opened:
        columns = list(uses(RESOURCES[resource]))
        with opened.read() as connection:
            total = totals(connection)[resource]
        count = 0
        if format == "csv":
            sys.stdout.write(csv_header(columns))
        with progress_bar("Exporting", total) as bar:
            for documents in _chunks(opened, Query(RESOURCES[resource])):
                sys.stdout.write(csv_lines(documents, columns) if format == "csv" else ndjson_lines(documents))
                count += len(documents)
                bar.update(len(documents))
        print(f"{count} {resource} exported from {opened.describe()}", file=sys.stderr)


def _chunks(database: "Database", query: "Query") -> Iterator[list[str]]:
    from app.store.read.lists import export_chunk

    next_query: Query | None = query
    while next_query is not None:
        with database.read() as connection:
            documents, next_query = export_chunk(connection, next_query)
        yield documents
