"""Completeness, on both engines: every field counted as the lists give it, every gap with its reason or its search."""

from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from app.db.database import Database
from app.errors import InvalidRecord
from app.fields import reference_filters
from app.main import create_app
from app.models import RESOURCES
from app.models.base import Record, given
from app.models.treatments import Treatment
from app.reports.completeness import facts
from app.reports.dossier import parts
from app.settings import Settings
from app.store.write.save import save_all

PRODUCT = {"id": "example-toxin", "name": "Example toxin", "kind": "drug"}
LABEL = {"id": "example-label", "kind": "product-label", "title": "An example label"}
NOWHERE = "A made-up register, by the product's name."
SEARCHES = [
    {"resource": "side-effects", "looked_for": NOWHERE, "on": "2026-01-02"},
    {"resource": "side-effects", "looked_for": NOWHERE, "on": "2026-01-04", "condition": "example-pain"},
    {"resource": "approvals", "looked_for": NOWHERE, "on": "2026-01-03", "condition": "example-pain"},
    {"resource": "warnings", "looked_for": NOWHERE, "on": "2026-01-01"},
]


def record(plural: str, values: dict[str, Any]) -> Record:
    return RESOURCES[plural].record_class().model_validate(values)


def made_up(**more: Any) -> list[Record]:
    """A made-up treatment with searches, one warning, and two conditions of which nothing is known."""
    warning = {"id": "example-warning", "treatment": "example-toxin", "kind": "warning", "statement": "An example."}
    return [
        record("treatments", {**PRODUCT, "searches": SEARCHES, "missing": {"holder": "not-reported"}, **more}),
        record("conditions", {"id": "example-pain", "name": "Example pain"}),
        record("conditions", {"id": "other-pain", "name": "Other pain"}),
        record("sources", LABEL),
        record("warnings", {**warning, "jurisdiction": "US", "citations": [{"source": "example-label"}]}),
    ]


def report(database: Database, condition: str | None = None) -> dict[str, Any]:
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        return completeness(client, "example-toxin", condition)


def completeness(client: TestClient, treatment: str, condition: str | None = None) -> dict[str, Any]:
    parameters = {"condition": condition} if condition else {}
    answer = client.get(f"/v1/treatments/{treatment}/completeness", params=parameters)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def by_resource(content: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {entry["resource"]: (entry["state"], entry["searched_on"]) for entry in content["resources"]}


def concerns(item: dict[str, Any], condition: str | None) -> bool:
    """Whether a record concerns the condition, or none in particular."""
    named = [arm for arm in (item.get("condition"), *item.get("conditions", [])) if arm is not None]
    return condition is None or not named or condition in named


@pytest.mark.parametrize("condition", [None, "chronic-migraine", "chronic-neck-pain"])
@pytest.mark.parametrize("treatment", ["onabotulinumtoxina", "botulinum-toxin", "daxibotulinumtoxina"])
def test_every_field_is_counted_as_the_lists_give_it(
    seed_client: TestClient, treatment: str, condition: str | None
) -> None:
    content = completeness(seed_client, treatment, condition)
    assert [entry["resource"] for entry in content["resources"]] == [row.plural for row in parts().values()]
    for entry in content["resources"]:
        row = RESOURCES[entry["resource"]]
        page = seed_client.get(f"/v1/treatments/{treatment}/{row.plural}?limit=200&scope=exact").json()
        assert page["next"] is None
        items = [item for item in page["items"] if concerns(item, condition)]
        assert (entry["total"], entry["state"]) == (len(items), "known" if items else "never-looked")
        assert [tally["field"] for tally in entry["fields"]] == facts(row)
        for tally in entry["fields"]:
            name = tally["field"]
            reasons = Counter(item["missing"][name] for item in items if name in item["missing"])
            assert tally["core"] == (name in row.record_class().core)
            assert tally["known"] == sum(given(item[name]) for item in items), (row.plural, name)
            assert tally["missing"] == dict(reasons), (row.plural, name)
            assert tally["known"] + reasons.total() + tally["never_looked"] == len(items), (row.plural, name)


def test_the_seed_has_fields_of_every_standing(seed_client: TestClient) -> None:
    entries = completeness(seed_client, "onabotulinumtoxina")["resources"]
    tallies = [tally for entry in entries for tally in entry["fields"]]
    assert any(tally["known"] and tally["missing"] and tally["never_looked"] for tally in tallies)
    assert any(tally["missing"].get("no-limit") for tally in tallies)


@pytest.mark.parametrize("treatment", ["onabotulinumtoxina", "botulinum-toxin", "abobotulinumtoxina"])
def test_each_field_of_the_treatment_has_a_value_or_a_reason_or_was_never_looked_for(
    seed_client: TestClient, treatment: str
) -> None:
    held = seed_client.get(f"/v1/treatments/{treatment}").json()
    fields = completeness(seed_client, treatment)["record"]["fields"]
    assert [entry["field"] for entry in fields] == facts(Treatment)
    assert not {"version", "missing", "id", "searches"} & {entry["field"] for entry in fields}
    for entry in fields:
        reason = held["missing"].get(entry["field"])
        expected = "known" if given(held[entry["field"]]) else "missing" if reason else "never-looked"
        assert (entry["state"], entry["reason"]) == (expected, reason)


def test_searches_that_left_a_claim_undecided_are_listed(seed_client: TestClient) -> None:
    claims = seed_client.get("/v1/claims?treatment=onabotulinumtoxina&verdict=unverifiable&limit=200").json()["items"]
    for condition in (None, "chronic-neck-pain", "fibromyalgia"):
        content = completeness(seed_client, "onabotulinumtoxina", condition)
        searches = {search["claim"]: search for search in content["searches"]}
        assert searches.keys() == {claim["id"] for claim in claims if concerns(claim, condition)}
        for claim in claims:
            if claim["id"] in searches:
                search = searches[claim["id"]]
                assert (search["conditions"], search["resource"]) == (claim["conditions"], None)
                assert {"looked_for": search["looked_for"], "on": search["on"]} == claim["searched"]
    assert content["condition"] == "fibromyalgia"
    assert content["disclaimer"]


# Searches of a made-up treatment


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, {"side-effects": ("searched-none-found", "2026-01-02"), "approvals": ("never-looked", None)}),
        (
            "example-pain",
            {
                "side-effects": ("searched-none-found", "2026-01-04"),
                "approvals": ("searched-none-found", "2026-01-03"),
            },
        ),
        ("other-pain", {"side-effects": ("searched-none-found", "2026-01-02"), "approvals": ("never-looked", None)}),
    ],
)
def test_a_search_covers_what_it_was_made_for(
    database: Database, condition: str | None, expected: dict[str, tuple[str, str | None]]
) -> None:
    save_all(database, made_up(), author="test")
    found = by_resource(report(database, condition))
    assert {name: found[name] for name in expected} == expected
    assert found["warnings"] == ("known", "2026-01-01"), "a search may have found something"
    assert found["study-results"] == ("never-looked", None)


def test_searches_come_the_latest_first_and_only_those_that_concern_the_condition(database: Database) -> None:
    save_all(database, made_up(), author="test")
    everything = report(database)["searches"]
    days = [search["on"] for search in everything]
    assert days == sorted((str(search["on"]) for search in SEARCHES), reverse=True)
    assert everything[0] == {
        "resource": "side-effects",
        "claim": None,
        "conditions": ["example-pain"],
        "looked_for": NOWHERE,
        "on": "2026-01-04",
    }
    other = report(database, "other-pain")["searches"]
    assert [(search["resource"], search["on"]) for search in other] == [
        ("side-effects", "2026-01-02"),
        ("warnings", "2026-01-01"),
    ]


def test_a_reason_and_nothing_at_all_are_told_apart(database: Database) -> None:
    save_all(database, made_up(), author="test")
    fields = {entry["field"]: entry for entry in report(database)["record"]["fields"]}
    assert fields["holder"] == {"field": "holder", "core": False, "state": "missing", "reason": "not-reported"}
    assert fields["mechanism"] == {"field": "mechanism", "core": False, "state": "never-looked", "reason": None}


def test_a_treatment_is_not_found_under_a_condition_that_it_was_searched_for_in_vain(database: Database) -> None:
    save_all(database, made_up(), author="test")
    assert "condition" not in reference_filters(Treatment)
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        assert client.get("/v1/treatments?condition=example-pain").status_code == 422
        assert client.get("/v1/conditions/example-pain/treatments").status_code == 404


def test_a_search_names_a_resource_and_a_condition_that_exist(database: Database) -> None:
    search = {"resource": "side-effect", "looked_for": NOWHERE, "on": "2026-01-02"}
    with pytest.raises(ValidationError, match="did you mean 'side-effects'"):
        record("treatments", {**PRODUCT, "searches": [search]})
    with pytest.raises(ValidationError, match="there is no resource 'qqqq'"):
        record("treatments", {**PRODUCT, "searches": [{**search, "resource": "qqqq"}]})
    nowhere = {**search, "resource": "side-effects", "condition": "no-such-pain"}
    with pytest.raises(InvalidRecord, match="points to a record that does not exist"):
        save_all(database, [record("treatments", {**PRODUCT, "searches": [nowhere]})], author="test")


@pytest.mark.parametrize(
    ("address", "status", "hint"),
    [
        ("onabotulinumtoxin/completeness", 404, "Did you mean 'onabotulinumtoxina'?"),
        ("onabotulinumtoxina/completeness?condition=chronic-migrain", 422, "Did you mean 'chronic-migraine'?"),
        ("onabotulinumtoxina/completeness?conditon=chronic-migraine", 422, '"nearest": "condition"'),
        ("onabotulinumtoxina/completeness?condition=a&condition=b", 422, "once only"),
        ("onabotulinumtoxina/completeness?condition=Bad_Slug", 422, "condition: "),
    ],
)
def test_a_wrong_question_is_told_with_what_was_meant(
    seed_client: TestClient, address: str, status: int, hint: str
) -> None:
    answer = seed_client.get(f"/v1/treatments/{address}")
    assert answer.status_code == status
    assert hint in answer.text
