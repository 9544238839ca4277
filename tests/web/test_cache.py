"""The response cache gives the right bytes, none older than a write before the request, and stays within its bound."""

import sqlite3
import time
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

import anyio
import httpx2
import pytest
from httpx2 import Response
from starlette.types import Message

from app.db.database import Database
from app.main import create_app
from app.models.conditions import ConditionRecord
from app.settings import Settings
from app.store.read.revision import DatasetState
from app.store.write.keys import create_key
from app.store.write.save import save_all
from app.web.cache import CachedResponse, Key, ResponseCache, cache_key
from tests.conftest import ENGINES, DatabaseTemplates, free_port, serving, untraced
from tests.support.api import Api, open_api
from tests.support.client import Client

TREATMENT = "onabotulinumtoxina"
READS = (
    "/v1/conditions",
    f"/v1/treatments/{TREATMENT}",
    f"/v1/treatments/{TREATMENT}/study-results?condition=chronic-migraine&include=study,sources",
    f"/v1/treatments/{TREATMENT}/dossier",
    f"/v1/treatments/{TREATMENT}/history",
    f"/v1/treatments/{TREATMENT}/card",
    "/v1/search?q=migraine",
    f"/v1/gaps?treatment={TREATMENT}",
    "/v1/changes",
    "/v1",
    f"/treatments/{TREATMENT}",
    f"/embed/treatments/{TREATMENT}",
    f"/badge/treatments/{TREATMENT}.svg",
    "/v1/claims?format=csv&limit=5",
)


@pytest.fixture(scope="module", params=ENGINES)
def timed(
    request: pytest.FixtureRequest, database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """The API over the seed, whose responses say in `Server-Timing` whether the cache had them."""
    url = database_templates.copy(request.param, tmp_path_factory.mktemp("timed"), is_seeded=True)
    with open_api(url, server_timing=True) as opened:
        yield opened


def cache_of(response: Response) -> str | None:
    """What the cache did: hit, miss or shared; None when it was not asked."""
    timing = response.headers["server-timing"]
    return next((part.split("desc=")[1] for part in timing.split(", ") if part.startswith("cache")), None)


def without_times(response: Response) -> dict[str, str]:
    """The headers of a response but for those of one request."""
    return {name: value for name, value in response.headers.items() if name not in ("x-request-id", "server-timing")}


@pytest.mark.parametrize("coding", ["identity", "br", "zstd", "gzip"])
@pytest.mark.parametrize("path", READS)
def test_a_cached_answer_is_the_one_that_was_computed(timed: Api, path: str, coding: str) -> None:
    headers = {"Accept-Encoding": coding}
    timed.condition()  # drops what other tests left
    first, second = timed.client.get(path, headers=headers), timed.client.get(path, headers=headers)
    assert first.status_code == 200, first.text
    assert (cache_of(first), cache_of(second)) == ("miss", "hit")
    assert second.content == first.content
    assert without_times(second) == without_times(first)
    head = timed.client.head(path, headers=headers)
    assert (cache_of(head), head.content) == ("hit", b"")
    assert without_times(head) == without_times(first)


@pytest.mark.parametrize("path", READS)
def test_a_cached_answer_is_revalidated_by_every_tag_that_names_it(timed: Api, path: str) -> None:
    timed.condition()
    coded = {"Accept-Encoding": "br"}
    computed = timed.client.get(path, headers=coded | {"If-None-Match": '"other"'})
    assert computed.status_code == 200
    tag = computed.headers["etag"]
    plain = timed.client.get(path).headers["etag"]
    hundred = ", ".join(f'"made-up-{number}"' for number in range(100))
    for sent in (tag, f"W/{tag}", plain, "*", f"{hundred}, {tag}"):
        answer = timed.client.get(path, headers=coded | {"If-None-Match": sent})
        assert (answer.status_code, answer.content, cache_of(answer)) == (304, b"", "hit"), sent
        assert answer.headers["etag"] == (plain if sent in (plain, "*") else tag)
        assert "content-length" not in answer.headers
        assert "content-type" not in answer.headers
        for name in ("cache-control", "vary", "dataset-revision", "access-control-allow-origin"):
            assert answer.headers[name] == computed.headers[name]
    for sent in (hundred, '"other"', "made-up", ""):
        assert timed.client.get(path, headers=coded | {"If-None-Match": sent}).status_code == 200


def test_a_304_to_the_first_request_fills_the_cache(timed: Api) -> None:
    path = "/v1/outcomes"
    tag = timed.client.get(path).headers["etag"]
    timed.condition()
    first = timed.client.get(path, headers={"If-None-Match": tag})
    second = timed.client.get(path, headers={"If-None-Match": tag})
    assert [(answer.status_code, cache_of(answer)) for answer in (first, second)] == [(304, "miss"), (304, "hit")]
    assert cache_of(timed.client.get(path)) == "hit"


@pytest.mark.parametrize("path", READS)
def test_no_answer_is_older_than_an_acknowledged_write(timed: Api, path: str) -> None:
    for _ in range(3):
        timed.client.get(path)
        made = timed.condition()
        revision = timed.ask("GET", f"/v1/conditions/{made['id']}").headers["dataset-revision"]
        answer = timed.client.get(path)
        assert cache_of(answer) == "miss"
        assert answer.headers["dataset-revision"] == revision


def test_a_change_is_seen_in_the_very_next_answer(timed: Api) -> None:
    made = timed.condition()
    path = f"/v1/conditions/{made['id']}"
    for number in range(20):
        name = f"made-up ache {number}"
        answer = timed.ask("PATCH", path, {"name": name}, content_type="application/merge-patch+json", If_Match="*")
        assert answer.status_code == 200, answer.text
        assert timed.client.get(path).json()["name"] == name
        listed = timed.client.get(f"/v1/conditions?id={made['id']}").json()["items"]
        assert [record["name"] for record in listed] == [name]
    assert timed.ask("DELETE", f"{path}?reason=Made+up.", If_Match="*").status_code == 204
    assert timed.client.get(path).status_code == 410


def test_what_another_process_writes_is_seen_at_once(timed: Api) -> None:
    path = f"/v1/treatments/{TREATMENT}"
    other = Database(timed.database.url)
    try:
        assert cache_of(timed.client.get(path)) in ("miss", "hit")
        assert cache_of(timed.client.get(path)) == "hit"
        save_all(other, [ConditionRecord(id=f"made-up-{token_hex(4)}", name="made-up ache")], author="made-up")
        assert cache_of(timed.client.get(path)) == "miss"
    finally:
        other.close()


def test_a_file_that_is_restored_over_the_database_empties_the_cache(
    database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = database_templates.copy("sqlite", tmp_path_factory.mktemp("restored"), is_seeded=True)
    empty = database_templates.copy("sqlite", tmp_path_factory.mktemp("empty"))
    with open_api(url, server_timing=True) as api:
        assert len(api.client.get("/v1/treatments").json()["items"]) > 0
        source = sqlite3.connect(empty.removeprefix("sqlite:///"))
        target = sqlite3.connect(url.removeprefix("sqlite:///"))
        source.backup(target)
        source.close()
        target.close()
        assert api.client.get("/v1/treatments").json()["items"] == []


def test_answers_to_keys_and_drafts_are_neither_taken_from_the_cache_nor_put_there(timed: Api) -> None:
    path = f"/v1/treatments/{TREATMENT}?fields=name"
    for _ in range(2):
        answer = timed.ask("GET", path)
        assert answer.headers["cache-control"] == "private, no-store"
        assert cache_of(answer) is None
    assert cache_of(timed.client.get(path)) == "miss"
    assert cache_of(timed.client.get(path)) == "hit"
    assert cache_of(timed.ask("GET", "/v1/drafts")) is None
    assert timed.client.get("/v1/drafts").status_code == 401
    foreign = {"Authorization": "Basic bWFkZTp1cA=="}  # of a proxy: no key of ours, but not everybody's answer either
    assert cache_of(timed.client.get(path, headers=foreign)) is None


def test_streams_problems_and_ranges_are_not_cached(timed: Api) -> None:
    for path, headers in (
        ("/v1/nothing", {}),
        ("/v1/treatments?limit=0", {}),
        ("/healthz", {}),
        (f"/v1/treatments/{TREATMENT}", {"Range": "bytes=0-10"}),
        (f"/v1/treatments/{TREATMENT}", {"Accept": "application/json, " + "x/y, " * 1600}),
    ):
        answers = [timed.client.get(path, headers=headers) for _ in range(2)]
        assert "hit" not in map(cache_of, answers)
        assert answers[0].status_code == answers[1].status_code
        assert len(answers[0].content) == len(answers[1].content)


def test_what_a_client_says_about_caches_and_hosts_reaches_no_other_client(timed: Api) -> None:
    path = f"/v1/treatments/{TREATMENT}"
    timed.condition()
    poison = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "ftp",
        "X-Forwarded-For": "198.51.100.7",
        "Forwarded": "host=evil.example",
        "X-Original-URL": "/v1/claims",
        "X-Request-ID": "evil.example",
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
    }
    poisoned = timed.client.get(path, headers=poison)
    clean = timed.client.get(path)
    assert (poisoned.status_code, cache_of(clean)) == (200, "hit")
    assert clean.content == poisoned.content
    assert "evil" not in clean.text + str(clean.headers)
    assert cache_of(timed.client.get(path, headers={"Cache-Control": "no-cache"})) == "hit", "it was validated just now"


def test_each_accept_has_its_own_answer(timed: Api) -> None:
    path = f"/v1/treatments/{TREATMENT}"
    for _ in range(2):
        for accept in ("application/json", "text/csv", "application/x-ndjson", "*/*"):
            wanted = "application/json" if accept == "*/*" else accept
            answer = timed.client.get(path, headers={"Accept": accept})
            assert answer.headers["content-type"].startswith(wanted)
    assert timed.client.get(path, headers={"Accept": "image/png"}).status_code == 406


def test_a_hundred_who_ask_at_once_have_one_computation(timed: Api) -> None:
    timed.condition()
    path = f"/v1/treatments/{TREATMENT}/dossier"
    timings: list[str] = []
    bodies: set[bytes] = set()
    client = timed.client

    async def ask() -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                timings.append(dict(message["headers"])[b"server-timing"].decode())
            else:
                bodies.add(message["body"])

        await client.app(scope_of(path), receive, send)

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(ask)

    assert client.portal is not None
    client.portal.call(all_at_once)
    assert len(bodies) == 1
    assert sum("cache;desc=miss" in timing for timing in timings) == 1
    assert sum("cache;desc=shared" in timing for timing in timings) == 99


def scope_of(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "scheme": "http",
        "root_path": "",
    }


def test_another_day_has_other_answers(timed: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/v1/gaps?treatment={TREATMENT}"
    timed.client.get(path)
    assert cache_of(timed.client.get(path)) == "hit"
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 86_400)
    assert cache_of(timed.client.get(path)) == "miss"
    assert cache_of(timed.client.get(path)) == "hit"


def test_a_flood_of_addresses_stays_within_the_bound(
    database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = database_templates.copy("sqlite", tmp_path_factory.mktemp("flood"), is_seeded=True)
    app = create_app(Settings(database_url=url, response_cache_bytes=100_000, server_timing=True))
    with Client(app, base_url="http://127.0.0.1:8000") as client:
        expected = client.get("/v1/treatments").content
        for number in range(300):
            assert client.get(f"/?utm_source={number}").status_code == 200
        cache: ResponseCache = app.state.cache
        assert 0 < cache.bytes <= 100_000
        assert len(cache) < 100
        assert client.get("/v1/treatments").content == expected
        large = "/v1/study-results?limit=200"
        assert [cache_of(client.get(large)) for _ in range(2)] == ["miss", "miss"], "an eighth of the bound at most"


def test_without_bytes_nothing_is_cached(
    database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = database_templates.copy("sqlite", tmp_path_factory.mktemp("uncached"), is_seeded=True)
    app = create_app(Settings(database_url=url, response_cache_bytes=0, server_timing=True))
    with Client(app, base_url="http://127.0.0.1:8000") as client:
        answers = [client.get("/v1/treatments") for _ in range(2)]
        tag = answers[0].headers["etag"]
        assert list(map(cache_of, answers)) == [None, None]
        assert client.get("/v1/treatments", headers={"If-None-Match": tag}).status_code == 304


# The cache by itself


def response_of(key: Key, size: int) -> CachedResponse:
    return CachedResponse(key, "/v1/made-up", [(b"etag", b'"made-up"')], {}, b"x" * size)


def test_the_least_recently_used_is_evicted_first() -> None:
    cache = ResponseCache(100_000)
    state = DatasetState(1, 1)
    valid_for = cache.drop_stale(state)
    keys = [Key(b"/%d" % number, b"", "") for number in range(12)]
    for key in keys[:8]:
        cache.keep(key, response_of(key, 8_000), valid_for)
    assert cache.find(keys[0], state) is not None
    for key in keys[8:]:
        cache.keep(key, response_of(key, 8_000), valid_for)
    assert keys[0] in cache
    assert keys[1] not in cache
    assert cache.bytes <= 100_000
    cache.keep(keys[0], response_of(keys[0], 20), valid_for)
    assert cache.bytes == sum(response.size for response in cache._responses.values())


def test_a_response_that_was_computed_before_a_commit_is_not_kept_after_it() -> None:
    cache = ResponseCache(100_000)
    key = Key(b"/", b"", "")
    before = cache.drop_stale(DatasetState(1, 1))
    cache.drop_stale(DatasetState(1, 2))
    cache.keep(key, response_of(key, 10), before)
    assert cache.find(key, DatasetState(1, 2)) is None
    assert cache.bytes == 0


def test_equal_codings_share_an_answer_however_they_are_asked_for() -> None:
    keys = {cache_key(b"/", [(b"accept-encoding", value)]) for value in (b"br", b"gzip, br", b"br;q=0.1, x")}
    assert len(keys) == 1
    refused = cache_key(b"/", [(b"accept-encoding", b"br;q=0, zstd;q=0, gzip;q=0")])
    assert refused is not None
    assert refused.coding == ""
    assert cache_key(b"/" + b"x" * 5000, []) is None


@pytest.mark.parametrize("engine", ENGINES)
def test_two_workers_answer_no_older_than_an_acknowledged_write(
    database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory, engine: str
) -> None:
    url = database_templates.copy(engine, tmp_path_factory.mktemp("workers"), is_seeded=True)
    database = Database(url)
    save_all(database, [ConditionRecord(id="made-up-ache", name="made-up ache")], author="made-up")
    key = create_key(database, "made-up write", "write")
    database.close()
    port = free_port()
    environment = {**untraced(), "TEV_DATABASE_URL": url, "TEV_PORT": str(port), "TEV_WORKERS": "2"}
    headers = {"Authorization": f"Bearer {key}", "If-Match": "*", "Content-Type": "application/merge-patch+json"}
    path = "/v1/conditions/made-up-ache"
    with serving(environment) as address, httpx2.Client(base_url=address) as writer:
        for number in range(20):
            name = f"made-up ache {number}"
            assert writer.patch(path, json={"name": name}, headers=headers).status_code == 200
            for _ in range(4):  # each over a connection of its own, which either worker may take
                with httpx2.Client(base_url=address) as reader:
                    assert reader.get(path).json()["name"] == name
                    listed = reader.get("/v1/conditions?id=made-up-ache").json()["items"]
                    assert [record["name"] for record in listed] == [name]
