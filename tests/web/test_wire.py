"""The wire on both engines: negotiation, tags and codings, CORS, links, export in pieces, the dossier, the lookup."""

import gzip
import json

import brotli
import pytest
import zstandard
from sqlalchemy import text
from starlette.testclient import TestClient

from app import __version__
from app.db.database import Database
from app.errors import Unavailable
from app.main import create_app
from app.models import RESOURCES
from app.models.base import Record
from app.settings import Settings
from app.store.read.lists import export_chunk
from app.store.read.query import Query
from app.store.write.save import save_all

LIST = "/v1/study-results"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("application/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/csv;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("application/json;q=0, text/*", "text/csv; charset=utf-8"),
    ],
)
def test_the_accept_header_chooses_the_format(seed_client: TestClient, accept: str, media_type: str) -> None:
    assert seed_client.get(LIST, headers={"Accept": accept}).headers["content-type"] == media_type


def test_format_goes_before_the_accept_header(seed_client: TestClient) -> None:
    answer = seed_client.get(LIST, params={"format": "ndjson"}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "application/x-ndjson"


def decoded(coding: str, content: bytes) -> bytes:
    if coding == "br":
        return bytes(brotli.decompress(content))
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return gzip.decompress(content)


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
def test_each_coding_has_a_tag_of_its_own_and_answers_304_to_it(seed_client: TestClient, coding: str) -> None:
    plain = seed_client.get(LIST, headers={"Accept-Encoding": "identity"})
    with seed_client.stream("GET", LIST, headers={"Accept-Encoding": coding}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == coding
    assert decoded(coding, raw) == plain.content
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    assert answer.headers["etag"] == plain.headers["etag"][:-1] + f'-{coding}"'
    again = seed_client.get(LIST, headers={"Accept-Encoding": coding, "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["etag"] == answer.headers["etag"]


def test_csv_and_ndjson_are_compressed_too(seed_client: TestClient) -> None:
    for form in ("csv", "ndjson"):
        with seed_client.stream("GET", LIST, params={"format": form}, headers={"Accept-Encoding": "br"}) as answer:
            assert answer.headers["content-encoding"] == "br"


@pytest.mark.parametrize("refused", ["gzip;q=0, br;q=0, zstd;q=0", "identity", "*;q=0"])
def test_a_refused_coding_is_not_used(seed_client: TestClient, refused: str) -> None:
    assert "content-encoding" not in seed_client.get(LIST, headers={"Accept-Encoding": refused}).headers


def test_the_tag_of_a_record_begins_with_its_version(seed_client: TestClient) -> None:
    assert seed_client.get("/v1/treatments/onabotulinumtoxina").headers["etag"].startswith('"1.')
    other = seed_client.get("/v1/treatments/onabotulinumtoxina", params={"fields": "name"}).headers["etag"]
    assert other.startswith('"1.')
    assert other != seed_client.get("/v1/treatments/onabotulinumtoxina").headers["etag"]


def test_every_answer_says_the_revision_and_may_be_read_from_any_page(seed_client: TestClient) -> None:
    for path in (LIST, "/", "/openapi.json", "/v1/nothing", f"{LIST}?limit=0", "/healthz"):
        answer = seed_client.get(path, headers={"Origin": "https://example.org"})
        assert int(answer.headers["dataset-revision"]) >= 1
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert {"ETag", "Link", "Dataset-Revision"} <= set(answer.headers["access-control-expose-headers"].split(", "))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_preflight_is_answered(seed_client: TestClient) -> None:
    asked = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match, x-example",
    }
    answer = seed_client.options(LIST, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert answer.headers["access-control-allow-headers"] == "if-none-match, x-example"


def test_the_link_to_the_next_page_is_the_next_page(seed_client: TestClient) -> None:
    parameters: dict[str, str | int] = {"condition": "chronic-migraine", "sort": "-id", "limit": 3, "fields": "id"}
    first = seed_client.get(LIST, params=parameters)
    link = first.headers["link"]
    assert link.endswith('>; rel="next"')
    second = seed_client.get(link[1 : link.index(">")].removeprefix("http://127.0.0.1:8000"))
    assert second.json() == seed_client.get(LIST, params={**parameters, "cursor": first.json()["next"]}).json()


def test_what_is_shown_may_change_while_a_cursor_is_followed(seed_client: TestClient) -> None:
    cursor = seed_client.get(LIST, params={"limit": 2}).json()["next"]
    answer = seed_client.get(LIST, params={"limit": 5, "cursor": cursor, "fields": "id", "include": "study"})
    assert answer.status_code == 200


def test_a_report_link_names_the_record_and_its_version(seeded_database_url: str) -> None:
    app = create_app(Settings(database_url=seeded_database_url, contact_url="https://example.org/report?from=api"))
    with TestClient(app) as client:
        link = client.get("/v1/treatments/onabotulinumtoxina").headers["link"]
        page = client.get("/").text
    expected = "https://example.org/report?from=api&record=treatments%2Fonabotulinumtoxina&version=1"
    assert f'<{expected}>; rel="help"; title="Report an error"' in link
    assert "https://example.org/report?from=api" in page


def many(count: int) -> list[Record]:
    row = RESOURCES["conditions"].record_class()
    return [row.model_validate({"id": f"example-{index:05}", "name": f"=Example {index}"}) for index in range(count)]


def test_a_long_export_comes_in_pieces_with_a_weak_tag_and_loses_nothing(database: Database) -> None:
    save_all(database, many(1234), author="test")
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        answer = client.get("/v1/conditions", params={"format": "ndjson"})
        ids = [json.loads(line)["id"] for line in answer.text.splitlines()]
        assert ids == [f"example-{index:05}" for index in range(1234)]
        tag = answer.headers["etag"]
        assert tag.startswith('W/"r1.')
        again = client.get("/v1/conditions", params={"format": "ndjson"}, headers={"If-None-Match": tag})
        assert again.status_code == 304
        head = client.head("/v1/conditions", params={"format": "ndjson"})
        assert head.headers["etag"] == tag
        assert head.content == b""
        table = client.get("/v1/conditions", params={"format": "csv", "fields": "name"}).text.splitlines()
        assert table[0] == "name"
        assert table[1] == "'=Example 0"
        assert len(table) == 1235
        save_all(database, many(1235), author="test")
        assert (
            client.get("/v1/conditions", params={"format": "ndjson"}, headers={"If-None-Match": tag}).status_code == 200
        )


def test_an_export_holds_one_chunk_at_a_time(database: Database) -> None:
    save_all(database, many(30), author="test")
    query: Query | None = Query(RESOURCES["conditions"])
    sizes = []
    while query is not None:
        with database.read() as connection:
            documents, query = export_chunk(connection, query, size=8)
        sizes.append(len(documents))
    assert sizes == [8, 8, 8, 6]


def test_a_query_that_takes_too_long_is_cut_off(seeded_database_url: str) -> None:
    database = Database(seeded_database_url, query_seconds=0.3)
    forever = {
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "postgresql": "SELECT pg_sleep(30)",
    }
    with pytest.raises(Unavailable, match="too long") as caught, database.read() as connection:
        connection.execute(text(forever[database.dialect]))
    assert caught.value.headers == {"Retry-After": "1"}
    with database.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    database.close()


def test_a_database_that_cannot_be_reached_is_told_as_503() -> None:
    app = create_app(Settings(database_url="postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    with TestClient(app, raise_server_exceptions=False) as client:
        for path in ("/v1/treatments", "/v1/treatments/x", "/readyz", "/"):
            answer = client.get(path)
            assert answer.status_code == 503, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert "nobody" not in answer.text
        assert client.get("/healthz").json() == {"status": "ok", "version": __version__}


def test_no_cache_keeps_what_a_supervisor_asks(seed_client: TestClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert seed_client.get(path).headers["cache-control"] == "no-store"


def test_an_empty_database_is_not_ready(database: Database) -> None:
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        assert client.get("/readyz").status_code == 503
        assert client.get("/v1/treatments").json() == {"items": [], "next": None}


def test_an_unforeseen_failure_is_a_problem_without_its_insides(database: Database) -> None:
    save_all(database, many(1), author="test")
    with database.write() as connection:
        connection.execute(text("UPDATE condition SET document = 'a secret that is not JSON'"))
    with TestClient(create_app(Settings(database_url=database.url)), raise_server_exceptions=False) as client:
        answer = client.get("/v1/conditions", params={"fields": "id"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "secret" not in answer.text


# The dossier


def test_the_dossier_holds_a_whole_page(seed_client: TestClient) -> None:
    dossier = seed_client.get("/v1/treatments/onabotulinumtoxina/dossier").json()
    for name in ("indications", "approvals", "dosing_intervals", "side_effects", "study_results", "claims"):
        path = f"/v1/treatments/onabotulinumtoxina/{name.replace('_', '-')}"
        whole = seed_client.get(path, params={"limit": 200}).json()["items"]
        assert dossier[name]["items"] == whole
        assert dossier[name]["total"] == len(whole)
        assert dossier[name]["url"] == f"http://127.0.0.1:8000{path}"
    cited = {citation["source"] for row in dossier["side_effects"]["items"] for citation in row["citations"]}
    assert cited <= dossier["included"]["sources"].keys()
    assert "not medical advice" in dossier["disclaimer"]


def test_the_dossier_keeps_what_a_class_has_apart_from_the_product(seed_client: TestClient) -> None:
    dossier = seed_client.get("/v1/treatments/onabotulinumtoxina/dossier").json()
    assert [layer["treatment"]["id"] for layer in dossier["inherited"]] == ["botulinum-toxin"]
    boxed = [row["kind"] for row in dossier["inherited"][0]["warnings"]["items"]]
    assert "boxed-warning" in boxed
    assert {row["treatment"] for row in dossier["side_effects"]["items"]} == {"onabotulinumtoxina"}
    assert "boxed-warning" in [row["kind"] for row in dossier["warnings"]["items"]], "warnings of a class apply"


def test_the_dossier_of_a_condition_keeps_what_holds_for_all_conditions(seed_client: TestClient) -> None:
    path = "/v1/treatments/onabotulinumtoxina/dossier"
    dossier = seed_client.get(path, params={"condition": "chronic-migraine"}).json()
    assert dossier["condition"]["id"] == "chronic-migraine"
    assert {row["condition"] for row in dossier["approvals"]["items"]} == {"chronic-migraine"}
    about = {row["condition"] for row in dossier["dosing_intervals"]["items"]}
    assert about == {"chronic-migraine", None}, "the maximum of 400 units in 3 months holds for all"
    assert all("chronic-migraine" in row["conditions"] or not row["conditions"] for row in dossier["claims"]["items"])


def test_a_dossier_of_something_unknown_is_404_and_about_something_unknown_422(seed_client: TestClient) -> None:
    assert seed_client.get("/v1/treatments/nothing/dossier").status_code == 404
    assert seed_client.get("/v1/treatments/onabotulinumtoxina/dossier?condition=nothing").status_code == 422


# The lookup


@pytest.mark.parametrize(
    ("system", "code", "found"),
    [
        ("atc", "M03AX01", {("treatments", "onabotulinumtoxina")}),
        ("ATC", "m03ax01", {("treatments", "onabotulinumtoxina")}),
        ("RxNorm", "1789950", {("treatments", "abobotulinumtoxina")}),
        ("doi", "https://doi.org/10.1212/WNL.56.10.1290", {("sources", "foster-2001")}),
        ("pmid", "11376175", {("sources", "foster-2001")}),
        ("nct", "nct00168428", {("studies", "preempt-2"), ("studies", "preempt-pooled")}),
        ("icd-10", "G24.3", set()),
    ],
)
def test_a_code_finds_its_records(seed_client: TestClient, system: str, code: str, found: set[tuple[str, str]]) -> None:
    items = seed_client.get("/v1/lookup", params={"system": system, "code": code}).json()["items"]
    assert {(item["kind"], item["id"]) for item in items} == found
    for item in items:
        assert seed_client.get(item["url"].removeprefix("http://127.0.0.1:8000")).json() == item["record"]


def test_a_national_version_of_a_code_system_is_found_under_its_parent(database: Database) -> None:
    code = {"system": "icd-10-cm", "code": "X00.0"}
    values = {"id": "example", "name": "Example", "codes": [code]}
    save_all(database, [RESOURCES["conditions"].record_class().model_validate(values)], author="test")
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        for system in ("icd-10", "ICD-10", "icd-10-cm"):
            items = client.get("/v1/lookup", params={"system": system, "code": "x00.0"}).json()["items"]
            assert [item["id"] for item in items] == ["example"]
        assert client.get("/v1/lookup", params={"system": "icd-11", "code": "x00.0"}).json() == {"items": []}


def test_an_unknown_code_system_offers_the_nearest(seed_client: TestClient) -> None:
    error = seed_client.get("/v1/lookup", params={"system": "rxnrom", "code": "1"}).json()["errors"][0]
    assert error["nearest"] == "rxnorm"


# The index


def test_the_index_leads_to_every_resource(seed_client: TestClient) -> None:
    index = seed_client.get("/v1").json()
    assert [entry["name"] for entry in index["resources"]] == sorted(RESOURCES)
    for entry in index["resources"]:
        page = seed_client.get(entry["url"].removeprefix("http://127.0.0.1:8000"), params={"count": "exact"}).json()
        assert page["total"] == entry["total"] > 0
    assert index["revision"] == 1
    assert "not medical advice" in index["disclaimer"]
    assert seed_client.get("/v1?limit=3").status_code == 422


# Partial dates


@pytest.mark.parametrize(
    ("parameters", "inside"),
    [
        ({"valid_from_gte": "2010-10-15"}, True),
        ({"valid_from_gte": "2010-10-16"}, False),
        ({"valid_from_gte": "2010"}, True),
        ({"valid_from_lte": "2010"}, True),
        ({"valid_from_lte": "2010-10"}, True),
        ({"valid_from_lte": "2010-10-14"}, False),
        ({"valid_from": "2010-10-15"}, True),
    ],
)
def test_a_bound_on_a_date_counts_whole_periods(
    seed_client: TestClient, parameters: dict[str, str], inside: bool
) -> None:
    asked = {"condition": "chronic-migraine", "jurisdiction": "US", "treatment": "onabotulinumtoxina", **parameters}
    items = seed_client.get("/v1/approvals", params=asked).json()["items"]
    assert bool(items) is inside


def test_an_interval_is_found_by_its_days(seed_client: TestClient) -> None:
    parameters: dict[str, str | int] = {"interval_days_lte": 84, "sort": "interval_days", "limit": 200}
    items = seed_client.get("/v1/dosing-intervals", params=parameters).json()["items"]
    assert items
    assert all(item["interval_days"] <= 84 for item in items)
    assert items[0]["interval_days"] == 7, "the article's injections one to two weeks apart"
