"""Writes what was measured between the markers of RESULTS.md; the words around them are written by hand."""

import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from importlib.metadata import version
from pathlib import Path

from app import __version__
from bench.contestants import PEERS, PEERS_PYTHON
from bench.files import HERE, ROOT
from bench.goals import GOALS
from bench.shared import Bench, Result

RESULTS = HERE / "RESULTS.md"
PRINT_PEERS = "from importlib.metadata import version as v; print(', '.join(f'{n} {v(n)}' for n in %r))"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; the first column is words, the others are figures."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


def told(result: Result) -> str:
    """A result in Markdown."""
    return "\n\n".join([table(result.header, result.rows), *result.notes])


def goals_table(figures: Mapping[str, float], before: str = "", cases: Iterable[str] = ()) -> str:
    """The goals beside what was measured; those of other cases keep what `before`, the former table, says."""
    ran = set(cases)
    former = {cells[0]: cells[-1] for cells in map(_cells, before.splitlines())}
    rows = []
    for goal in GOALS:
        cell = "not measured" if goal.figure.partition(",")[0] in ran else former.get(goal.what, "")
        if goal.figure in figures:
            cell = goal.found(figures[goal.figure])
        rows.append((goal.what, goal.before, goal.asked, cell))
    return table(("", "0.3.0", "goal", "measured"), rows)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def between(text: str, key: str, replaced: str | None = None) -> str:
    """What stands between the markers of a key; with `replaced`, the whole text with that in its place."""
    pattern = re.compile(rf"(<!-- {re.escape(key)} -->\n)(.*?)(\n?<!-- end -->)", re.DOTALL)
    found = pattern.search(text)
    if found is None:
        raise SystemExit(f"RESULTS.md has no place for {key}")
    if replaced is None:
        return found[2]
    return text[: found.start(2)] + replaced + "\n<!-- end -->" + text[found.end() :]


def write(file: Path, results: Mapping[str, Result], bench: Bench, load: str, command: str) -> None:
    """Put the results into their places of a file like RESULTS.md."""
    text = file.read_text(encoding="utf-8")
    where = " postgresql" if bench.address else ""
    size = f"{bench.records:,} records, {bench.rounds} rounds of {bench.seconds} s"
    line = f"{date.today()}, {commit()}: {size}; {load}; `{command}`."
    for case, result in results.items():
        text = between(text, case + where, f"{told(result)}\n\n{line}")
    if not where:
        figures = {name: value for result in results.values() for name, value in result.figures.items()}
        text = between(text, "goals", goals_table(figures, between(text, "goals"), results))
        text = between(text, "versions", versions())
    file.write_text(text, encoding="utf-8")


def commit() -> str:
    """The commit that was measured, and whether something was changed since."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "no commit"


def load_average() -> str:
    """How busy the machine is, in the mean of one minute."""
    return f"{os.getloadavg()[0]:.1f}"


def versions() -> str:
    """What was measured, in which versions and on what machine."""
    own = ", ".join(f"{name} {version(name)}" for name in ("uvicorn", "uvloop", "httptools", "fastapi", "sqlmodel"))
    lines = [
        f"Treatment Evidence API {__version__} on Python {platform.python_version()} ({own}, SQLite"
        f" {sqlite3.sqlite_version}); bare ASGI and the naive application run on the same.",
        f"{os.cpu_count()} cores of {_cpu()}, {platform.system()} {platform.release()}.",
        *_said([str(PEERS_PYTHON), "-c", PRINT_PEERS % (["litestar", "msgspec", "datasette", "uvicorn"],)]),
        *_said(["node", "--version"], "Node "),
        *_node_packages(),
        *_said(["/usr/sbin/nginx", "-v"]),
        *[line.partition(" Copyright")[0] for line in _said(["wrk", "-v"])],
    ]
    return "\n".join(f"- {line}" for line in lines)


def _cpu() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(": ")[2]
    return platform.machine()


def _said(command: Sequence[str], before: str = "") -> list[str]:
    """The first line that a program says of itself; nothing where it is not installed."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return []
    line = (said.stdout or said.stderr).strip().partition("\n")[0]
    return [before + line] if line else []


def _node_packages() -> list[str]:
    wanted = json.loads((PEERS / "package.json").read_text(encoding="utf-8"))["dependencies"]
    return [", ".join(f"{name} {number}" for name, number in wanted.items())]


def show(case: str, result: Result) -> None:
    """Print a result at once, so that a long run can be watched."""
    print(f"\n{case}\n\n{told(result)}", flush=True)
    for goal in GOALS:
        if goal.figure in result.figures:
            print(f"{goal.what}: {goal.found(result.figures[goal.figure])} ({goal.asked})", file=sys.stdout, flush=True)
