"""Units belong to products: what compares doses across products is refused with the rule; within one unit it works."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.db.database import Database
from app.fields import uses
from app.main import create_app
from app.models import RESOURCES
from app.models.base import Record, Row
from app.models.treatments import DoseUnit
from app.settings import Settings
from app.store.read.units import MOST_OFFERS
from app.store.write.save import save_all

LIST = "/v1/dosing-intervals"
UNDER = "/v1/conditions/cervical-dystonia/dosing-intervals"
RULE = "botulinum-toxin-units-not-interchangeable-us"
COMPARING = ["sort=dose_min", "sort=-id,-max_dose", "dose_max=300", "dose_min_gte=1", "max_dose_lte=400"]
ONE_UNIT = [
    "treatment=onabotulinumtoxina",
    "dose_unit=onabotulinumtoxina-unit",
    "treatment=onabotulinumtoxina&treatment=botulinum-toxin",
    "dose_unit=onabotulinumtoxina-unit&treatment=onabotulinumtoxina&treatment=abobotulinumtoxina",
]
SEVERAL_UNITS = [
    "",
    "condition=cervical-dystonia",
    "treatment=onabotulinumtoxina&treatment=abobotulinumtoxina",
    "dose_unit=onabotulinumtoxina-unit&dose_unit=abobotulinumtoxina-unit",
    "id=onabotulinumtoxina-chronic-migraine-label-us",
]

every_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))


def refused(client: TestClient, address: str) -> dict[str, Any]:
    answer = client.get(address)
    assert answer.status_code == 422, (address, answer.text)
    problem: dict[str, Any] = answer.json()
    assert problem["type"].endswith("/problems/not-comparable"), address
    return problem


@every_resource
def test_an_amount_in_a_named_unit_is_marked_so(resource: type[Row]) -> None:
    for name, use in uses(resource).items():
        assert (use.unit == "dose_unit") == (use.shape == "number" and "`dose_unit`" in use.description), name


@pytest.mark.parametrize("comparing", COMPARING)
@pytest.mark.parametrize("narrowed", ONE_UNIT)
def test_doses_in_one_unit_can_be_compared(seed_client: TestClient, comparing: str, narrowed: str) -> None:
    for path in (LIST, UNDER):
        answer = seed_client.get(f"{path}?{narrowed}&{comparing}")
        assert answer.status_code == 200, answer.text
        assert len({item["dose_unit"] for item in answer.json()["items"]} - {None}) <= 1


@pytest.mark.parametrize("form", ["json", "csv", "ndjson"])
@pytest.mark.parametrize("comparing", COMPARING)
@pytest.mark.parametrize("narrowed", SEVERAL_UNITS)
def test_doses_in_several_units_are_not_compared(
    seed_client: TestClient, comparing: str, narrowed: str, form: str
) -> None:
    refused(seed_client, f"{LIST}?{narrowed}&{comparing}&format={form}")


def test_a_refusal_says_what_would_be_right_and_cites_the_rule(seed_client: TestClient) -> None:
    problem = refused(seed_client, f"{UNDER}?sort=dose_min&max_dose_gte=1")
    assert [error["parameter"] for error in problem["errors"]] == ["max_dose_gte", "sort"]
    for error in problem["errors"]:
        assert "treatment=abobotulinumtoxina or dose_unit=abobotulinumtoxina-unit" in error["detail"]
        (rule,) = error["rules"]
        warning = seed_client.get(rule["url"].removeprefix("http://127.0.0.1:8000")).json()
        assert (rule["id"], rule["statement"]) == (RULE, warning["statement"])
        assert rule["sources"] == ["fda-alert-2009-botulinum-toxin"]
        assert rule["statement"] in problem["detail"]
        assert "treatment=onabotulinumtoxina" in error["known"]
        for right in error["known"]:
            assert seed_client.get(f"{UNDER}?sort=dose_min&max_dose_gte=1&{right}").status_code == 200


def test_whatever_is_offered_stands_in_what_was_asked_for(seed_client: TestClient) -> None:
    for condition in ("chronic-migraine", "chronic-neck-pain"):
        items = seed_client.get(f"{LIST}?condition={condition}&limit=200").json()["items"]
        assert {item["treatment"] for item in items if item["dose_unit"]} == {"onabotulinumtoxina"}
        problem = refused(seed_client, f"{LIST}?condition={condition}&sort=dose_min")
        assert problem["errors"][0]["known"] == ["treatment=onabotulinumtoxina"]


def test_a_treatments_own_list_can_always_be_ordered_by_dose(seed_client: TestClient) -> None:
    for treatment in seed_client.get("/v1/treatments?limit=200").json()["items"]:
        path = f"/v1/treatments/{treatment['id']}/dosing-intervals?sort=-dose_max&dose_min_gte=0"
        assert seed_client.get(path).status_code == 200


def test_what_is_no_dose_is_compared_across_products(seed_client: TestClient) -> None:
    for comparing in ("sort=interval_days", "interval_days_lte=84", "sort=-max_dose_period", "sites_min_gte=1"):
        assert seed_client.get(f"{LIST}?{comparing}").status_code == 200


def test_the_document_says_that_a_dose_needs_one_unit(seed_client: TestClient) -> None:
    content = seed_client.get("/openapi.json").json()
    assert "not-comparable" in str(content["paths"][LIST]["get"]["responses"]["422"]) + str(content["components"])
    text = str([parameter for parameter in content["components"]["parameters"].values() if "dose" in str(parameter)])
    assert text.count("Only within one unit") >= 9


# Units of made-up products


def toxin(name: str, *alike: str, unit: str | None = None, **rest: Any) -> Record:
    code = unit or f"{name}-unit"
    values = {"code": code, "label": "example units", "interchangeable_with": list(alike)}
    return record("treatments", {"id": name, "name": name, "kind": "drug", "dose_unit": values, **rest})


def dose(name: str, amount: float, *, unit: str | None = None) -> Record:
    cited = {"citations": [{"source": "example-label"}]}
    interval = {"interval_min": 12, "interval_unit": "wk", "dose_min": amount, "dose_unit": unit or f"{name}-unit"}
    return record("dosing-intervals", {"id": f"{name}-dose", "treatment": name, "basis": "label", **interval, **cited})


def record(plural: str, values: dict[str, Any]) -> Record:
    return RESOURCES[plural].record_class().model_validate(values)


@pytest.fixture
def made_up_products(database: Database) -> Iterator[TestClient]:
    """Four made-up products: two whose units mean the same, two that share one unit; only one side names another."""
    source = record("sources", {"id": "example-label", "kind": "product-label", "title": "An example label"})
    products = [
        toxin("example-a", "example-b-unit"),
        toxin("example-b", "example-a-unit"),
        toxin("example-c", "example-a-unit"),
        toxin("example-d", unit="example-c-unit"),
    ]
    doses = [
        dose("example-a", 3),
        dose("example-b", 1),
        dose("example-c", 2),
        dose("example-d", 9, unit="example-c-unit"),
    ]
    save_all(database, [source, *products, *doses], author="test")
    with TestClient(create_app(Settings(database_url=database.url)), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.mark.parametrize(
    ("products", "is_one_unit"),
    [("ab", True), ("cd", True), ("ac", False), ("abc", False), ("bd", False)],
)
def test_units_that_name_each_other_or_are_one_can_be_compared(
    made_up_products: TestClient, products: str, is_one_unit: bool
) -> None:
    narrowed = "&".join(f"treatment=example-{letter}" for letter in products)
    if not is_one_unit:
        refused(made_up_products, f"{LIST}?{narrowed}&sort=dose_min")
        return
    items = made_up_products.get(f"{LIST}?{narrowed}&sort=dose_min").json()["items"]
    assert [item["dose_min"] for item in items] == sorted(item["dose_min"] for item in items)
    assert len(items) == len(products)


def test_without_a_rule_the_refusal_stands_in_general_words(made_up_products: TestClient) -> None:
    problem = refused(made_up_products, f"{LIST}?dose_min_gte=1")
    assert "never converted" in problem["detail"]
    assert "rules" not in problem["errors"][0]
    nothing = refused(made_up_products, f"{LIST}?dose_min_gte=1&basis=trial")
    assert "known" not in nothing["errors"][0]


def test_the_rule_of_a_class_far_above_is_found(database: Database) -> None:
    source = record("sources", {"id": "example-label", "kind": "product-label", "title": "An example label"})
    above = {f"example-class-{step}": f"example-class-{step + 1}" for step in range(3)}
    classes = [record("treatments", {"id": "example-class-3", "name": "x", "kind": "drug"})]
    classes += [
        record("treatments", {"id": low, "name": "x", "kind": "drug", "part_of": up}) for low, up in above.items()
    ]
    words = {
        "kind": "warning",
        "jurisdiction": "GB",
        "statement": "An example rule.",
        "rule": "units-not-interchangeable",
    }
    rule = {"id": "example-rule", "treatment": "example-class-3", **words, "citations": [{"source": "example-label"}]}
    save_all(database, [source, *classes, record("warnings", rule)], author="test")
    save_all(
        database,
        [toxin("example-a", part_of="example-class-0"), toxin("example-b"), dose("example-a", 1), dose("example-b", 2)],
        author="test",
    )
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        problem = refused(client, f"{LIST}?sort=dose_min")
        assert [rule["id"] for rule in problem["errors"][0]["rules"]] == ["example-rule"]
        assert client.get("/v1/warnings?rule=units-not-interchangeable").json()["items"][0]["id"] == "example-rule"


def test_a_refusal_offers_a_handful_of_many_products(database: Database) -> None:
    source = record("sources", {"id": "example-label", "kind": "product-label", "title": "An example label"})
    names = [f"example-{index:02}" for index in range(30)]
    save_all(database, [source, *map(toxin, names), *(dose(name, 1) for name in names)], author="test")
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        known = refused(client, f"{LIST}?sort=dose_min")["errors"][0]["known"]
    assert known == [f"treatment={name}" for name in names[:MOST_OFFERS]]


@pytest.mark.parametrize(
    ("mine", "yours", "alike"),
    [((), (), False), (("b",), ("a",), True), (("b",), (), False), ((), ("a",), False)],
)
def test_interchangeable_is_what_both_say(mine: tuple[str], yours: tuple[str], alike: bool) -> None:
    one = DoseUnit(code="a", label="a", interchangeable_with=list(mine))
    other = DoseUnit(code="b", label="b", interchangeable_with=list(yours))
    assert one.means_the_same_as(other) == other.means_the_same_as(one) == alike
    assert one.means_the_same_as(one)


# The dossier


def test_a_dossier_names_the_unit_of_its_doses_and_the_rule(seed_client: TestClient) -> None:
    dossier = seed_client.get("/v1/treatments/onabotulinumtoxina/dossier").json()
    rule = seed_client.get(f"/v1/warnings/{RULE}").json()
    assert dossier["unit"]["code"] == "onabotulinumtoxina-unit"
    assert dossier["unit"]["label"] == "Botox units"
    assert dossier["unit"]["rules"] == [rule]
    assert "never converted" in dossier["unit"]["note"]
    (layer,) = dossier["inherited"]
    assert (layer["unit"]["code"], layer["unit"]["rules"]) == (None, [rule])


def test_doses_of_different_products_never_stand_in_one_list_of_a_dossier(seed_client: TestClient) -> None:
    for treatment in seed_client.get("/v1/treatments?limit=200").json()["items"]:
        dossier = seed_client.get(f"/v1/treatments/{treatment['id']}/dossier").json()
        for layer in (dossier, *dossier["inherited"]):
            units = {item["dose_unit"] for item in layer["dosing_intervals"]["items"]}
            assert units <= {layer["unit"]["code"], None}
    assert seed_client.get("/v1/treatments/botulinum-toxin/dossier").json()["unit"]["code"] is None


def test_a_dossier_says_which_units_mean_the_same(made_up_products: TestClient) -> None:
    unit = made_up_products.get("/v1/treatments/example-a/dossier").json()["unit"]
    assert (unit["interchangeable_with"], unit["rules"]) == (["example-b-unit"], [])
    assert "mean the same amount" in unit["note"]
