"""`tev check` and `tev reindex`: verify citations and derived data, and rebuild the search index."""

import typer

from app.cli.database import DatabaseOption, count_records, open_database, progress_bar


def check(database: DatabaseOption = None) -> None:
    """Compare every record with the stored texts of its sources and with its derived values; exit 1 on a failure."""
    from app.reports.audit import audit
    from app.settings import load_settings

    with (
        open_database(load_settings(database_url=database)) as opened,
        progress_bar("Checking", count_records(opened)) as bar,
    ):
        report = audit(opened, bar.update)
    for failure in report.failures:
        print(f"{failure.record}{failure.pointer}: {failure.detail}")
    print(
        f"Records: {report.records}; stored texts: {report.texts}; quotes found in them: {report.quotes}; "
        f"numbers found where cited: {report.numbers}; failures: {len(report.failures)}."
    )
    if report.failures:
        raise typer.Exit(1)


def reindex(database: DatabaseOption = None) -> None:
    """Rebuild the search index and compare it with the previous one; exit 1 when they differed."""
    from app.settings import load_settings
    from app.store.write.reindex import reindex as rebuild_index

    with (
        open_database(load_settings(database_url=database)) as opened,
        progress_bar("Indexing", count_records(opened)) as bar,
    ):
        rebuilt = rebuild_index(opened, bar.update)
    for difference in rebuilt.differences:
        print(difference)
    print(f"Index of {rebuilt.records} records; before {rebuilt.before}, after {rebuilt.after}.")
    if rebuilt.differences:
        print("They differed, and the new one is in place.")
        raise typer.Exit(1)
    print("They are equal.")
