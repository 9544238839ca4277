"""What a record was, why it is gone and where it went, on both engines: history, versions, tombstones, aliases."""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from app.db.database import Database
from app.main import create_app
from app.models import RESOURCES
from app.models.base import Record
from app.settings import Settings
from app.store.write.save import reinstate, rename, save_all, withdraw

ROOT = "https://evidence.example.org/api"
SOURCE = {"id": "example-article", "kind": "journal-article", "title": "An example article"}
CLASS = {"id": "example-class", "name": "Example toxins", "kind": "biologic"}
TREATMENT = {"id": "example-toxin", "name": "Example toxin", "kind": "biologic", "part_of": "example-class"}
CONDITION = {"id": "example-pain", "name": "Example pain"}
WARNING = {
    "id": "example-warning",
    "treatment": "example-toxin",
    "condition": "example-pain",
    "kind": "warning",
    "jurisdiction": "US",
    "statement": "An example.",
    "citations": [{"source": "example-article"}],
}


def record(plural: str, values: dict[str, Any]) -> Record:
    return RESOURCES[plural].record_class().model_validate(values)


@pytest.fixture
def small_dataset(database: Database) -> Database:
    """A small made-up set, to be changed."""
    batch = [
        record("sources", SOURCE),
        record("treatments", CLASS),
        record("treatments", TREATMENT),
        record("conditions", CONDITION),
        record("warnings", WARNING),
    ]
    save_all(database, batch, author="ada", reason="a start")
    return database


@pytest.fixture
def history_client(small_dataset: Database) -> Iterator[TestClient]:
    """The service over that set, behind a public address with a path of its own."""
    app = create_app(Settings(database_url=small_dataset.url, public_url=ROOT))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def revised(database: Database, **values: Any) -> None:
    save_all(database, [record("warnings", {**WARNING, **values})], author="ben", reason="a revision")


def relations(answer: Response) -> dict[str, str]:
    """The addresses of the Link header, by relation."""
    return {link["rel"]: link["url"] for link in answer.links.values()}


# History


def test_history_names_every_version_newest_first_with_who_when_and_why(
    small_dataset: Database, history_client: TestClient
) -> None:
    revised(small_dataset, statement="Another example.")
    history = history_client.get("/v1/warnings/example-warning/history").json()
    assert history["next"] is None
    second, first = history["items"]
    assert (second["version"], second["revision"], second["author"], second["reason"]) == (2, 2, "ben", "a revision")
    assert second["changes"] == [
        {"type": "value-revised", "field": "statement", "old": "An example.", "new": "Another example."}
    ]
    assert second["url"] == f"{ROOT}/v1/warnings/example-warning?version=2"
    assert (first["version"], first["author"], first["state"]) == (1, "ada", "published")
    assert first["changes"] == [{"type": "created", "field": None, "old": None, "new": None}]


def test_what_follows_from_another_record_is_an_entry_of_its_own(
    small_dataset: Database, history_client: TestClient
) -> None:
    retraction = {"status": "retracted", "on": "2026-11"}
    save_all(small_dataset, [record("sources", {**SOURCE, "retraction": retraction})], author="ben", reason="retracted")
    newest, first = history_client.get("/v1/warnings/example-warning/history").json()["items"]
    assert [entry["is_new_version"] for entry in (newest, first)] == [False, True]
    assert [entry["version"] for entry in (newest, first)] == [1, 1]
    assert newest["reason"] == "retracted"
    assert {"type": "standing-changed", "field": "source_status", "old": "current", "new": "retracted"} in newest[
        "changes"
    ]
    past = history_client.get("/v1/warnings/example-warning", params={"version": 1}).json()
    assert past["source_status"] == "retracted", "a version is shown in its last edition"


def test_small_pages_of_a_history_give_each_entry_once(small_dataset: Database, history_client: TestClient) -> None:
    for number in range(5):
        revised(small_dataset, statement=f"Example {number}.")
    path, found, cursor = "/v1/warnings/example-warning/history", [], None
    while True:
        answer = history_client.get(path, params={"limit": 2, **({"cursor": cursor} if cursor else {})})
        found += [entry["version"] for entry in answer.json()["items"]]
        cursor = answer.json()["next"]
        if cursor is None:
            break
        assert relations(answer)["next"].startswith(f"{ROOT}{path}?")
    assert found == [6, 5, 4, 3, 2, 1]


def test_a_history_is_known_by_its_tag_until_the_record_changes(
    small_dataset: Database, history_client: TestClient
) -> None:
    path = "/v1/warnings/example-warning/history"
    tag = history_client.get(path).headers["etag"]
    assert history_client.get(path, headers={"If-None-Match": tag}).status_code == 304
    revised(small_dataset, statement="Another example.")
    assert history_client.get(path, headers={"If-None-Match": tag}).status_code == 200


# Past versions


def test_a_past_version_is_the_record_as_it_was(small_dataset: Database, history_client: TestClient) -> None:
    path = "/v1/warnings/example-warning"
    before = history_client.get(path)
    revised(small_dataset, statement="Another example.")
    past = history_client.get(path, params={"version": 1})
    assert past.json() == before.json()
    assert past.headers["etag"] == before.headers["etag"], "it is the same representation"
    assert history_client.get(path, params={"version": 2}).json() == history_client.get(path).json()
    assert history_client.get(path, params={"version": 1, "fields": "statement"}).json()["statement"] == "An example."
    assert "Another" not in history_client.get(path, params={"version": 1, "format": "csv"}).text


def test_every_record_links_to_its_versions(small_dataset: Database, history_client: TestClient) -> None:
    path = "/v1/warnings/example-warning"
    assert "predecessor-version" not in relations(history_client.get(path))
    revised(small_dataset, statement="Another example.")
    present = relations(history_client.get(path))
    assert present["latest-version"] == f"{ROOT}{path}"
    assert present["version-history"] == f"{ROOT}{path}/history"
    assert present["predecessor-version"] == f"{ROOT}{path}?version=1"


@pytest.mark.parametrize("version", [2, 2**31 - 1])
def test_an_unknown_version_names_the_newest(history_client: TestClient, version: int) -> None:
    answer = history_client.get("/v1/warnings/example-warning", params={"version": version})
    assert answer.status_code == 404
    assert "its newest one is 1" in answer.json()["detail"]
    unknown = history_client.get("/v1/warnings/example-warnin", params={"version": version})
    assert unknown.status_code == 404
    assert "Did you mean 'example-warning'?" in unknown.json()["detail"]


def test_what_is_included_now_is_not_mixed_into_a_past_version(history_client: TestClient) -> None:
    answer = history_client.get("/v1/warnings/example-warning", params={"version": 1, "include": "treatment"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "include"
    assert "past version" in answer.json()["detail"]


def test_a_past_version_has_the_formats_of_lists_alone(seed_client: TestClient) -> None:
    answer = seed_client.get("/v1/claims/c20", params={"version": 1, "format": "jsonld"})
    assert answer.status_code == 422
    assert "version needs format=json or csv or ndjson" in answer.json()["detail"]


# Withdrawn records


def test_a_withdrawn_record_is_gone_and_says_why_since_when_and_what_it_was(
    small_dataset: Database, history_client: TestClient
) -> None:
    path = "/v1/warnings/example-warning"
    withdraw(small_dataset, "warnings", "example-warning", author="ben", reason="It was an error.")
    answer = history_client.get(path)
    problem = answer.json()
    assert answer.status_code == 410
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["title"] == "This record was withdrawn"
    assert problem["detail"].startswith("warnings/example-warning was withdrawn on 20")
    assert problem["detail"].endswith(": It was an error.")
    assert problem["last_version"] == relations(answer)["predecessor-version"] == f"{ROOT}{path}?version=2"
    last = history_client.get(path, params={"version": 2})
    assert (last.status_code, last.json()["state"], last.json()["statement"]) == (200, "withdrawn", "An example.")
    newest = history_client.get(f"{path}/history").json()["items"][0]
    assert (newest["state"], newest["reason"]) == ("withdrawn", "It was an error.")
    assert newest["changes"][0]["type"] == "record-withdrawn"


def test_the_reason_stays_that_of_the_withdrawal_when_the_tombstone_follows_another_record(
    small_dataset: Database, history_client: TestClient
) -> None:
    withdraw(small_dataset, "warnings", "example-warning", author="ben", reason="It was an error.")
    retraction = {"status": "retracted", "on": "2026-11"}
    save_all(small_dataset, [record("sources", {**SOURCE, "retraction": retraction})], author="ben", reason="retracted")
    assert "It was an error." in history_client.get("/v1/warnings/example-warning").json()["detail"]


def test_a_withdrawn_record_is_in_nothing_that_readers_list(
    small_dataset: Database, history_client: TestClient
) -> None:
    withdraw(small_dataset, "conditions", "example-pain", author="ben", reason="It was an error.")
    assert history_client.get("/v1/conditions", params={"count": "exact"}).json() == {
        "items": [],
        "next": None,
        "total": 0,
    }
    assert history_client.get("/v1/conditions", params={"format": "ndjson"}).text == ""
    assert history_client.get("/v1/conditions", params={"id": "example-pain"}).json()["not_found"] == ["example-pain"]
    assert "conditions" not in history_client.get("/v1/warnings", params={"include": "condition"}).json()["included"]
    counts = {entry["name"]: entry["total"] for entry in history_client.get("/v1").json()["resources"]}
    assert counts["conditions"] == 0
    for path in ("/v1/conditions/example-pain/warnings", "/v1/treatments/example-toxin/dossier?condition=example-pain"):
        assert history_client.get(path).status_code == 410, path


def test_a_dossier_ends_below_a_class_that_was_withdrawn(small_dataset: Database, history_client: TestClient) -> None:
    path = "/v1/treatments/example-toxin/dossier"
    assert [layer["treatment"]["id"] for layer in history_client.get(path).json()["inherited"]] == ["example-class"]
    withdraw(small_dataset, "treatments", "example-class", author="ben", reason="It was an error.")
    dossier = history_client.get(path)
    assert (dossier.status_code, dossier.json()["inherited"]) == (200, [])
    assert "treatments" not in dossier.json()["included"]
    assert history_client.get("/v1/treatments/example-class/dossier").status_code == 410


def test_a_reinstated_record_is_back_with_its_whole_history(
    small_dataset: Database, history_client: TestClient
) -> None:
    withdraw(small_dataset, "warnings", "example-warning", author="ben", reason="It was an error.")
    reinstate(small_dataset, "warnings", "example-warning", author="ada", reason="It was none.")
    assert history_client.get("/v1/warnings/example-warning").json()["state"] == "published"
    types = [
        entry["changes"][0]["type"]
        for entry in history_client.get("/v1/warnings/example-warning/history").json()["items"]
    ]
    assert types == ["record-reinstated", "record-withdrawn", "created"]


# Former ids

UNDER_A_FORMER_ID = [
    "/v1/treatments/{id}",
    "/v1/treatments/{id}?fields=name&format=csv",
    "/v1/treatments/{id}?version=1",
    "/v1/treatments/{id}/history?limit=1",
    "/v1/treatments/{id}/warnings?jurisdiction=US&sort=-id",
    "/v1/treatments/{id}/dossier?condition=example-pain",
    "/v1/treatments/{id}/completeness",
]


@pytest.mark.parametrize("path", UNDER_A_FORMER_ID)
def test_an_address_with_a_former_id_leads_to_the_present_one(
    small_dataset: Database, history_client: TestClient, path: str
) -> None:
    rename(small_dataset, "treatments", "example-class", "example-group", author="ben", reason="A better name.")
    answer = history_client.get(path.format(id="example-class"))
    assert answer.status_code == 308
    assert answer.headers["location"] == ROOT + path.format(id="example-group")
    assert answer.content == b""
    assert "immutable" not in answer.headers["cache-control"]
    there = history_client.get(path.format(id="example-group"))
    assert there.status_code == 200


def test_a_former_id_in_a_parameter_of_a_subject_leads_on_too(
    small_dataset: Database, history_client: TestClient
) -> None:
    rename(small_dataset, "conditions", "example-pain", "sample-pain", author="ben", reason="A better name.")
    for page in ("dossier", "completeness"):
        answer = history_client.get(f"/v1/treatments/example-toxin/{page}?condition=example-pain")
        assert answer.status_code == 308
        assert answer.headers["location"] == f"{ROOT}/v1/treatments/example-toxin/{page}?condition=sample-pain"
    rename(small_dataset, "treatments", "example-class", "example-group", author="ben", reason="A better name.")
    scorecard = history_client.get("/v1/scorecard?treatment=example-toxin&treatment=example-class")
    assert scorecard.headers["location"] == f"{ROOT}/v1/scorecard?treatment=example-toxin&treatment=example-group"


def test_a_renamed_source_leads_to_its_annotated_text(small_dataset: Database, history_client: TestClient) -> None:
    rename(small_dataset, "sources", "example-article", "sample-article", author="ben", reason="A better name.")
    answer = history_client.get("/v1/sources/example-article/annotated")
    assert (answer.status_code, answer.headers["location"]) == (308, f"{ROOT}/v1/sources/sample-article/annotated")


def test_a_chain_of_names_leads_to_the_last_one_at_once(small_dataset: Database, history_client: TestClient) -> None:
    rename(small_dataset, "conditions", "example-pain", "sample-pain", author="ben", reason="A better name.")
    rename(small_dataset, "conditions", "sample-pain", "specimen-pain", author="ben", reason="The best name.")
    for former in ("example-pain", "sample-pain"):
        assert (
            history_client.get(f"/v1/conditions/{former}").headers["location"] == f"{ROOT}/v1/conditions/specimen-pain"
        )
    versions = history_client.get("/v1/conditions/specimen-pain/history").json()["items"]
    assert [(entry["version"], entry["changes"][0]["type"]) for entry in versions] == [
        (3, "renamed"),
        (2, "renamed"),
        (1, "created"),
    ]
    assert history_client.get("/v1/conditions/specimen-pain?version=1").json()["id"] == "example-pain", "as it was"


@pytest.mark.parametrize("several", [[], ["example-class"]])
def test_a_former_id_in_a_filter_stands_for_the_present_one(
    small_dataset: Database, history_client: TestClient, several: list[str]
) -> None:
    rename(small_dataset, "treatments", "example-toxin", "sample-toxin", author="ben", reason="A better name.")
    for name, path in (("treatment", "/v1/warnings"), ("treatment", "/v1/conditions/example-pain/warnings")):
        found = history_client.get(path, params={name: ["example-toxin", *several], "count": "exact"}).json()
        assert [item["id"] for item in found["items"]] == ["example-warning"], path
        assert found["total"] == 1
    lines = history_client.get("/v1/warnings", params={"treatment": "example-toxin", "format": "ndjson"}).text
    assert lines.count("\n") == 1


def test_a_former_id_does_not_let_units_of_two_products_be_compared(
    small_dataset: Database, history_client: TestClient
) -> None:
    units = [{"code": f"{name}-unit", "label": "units"} for name in ("one", "other")]
    products = [record("treatments", {**TREATMENT, "id": unit["code"], "dose_unit": unit}) for unit in units]
    save_all(small_dataset, products, author="ada")
    rename(small_dataset, "treatments", "one-unit", "first-unit", author="ben", reason="A better name.")
    for treatment in ("one-unit", "first-unit"):
        asked: dict[str, Any] = {"treatment": [treatment, "other-unit"], "dose_min_gte": 1}
        assert history_client.get("/v1/dosing-intervals", params=asked).status_code == 422, treatment


def test_a_batch_get_finds_former_ids_and_names_those_that_nobody_had(
    small_dataset: Database, history_client: TestClient
) -> None:
    rename(small_dataset, "treatments", "example-toxin", "sample-toxin", author="ben", reason="A better name.")
    asked = ["example-toxin", "example-class", "no-such-id"]
    found = history_client.get("/v1/treatments", params={"id": asked}).json()
    assert [item["id"] for item in found["items"]] == ["example-class", "sample-toxin"]
    assert found["not_found"] == ["no-such-id"]


def test_pages_of_a_filter_with_a_former_id_go_on(small_dataset: Database, history_client: TestClient) -> None:
    more = [record("warnings", {**WARNING, "id": f"example-warning-{number}"}) for number in range(4)]
    save_all(small_dataset, more, author="ada")
    rename(small_dataset, "conditions", "example-pain", "sample-pain", author="ben", reason="A better name.")
    found, cursor = [], None
    while True:
        asked: dict[str, Any] = {"condition": "example-pain", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = history_client.get("/v1/warnings", params=asked).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ["example-warning", *(f"example-warning-{number}" for number in range(4))]
