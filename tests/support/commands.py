"""`tev` for tests: the command as an operator runs it, its words and its exit status.

A process of its own takes seconds to start while coverage looks on; what a command does is the same within this one.
That the installed command starts, and that servers do, is shown in test_cli.py with real processes.
"""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple
from unittest.mock import patch

from app.cli import main


class Finished(NamedTuple):
    """What a command left: its exit status, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def tev(*arguments: str, **environment: str) -> Finished:
    """Run `tev` with these arguments, and these variables besides those that are set."""
    told, complained = io.StringIO(), io.StringIO()
    status: object = 0
    with patch.object(sys, "argv", ["tev", *arguments]), patch.dict(os.environ, environment):
        with redirect_stdout(told), redirect_stderr(complained):
            try:
                main()
            except SystemExit as end:
                status = end.code
        if isinstance(status, str):  # as the interpreter does: the words to standard error, and 1
            complained.write(f"{status}\n")
            status = 1
    return Finished(status if isinstance(status, int) else 0, told.getvalue(), complained.getvalue())
