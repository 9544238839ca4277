"""The commands as an operator runs them, each with a clear last word; those that serve, as processes of their own."""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db.database import Database
from app.errors import BrokenSetting
from app.models import RESOURCES
from app.settings import load_settings
from app.store.examples import SEED, seed_records
from tests.conftest import ROOT, free_port, wait_until_ready
from tests.support.commands import tev


def test_seed_creates_the_database_and_says_what_it_did(empty_database_url: str) -> None:
    first = tev("seed", "--database", empty_database_url)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("Seeded: ")
    assert first.stdout.endswith("created, 0 changed, 0 unchanged; dataset revision 1.\n")
    second = tev("seed", "--database", empty_database_url)
    assert second.stdout.startswith("Seeded: 0 created, 0 changed, ")
    assert second.stdout.endswith("dataset revision 1.\n")


def test_export_gives_every_record_once(seeded_database_url: str) -> None:
    finished = tev("export", "claims", TEV_DATABASE_URL=seeded_database_url)
    assert finished.returncode == 0, finished.stderr
    assert len({json.loads(line)["id"] for line in finished.stdout.splitlines()}) == 51
    assert finished.stderr.startswith("51 claims exported from ")
    table = tev("export", "treatments", "--format", "csv", "--database", seeded_database_url)
    assert len(list(csv.DictReader(io.StringIO(table.stdout)))) == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "treatmets"), "Did you mean 'treatments'?"),
        (("export", "treatments", "--format", "xml"), "must be ndjson or csv"),
        (("seed", "--database", "mysql://x"), "postgresql+psycopg"),
        (("seed", "--database", "sqlite:///:memory:"), "SQLite needs a file"),
        (("serve", "--port", "70000"), "TEV_PORT=70000"),
        (("seed", "--database", "/dev/null/x.db"), "TEV_DATABASE_URL=sqlite:////dev/null/x.db"),
        (("seed", "--database", "postgresql+psycopg://u:secret@127.0.0.1:1/x"), "u:***@127.0.0.1:1/x"),
    ],
)
def test_what_is_wrong_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    finished = tev(*arguments, TEV_DATABASE_URL=f"{tmp_path}/x.db")
    assert finished.returncode == 1
    assert words in finished.stderr
    assert finished.stderr.startswith("tev: ")
    assert finished.stderr.count("\n") == 1
    assert "Traceback" not in finished.stderr
    assert "secret" not in finished.stderr


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TEV_DATABSE_URL", "x.db", "Did you mean TEV_DATABASE_URL?"),
        ("TEV_PORT", "many", "TEV_PORT='many'"),
        ("TEV_PUBLIC_URL", "example.org", "must start with http"),
        ("TEV_LOG_LEVEL", "loud", "TEV_LOG_LEVEL='loud'"),
        ("TEV_WORKERS", "0", "TEV_WORKERS='0'"),
    ],
)
def test_an_unknown_or_broken_setting_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BrokenSetting, match=".*".join(words.split("?", maxsplit=1)[0].split("("))):
        load_settings()


@pytest.mark.parametrize(
    ("host", "public_url"),
    [("127.0.0.1", "http://127.0.0.1:8000"), ("0.0.0.0", "http://127.0.0.1:8000"), ("::1", "http://[::1]:8000")],
)
def test_the_public_address_follows_the_host(host: str, public_url: str) -> None:
    assert load_settings(host=host).public_url == public_url


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not JSON", "This is not JSON"),
        ("[]", "list of records under each plural"),
        ('{"treatmets": []}', "Did you mean 'treatments'?"),
        ('{"conditions": [{"id": "x", "name": "X"}, {"id": "Y", "name": "Y"}]}', "conditions/Y/id"),
        ('{"conditions": [{"name": "X"}]}', "conditions[0]/id"),
        ('{"conditions": [{"id": "x", "name": "X", "part_of": "y"}]}', "conditions/x/part_of"),
        ('{"outcomes": [{"id": "x", "name": "X", "direction": "unclear", "scale_min": NaN}]}', "not JSON"),
    ],
)
def test_a_broken_seed_names_the_record_and_the_rule_and_stores_nothing(
    tmp_path: Path, content: str, words: str
) -> None:
    file = tmp_path / "seed.json"
    file.write_text(content, encoding="utf-8")
    finished = tev("seed", str(file), "--database", f"{tmp_path}/x.db")
    assert finished.returncode == 1
    assert words in finished.stderr
    assert "Traceback" not in finished.stderr
    assert tev("export", "conditions", "--database", f"{tmp_path}/x.db").stdout == ""


def test_the_installed_command_is_a_process_that_ends_with_the_same_words_and_status(tmp_path: Path) -> None:
    arguments = ("export", "treatmets", "--database", f"{tmp_path}/x.db")
    command = [str(Path(sys.executable).parent / "tev"), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, finished.stdout, finished.stderr) == tev(*arguments)
    assert finished.returncode == 1


def test_a_seed_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    finished = tev("seed", str(tmp_path / "nothing.json"), "--database", f"{tmp_path}/x.db")
    assert finished.returncode != 0
    assert "nothing.json" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_processes_that_start_together_on_an_empty_database_seed_it_once(empty_database_url: str) -> None:
    command = [sys.executable, "-m", "app.cli", "seed", "--database", empty_database_url]
    started = [subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert all(line.endswith("dataset revision 1.\n") for line in said)
    assert sum("Seeded: 0 created" in line for line in said) == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_migrates_seeds_serves_and_stops(empty_database_url: str, workers: str) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--workers", workers],
        cwd=ROOT,
        env={**os.environ, "TEV_DATABASE_URL": empty_database_url, "TEV_ACCESS_LOG": "true", "TEV_METRICS": "true"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    address = f"http://127.0.0.1:{port}"
    wait_until_ready(address, process)
    with urllib.request.urlopen(f"{address}/v1/treatments/onabotulinumtoxina", timeout=5) as answer:
        assert json.load(answer)["dose_unit"]["code"] == "onabotulinumtoxina-unit"
    counted = 'tev_http_requests_total{method="GET",route="/v1/treatments/{id}",status="200"} 1.0'
    with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:
        assert counted in answer.read().decode().splitlines(), "every worker knows what each of them answered"
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    logged = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert {"/readyz", "/v1/treatments/{id}", "/metrics"} <= {entry["route"] for entry in logged}
    assert f"documentation  {address}/docs" in said
    addresses = [line.split("'")[1] for line in said.splitlines() if line.strip().startswith("curl '")]
    assert len(addresses) == 3
    assert all(line.startswith(f"{address}/v1/") for line in addresses)
    assert ("SQLite 3" if empty_database_url.startswith("sqlite") else "PostgreSQL 1") in said
    assert "password" not in said.lower()


def test_the_three_lines_that_serve_prints_work(live_server: str) -> None:
    for path in ("/v1/treatments", "/v1/claims?verdict=contradicted", "/v1/treatments/onabotulinumtoxina/dossier"):
        with urllib.request.urlopen(live_server + path, timeout=5) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "message", [b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_what_is_not_http_gets_a_problem(live_server: str, message: bytes) -> None:
    host, port = live_server.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(message)
        said = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert said.startswith("HTTP/1.1 400 ")
    assert "content-type: application/problem+json" in said
    assert json.loads(said.split("\r\n\r\n")[1])["status"] == 400


def test_the_help_names_every_command() -> None:
    text = tev("--help").stdout
    for word in ("serve", "seed", "export", "backup", "restore", "not medical advice"):
        assert word in text


def test_the_seed_file_has_every_resource() -> None:
    assert json.loads(SEED.read_text(encoding="utf-8")).keys() == RESOURCES.keys()


def test_check_is_green_on_the_seed_and_red_on_a_planted_fault(empty_database_url: str) -> None:
    tev("seed", "--database", empty_database_url)
    green = tev("check", "--database", empty_database_url)
    assert green.returncode == 0, green.stdout
    assert green.stdout.startswith(f"Records: {len(seed_records())}; stored texts: 1; ")
    assert green.stdout.endswith("; failures: 0.\n")
    database = Database(empty_database_url)
    with database.writer.begin() as connection:
        connection.execute(text("UPDATE source_text SET text = replace(text, '155 units', '156 units')"))
    database.close()
    red = tev("check", "--database", empty_database_url)
    assert red.returncode == 1
    assert "claims/c48/quote: the quote differs from the text at character 4411: the text has '6 units" in red.stdout


def test_a_record_is_withdrawn_reinstated_and_renamed_by_command(empty_database_url: str) -> None:
    tev("seed", "--database", empty_database_url)
    why = ("--author", "example editor", "--reason", "entered twice", "--database", empty_database_url)
    assert tev("withdraw", "claims", "c20", *why).stdout == "claims/c20 withdrawn; dataset revision 2.\n"
    again = tev("withdraw", "claims", "c20", *why)
    assert (again.returncode, "withdrawn already" in again.stderr) == (1, True)
    assert tev("reinstate", "claims", "c20", *why).stdout == "claims/c20 reinstated; dataset revision 3.\n"
    renamed = tev("rename", "claims", "c20", "c20-approval", *why)
    assert renamed.stdout == "claims/c20 is now claims/c20-approval; dataset revision 4.\n"
    unknown = tev("rename", "claims", "no-such", "other", *why)
    assert (unknown.returncode, unknown.stderr) == (1, "tev: There is no record claims/no-such.\n")
    assert tev("check", "--database", empty_database_url).returncode == 0
