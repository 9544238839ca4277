"""`tev withdraw`, `tev reinstate` and `tev rename`: change the state or the id of one record."""

from typing import Annotated

import typer

from app.cli.database import DatabaseOption, open_database

Plural = Annotated[str, typer.Argument(help="The resource, as in the URL: study-results.")]


RecordId = Annotated[str, typer.Argument(help="The record's id.")]


ReasonOption = Annotated[str, typer.Option("--reason", help="Why; shown in the public history of the record.")]


AuthorOption = Annotated[str, typer.Option("--author", help="Who does it; shown in the history of the record.")]


def withdraw(
    resource: Plural, record: RecordId, reason: ReasonOption, author: AuthorOption, database: DatabaseOption = None
) -> None:
    """Withdraw a record. Its URL answers 410 with the reason, and its versions can still be read."""
    from app.settings import load_settings
    from app.store.write.save import withdraw as withdraw_record

    with open_database(load_settings(database_url=database)) as opened:
        saved = withdraw_record(opened, resource, record, author=author, reason=reason)
    print(f"{resource}/{record} withdrawn; dataset revision {saved.revision}.")


def reinstate(
    resource: Plural, record: RecordId, reason: ReasonOption, author: AuthorOption, database: DatabaseOption = None
) -> None:
    """Undo a withdrawal."""
    from app.settings import load_settings
    from app.store.write.save import reinstate as reinstate_record

    with open_database(load_settings(database_url=database)) as opened:
        saved = reinstate_record(opened, resource, record, author=author, reason=reason)
    print(f"{resource}/{record} reinstated; dataset revision {saved.revision}.")


def rename(  # noqa: PLR0917  # the words of a command line
    resource: Plural,
    record: RecordId,
    new_id: Annotated[str, typer.Argument(help="Its new id.")],
    author: AuthorOption,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why; shown in the public history of the record.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Give a record another id. The old id redirects for ever, and references to the record follow."""
    from app.settings import load_settings
    from app.store.write.save import rename as rename_record

    with open_database(load_settings(database_url=database)) as opened:
        saved = rename_record(opened, resource, record, new_id, author=author, reason=reason)
    print(f"{resource}/{record} is now {resource}/{new_id}; dataset revision {saved.revision}.")
