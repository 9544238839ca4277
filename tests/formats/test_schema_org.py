"""Records and pages as JSON-LD: only words of schema.org, only what the record holds, on both addresses alike."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.formats.registry import LINKED, LINKED_DATA
from app.formats.schema_org import THERAPIES, frequency, schedule_node, study_node, treatment_node
from app.models import RESOURCES
from app.models.base import Row
from app.models.dosing_intervals import DosingInterval
from app.models.indications import Indication
from app.pages.context import PAGED
from tests.support.schema_org import check, types_of

ADDRESS = "http://127.0.0.1:8000"
ROOTS = {
    "treatments": "Drug",
    "conditions": "MedicalCondition",
    "indications": "MedicalIndication",
    "dosing-intervals": "DoseSchedule",
    "studies": "MedicalStudy",
    "study-results": "MedicalStudy",
    "sources": "CreativeWork",
    "claims": "ClaimReview",
}


def records(client: TestClient, resource: type[Row]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(f"/v1/{resource.plural}?limit=200").json()["items"]
    return items


@pytest.mark.parametrize("resource", LINKED, ids=lambda row: row.plural)
def test_every_record_of_the_seed_is_told_in_words_of_schema_org(seed_client: TestClient, resource: type[Row]) -> None:
    for record in records(seed_client, resource):
        node = seed_client.get(f"/v1/{resource.plural}/{record['id']}", params={"format": "jsonld"}).json()
        check(node, {ROOTS[resource.plural]})
        if resource is not DosingInterval:
            assert node["@id"] == f"{ADDRESS}/{resource.plural}/{record['id']}"


@pytest.mark.parametrize("resource", PAGED, ids=lambda row: row.plural)
def test_a_page_answers_json_ld_and_holds_the_same(seed_client: TestClient, resource: type[Row]) -> None:
    for record in records(seed_client, resource)[:4]:
        path = f"/{resource.plural}/{record['id']}"
        answer = seed_client.get(path, headers={"Accept": LINKED_DATA})
        assert answer.headers["content-type"] == LINKED_DATA
        assert answer.headers["vary"] == "Accept, Accept-Encoding"
        check(answer.json(), {ROOTS[resource.plural]})
        page = seed_client.get(path, headers={"Accept": "text/html"}).text
        held = page.split('<script type="application/ld+json">')[1].split("</script>")[0]
        assert "<" not in held
        assert json.loads(held) == answer.json()


def test_the_first_page_is_a_dataset(seed_client: TestClient) -> None:
    node = seed_client.get("/", headers={"Accept": LINKED_DATA}).json()
    check(node, {"Dataset"})
    assert {one["name"] for one in node["distribution"]} == set(RESOURCES)
    for one in node["distribution"]:
        assert seed_client.get(one["contentUrl"].removeprefix(ADDRESS)).status_code == 200
    assert seed_client.get("/", headers={"Accept": "application/json"}).headers["content-type"].startswith("text/html")


def test_a_use_is_an_approved_indication_only_where_somebody_approved_it(seed_client: TestClient) -> None:
    for record in records(seed_client, Indication):
        approvals = seed_client.get("/v1/approvals", params={"indication": record["id"]}).json()["items"]
        standing = {
            approval["jurisdiction"] for approval in approvals if approval["status"] in ("approved", "conditional")
        }
        node = seed_client.get(f"/indications/{record['id']}", headers={"Accept": LINKED_DATA}).json()
        assert ("ApprovedIndication" in types_of(node)) == bool(standing), record["id"]
        assert {one["applicableLocation"]["name"] for one in node.get("legalStatus", [])} == standing
        alone = seed_client.get(f"/v1/indications/{record['id']}", params={"format": "jsonld"}).json()
        assert "ApprovedIndication" not in types_of(alone)


def test_a_condition_names_only_the_drugs_that_were_approved_for_it(seed_client: TestClient) -> None:
    node = seed_client.get("/conditions/chronic-neck-pain", headers={"Accept": LINKED_DATA}).json()
    assert "drug" not in node
    node = seed_client.get("/conditions/chronic-migraine", headers={"Accept": LINKED_DATA}).json()
    assert [drug["name"] for drug in node["drug"]] == ["OnabotulinumtoxinA"]


def test_a_treatment_has_the_schedules_of_its_labels_alone(seed_client: TestClient) -> None:
    node = seed_client.get("/treatments/onabotulinumtoxina", headers={"Accept": LINKED_DATA}).json()
    on_label = seed_client.get("/v1/dosing-intervals?treatment=onabotulinumtoxina&basis=label").json()["items"]
    frequencies = {frequency(one) for one in on_label} - {None}
    assert {one["frequency"] for one in node["doseSchedule"] if "frequency" in one} == frequencies
    assert {one["@type"] for one in node["doseSchedule"]} == {"RecommendedDoseSchedule"}
    assert all(len(one) > 1 for one in node["doseSchedule"]), "a schedule that says nothing is none"
    assert len({json.dumps(one) for one in node["doseSchedule"]}) == len(node["doseSchedule"])


DOSING: dict[str, Any] = {
    "basis": "trial",
    "dose_min": 155,
    "dose_max": 195,
    "dose_unit": "made-up-unit",
    "interval_min": 12,
    "interval_max": 12,
    "interval_unit": "wk",
    "population": None,
}


@pytest.mark.parametrize(
    ("low", "high", "unit", "words"),
    [
        (12, 12, "wk", "every 12 weeks"),
        (1, 1, "d", "every 1 day"),
        (12, 16, "wk", "every 12 to 16 weeks"),
        (12, None, "wk", "no sooner than every 12 weeks"),
        (None, 6, "mo", "at most every 6 months"),
        (None, None, "mo", None),
    ],
)
def test_an_interval_is_said_in_words(low: float | None, high: float | None, unit: str, words: str | None) -> None:
    assert frequency(DOSING | {"interval_min": low, "interval_max": high, "interval_unit": unit}) == words


def test_a_range_of_doses_is_no_number() -> None:
    node = schedule_node(DOSING, "made-up units")
    assert (node["@type"], node["doseValue"], node["doseUnit"]) == ("ReportedDoseSchedule", None, None)
    assert schedule_node(DOSING | {"dose_max": 155}, "made-up units")["doseValue"] == 155


@pytest.mark.parametrize("kind", ["drug", "device", "procedure", "exercise", "psychological", "supplement", "other"])
def test_a_treatment_is_the_kind_of_therapy_that_it_is(kind: str) -> None:
    names = ("synonyms", "codes", "generic_names", "brand_names", "routes")
    empty = dict.fromkeys(("definition", "mechanism", "dose_unit", "part_of")) | {name: [] for name in names}
    node = treatment_node({"kind": kind, "name": "Made up"} | empty, {}, f"{ADDRESS}/treatments/made-up")
    shown = {name: value for name, value in node.items() if value not in (None, [])}
    assert shown["@type"] == THERAPIES.get(kind, "MedicalTherapy")
    check(shown, {"MedicalEntity"})


@pytest.mark.parametrize(
    ("design", "blinding", "type_", "told"),
    [
        ("randomized-parallel", "double-blind", "MedicalTrial", ["RandomizedTrial", "DoubleBlindedTrial"]),
        ("single-arm", "open-label", "MedicalTrial", ["OpenTrial"]),
        ("cohort", None, "MedicalObservationalStudy", "CohortStudy"),
        ("systematic-review", None, "MedicalStudy", None),
        (None, None, "MedicalStudy", None),
    ],
)
def test_a_study_is_of_the_design_that_it_is(design: str | None, blinding: str | None, type_: str, told: Any) -> None:
    study = dict.fromkeys(("acronym",)) | {"title": "Made up", "design": design, "blinding": blinding}
    study |= {name: [] for name in ("registry_ids", "treatments", "conditions", "countries")}
    node = study_node(study, {}, ADDRESS)
    assert node["@type"] == type_
    words = node.get("trialDesign", node.get("studyDesign"))
    short = [word.split("/")[-1] for word in words] if isinstance(words, list) else words and words.split("/")[-1]
    assert short == told
