"""Doses as labels, guidelines and prescriptions write them: the smallest input of each kind, and its right answer."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any

import pytest

from app.models.dosing_intervals import in_days
from tests.support.api import Api, problem_of

LABEL: dict[str, Any] = {"basis": "label", "citations": [{"source": "compel"}]}
Made = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def treatment(api: Api) -> str:
    """A made-up product that is measured in mg."""
    found = f"made-up-{token_hex(4)}"
    values = {"id": found, "name": "Made-up product", "kind": "drug", "dose_unit": {"code": "mg", "label": "mg"}}
    assert api.ask("POST", "/v1/treatments", values).status_code == 201
    return found


def posted(api: Api, treatment: str, **fields: Any) -> Any:
    dose = {"dose_min", "dose_max", "max_dose", "steps"} & fields.keys()
    unit = {"dose_unit": "mg"} if dose else {}
    values = {**LABEL, "id": f"made-up-{token_hex(4)}", "treatment": treatment, **unit, **fields}
    return api.ask("POST", "/v1/dosing-intervals", values)


def saved(api: Api, treatment: str, **fields: Any) -> dict[str, Any]:
    """A new dosing interval, as it was saved; it stays when it is put back as it was read."""
    answer = posted(api, treatment, **fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    again = api.ask("PUT", f"/v1/dosing-intervals/{found['id']}", found, If_Match="*")
    assert again.json()["version"] == 1, again.text
    return found


def of(amount: float, high: float | None = None) -> dict[str, float]:
    return {"dose_min": amount, "dose_max": amount if high is None else high}


def often(times: float, unit: str = "d", **others: float) -> dict[str, Any]:
    return {"times": times, "period_unit": unit, **others}


A_DAY = {"max_dose_period": 1, "max_dose_period_unit": "d"}
PER_KG_A_DAY = {"max_dose": 75, "max_dose_per": ["kg", "day"]}
TWO_WEEKS = {"lasts": 2, "lasts_unit": "wk"}
DOSES: list[tuple[dict[str, Any], str]] = [
    ({**of(25), **often(2)}, "25 mg twice a day"),
    ({**of(25), **often(1)}, "25 mg once a day"),
    ({**of(25), **often(3, "wk")}, "25 mg 3 times a week"),
    ({**of(25), **often(1, period=2)}, "25 mg once every 2 days"),
    ({**of(25), **often(3, times_max=4)}, "25 mg 3–4 times a day"),
    ({**of(25), **often(2, "h")}, "25 mg twice an hour"),
    ({**of(25), "times_max": 6, "period_unit": "d"}, "25 mg up to 6 times a day"),
    ({**of(25), "interval_min": 1, "interval_max": 1, "interval_unit": "mo"}, "25 mg every month"),
    (
        {**of(25), **often(2), "max_dose": 75, "max_dose_per": ["kg"], **A_DAY},
        "25 mg twice a day; at most 75 mg per kg a day",
    ),
    (
        {**of(10, 15), "dose_per": ["kg"], "max_dose": 75, "max_dose_per": ["kg", "day"], **often(4)},
        "10–15 mg per kg 4 times a day; at most 75 mg per kg a day",
    ),
    (
        {**of(10, 15), "dose_per": ["kg"], **often(4), **PER_KG_A_DAY, "max_dose_cap": 4000},
        "10–15 mg per kg 4 times a day; at most 75 mg per kg a day, and never more than 4,000 mg a day",
    ),
    (
        {**of(15), "dose_per": ["kg"], "dose_cap": 1000, **often(4)},
        "15 mg per kg (never more than 1,000 mg at once) 4 times a day",
    ),
    ({**of(60), "dose_per": ["m2"], "max_dose": 550, "max_dose_per": ["m2", "lifetime"], **often(1, "wk")},
     "60 mg per m² once a week; at most 550 mg per m² in a lifetime"),
    ({**of(60), "max_dose": 60, "max_dose_per": ["session"], **often(1, "wk")},
     "60 mg once a week; at most 60 mg per session"),
    (
        {**of(500, 1000), "interval_min": 4, "interval_max": 6, "interval_unit": "h", "as_needed_for": "pain",
         "max_dose": 4000, "max_dose_period": 1, "max_dose_period_unit": "d"},
        "500–1,000 mg every 4 to 6 hours as needed for pain; at most 4,000 mg a day",
    ),
    (
        {"steps": [{**of(3.125), **often(2), **TWO_WEEKS}, {**of(6.25), **often(2)}]},
        "3.125 mg twice a day for 2 weeks; then 6.25 mg twice a day",
    ),
    (
        {"steps": [{"kind": "loading", **of(500)}, {"kind": "maintenance", **of(250), **often(1)}]},
        "500 mg (loading); then 250 mg once a day (maintenance)",
    ),
    ({**of(2), "interval_min": 5, "interval_max": 15, "interval_unit": "min"}, "2 mg every 5 to 15 minutes"),
    ({**of(60), "cycle_days": [1, 8, 15], "cycle_length": 28, "cycle_unit": "d", "cycles": 6},
     "60 mg; on days 1, 8 and 15 of a 28-day cycle, for 6 cycles"),
    ({**of(2), "rate_min": 5, "rate_max": 10, "rate_unit": "ug", "rate_per": ["kg"], "rate_time_unit": "min",
      "as_needed": True}, "2 mg at 5–10 ug per kg per minute as needed"),
    ({**of(2), **often(1), "infusion_min": 30, "infusion_max": 60, "infusion_unit": "min", "route": "intravenous"},
     "2 mg into a vein over 30–60 minutes once a day"),
    ({**of(2), **often(1), "routes": ["oral", "rectal"]}, "2 mg by mouth or into the rectum once a day"),
    ({**of(2), **often(1), "lasts": 5, "lasts_max": 7, "lasts_unit": "d"}, "2 mg once a day for 5–7 days"),
    ({"session_min": 45, "session_max": 60, "session_unit": "min", **often(2, "wk"), "sessions": 12,
      "sessions_max": 16},
     "for 45–60 minutes twice a week; 12–16 sessions in all"),
    ({**of(2), **often(1), "weight_min": 10, "weight_max": 20, "age_min": 2, "age_max": 12, "age_unit": "a",
      "renal_max": 30, "renal_measure": "creatinine-clearance"},
     "2 mg once a day (weight 10–20 kg, age 2–12 years, creatinine clearance up to 30 mL/min)"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "words"), DOSES)
def test_a_dose_is_said_in_one_sentence(api: Api, treatment: str, fields: dict[str, Any], words: str) -> None:
    dose = saved(api, treatment, **fields)
    assert dose["sentence"] == words
    page = api.client.get(f"/treatments/{treatment}", headers={"Accept": "text/html"}).text
    assert words[:1].upper() + words[1:] in page


def test_a_combination_says_its_ingredients(api: Api, treatment: str) -> None:
    parts = [
        {"name": "made-up one", **of(500), "unit": "mg"},
        {"name": "made-up two", "treatment": treatment, **of(125), "unit": "mg"},
    ]
    dose = saved(api, treatment, ingredients=parts, **often(3))
    assert dose["sentence"] == "of 500 mg made-up one and 125 mg made-up two 3 times a day"


@pytest.mark.parametrize(
    ("fields", "low", "high"),
    [
        (often(2), 0.5, 0.5),
        (often(3, "wk"), 2.333333, 2.333333),
        (often(3, times_max=4), 0.25, 0.333333),
        ({"interval_min": 12, "interval_max": 12, "interval_unit": "h"}, 0.5, 0.5),
        ({"interval_min": 5, "interval_max": 6, "interval_unit": "min"}, 0.003472, 0.004167),
    ],
)
def test_the_time_between_doses_is_derived_exactly_enough_to_sort(
    api: Api, treatment: str, fields: dict[str, Any], low: float, high: float
) -> None:
    dose = saved(api, treatment, **of(2), **fields)
    assert (dose["interval_days"], dose["interval_days_max"]) == (low, high)
    found = api.client.get(
        f"/v1/dosing-intervals?treatment={treatment}&interval_days_gte={low}&interval_days_lte={low}"
    )
    assert dose["id"] in [item["id"] for item in found.json()["items"]]


def test_minutes_differ_in_days() -> None:
    assert in_days(5, "min") != in_days(6, "min")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({**of(25), **often(2), "max_dose": 20, "max_dose_period": 1, "max_dose_period_unit": "d"}, "/max_dose"),
    ({**of(0), "interval_min": 0, "interval_unit": "h"}, "/interval_min"),
    ({**of(0), **often(2)}, "/dose_min"),
    ({**of(1), "dose_per": ["kg", "m2"], **often(2)}, "/dose_per"),
    ({**of(25), "dose_cap": 20, **often(2)}, "/dose_cap"),
    ({**of(25), **often(0)}, ""),
    ({**of(25), "times": 2, "missing": {"interval_unit": "not-reported"}}, ""),
    ({**of(25), "max_dose": 75, **often(2)}, ""),
    ({**of(25), **often(2), "max_dose_per": ["kg"]}, ""),
    ({**of(25), "cycle_days": [1, 30], "cycle_length": 28, "cycle_unit": "d"}, ""),
    ({**of(25), **often(2), "age_min": 2}, ""),
    ({**of(25), **often(2), "as_needed": False, "as_needed_for": "pain"}, ""),
    ({**of(25), **often(2), "basis": "claim"}, "/claim"),
    ({**of(25)}, ""),
]


@pytest.mark.parametrize(("fields", "pointer"), REFUSED)
def test_what_cannot_be_given_is_refused(api: Api, treatment: str, fields: dict[str, Any], pointer: str) -> None:
    problem_of(posted(api, treatment, **fields), 422, "invalid-record", pointer)


def test_a_maximum_per_kg_is_no_absolute_one_below_the_dose(api: Api, treatment: str) -> None:
    fields = {**of(1000), **often(1), "max_dose": 75, "max_dose_per": ["kg"], "max_dose_period": 1}
    assert saved(api, treatment, **fields, max_dose_period_unit="d")["max_dose_basis"] == "per-kg"


def test_a_maximum_that_does_not_say_what_it_is_per_is_flagged_and_not_made_absolute(api: Api, treatment: str) -> None:
    fields = {**of(10, 15), "dose_per": ["kg"], "max_dose": 75, "max_dose_period": 1, "max_dose_period_unit": "d"}
    dose = saved(api, treatment, **fields, **often(4))
    assert [reason["rule"] for reason in dose["review_reasons"]] == ["maximum-per-unknown"]
    assert dose["sentence"].endswith("at most 75 mg a day (per body weight or in all: not recorded)")
    assert dose["max_dose_basis"] == "per-kg", "among the absolute ones it would be found as 75 mg"
    absolute = saved(api, treatment, **fields, **often(4), missing={"max_dose_per": "not-applicable"})
    assert absolute["max_dose_basis"] == "absolute"
    assert absolute["sentence"].endswith("at most 75 mg a day")


def test_times_that_contradict_the_interval_are_flagged(api: Api, treatment: str) -> None:
    interval = {"interval_min": 2, "interval_max": 2, "interval_unit": "d"}
    dose = saved(api, treatment, **of(25), **often(2), **interval)
    assert [reason["rule"] for reason in dose["review_reasons"]] == ["times-contradict-interval"]
    interval = {"interval_min": 12, "interval_max": 12, "interval_unit": "h"}
    assert saved(api, treatment, **of(25), **often(2), **interval)["needs_review"] is False


def test_doses_per_kg_and_absolute_ones_are_never_compared(api: Api) -> None:
    found = f"made-up-{token_hex(4)}"
    values = {"id": found, "name": "Made-up other", "kind": "drug", "dose_unit": {"code": "mg", "label": "mg"}}
    assert api.ask("POST", "/v1/treatments", values).status_code == 201
    absolute = saved(api, found, **of(500), **often(2))
    path = f"/v1/dosing-intervals?treatment={found}&dose_max_lte=1000"
    assert [item["id"] for item in api.client.get(path).json()["items"]] == [absolute["id"]], "there is one kind"
    per_kg = saved(api, found, **of(10, 15), dose_per=["kg"], **often(4))
    for question in ("dose_max_lte=1000", "sort=dose_min", "dose_min=10"):
        answer = api.client.get(f"/v1/dosing-intervals?treatment={found}&{question}")
        problem = problem_of(answer, 422, "not-comparable")
        assert problem["errors"][0]["known"] == ["dose_basis=absolute", "dose_basis=per-kg"]
    for basis, dose in (("absolute", absolute), ("per-kg", per_kg)):
        items = api.client.get(f"{path}&dose_basis={basis}").json()["items"]
        assert [item["id"] for item in items] == [dose["id"]]


def test_bands_and_as_needed_are_filters(api: Api, treatment: str) -> None:
    child = saved(api, treatment, **of(2), age_min=6, age_max=24, age_unit="mo", weight_min=5.5, as_needed=True)
    questions = ("age_max_years_lte=2&age_min_years_gte=0.5", "weight_min_gte=5.5&weight_min_lte=5.5")
    for question in (*questions, "as_needed=true&age_max_years_lte=2"):
        path = f"/v1/dosing-intervals?treatment={treatment}&{question}"
        assert [item["id"] for item in api.client.get(path).json()["items"]] == [child["id"]]


@pytest.mark.parametrize("route", ["intrathecal", "intravitreal", "nasal", "rectal", "sublingual", "transdermal"])
def test_the_routes_that_users_meet_are_known(api: Api, treatment: str, route: str) -> None:
    assert saved(api, treatment, **of(2), **often(1), route=route)["route"] == route


def test_a_claimed_dose_names_its_claim(api: Api) -> None:
    stored = api.client.get("/v1/dosing-intervals?claim=c41").json()["items"]
    assert [item["basis"] for item in stored] == ["claim"]
