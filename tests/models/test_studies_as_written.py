"""Studies and their registry numbers as the field writes them: each test is the smallest input and the right answer."""

from secrets import token_hex
from typing import Any, get_args

import pytest

from app.models.registries import REGISTRIES, lookup_key, registry_number
from app.models.vocabulary import CodeSystem
from tests.support.api import Api, problem_of

NUMBERS = {
    "nct": (
        "NCT99999901",
        ["nct 99999901", "https://clinicaltrials.gov/study/NCT99999901?tab=results", "NCT:99999901"],
    ),
    "ctis": ("2024-515914-41-00", ["CTIS2024-515914-41", "EU CT 2024-515914-41-01", "2024–515914–41"]),
    "eudract": ("2008-005767-34", ["EUCTR2008-005767-34-FR", "EudraCT number: 2008-005767-34", "2008-005767-34-3rd"]),
    "isrctn": ("ISRCTN99999902", ["isrctn 99999902", "https://doi.org/10.1186/ISRCTN99999902"]),
    "chictr": ("ChiCTR9999999903", ["CHICTR9999999903", "ChiCTR 9999999903"]),
    "jrct": ("jRCTs999999904", ["JPRN-jRCTs999999904", "JRCTS999999904"]),
    "drks": ("DRKS99999905", ["drks99999905", "DRKS 99999905"]),
    "anzctr": ("ACTRN99999999999906", ["ACTRN99999999999906p", "anzctr:ACTRN99999999999906"]),
    "umin": ("UMIN999999907", ["JPRN-UMIN999999907", "UMIN-CTR 999999907"]),
    "pactr": ("PACTR999999999999908", ["pactr 999999999999908"]),
    "ctri": ("CTRI/9999/08/999909", ["ctri-9999-08-999909", "CTRI/9999/08/999909"]),
}
"""A made-up number of each registry (but for the two that the field named), and other spellings of it."""


def study(api: Api, **fields: Any) -> dict[str, Any]:
    """A body for a study."""
    source = api.ask("POST", "/v1/sources", {"id": f"made-up-{token_hex(4)}", "kind": "registry-record", "title": "x"})
    usual = {"id": f"made-up-{token_hex(4)}", "title": "Made-up trial", "design": "randomized-parallel"}
    return {**usual, "sources": [source.json()["id"]], **fields}


def saved(api: Api, **fields: Any) -> dict[str, Any]:
    """A study as it was saved."""
    answer = api.ask("POST", "/v1/studies", study(api, **fields))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_every_registry_of_the_code_systems_has_a_number_here() -> None:
    assert REGISTRIES.keys() == NUMBERS.keys() <= set(get_args(CodeSystem.__value__))


@pytest.mark.parametrize("system", NUMBERS)
def test_a_number_has_one_spelling_and_is_found_by_any(api: Api, system: str) -> None:
    spelling, others = NUMBERS[system]
    for text in (spelling, *others):
        stored = saved(api, registry_ids=[{"system": system, "code": text}])
        expected = registry_number(system, text)
        assert stored["registry_ids"][0]["code"] == expected
        assert lookup_key(system, expected) == lookup_key(system, spelling)
        for asked in (spelling, *others):
            found = api.client.get("/v1/lookup", params={"system": system, "code": asked}).json()["items"]
            assert stored["id"] in [item["id"] for item in found], asked
            hits = api.client.get("/v1/search", params={"q": asked, "kind": "studies"}).json()["items"]
            assert stored["id"] in [hit["id"] for hit in hits], asked
        api.ask("DELETE", f"/v1/studies/{stored['id']}?reason=made+up", If_Match='"1"')


@pytest.mark.parametrize("system", NUMBERS)
@pytest.mark.parametrize("text", ["garbage", "12345678", "NCT1234567", "2024-5159-41", "1"])
def test_a_malformed_number_is_refused_with_its_form(api: Api, system: str, text: str) -> None:
    answer = api.ask("POST", "/v1/studies", study(api, registry_ids=[{"system": system, "code": text}]))
    problem = problem_of(answer, 422, "invalid-record", "/registry_ids/0/code")
    assert REGISTRIES[system].name in problem["errors"][0]["detail"]


def test_one_rule_holds_for_codes_of_every_resource(api: Api) -> None:
    body = {"id": f"made-up-{token_hex(4)}", "name": "x", "codes": [{"system": "nct", "code": "garbage"}]}
    problem_of(api.ask("POST", "/v1/conditions", body), 422, "invalid-record", "/codes/0/code")
    source = {"id": f"made-up-{token_hex(4)}", "kind": "registry-record", "title": "x"}
    problem_of(api.ask("POST", "/v1/sources", {**source, "nct": "garbage"}), 422, "invalid-record", "/nct")
    stored = api.ask("POST", "/v1/sources", {**source, "nct": "nct 99999910"}).json()
    assert stored["nct"] == "NCT99999910"
    listed = api.client.get("/v1/sources", params={"nct": "https://clinicaltrials.gov/study/NCT99999910"}).json()
    assert [item["id"] for item in listed["items"]] == [stored["id"]]


@pytest.mark.parametrize(
    "design",
    [
        "randomized-factorial",
        "randomized-cluster",
        "randomized-stepped-wedge",
        "randomized-sequential",
        "sequential",
        "single-patient",
        "cross-sectional",
        "network-meta-analysis",
    ],
)
def test_designs_of_the_field_have_words(api: Api, design: str) -> None:
    assert saved(api, design=design)["design"] == design


def test_four_may_be_blinded_and_it_is_kept_who(api: Api) -> None:
    who = ["participant", "care-provider", "investigator", "outcomes-assessor"]
    stored = saved(api, blinding="quadruple-blind", blinded=who)
    assert (stored["blinding"], stored["blinded"]) == ("quadruple-blind", who)
    twice = study(api, blinded=["participant", "participant"])
    problem_of(api.ask("POST", "/v1/studies", twice), 422, "invalid-record")


def test_how_far_a_study_is_and_why_it_stopped(api: Api) -> None:
    said = {
        "status": "terminated",
        "why_stopped": "made-up reason",
        "enrolment": 57,
        "enrolment_planned": 120,
        "sponsor": f"Made-up sponsor {token_hex(4)}",
        "index_terms": [{"system": "mesh", "code": "D999999", "display": "x", "assigned_by": "algorithm"}],
    }
    stored = saved(api, **said)
    assert {name: stored[name] for name in said} == said
    filters = {"status": "terminated", "sponsor": str(said["sponsor"])}
    assert [item["id"] for item in api.client.get("/v1/studies", params=filters).json()["items"]] == [stored["id"]]
    done = study(api, status="completed", why_stopped="made-up reason")
    problem_of(api.ask("POST", "/v1/studies", done), 422, "invalid-record")
