"""The command `tev`: serve, seed, export, release."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from sqlalchemy.exc import DBAPIError

from app import DISCLAIMER, __version__
from app.cli.backup import backup_commands
from app.cli.bench import bench_commands
from app.cli.keys import key_commands
from app.db.database import Database
from app.errors import BrokenSetting, Problem, nearest
from app.fields import uses
from app.formats.csv_ndjson import csv_header, csv_lines, ndjson_lines
from app.formats.importers.seed import read
from app.models import RESOURCES
from app.models.types import clean_text
from app.releases.build import freeze, rows_to_copy
from app.reports.audit import audit
from app.settings import PREFIX, Settings, load_settings
from app.store.examples import SEED, texts_beside
from app.store.read.lists import export_chunk
from app.store.read.query import Query
from app.store.read.records import totals
from app.store.read.releases import file_of
from app.store.read.revision import revision_of
from app.store.write.reindex import reindex as rebuild_index
from app.store.write.rerender import is_rendered, render_again
from app.store.write.save import reinstate as reinstate_record
from app.store.write.save import rename as rename_record
from app.store.write.save import save_all
from app.store.write.save import withdraw as withdraw_record
from app.store.write.transaction import Saved
from app.web.logging import configuration
from app.web.metrics import shared_by
from app.web.parser import require_httptools
from app.web.server import backlog, raise_file_limit

app = typer.Typer(
    help=f"Treatment Evidence API {__version__}. {DISCLAIMER}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="Where the records are; default: TEV_DATABASE_URL or sqlite:///tev.db.")
]


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    database: DatabaseOption = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve.")] = None,
) -> None:
    """Migrate the database, seed it when it is empty, and serve."""
    require_httptools()
    settings = load_settings(host=host, port=port, database_url=database, workers=workers)
    with _opened(settings) as opened:
        with opened.read() as connection:
            is_empty = revision_of(connection) == 0
        if is_empty:
            _say(seed_database(opened, SEED))
        root = settings.public_url
        print(f"Treatment Evidence API {__version__} on {opened.describe()}")
    print(f"  address        {root}/")
    print(f"  documentation  {root}/docs")
    for path in ("/v1/treatments", "/v1/claims?verdict=contradicted", "/v1/treatments/onabotulinumtoxina/dossier"):
        print(f"  curl '{root}{path}'")
    sys.stdout.flush()
    _pass_on(settings)
    with shared_by(settings.workers if settings.metrics else 1):
        _run(settings)


def _run(settings: Settings) -> None:
    raise_file_limit()
    gc.disable()  # the rest of the program is loaded now; once it is ready, garbage is collected again
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="app.web.server:Protocol",
        ws="none",
        backlog=backlog(),
        access_log=False,
        server_header=False,
        log_config=configuration(settings.log_level, access_log=settings.access_log),
        log_level=settings.log_level,
        timeout_graceful_shutdown=8,
        timeout_worker_healthcheck=60,  # a worker that starts on a busy machine is not a dead one
    )


@app.command()
def seed(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="A seed file; default: the one that comes with the program."),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Load the seed into the database, which is created when it is absent. Doing it twice changes nothing."""
    with _opened(load_settings(database_url=database)) as opened:
        _say(seed_database(opened, file or SEED))


@app.command()
def export(
    resource: Annotated[str, typer.Argument(help="The resource, as in the URL: study-results.")],
    format: Annotated[str, typer.Option(help="ndjson or csv.")] = "ndjson",  # the option's name
    database: DatabaseOption = None,
) -> None:
    """Print every published record of a resource, in the order of the ids; memory does not grow with their number."""
    if resource not in RESOURCES:
        close = nearest(resource, RESOURCES)
        raise BrokenSetting(f"There is no resource {resource!r}." + (f" Did you mean {close!r}?" if close else ""))
    if format not in ("ndjson", "csv"):
        raise BrokenSetting(f"format is {format!r}; it must be ndjson or csv.")
    with _opened(load_settings(database_url=database)) as opened:
        columns = list(uses(RESOURCES[resource]))
        with opened.read() as connection:
            total = totals(connection)[resource]
        count = 0
        if format == "csv":
            sys.stdout.write(csv_header(columns))
        with _bar("Exporting", total) as bar:
            for documents in _chunks(opened, Query(RESOURCES[resource])):
                sys.stdout.write(csv_lines(documents, columns) if format == "csv" else ndjson_lines(documents))
                count += len(documents)
                bar.update(len(documents))
        print(f"{count} {resource} exported from {opened.describe()}", file=sys.stderr)


@app.command()
def check(database: DatabaseOption = None) -> None:
    """Compare every record with the stored texts of its sources, and with what follows from it; exit 1 on a failure."""
    with _opened(load_settings(database_url=database)) as opened, _bar("Checking", _total(opened)) as bar:
        report = audit(opened, bar.update)
    for failure in report.failures:
        print(f"{failure.record}{failure.pointer}: {failure.detail}")
    print(
        f"Records: {report.records}; stored texts: {report.texts}; quotes that stand in them: {report.quotes}; "
        f"numbers where they are said to stand: {report.numbers}; failures: {len(report.failures)}."
    )
    if report.failures:
        raise typer.Exit(1)


@app.command()
def reindex(database: DatabaseOption = None) -> None:
    """Build the index of search anew and compare it with the one that was there; exit 1 when they differed."""
    with _opened(load_settings(database_url=database)) as opened, _bar("Indexing", _total(opened)) as bar:
        rebuilt = rebuild_index(opened, bar.update)
    for difference in rebuilt.differences:
        print(difference)
    print(f"Index of {rebuilt.records} records; before {rebuilt.before}, after {rebuilt.after}.")
    if rebuilt.differences:
        print("They differed, and the new one is in place.")
        raise typer.Exit(1)
    print("They are equal.")


Plural = Annotated[str, typer.Argument(help="The resource, as in the URL: study-results.")]
RecordId = Annotated[str, typer.Argument(help="The record's id.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stands in the history, for everybody to read.")]
AuthorOption = Annotated[str, typer.Option("--author", help="Who does it; it stands in the history.")]


@app.command()
def withdraw(
    resource: Plural, record: RecordId, reason: ReasonOption, author: AuthorOption, database: DatabaseOption = None
) -> None:
    """Take a record back. Its address answers 410 with the reason, and its versions can still be read."""
    with _opened(load_settings(database_url=database)) as opened:
        saved = withdraw_record(opened, resource, record, author=author, reason=reason)
    print(f"{resource}/{record} withdrawn; dataset revision {saved.revision}.")


@app.command()
def reinstate(
    resource: Plural, record: RecordId, reason: ReasonOption, author: AuthorOption, database: DatabaseOption = None
) -> None:
    """Undo a withdrawal."""
    with _opened(load_settings(database_url=database)) as opened:
        saved = reinstate_record(opened, resource, record, author=author, reason=reason)
    print(f"{resource}/{record} reinstated; dataset revision {saved.revision}.")


@app.command()
def rename(  # noqa: PLR0917  # the words of a command line
    resource: Plural,
    record: RecordId,
    new_id: Annotated[str, typer.Argument(help="Its new id.")],
    author: AuthorOption,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Give a record another id. The old one leads to it for ever, and whoever points to it follows."""
    with _opened(load_settings(database_url=database)) as opened:
        saved = rename_record(opened, resource, record, new_id, author=author, reason=reason)
    print(f"{resource}/{record} is now {resource}/{new_id}; dataset revision {saved.revision}.")


@app.command()
def release(
    name: Annotated[str, typer.Argument(help="What it is called and cited as: 2026-11-22, 1.0.")],
    notes: Annotated[str | None, typer.Option(help="A few words on what it is for.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Freeze the dataset into a file that never changes, to be cited, and read with `?release=NAME`."""
    settings = load_settings(database_url=database)
    folder = Path(settings.releases)
    try:
        notes = None if notes is None else clean_text(notes.strip())
    except ValueError as failure:
        raise BrokenSetting(f"--notes: {failure}") from failure
    with _opened(settings) as opened:
        try:
            with _bar("Freezing", rows_to_copy(opened)) as bar:
                made = freeze(opened, folder, name, notes=notes, progress=bar.update)
        except OSError as failure:
            raise BrokenSetting(f"{PREFIX}RELEASES={folder}: {failure}") from failure
    print(f"Release {made.name} of dataset revision {made.revision}")
    print(f"  file      {file_of(folder, made.name).absolute()}")
    print(f"  size      {made.size} bytes")
    print(f"  sha256    {made.sha256}")
    print(f"  records   {_counted(made.counts)}")
    print(f"  since     {made.previous or 'the beginning'} (revision {made.difference['since']})")
    for words in ("created", "withdrawn", "changed"):
        print(f"  {words:<9} {_counted(made.difference[words])}")
    print(f"  changes   {_counted(made.difference['by_type'])}")


def _counted(counts: dict[str, int]) -> str:
    """Counts in one line: `3 claims, 1 sources`."""
    return ", ".join(f"{count} {words}" for words, count in counts.items() if count) or "none"


def main() -> None:
    """Run the command; what is wrong is one clear line on standard error and exit status 1."""
    gc.enable()
    try:
        app()
    except BrokenSetting as failure:
        sys.exit(f"tev: {failure}")
    except Problem as failure:
        lines = [
            f"  {error.get('record', '')}{error.get('pointer', '')}: {error['detail']}" for error in failure.errors
        ]
        sys.exit("\n".join([f"tev: {failure.detail}", *lines]))


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url, query_seconds=settings.query_seconds, read_threads=settings.read_threads)
    try:
        try:
            database.migrate()
        except (DBAPIError, OSError) as failure:
            address = database.writer.url.render_as_string(hide_password=True)
            words = " ".join(str(failure.orig if isinstance(failure, DBAPIError) else failure).split())
            raise BrokenSetting(f"TEV_DATABASE_URL={address}: {words}") from failure
        _render_again(database)
        yield database
    finally:
        database.close()


def _render_again(database: Database) -> None:
    """After an update of the program: bring the stored documents to their new shape."""
    if is_rendered(database):
        return
    with _bar("Rendering", _total(database)) as bar:
        saved = render_again(database, author="tev", progress=bar.update)
    if saved is not None:
        words = f"Documents brought to version {__version__} of the program; dataset revision {saved.revision}."
        print(words, file=sys.stderr)


def _total(database: Database) -> int:
    """How many records there are: for the length of a bar, and so however long it takes to count them."""
    with database.snapshot() as connection:
        return sum(totals(connection).values())


def seed_database(database: Database, file: Path) -> Saved:
    """Save the records of a seed file, and the texts beside it; InvalidRecord stores nothing of it."""
    records = read(file.read_text(encoding="utf-8"))
    texts = texts_beside(file)
    with _bar("Seeding", len(records)) as bar:
        return save_all(
            database, records, author="seed", reason=f"tev seed {file.name}", texts=texts, progress=bar.update
        )


def _bar(words: str, length: int) -> Any:
    """A progress bar on standard error, where a person watches."""
    return typer.progressbar(length=length, label=words, file=sys.stderr, hidden=not sys.stderr.isatty())


def _say(saved: Saved) -> None:
    counts = f"{saved.created} created, {saved.changed} changed, {saved.unchanged} unchanged"
    print(f"Seeded: {counts}; dataset revision {saved.revision}.")


def _chunks(database: Database, query: Query) -> Iterator[list[str]]:
    following: Query | None = query
    while following is not None:
        with database.read() as connection:
            documents, following = export_chunk(connection, following)
        yield documents


def _pass_on(settings: Settings) -> None:
    """Hand the settings to the worker processes, which read them from the environment."""
    for name, value in settings.model_dump().items():
        os.environ[f"{PREFIX}{name.upper()}"] = str(value)


app.add_typer(key_commands(lambda address: _opened(load_settings(database_url=address)), DatabaseOption), name="key")
app.add_typer(backup_commands(lambda address: _opened(load_settings(database_url=address)), DatabaseOption))
app.add_typer(bench_commands(lambda address: _opened(load_settings(database_url=address)), _bar), name="bench")
