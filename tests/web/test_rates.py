"""Rate limits by key and by address: a 429 says when to try again, and nobody else is limited."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.db.database import Database
from app.errors import BrokenSetting
from app.main import create_app
from app.settings import Settings, load_settings
from app.web.middleware.rate_limits import MOST_COUNTED, RateLimiter, client_address
from tests.conftest import free_port
from tests.support.api import ADDRESS, Api, open_api, problem_of
from tests.web.test_keys import answered


@contextmanager
def limited(folder: Path, **settings: str) -> Iterator[Api]:
    """The API with these limits, over a database without records."""
    url = f"sqlite:///{folder}/rates.db"
    database = Database(url)
    database.migrate()
    database.close()
    with open_api(url, **settings) as api:
        yield api


def condition(number: int) -> dict[str, str]:
    return {"id": f"made-up-{number}", "name": "made up"}


def test_a_key_that_writes_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    with limited(tmp_path, rate_writes="3/hour") as api:
        for left in (2, 1, 0):
            answer = api.ask("POST", "/v1/conditions", condition(left))
            assert answer.status_code == 201
            assert answer.headers["ratelimit-policy"] == '"writes";q=3;w=3600'
            assert answer.headers["ratelimit"].startswith(f'"writes";r={left};t=')
        refused = api.ask("POST", "/v1/conditions", condition(3))
        problem = problem_of(refused, 429, "too-many-requests")
        seconds = int(refused.headers["retry-after"])
        assert 0 < seconds <= 3600
        assert f"3 in 3600 seconds are allowed. Try again in {seconds} seconds." in problem["detail"]
        assert refused.headers["ratelimit"] == f'"writes";r=0;t={seconds}'
        assert refused.headers["cache-control"] == "private, no-store"
        exposed = refused.headers["access-control-expose-headers"]
        assert all(name in exposed for name in ("RateLimit", "RateLimit-Policy", "Retry-After"))
        assert api.client.get("/v1/conditions/made-up-3").status_code == 404
        assert api.ask("POST", "/v1/conditions", condition(4), key="admin").status_code == 201, "another key"
        reads = api.ask("GET", "/v1/conditions")
        assert reads.status_code == 200
        assert "ratelimit" not in reads.headers


def test_a_write_too_many_is_refused_before_its_body_is_read(tmp_path: Path) -> None:
    with limited(tmp_path, rate_writes="1/hour") as api:
        assert api.ask("POST", "/v1/conditions", condition(1)).status_code == 201
        line = f"Bearer {api.keys['write']}".encode()
        headers = [(b"authorization", line), (b"content-type", b"application/json"), (b"content-length", b"100000000")]
        assert answered(api, "POST", "/v1/conditions", headers) == 429


def test_reads_are_limited_by_address_and_by_key_when_the_operator_says_so(tmp_path: Path) -> None:
    with limited(tmp_path, rate_reads="2/hour") as api:
        assert api.client.head("/v1/conditions").headers["ratelimit"].startswith('"reads";r=1;t=')
        assert api.client.get("/v1/no-such").status_code == 404, "counted, too"
        problem_of(api.client.get("/v1/conditions", headers={"X-Forwarded-For": "192.0.2.7"}), 429, "too-many-requests")
        assert api.ask("GET", "/v1/conditions", key="read").status_code == 200
        assert api.ask("POST", "/v1/conditions", condition(1)).status_code == 201
        for path in ("/", "/readyz", "/openapi.json", "/problems/too-many-requests"):
            assert api.client.get(path).status_code == 200, path
        preflight = {"Origin": "https://a.test", "Access-Control-Request-Method": "GET"}
        assert api.client.options("/v1/conditions", headers=preflight).status_code == 204


def test_an_address_that_guesses_keys_is_not_listened_to_any_more(tmp_path: Path) -> None:
    with limited(tmp_path, rate_failures="3/hour") as api:
        for caller in ("wrong", "revoked", "expired"):
            problem_of(api.ask("GET", "/v1/conditions", key=caller), 401, "unauthorized")
        refused = api.ask("GET", "/v1/conditions", key="admin")
        assert "wrong keys" in problem_of(refused, 429, "too-many-requests")["detail"]
        assert int(refused.headers["retry-after"]) > 0
        assert api.client.get("/v1/conditions").status_code == 200, "without a key anybody may read"


def test_good_keys_are_never_counted_as_guesses(tmp_path: Path) -> None:
    with limited(tmp_path, rate_failures="1/hour") as api:
        assert [api.ask("GET", "/v1/conditions", key="read").status_code for _ in range(5)] == [200] * 5
        problem_of(api.ask("POST", "/v1/conditions", {}, key="read"), 403, "forbidden")
        problem_of(api.ask("POST", "/v1/conditions", {}, key=None), 401, "unauthorized")
        assert api.ask("GET", "/v1/conditions", key="read").status_code == 200


@pytest.mark.parametrize(
    ("host", "who"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_a_network_of_ipv6_is_one_sender(host: str, who: str) -> None:
    assert client_address({"client": (host, 1)}) == who
    assert client_address({"client": None}) == client_address({}) == "unknown"


async def counted(rates: RateLimiter, senders: int) -> tuple[int, Any, Any]:
    spent = None
    for number in range(senders):
        spent = await rates.spend("reads", f"made-up-{number}")
    return len(rates.storage.expirations), spent, await rates.spend("reads", "made-up-0")


def test_the_memory_of_many_addresses_has_an_end() -> None:
    rates = RateLimiter(Settings(rate_reads="5/hour"))
    held, newest, first = asyncio.run(counted(rates, MOST_COUNTED + 50))
    assert held == MOST_COUNTED
    assert newest is None, "let through uncounted"
    assert first.remaining == 3, "whoever is counted stays so"


@pytest.mark.parametrize("name", ["rate_writes", "rate_reads", "rate_failures"])
@pytest.mark.parametrize("value", ["often", "60", "0/minute", "-1/minute", "1/fortnight", "OFF"])
def test_a_limit_that_cannot_be_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(BrokenSetting, match=f"TEV_{name.upper()}='{value}': must be a number of requests"):
        load_settings(**{name: value})


def test_redis_without_its_package_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BrokenSetting, match="must be memory://, redis://"):
        load_settings(rate_storage="memcached://127.0.0.1")
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(BrokenSetting, match=r"TEV_RATE_STORAGE='redis://127.0.0.1': needs the package redis"):
        load_settings(rate_storage="redis://127.0.0.1")


@contextmanager
def redis_server(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert any(b"Ready to accept connections" in line for line in process.stdout)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.communicate(timeout=20)


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not on this machine")
def test_processes_count_together_in_redis_and_go_on_without_it(tmp_path: Path) -> None:
    with redis_server(tmp_path) as (address, process):
        settings = Settings(database_url=f"{tmp_path}/rates.db", rate_writes="2/hour", rate_storage=address)
        with (
            limited(tmp_path, rate_writes="2/hour", rate_storage=address) as one,
            TestClient(create_app(settings), base_url=ADDRESS, raise_server_exceptions=False) as client,
        ):
            other = Api(client, one.database, one.keys)
            for left, api in ((1, one), (0, other)):
                answer = api.ask("POST", "/v1/conditions", condition(left))
                assert answer.headers["ratelimit"].startswith(f'"writes";r={left};')
            for api in (one, other):
                problem_of(api.ask("POST", "/v1/conditions", condition(3)), 429, "too-many-requests")
            process.kill()
            process.wait(20)
            for number, api in enumerate((one, other, one), start=4):
                answer = api.ask("POST", "/v1/conditions", condition(number))
                assert answer.status_code == 201
                assert "ratelimit" not in answer.headers
