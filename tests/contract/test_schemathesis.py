"""Schemathesis finds no failure in any operation; its checks and limits are set in schemathesis.toml."""

import json
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import ROOT, untraced

CONFIGURATION = ROOT / "schemathesis.toml"
HOOKS = ROOT / "tests" / "support" / "schemathesis_hooks.py"
PHASES = {"examples", "coverage", "fuzzing", "stateful"}


def tables(content: Any, name: str) -> Iterator[dict[str, Any]]:
    """Every table of that name, however deep it stands."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key == name:
                yield value
            yield from tables(value, name)
    elif isinstance(content, list):
        for value in content:
            yield from tables(value, name)


def test_the_configuration_switches_no_check_off_and_accepts_no_failure_of_ours() -> None:
    content = tomllib.loads(CONFIGURATION.read_text())
    found = [check for checks in tables(content, "checks") for check in checks.values()]
    assert found
    assert all(check.keys() == {"expected-statuses"} for check in found)
    statuses = {str(status) for check in found for status in check["expected-statuses"]}
    assert all(status.startswith(("2", "4")) for status in statuses)
    assert "baseline" not in content


def open_to_all(address: str) -> set[str]:
    """The operations that need no key; schemathesis has none, and the others rightly let nothing in."""
    with urllib.request.urlopen(f"{address}/openapi.json", timeout=60) as answer:
        paths = json.load(answer)["paths"]
    return {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if not operation.get("security")
    }


def test_schemathesis_finds_no_failure_in_any_operation(live_server: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--report", "json", "--report-json-path", str(report)]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "--no-color", "run"]
    done = subprocess.run(
        [*command, f"{live_server}/openapi.json", *options],
        check=False,
        cwd=tmp_path,
        env={**untraced(), "SCHEMATHESIS_HOOKS": str(HOOKS)},
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    found = json.loads(report.read_text())
    assert found["complete"]
    assert not found["failures"]
    assert not found["errors"]
    assert {name for name, phase in found["phases"].items() if phase["status"] == "success"} == PHASES
    assert found["operations"]["tested"] == found["operations"]["total"] > 50
    answered = {
        name: sum(phase["accepted"] for phase in rates.values()) for name, rates in found["valid_rates"].items()
    }
    answering = {name for name, times in answered.items() if times}
    assert answering == open_to_all(live_server), "an operation that never answered was not looked at"
