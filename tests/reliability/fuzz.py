"""Schemathesis with every check and several seeds: without a key as in make test, and with one that may write.

What is told apart from schemathesis.toml for the runs with a key stands in `KEYED`, each with its reason.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from app.store.examples import RELEASE
from tests.conftest import ROOT, untraced
from tests.reliability.bench import Bench
from tests.reliability.figures import Figure, none_of
from tests.reliability.servers import Server

CONFIGURATION = ROOT / "schemathesis.toml"
HOOKS = ROOT / "tests" / "schemathesis_hooks.py"
LAST = "# Writing needs a key, and none is given here"
KEYED = """
# Which references exist, and which version a record has by now, no schema says: 404, 409, 412 and 422 for what it calls
# valid. 410 and 308: this run withdraws records. 428: If-Match that is blank.
[[operations]]
include-operation-id-regex = '^((create|replace|amend|withdraw)_(?!synthesis$)|save_batch$)'
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 409, 410, 412, 422, 428]
checks.negative_data_rejection.expected-statuses = [400, 404, 405, 406, 409, 410, 412, 414, 415, 422, 428]
phases.coverage.enabled = false

# Publishing needs the scope `admin`, which this key has not: 403 before anything else is looked at. 404, 409: which
# drafts there are, and which are decided, no schema says.
[[operations]]
include-operation-id-regex = '_draft$'
checks.positive_data_acceptance.expected-statuses = ["2xx", 400, 403, 404, 409]
checks.negative_data_rejection.expected-statuses = [400, 403, 404, 405, 406, 409, 414, 415, 422]
"""
READS = ("positive_data_acceptance]\nexpected-statuses = [", "positive_data_acceptance]\nexpected-statuses = [410, ")
LEAST = 20_000


def probe(bench: Bench) -> Iterator[Figure]:
    """Two seeds without a key, in all phases, and one with a key that may write."""
    if bench.is_short:
        return  # tests/contract/test_schemathesis.py is the short form
    generated = 0
    for seed, keyed in ((1, False), (2, False), (3, True)):
        with bench.server("sqlite", environment={"TEV_RELEASES": str(bench.folder / "releases")}) as server:
            name = f"seed {seed}, {'a key that writes' if keyed else 'no key'}"
            count, failures = look(server, bench.folder, seed, keyed=keyed)
            generated += count
            yield none_of(f"failures, {name}", "sqlite", failures, count)
    yield Figure("how many cases", "sqlite", str(generated), f"≥ {LEAST}", generated >= LEAST)


def look(server: Server, folder: Path, seed: int, *, keyed: bool) -> tuple[int, list[str]]:
    """How many cases one run generated, and its failures."""
    release = [sys.executable, "-m", "app.cli", "release", RELEASE]
    environment = {**untraced(), "TEV_DATABASE_URL": server.url, **server.environment}
    subprocess.run(release, cwd=ROOT, env=environment, check=False, capture_output=True)
    configuration, report = folder / f"schemathesis-{seed}.toml", folder / f"report-{seed}.json"
    configuration.write_text(told(keyed=keyed))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "--no-color", "run"]
    options = ["--report", "json", "--report-json-path", str(report), "--seed", str(seed)]
    options += ["--header", f"Authorization: Bearer {server.key}"] if keyed else []
    done = subprocess.run(
        [*command, f"{server.address}/openapi.json", *options],
        check=False,
        cwd=folder,
        env={**untraced(), "SCHEMATHESIS_HOOKS": str(HOOKS)},
        text=True,
        capture_output=True,
        timeout=900,
    )
    if not report.exists():
        return 0, [done.stdout[-300:] + done.stderr[-300:]]
    found = json.loads(report.read_text())
    failures = [json.dumps(one)[:300] for one in [*found["failures"], *found["errors"]]]
    return cases(done.stdout), failures


def told(*, keyed: bool) -> str:
    """The configuration of a run."""
    plain = CONFIGURATION.read_text()
    if not keyed:
        return plain
    return plain[: plain.index(LAST)].replace(*READS) + KEYED


def cases(said: str) -> int:
    """How many cases the run says that it generated."""
    lines = said.partition("Test cases:")[2].splitlines()
    return int(lines[1].split()[0].replace(",", "")) if len(lines) > 1 else 0
