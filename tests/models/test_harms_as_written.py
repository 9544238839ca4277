"""Side effects as labels, papers and registries write them: the smallest input of each kind, and its right answer."""

from secrets import token_hex
from typing import Any

import pytest

from app.pages.wording import percent
from tests.support.api import Api, problem_of

HARM: dict[str, Any] = {
    "treatment": "onabotulinumtoxina",
    "term": "made-up rash",
    "basis": "trial",
    "attribution": "observed",
    "citations": [{"source": "compel"}],
}
ARM: dict[str, Any] = {"arm": "made-up arm", "role": "exposed"}
NOTHING = (None, None, None)


def posted(api: Api, *arms: dict[str, Any], **fields: Any) -> Any:
    """The answer to a new side effect with these arms."""
    harm = {**HARM, "id": f"made-up-{token_hex(4)}", "arms": [{**ARM, **arm} for arm in arms], **fields}
    return api.ask("POST", "/v1/side-effects", {name: value for name, value in harm.items() if value is not ...})


def saved(api: Api, *arms: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A new side effect, as it was saved; it stays when it is put back as it was read."""
    answer = posted(api, *arms, **fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    again = api.ask("PUT", f"/v1/side-effects/{found['id']}", found, If_Match="*")
    assert again.json()["version"] == 1, again.text
    return found


def page(api: Api, harm: dict[str, Any]) -> str:
    """The row of a side effect on the page of its treatment."""
    text = api.client.get(f"/treatments/{harm['treatment']}", headers={"Accept": "text/html"}).text
    return text.partition(f'id="{harm["id"]}"')[2].partition("</tr>")[0]


@pytest.mark.parametrize(
    ("affected", "at_risk", "percent", "frequency"),
    [
        (1, 100_000, 0.001, "very-rare"),  # the case; 0.3.0 said 0 and not known
        (1, 1_000_000, 0.0001, "very-rare"),
        (3, 7_000_000, 0.0000429, "very-rare"),
        (1, 10_000, 0.01, "rare"),
        (1, 10_001, 0.009999, "very-rare"),
        (99_999, 1_000_000, 9.9999, "common"),
        (999_999, 1_000_000, 99.9999, "very-common"),
        (7, 39, 17.95, "very-common"),
        (0, 40, 0, "not-known"),
    ],
)
def test_percent_and_class_come_from_the_exact_ratio(
    api: Api, affected: int, at_risk: int, percent: float, frequency: str
) -> None:
    harm = saved(api, {"affected": affected, "at_risk": at_risk})
    assert (harm["percent"], harm["frequency"], harm["frequency_derived"]) == (percent, frequency, True)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.001, "0.001"), (0.0001, "0.0001"), (0.456, "0.46"), (12.34, "12.3"), (99.99, "99.99"), (0, "0"), (100, "100")],
)
def test_no_page_says_nobody_or_everybody_where_it_was_not_so(value: float, words: str) -> None:
    assert percent(value) == f"{words}\u202f%"


def test_a_rare_harm_is_no_zero_on_a_page(api: Api) -> None:
    harm = saved(api, {"affected": 1, "at_risk": 100_000}, treatment="rimabotulinumtoxinb")
    assert "<b>0.001\u202f%</b> very rare" in page(api, harm)


@pytest.mark.parametrize(
    ("arm", "ends", "frequency"),
    [
        ({"percent": 1, "percent_modifier": "<"}, (None, None, 1), None),  # the case; 0.3.0 said 1 % and common
        ({"percent": 0.01, "percent_modifier": "<"}, (None, None, 0.01), "very-rare"),
        ({"percent": 0.01, "percent_modifier": "<="}, (None, None, 0.01), None),
        ({"percent": 5, "percent_modifier": ">="}, (None, 5, None), None),
        ({"percent": 10, "percent_modifier": ">="}, (None, 10, None), "very-common"),
        ({"percent": 3, "percent_max": 5}, (None, 3, 5), "common"),
        ({"percent": 0.5, "percent_max": 1}, (None, 0.5, 1), None),
        ({"percent": 2, "percent_modifier": "~"}, NOTHING, None),
        ({"percent": 3}, (3, 3, 3), "common"),
    ],
)
def test_a_bound_and_a_range_decide_a_class_or_none(
    api: Api, arm: dict[str, Any], ends: tuple[float | None, ...], frequency: str | None
) -> None:
    harm = saved(api, arm)
    assert (harm["percent"], harm["percent_min"], harm["percent_max"]) == ends
    assert harm["frequency"] == frequency
    assert harm["percent_modifier"] == arm.get("percent_modifier")


def test_a_bound_is_shown_as_one_and_no_filter_takes_it_for_a_figure(api: Api) -> None:
    harm = saved(api, {"percent": 1, "percent_modifier": "<"}, treatment="rimabotulinumtoxinb")
    assert "<b>&lt;\u202f1\u202f%</b>" in page(api, harm)
    found = api.client.get("/v1/side-effects?percent_gte=1&percent_lte=1&limit=200").json()["items"]
    assert harm["id"] not in [item["id"] for item in found]
    found = api.client.get("/v1/side-effects?percent_max_lte=1&limit=200").json()["items"]
    assert harm["id"] in [item["id"] for item in found]


@pytest.mark.parametrize(
    ("arm", "pointer"),
    [
        ({"affected": 10, "event_count": 4}, "/arms/0/event_count"),  # the case; 0.3.0 took it
        ({"affected": 18, "at_risk": 716, "percent": 2.6}, "/arms/0/percent"),
        ({"affected": 7, "at_risk": 39, "percent": 17.8}, "/arms/0/percent"),
        ({"affected": 20, "at_risk": 100, "percent": 1, "percent_modifier": "<"}, "/arms/0/percent"),
        ({"affected": 20, "at_risk": 100, "percent": 3, "percent_max": 5}, "/arms/0/percent"),
        ({"percent": 5, "percent_max": 3}, "/arms/0"),
        ({"percent_modifier": "<"}, "/arms/0"),
        ({"person_time": 120}, "/arms/0"),
        ({"rate": 12.5}, "/arms/0"),
        ({"study_arm": "made-up"}, "/arms/0/study_arm"),
        ({"role": None}, "/arms/0/role"),
    ],
)
def test_what_cannot_be_true_is_refused_with_its_place(api: Api, arm: dict[str, Any], pointer: str) -> None:
    problem_of(posted(api, arm), 422, "invalid-record", pointer)


@pytest.mark.parametrize("printed", [2.5, 2.51, 3, 2])
def test_a_percentage_may_be_rounded_or_cut_at_its_last_digit(api: Api, printed: float) -> None:
    assert saved(api, {"affected": 18, "at_risk": 716, "percent": printed})["percent"] == 2.51


def test_events_per_person_time_are_no_people(api: Api) -> None:
    arm = {"event_count": 15, "person_time": 120, "person_time_unit": "a"}
    harm = saved(api, arm, treatment="rimabotulinumtoxinb")
    assert harm["arms"][0]["person_time_days"] == 43830
    assert harm["arms"][0]["events_per_100_years"] == 12.5
    assert (harm["percent"], harm["frequency"]) == (None, None)
    assert "15 events in 120 person-years" in page(api, harm)
    rate = saved(api, {"rate": 12.5, "rate_per": 100, "person_time_unit": "a"})
    assert rate["arms"][0]["events_per_100_years"] == 12.5


def test_a_class_that_contradicts_its_percent_is_flagged(api: Api) -> None:
    harm = saved(api, {"affected": 30, "at_risk": 100}, frequency="common")
    assert harm["frequency"] == "common", "the source's word stays"
    assert harm["frequency_derived"] is False
    assert harm["needs_review"] is True
    assert [(reason["rule"], reason["pointer"]) for reason in harm["review_reasons"]] == [
        ("frequency-contradicts-percent", "/frequency")
    ]
    bounded = saved(api, {"percent": 1, "percent_modifier": "<"}, frequency="uncommon")
    assert bounded["needs_review"] is False, "below 1 % may be uncommon"


def test_a_derived_class_follows_its_figures(api: Api) -> None:
    harm = saved(api, {"affected": 30, "at_risk": 100})
    arms = [{**ARM, "affected": 3, "at_risk": 100}]
    changed = api.ask("PATCH", f"/v1/side-effects/{harm['id']}", {"arms": arms}, If_Match="*").json()
    assert (changed["frequency"], changed["percent"], changed["needs_review"]) == ("common", 3, False)


def test_grade_dose_time_frame_threshold_and_code_stand_beside_the_figures(api: Api) -> None:
    harm = saved(
        api,
        {"affected": 3, "at_risk": 40, "dose": "155 units", "code": "EG000"},
        treatment="rimabotulinumtoxinb",
        severity="severe",
        grade_min=3,
        grade_scale="CTCAE 5.0",
        time_frame="24 weeks",
        time_frame_days=168,
        reporting_threshold=5,
        codes=[{"system": "meddra", "code": "made-up-10000001", "display": "Made-up rash"}],
        source_vocabulary="MedDRA 24.0",
        basis="observational",
    )
    assert "severe, grade 3 or higher, 155 units, 24 weeks, reported from 5\u202f%" in page(api, harm)
    found = api.client.get("/v1/lookup?system=meddra&code=made-up-10000001").json()
    assert harm["id"] in str(found)
    severe = api.client.get("/v1/side-effects?grade_min_gte=3&severity=severe&limit=200").json()["items"]
    assert [item["id"] for item in severe] == [harm["id"]]


def test_an_arm_names_one_of_its_study(api: Api) -> None:
    studies = api.client.get("/v1/studies?limit=200").json()["items"]
    study = next(item for item in studies if item["arms"])
    arm = {"study_arm": study["arms"][0]["id"], "affected": 1, "at_risk": 4}
    assert saved(api, arm, study=study["id"])["needs_review"] is False
    problem_of(posted(api, {**arm, "study_arm": "no-such"}, study=study["id"]), 422, "invalid-record")


def test_a_study_of_several_treatments_and_groups_without_a_role_have_reasons(api: Api) -> None:
    arm = {"role": ..., "missing": {"role": "not-applicable"}, "affected": 1, "at_risk": 4}
    arms = [{**arm, "arm": name} for name in ("made-up one", "made-up two")]
    groups = [{name: value for name, value in group.items() if value is not ...} for group in arms]
    several = {**HARM, "id": f"made-up-{token_hex(4)}", "arms": groups, "missing": {"treatment": "not-applicable"}}
    del several["treatment"]
    answer = api.ask("POST", "/v1/side-effects", several)
    assert answer.status_code == 201, answer.text
    assert answer.json()["treatment"] is None
    assert [group["role"] for group in answer.json()["arms"]] == ["not-assigned", "not-assigned"]
    assert answer.json()["percent"] is None, "no arm is known to have received the treatment"
    problem_of(
        api.ask("POST", "/v1/side-effects", {**several, "id": "made-up-x", "missing": {}}), 422, "invalid-record"
    )
    assert several["id"] in [item["id"] for item in api.client.get("/v1/side-effects?limit=200").json()["items"]]


def test_every_arm_of_several_exposed_ones_is_shown(api: Api) -> None:
    arms = [{"arm": "made-up low", "affected": 1, "at_risk": 40}, {"arm": "made-up high", "affected": 4, "at_risk": 40}]
    harm = saved(api, *arms, treatment="rimabotulinumtoxinb")
    assert "made-up low: 2.5\u202f% (1 of 40); made-up high: 10\u202f% (4 of 40)" in page(api, harm)
