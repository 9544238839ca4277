"""Facets of lists: counts that the lists themselves confirm, kept ready or counted now, on both engines."""

from typing import Any

import pytest
from sqlalchemy import insert
from starlette.testclient import TestClient

from app.db.database import Database
from app.db.tables import FACET, FACET_SIZE
from app.fields import facets_of
from app.main import create_app
from app.models import RESOURCES
from app.models.base import Row
from app.search.index_entries import EVERYWHERE
from app.settings import Settings
from tests.support.api import Api, problem_of

every_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))


def facet(client: TestClient, path: str, name: str, **asked: Any) -> tuple[dict[Any, int], dict[str, Any]]:
    """The counts by value, and the facet as a whole."""
    answer = client.get(path, params={**asked, "facet": name, "limit": 1})
    assert answer.status_code == 200, answer.text
    found = answer.json()["facets"][name]
    return {value["value"]: value["count"] for value in found["values"]}, found


def total(client: TestClient, path: str, **asked: Any) -> int:
    answer = client.get(path, params={**asked, "count": "exact", "limit": 1})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


@every_resource
def test_the_kept_counts_are_those_of_the_lists(seed_client: TestClient, resource: type[Row]) -> None:
    path = f"/v1/{resource.plural}"
    page = seed_client.get(path, params={"facet": ",".join(facets_of(resource)), "count": "exact", "limit": 1}).json()
    for name, mentioned in facets_of(resource).items():
        found = page["facets"][name]
        counts = [one["count"] for one in found["values"]]
        assert counts == sorted(counts, reverse=True)
        for one in found["values"][:1]:
            value = str(one["value"]).lower() if isinstance(one["value"], bool) else one["value"]
            assert total(seed_client, path, **{name: value}) == one["count"], name
        if mentioned is None and not found["others"]:
            assert sum(counts) + found["missing"] == page["total"], name


@every_resource
def test_what_is_counted_now_agrees_with_what_is_kept(seed_client: TestClient, resource: type[Row]) -> None:
    asked = {"facet": ",".join(facets_of(resource)), "limit": "1"}
    kept = seed_client.get(f"/v1/{resource.plural}", params=asked).json()["facets"]
    counted = seed_client.get(f"/v1/{resource.plural}", params={**asked, "created_at_gte": "2000"}).json()["facets"]
    assert kept == counted


WITH_TREATMENT = {plural: row for plural, row in RESOURCES.items() if "treatment" in facets_of(row)}


@pytest.mark.parametrize("resource", WITH_TREATMENT.values(), ids=list(WITH_TREATMENT))
def test_within_several_treatments_they_agree_with_what_is_counted_now(
    seed_client: TestClient, resource: type[Row]
) -> None:
    treatments = ["onabotulinumtoxina", "abobotulinumtoxina", "onabotulinumtoxina"]
    asked = {"treatment": treatments, "facet": ",".join(facets_of(resource)), "limit": "1"}
    kept = seed_client.get(f"/v1/{resource.plural}", params=asked)
    counted = seed_client.get(f"/v1/{resource.plural}", params={**asked, "created_at_gte": "2000"})
    assert kept.status_code == counted.status_code == 200
    assert kept.json()["facets"] == counted.json()["facets"]


def test_within_one_treatment_the_counts_are_those_of_its_lists(seed_client: TestClient) -> None:
    under = "/v1/treatments/onabotulinumtoxina"
    for plural, name in (("side-effects", "frequency"), ("claims", "verdict"), ("studies", "condition")):
        counts, _ = facet(seed_client, f"{under}/{plural}", name)
        assert counts
        for value, count in counts.items():
            assert total(seed_client, f"{under}/{plural}", **{name: value}) == count
        assert counts == facet(seed_client, f"{under}/{plural}", name, created_at_gte="2000")[0]


@pytest.mark.parametrize("values", [100, 150, 1200])
def test_all_further_values_are_counted(database: Database, values: int) -> None:
    rows = [{"value": f'"made-up-{number:04}"', "n": number + 1} for number in range(values)]
    same = {"kind": "side-effects", "scope": EVERYWHERE, "field": "source"}
    with database.write() as connection:
        connection.execute(insert(FACET), [{**same, **row} for row in [*rows, {"value": "null", "n": 7}]])
        connection.execute(insert(FACET_SIZE), {**same, "n": values})
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        counts, found = facet(client, "/v1/side-effects", "source")
    assert counts == {f"made-up-{number:04}": number + 1 for number in range(values - 100, values)}
    assert (found["others"], found["others_is_at_least"], found["missing"]) == (values - 100, False, 7)


def test_a_fields_own_filter_leaves_its_alternatives_counted(seed_client: TestClient) -> None:
    path = "/v1/side-effects"
    free, _ = facet(seed_client, path, "basis")
    assert facet(seed_client, path, "basis", basis="label")[0] == free
    narrowed, _ = facet(seed_client, path, "basis", basis=["label", "trial"], frequency="common")
    assert narrowed == facet(seed_client, path, "basis", frequency="common")[0]
    assert sum(narrowed.values()) < sum(free.values())


def test_several_facets_stand_beside_the_page(seed_client: TestClient) -> None:
    page = seed_client.get("/v1/claims", params={"facet": "verdict,kind", "limit": 2, "count": "exact"}).json()
    assert page["facets"].keys() == {"verdict", "kind"}
    assert len(page["items"]) == 2
    assert sum(value["count"] for value in page["facets"]["verdict"]["values"]) == page["total"]


def test_a_cursor_does_not_depend_on_facets(seed_client: TestClient) -> None:
    cursor = seed_client.get("/v1/claims", params={"facet": "verdict", "limit": 1}).json()["next"]
    assert seed_client.get("/v1/claims", params={"limit": 1, "cursor": cursor}).status_code == 200


def test_a_wrong_facet_is_refused_with_the_nearest(seed_client: TestClient) -> None:
    problem = problem_of(seed_client.get("/v1/claims?facet=verdikt"), 422, "invalid-parameter", "facet")
    assert problem["errors"][0]["nearest"] == "verdict"
    problem_of(seed_client.get("/v1/claims?facet=quote"), 422, "invalid-parameter", "facet")
    problem_of(seed_client.get("/v1/claims?facet=verdict,verdict"), 422, "invalid-parameter", "facet")
    problem_of(seed_client.get("/v1/claims?facet=verdict&format=csv"), 422, "invalid-parameter", "facet")


def test_counts_follow_each_write(api: Api) -> None:
    path = "/v1/conditions"
    before, found = facet(api.client, path, "part_of")
    made = api.condition(part_of="spasticity")
    after, _ = facet(api.client, path, "part_of")
    assert after["spasticity"] == before.get("spasticity", 0) + 1
    answer = api.ask("PATCH", f"{path}/{made['id']}", {"part_of": None}, If_Match='"1"')
    assert answer.status_code == 200, answer.text
    again, missing = facet(api.client, path, "part_of")
    assert again == before
    assert missing["missing"] == found["missing"] + 1
    assert facet(api.client, path, "part_of", created_at_gte="2000")[0] == again
