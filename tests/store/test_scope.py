"""What applies: warnings of a class stand with its products, and an exact list says what it leaves out."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from app.models import RESOURCES
from app.store.read.query import default_scope, has_scope

BOTOX, TOXIN, MIGRAINE = "onabotulinumtoxina", "botulinum-toxin", "chronic-migraine"
ABOUT = [plural for plural, row in RESOURCES.items() if has_scope(row)]


def page(client: TestClient, address: str, **parameters: Any) -> dict[str, Any]:
    """A page of a list."""
    answer = client.get(address, params={"limit": "200", **parameters} if parameters else None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> set[str]:
    """The ids of the records of a page."""
    return {item["id"] for item in found["items"]}


def boxed(client: TestClient) -> str:
    """The boxed warning of the class."""
    (warning,) = page(client, "/v1/warnings", treatment=TOXIN, kind="boxed-warning", scope="exact")["items"]
    assert warning["treatment"] == TOXIN
    return str(warning["id"])


@pytest.mark.parametrize(
    "address",
    [f"/v1/warnings?treatment={BOTOX}", f"/v1/treatments/{BOTOX}/warnings"],
)
def test_the_boxed_warning_of_a_class_is_a_warning_of_its_product(seed_client: TestClient, address: str) -> None:
    found = page(seed_client, address)
    warning = boxed(seed_client)
    assert warning in ids(found)
    assert "inherited" not in found
    joint = "&" if "?" in address else "?"
    exact = page(seed_client, f"{address}{joint}scope=exact")
    assert {item["treatment"] for item in exact["items"]} == {BOTOX}
    (left_out,) = exact["inherited"]
    assert (left_out["treatment"], left_out["condition"]) == (TOXIN, None)
    assert warning in ids(page(seed_client, left_out["url"]))


def test_the_boxed_warning_stands_wherever_the_product_does(seed_client: TestClient) -> None:
    warning = boxed(seed_client)
    hits = page(seed_client, "/v1/search", q="boxed warning", treatment=BOTOX)["items"]
    assert warning in {hit["id"] for hit in hits[:5]}
    both = page(seed_client, "/v1/search", q="boxed warning", treatment=BOTOX, condition=MIGRAINE)["items"]
    assert warning in {hit["id"] for hit in both}
    elsewhere = page(seed_client, "/v1/search", q="boxed warning", condition=MIGRAINE)["items"]
    assert warning not in {hit["id"] for hit in elsewhere}, "it names no condition"
    for question in ("", f"?condition={MIGRAINE}"):
        dossier = page(seed_client, f"/v1/treatments/{BOTOX}/dossier{question}")
        assert warning in ids(dossier["warnings"])
    for path in (f"treatments/{BOTOX}", f"indications/{BOTOX}-{MIGRAINE}", f"conditions/{MIGRAINE}"):
        text = seed_client.get(f"/{path}", headers={"Accept": "text/html"}).text
        assert f'<aside class="warning boxed" id="{warning}"' in text, path
    result = page(seed_client, "/v1/study-results", treatment=BOTOX)["items"][0]["id"]
    claim = page(seed_client, "/v1/claims", treatment=BOTOX)["items"][0]["id"]
    for path in (
        f"treatments/{BOTOX}",
        f"indications/{BOTOX}-{MIGRAINE}",
        f"study-results/{result}",
        f"claims/{claim}",
    ):
        marks = page(seed_client, f"/v1/{path}/card")["marks"]
        assert any(mark["text"].startswith("Boxed warning") for mark in marks), path
        assert "Boxed warning" in seed_client.get(f"/embed/{path}").text, path


@pytest.mark.parametrize("plural", ABOUT)
def test_what_applies_is_what_an_exact_list_says_that_it_leaves_out(seed_client: TestClient, plural: str) -> None:
    for asked in ({"treatment": BOTOX}, {"condition": MIGRAINE}, {"treatment": BOTOX, "condition": MIGRAINE}):
        exact = page(seed_client, f"/v1/{plural}", **asked, scope="exact", count="exact")
        applying = page(seed_client, f"/v1/{plural}", **asked, scope="applies", count="exact")
        counts = exact["applies"]
        assert counts == applying["applies"]
        assert (counts["exact"], sum(counts.values())) == (exact["total"], applying["total"])
        beside = set().union(
            *(ids(page(seed_client, f"{part['url']}&limit=200")) for part in exact.get("inherited", []))
        )
        assert ids(exact) | beside == ids(applying)
        assert bool(exact.get("inherited")) == (exact["total"] < applying["total"])
        for part in exact.get("inherited", []):
            assert urlsplit(part["url"]).path == f"/v1/{plural}"
        usual = page(seed_client, f"/v1/{plural}", **asked)
        assert ids(usual) == ids(applying if default_scope(RESOURCES[plural]) == "applies" else exact)
        lines = seed_client.get(f"/v1/{plural}", params={**asked, "scope": "applies", "format": "ndjson"}).text
        assert lines.count("\n") == applying["total"]


@pytest.mark.parametrize("plural", ABOUT)
def test_a_family_holds_the_products_of_a_class(seed_client: TestClient, plural: str) -> None:
    products = [item["id"] for item in page(seed_client, "/v1/treatments", part_of=TOXIN)["items"]]
    assert BOTOX in products
    family = page(seed_client, f"/v1/{plural}", treatment=TOXIN, scope="family", count="exact")
    named = page(seed_client, f"/v1/{plural}", treatment=[TOXIN, *products], scope="exact", count="exact")
    assert (family["items"], family["total"]) == (named["items"], named["total"])


def test_what_names_no_condition_is_not_found_by_a_condition_alone(seed_client: TestClient) -> None:
    assert boxed(seed_client) not in ids(page(seed_client, "/v1/warnings", condition=MIGRAINE))
    assert boxed(seed_client) in ids(page(seed_client, "/v1/warnings", condition=MIGRAINE, treatment=BOTOX))


def test_a_cursor_belongs_to_its_scope(seed_client: TestClient) -> None:
    following = seed_client.get(f"/v1/warnings?treatment={BOTOX}&limit=1").json()["next"]
    seen, cursor = [], following
    while cursor:
        found = seed_client.get(f"/v1/warnings?treatment={BOTOX}&limit=1&scope=applies&cursor={cursor}").json()
        seen += [item["id"] for item in found["items"]]
        cursor = found["next"]
    assert len(seen) == len(page(seed_client, "/v1/warnings", treatment=BOTOX)["items"]) - 1
    for scope in ("exact", "family"):
        other = seed_client.get(f"/v1/warnings?treatment={BOTOX}&limit=1&scope={scope}&cursor={following}")
        assert other.status_code == 400
    unfiltered = seed_client.get("/v1/warnings?limit=1").json()["next"]
    assert seed_client.get(f"/v1/warnings?limit=1&scope=exact&cursor={unfiltered}").status_code == 200


def test_a_batch_get_and_a_whole_list_do_not_depend_on_a_scope(seed_client: TestClient) -> None:
    warning = boxed(seed_client)
    for asked in (f"id={warning}", f"id={warning}&treatment={BOTOX}", "limit=200"):
        answers = [page(seed_client, f"/v1/warnings?{asked}&scope={scope}") for scope in ("exact", "applies", "family")]
        assert answers[0] == answers[1] == answers[2] == page(seed_client, f"/v1/warnings?{asked}")
        assert "inherited" not in answers[0]


def test_units_are_judged_on_the_treatments_asked_for(seed_client: TestClient) -> None:
    for scope, status in (("exact", 200), ("applies", 200), ("family", 200)):
        answer = seed_client.get(f"/v1/dosing-intervals?treatment={BOTOX}&sort=dose_min&scope={scope}")
        assert answer.status_code == status, answer.text
    of_class = f"/v1/dosing-intervals?treatment={TOXIN}&sort=dose_min&scope="
    assert [seed_client.get(of_class + scope).status_code for scope in ("exact", "family")] == [200, 422]


def test_facets_count_what_the_list_holds(seed_client: TestClient) -> None:
    for scope in ("exact", "applies"):
        found = page(seed_client, "/v1/warnings", treatment=BOTOX, scope=scope, facet="kind")
        counts = {value["value"]: value["count"] for value in found["facets"]["kind"]["values"]}
        kinds = [item["kind"] for item in found["items"]]
        assert counts == {kind: kinds.count(kind) for kind in kinds}


def test_reports_decide_on_exact_records_and_list_the_inherited_ones(seed_client: TestClient) -> None:
    about = {"treatment": BOTOX, "condition": MIGRAINE}
    left_out = page(seed_client, "/v1/study-results", **about, scope="exact").get("inherited", [])
    report = page(seed_client, f"/v1/treatments/{BOTOX}/benefit-harm?condition={MIGRAINE}")
    harms = page(seed_client, "/v1/side-effects", **about, scope="exact").get("inherited", [])
    assert report["inherited"] == left_out + harms
    assert harms, "the seed has side effects of the product that name no condition"
    assert page(seed_client, f"/v1/gaps?treatment={BOTOX}&condition={MIGRAINE}")["inherited"] == left_out
    status = page(seed_client, f"/v1/regulatory-status?treatment={BOTOX}&condition={MIGRAINE}&jurisdiction=US&on=2020")
    assert {approval["treatment"] for approval in status["approvals"]} == {BOTOX}
    approvals = page(seed_client, "/v1/approvals", **about, jurisdiction="US").get("inherited", [])
    assert status["inherited"] == approvals
