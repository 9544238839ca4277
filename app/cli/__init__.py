"""The command `tev`: one module a command or group of commands.

Input is command-line arguments and settings (`TEV_…`); output is lines on standard output, progress bars on standard
error, and an exit status. Each command opens the database, which migrates it first, and calls `store`, `releases` or
`reports` as the web does. No SQL and no validation of records belongs here.
"""

import sys

import typer

from app import DISCLAIMER, __version__
from app.cli import backup, bench, check, export, keys, records, release, seed, serve
from app.errors import BrokenSetting, Problem

app = typer.Typer(
    help=f"Treatment Evidence API {__version__}. {DISCLAIMER}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _command in (
    serve.serve,
    seed.seed,
    export.export,
    check.check,
    check.reindex,
    records.withdraw,
    records.reinstate,
    records.rename,
    release.release,
):
    app.command()(_command)
app.add_typer(keys.commands, name="key")
app.add_typer(backup.commands)
app.add_typer(bench.commands, name="bench")


def main() -> None:
    """Run the command; BrokenSetting and Problem are printed on standard error, with exit status 1."""
    try:
        app()
    except BrokenSetting as failure:
        sys.exit(f"tev: {failure}")
    except Problem as failure:
        lines = [
            f"  {error.get('record', '')}{error.get('pointer', '')}: {error['detail']}" for error in failure.errors
        ]
        sys.exit("\n".join([f"tev: {failure.detail}", *lines]))
