"""What operators rely on: who is answered, what is logged and measured, and when the service says that it is ready."""

import ast
import gzip
import io
import json
import logging
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.testclient import TestClient

from app import cli
from app.api_keys import new_key
from app.db import database as db
from app.db.database import Database
from app.db.schema import newest_schema
from app.errors import BrokenSetting, Unauthorized
from app.main import create_app
from app.models import RESOURCES
from app.routers import ROUTES
from app.settings import Settings, load_settings
from app.store.write.save import save_all
from app.web.auth import caller_of
from app.web.health import look
from app.web.logging import MOST_WAITING, JsonFormatter, QueuedStderr, configuration
from app.web.metrics import Metrics
from app.web.middleware.checks import is_among
from app.web.middleware.request_log import HEADER, request_id
from app.web.route_table import RouteTable
from tests.conftest import ROOT, new_database
from tests.support.api import ADDRESS, Api, problem_of

LIST = "/v1/conditions"

# Under which names it answers


@pytest.mark.parametrize(
    "host", ["", "[", "a b", "evil.test/a?b#c", "a,b", "a:b", "a:123456", "é", "[::1", "a@b", "'", "a\x00"]
)
def test_a_host_that_is_none_is_refused_before_anything_else(seed_client: TestClient, host: str) -> None:
    problem_of(seed_client.get(LIST, headers={b"Host": host.encode()}), 400, "bad-request")


def test_a_request_has_one_host(seed_client: TestClient) -> None:
    problem = problem_of(seed_client.get(LIST, headers=[("Host", "a.test"), ("Host", "b.test")]), 400, "bad-request")
    assert problem["detail"] == "A request has one Host; this one has 2."


@pytest.mark.parametrize("host", ["a.test", "A.test:80", "127.0.0.1", "[::1]:8000", "api_1"])
def test_without_a_list_every_host_is_answered(seed_client: TestClient, host: str) -> None:
    assert seed_client.get(LIST, headers={"Host": host}).status_code == 200


def test_with_a_list_only_its_hosts_are_answered_and_supervisors_always(seeded_database_url: str) -> None:
    settings = Settings(
        database_url=seeded_database_url, allowed_hosts="API.example.org, *.example.net", public_url=ADDRESS
    )
    with TestClient(create_app(settings)) as client:
        for host in ("api.example.org", "API.EXAMPLE.ORG:8443", "a.example.net", "a.b.example.net"):
            assert client.get(LIST, headers={"Host": host}).status_code == 200
        for host in ("example.org", "example.net", "api.example.org.evil.test", "evilexample.net", "127.0.0.1"):
            problem_of(client.get(LIST, headers={"Host": host}), 421, "misdirected-request")
            problem_of(client.post(LIST, content=b"{", headers={"Host": host}), 421, "misdirected-request")
        for path in ("/healthz", "/readyz"):
            assert client.get(path, headers={"Host": "10.0.0.7:8000"}).status_code == 200


@pytest.mark.parametrize("hosts", ["https://a.test", "a.test:80", "a b", "*", "a.*", "*a.test"])
def test_a_list_of_hosts_that_cannot_be_stops_the_start(hosts: str) -> None:
    with pytest.raises(BrokenSetting, match="TEV_ALLOWED_HOSTS"):
        load_settings(allowed_hosts=hosts)


@given(st.from_regex(r"[a-z]{1,9}(\.[a-z]{1,9}){0,3}", fullmatch=True))
def test_a_star_stands_for_names_below_and_for_nothing_else(host: str) -> None:
    assert is_among(host, [host])
    assert is_among(f"x.{host}", [f"*.{host}"])
    assert not is_among(host, [f"*.{host}"])
    assert not is_among(f"x{host}", [host, f"*.{host}"])


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        (LIST, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        (f"{LIST}?limit=0", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        ("/openapi.json", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        ("/metrics", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        ("/readyz", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
        ("/", "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "),
        (
            "/docs",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; ",
        ),
    ],
)
def test_each_class_of_addresses_has_the_headers_that_it_needs(seed_client: TestClient, path: str, policy: str) -> None:
    headers = seed_client.get(path).headers
    assert headers["content-security-policy"].startswith(policy)
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    is_data = path not in ("/", "/docs")
    assert headers["cross-origin-resource-policy"] == ("cross-origin" if is_data else "same-origin")
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers
    assert not {"server", "x-powered-by", "set-cookie"} & set(headers)


def test_what_writes_asks_again_who_the_caller_is() -> None:
    with pytest.raises(Unauthorized):
        caller_of(Request({"type": "http"}), "write")


def test_the_program_asks_no_other_host() -> None:
    asking = {"aiohttp", "ftplib", "http.client", "httpx", "requests", "smtplib", "socket", "urllib.request", "urllib3"}
    for path in (ROOT / "app").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not named & asking, path


# Bodies that are compressed


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "GZIP", "identity, gzip", "gzip, gzip", "x"])
def test_a_compressed_body_is_refused_before_it_is_read(api: Api, coding: str) -> None:
    bomb = gzip.compress(b" " * 1_000_000)
    asked = [("POST", LIST), ("PUT", f"{LIST}/chronic-migraine"), ("PATCH", f"{LIST}/chronic-migraine")]
    for method, path in [*asked, ("POST", "/v1/syntheses")]:
        answer = api.ask(method, path, bomb, If_Match="*", Content_Encoding=coding)
        problem_of(answer, 415, "unsupported-media-type")
        assert answer.headers["accept-encoding"] == "identity"
    problem_of(api.ask("POST", LIST, bomb, key=None, Content_Encoding=coding), 401, "unauthorized")
    assert api.client.get(LIST, headers={"Content-Encoding": coding}).status_code == 200


# Each request has a name


def test_every_answer_names_its_request(seed_client: TestClient) -> None:
    for path in (LIST, "/", "/no-such", f"{LIST}?limit=0", "/healthz", "/%00"):
        made = seed_client.get(path).headers[HEADER]
        assert len(made) == 16
        assert seed_client.get(path).headers[HEADER] != made
        answer = seed_client.get(path, headers={HEADER: "proxy-1.a:b/c+d=@_"})
        assert answer.headers[HEADER] == "proxy-1.a:b/c+d=@_"
        assert HEADER in answer.headers["access-control-expose-headers"].split(", ")


@pytest.mark.parametrize(
    "asked", ["", " ", "a b", "a\r\nX: 1", "é", "a" * 101, '"', "<x>", "{}", f"tev_{'0' * 16}_{'A' * 43}"]
)
def test_a_name_that_is_not_well_formed_is_not_repeated(asked: str) -> None:
    assert request_id(asked.encode()) != asked
    assert len(request_id(asked.encode())) == 16


# Logs


def line_of(record: logging.LogRecord) -> dict[str, Any]:
    line = JsonFormatter().format(record)
    assert "\n" not in line
    entry: dict[str, Any] = json.loads(line)
    return entry


def test_an_unforeseen_failure_is_logged_with_trace_and_request_and_nothing_that_was_sent(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = token_hex(8)

    def fail(_text: str) -> None:
        raise ValueError(secret)

    monkeypatch.setattr("app.web.bodies.read_json", fail)
    answer = api.ask("POST", LIST, {"id": "x", "name": secret}, X_Request_ID="made-up-7")
    problem = problem_of(answer, 500, "internal-error")
    assert problem["detail"].endswith("Our log has it under the request made-up-7.")
    entry = line_of(next(record for record in caplog.records if record.name == "app"))
    assert (entry["level"], entry["request"]) == ("error", "made-up-7")
    assert entry["message"] == f"unexpected failure on {LIST}"
    assert "ValueError" in entry["trace"]
    assert any(" fail: raise ValueError(secret)" in line for line in entry["trace"])
    assert secret not in json.dumps(entry)
    assert api.keys["write"] not in json.dumps(entry)


def test_what_the_database_repeats_of_a_record_is_not_logged(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    secret = token_hex(8)
    with pytest.raises(DBAPIError, match=secret) as caught, api.database.write() as connection:
        connection.execute(text("INSERT INTO no_such_table VALUES (:v)"), {"v": secret})
    logging.getLogger("app").error("made-up failure", exc_info=caught.value)
    entry = line_of(caplog.records[-1])
    assert len(entry["trace"]) > 2
    assert secret not in json.dumps(entry)


def test_a_key_in_a_log_line_is_masked() -> None:
    key = new_key()[1]
    record = logging.LogRecord("app", logging.INFO, "", 0, "asked with %s", (key,), None)
    assert line_of(record)["message"] == "asked with tev_***"


def test_the_access_log_says_route_and_status_and_neither_address_nor_parameters(
    seeded_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.access")
    with TestClient(create_app(Settings(database_url=seeded_database_url, access_log=True))) as client:
        client.get("/v1/conditions/chronic-migraine?fields=name", headers={HEADER: "made-up-8"})
    entry = line_of(caplog.records[-1])
    assert entry.pop("time").endswith("Z")
    assert entry.pop("ms") >= 0
    assert entry == {
        "level": "info",
        "logger": "app.access",
        "message": "answered",
        "request": "made-up-8",
        "method": "GET",
        "route": "/v1/conditions/{id}",
        "status": 200,
    }


def test_the_access_log_is_off_by_default(seed_client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    seed_client.get(LIST)
    assert not [record for record in caplog.records if record.name == "app.access"]
    assert configuration("warning", access_log=False)["loggers"]["app.access"]["level"] == "CRITICAL"


class Stuck(io.StringIO):
    """Standard error of which nobody reads until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = Event()

    def write(self, line: str) -> int:
        self.free.wait()
        return super().write(line)


@pytest.fixture
def stuck_database() -> Iterator[tuple[Stuck, QueuedStderr]]:
    stream = Stuck()
    handler = QueuedStderr(stream)
    handler.setFormatter(JsonFormatter())
    yield stream, handler
    stream.free.set()
    handler.close()


def test_nobody_waits_for_a_stuck_standard_error_and_what_was_lost_is_counted(
    stuck_database: tuple[Stuck, QueuedStderr],
) -> None:
    stream, handler = stuck_database
    record = logging.LogRecord("app", logging.ERROR, "", 0, "made-up line", None, None)
    for _ in range(MOST_WAITING + 10):
        handler.handle(record)
    assert 8 < handler.lost <= 10
    stream.free.set()
    while handler.lost:
        handler.handle(record)
    handler.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sum(line["message"] == "made-up line" for line in lines) > MOST_WAITING
    assert any(line["message"].endswith("lines were lost: standard error is read too slowly") for line in lines)


def test_without_httptools_nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "httptools", None)
    monkeypatch.setattr(sys, "argv", ["tev", "serve", "--database", str(tmp_path / "none.db")])
    with pytest.raises(SystemExit, match="tev: The package httptools is missing"):
        cli.main()
    with pytest.raises(BrokenSetting, match="httptools"):
        create_app(Settings(database_url=f"sqlite:///{tmp_path}/none.db"))
    assert not list(tmp_path.iterdir())


# Ready or not


def ready(url: str) -> Any:
    with TestClient(create_app(Settings(database_url=url)), base_url=ADDRESS) as client:
        return client.get("/readyz")


def test_a_ready_service_says_what_it_looked_at(seed_client: TestClient) -> None:
    answer = seed_client.get("/readyz")
    revision = int(answer.headers["dataset-revision"])
    assert answer.json() == {
        "status": "ready",
        "revision": revision,
        "migrated": True,
        "seeded": True,
        "writable": True,
    }


def test_a_database_without_a_schema_or_with_another_one_is_not_ready(empty_database_url: str) -> None:
    problem_of(ready(empty_database_url), 503, "unavailable", "/migrated")
    database = Database(empty_database_url)
    database.migrate()
    problem_of(ready(empty_database_url), 503, "unavailable", "/seeded")
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'made-up'"))
    database.close()
    problem = problem_of(ready(empty_database_url), 503, "unavailable", "/migrated")
    assert problem["detail"] == f"The database has schema made-up; this program needs {newest_schema()}."


def seeded_file(folder: Path) -> Path:
    database = Database(f"sqlite:///{folder}/small.db")
    database.migrate()
    condition = RESOURCES["conditions"].record_class()
    save_all(database, [condition.model_validate({"id": "made-up", "name": "made-up ache"})], author="test")
    database.close()
    return folder / "small.db"


def test_while_somebody_writes_the_service_is_ready(tmp_path: Path) -> None:
    file = seeded_file(tmp_path)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert ready(f"sqlite:///{file}").json()["writable"] is True


def test_a_file_that_cannot_be_written_to_is_not_ready_and_still_read(tmp_path: Path) -> None:
    file = seeded_file(tmp_path)
    with file.open("r+b") as raw:
        raw.seek(18)  # the write version: a number beyond 2 means "read-only" (SQLite file format, 1.3.3)
        raw.write(b"\x03")
    with TestClient(create_app(Settings(database_url=f"sqlite:///{file}")), base_url=ADDRESS) as client:
        problem_of(client.get("/readyz"), 503, "unavailable", "/writable")
        assert client.get(f"{LIST}/made-up").status_code == 200


def test_a_full_disk_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "LEAST_FREE_BYTES", 2**62)
    problem = problem_of(ready(f"sqlite:///{seeded_file(tmp_path)}"), 503, "unavailable", "/writable")
    assert "bytes left" in problem["detail"]


def test_a_file_that_is_gone_is_not_ready(tmp_path: Path) -> None:
    file = seeded_file(tmp_path)
    database = Database(f"sqlite:///{file}")
    assert look(database).faults == {}
    file.unlink()
    assert look(database).faults == {"writable": "The database cannot be reached for writing."}
    database.close()


def test_a_user_of_postgresql_who_may_not_write_is_not_ready(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = new_database(request, "postgresql", tmp_path)
    owner = Database(url)
    owner.migrate()
    owner.close()
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP ROLE IF EXISTS made_up_reader"))
        connection.execute(text("CREATE ROLE made_up_reader LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO made_up_reader"))
    engine.dispose()
    reader = Database(make_url(url).set(username="made_up_reader").render_as_string(hide_password=False))
    assert look(reader).faults["writable"] == "The user of the database may not write to its tables."
    reader.close()


# Metrics


def test_metrics_are_off_by_default(seed_client: TestClient) -> None:
    assert "TEV_METRICS=true" in problem_of(seed_client.get("/metrics"), 404, "not-found")["detail"]


def test_metrics_count_by_template_and_nobody_makes_them_grow(seeded_database_url: str) -> None:
    with TestClient(
        create_app(Settings(database_url=seeded_database_url, metrics=True)), raise_server_exceptions=False
    ) as client:
        for path in ("chronic-migraine", "no-such", "no-such-2"):
            client.get(f"{LIST}/{path}")
        client.head(LIST)
        client.post(LIST, content=b"{}")
        for number in range(5):
            client.get(f"/made-up/{number}")
            client.request(f"BREW{number}", f"/{number}")
        answer = client.get("/metrics")
        revision = answer.headers["dataset-revision"]
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    lines = answer.text.splitlines()
    for line in (
        'tev_http_requests_total{method="GET",route="/v1/conditions/{id}",status="200"} 1.0',
        'tev_http_requests_total{method="GET",route="/v1/conditions/{id}",status="404"} 2.0',
        'tev_http_requests_total{method="HEAD",route="/v1/conditions",status="200"} 1.0',
        'tev_http_requests_total{method="POST",route="/v1/conditions",status="401"} 1.0',
        'tev_http_requests_total{method="GET",route="none",status="404"} 5.0',
        'tev_http_requests_total{method="other",route="none",status="404"} 5.0',
        'tev_http_request_duration_seconds_count{method="GET",route="/v1/conditions/{id}"} 3.0',
        "tev_http_requests_in_flight 1.0",
        "tev_writes_waiting 0.0",
        "tev_database_up 1.0",
        f"tev_dataset_revision {float(revision)}",
    ):
        assert line in lines, line
    assert "made-up" not in answer.text
    assert "BREW" not in answer.text


def test_metrics_are_answered_while_the_database_is_away() -> None:
    app = create_app(Settings(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing", metrics=True))
    with TestClient(app) as client:
        assert "tev_database_up 0.0" in client.get("/metrics").text.splitlines()


def test_what_a_worker_that_died_had_in_flight_is_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "gauge_livesum_4194305.db").touch()  # beyond the highest number of a process
    (tmp_path / "counter_4194305.db").write_bytes(bytes(8))
    Metrics().text([])
    assert [file.name for file in tmp_path.iterdir()] == ["counter_4194305.db"]


@pytest.mark.parametrize("template", sorted({route.path for route in ROUTES}))
def test_every_template_is_found_by_its_addresses(template: str) -> None:
    table = RouteTable(ROUTES)
    assert table.template(re.sub(r"\{[a-z_]+\}", "made-up", template)) == template
    assert table.template(f"{template}/made/up/4") is None
