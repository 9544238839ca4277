"""Node and Chromium, for tests that use the service as front-end developers and browsers do; without them they skip."""

import hashlib
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import untraced

JS = Path(__file__).parent.parent / "js"
MODULES = JS / "node_modules"
QUIET = {
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "NO_COLOR": "1",
    "NO_UPDATE_NOTIFIER": "1",
}


@cache
def program(name: str) -> str:
    """The path of a program; the test that asks for it is skipped where it is absent."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@cache
def packages() -> Path:
    """The folder of the npm packages that the lock file names, installed once and again only when it changed."""
    program("node")
    npm = program("npm")
    locked = hashlib.sha256((JS / "package-lock.json").read_bytes()).hexdigest()
    mark = MODULES / ".installed"
    if not mark.exists() or mark.read_text() != locked:
        answer = run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=JS, seconds=300)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        mark.write_text(locked)
    return MODULES


def tool(name: str) -> str:
    """The path of a command of the npm packages."""
    return str(packages() / ".bin" / name)


def kept_at(server: str, **question: Any) -> str:
    """The hash under which a running server keeps the answer to a question over a release."""
    with urllib.request.urlopen(f"{server}/v1/syntheses?{urlencode(question, doseq=True)}", timeout=30) as answer:
        return str(json.load(answer)["input_hash"])


def run(
    command: Sequence[str | Path], *, cwd: Path, seconds: float = 60, environment: Mapping[str, str] | None = None
) -> Any:
    """Run a command to its end; its status and what it wrote are for the test to judge."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**untraced(), **QUIET, **(environment or {})},
        text=True,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
