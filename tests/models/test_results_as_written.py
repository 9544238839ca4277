"""Results and studies as the field writes them: each test is the smallest input and the right answer, over HTTP."""

from secrets import token_hex
from typing import Any, get_args

import pytest

from app.models.vocabulary import Finding
from app.pages.wording import FINDINGS, finding_words
from tests.support.api import Api, problem_of


def made(api: Api, plural: str, **fields: Any) -> dict[str, Any]:
    """A new record, as it was saved; its name says that it is made up."""
    answer = api.ask("POST", f"/v1/{plural}", {"id": f"made-up-{token_hex(4)}", **fields})
    assert answer.status_code == 201, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


@pytest.fixture(scope="module")
def base(api: Api) -> dict[str, Any]:
    """What every result of these tests refers to."""
    source = made(api, "sources", kind="journal-article", title="Made-up article")["id"]
    return {
        "treatment": made(api, "treatments", name="made-up drug", kind="drug")["id"],
        "condition": api.condition()["id"],
        "study": made(api, "studies", title="Made-up trial", design="randomized-parallel", sources=[source])["id"],
        "outcome": made(
            api,
            "outcomes",
            name="made-up pain",
            direction="lower-is-better",
            kind="continuous",
            scale_min=0,
            scale_max=10,
        )["id"],
        "citations": [{"source": source}],
    }


def result(base: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A body for a study result."""
    usual = {
        "id": f"made-up-{token_hex(4)}",
        "outcome_text": "made-up pain",
        "finding": "unclear",
        "comparator": "placebo",
    }
    return {**base, **usual, **fields}


def saved(api: Api, base: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A result as it was saved."""
    answer = api.ask("POST", "/v1/study-results", result(base, **fields))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(api: Api, base: dict[str, Any], pointer: str, **fields: Any) -> str:
    """What the problem says of a result that is refused at this place."""
    problem = problem_of(api.ask("POST", "/v1/study-results", result(base, **fields)), 422, "invalid-record", pointer)
    return next(str(error["detail"]) for error in problem["errors"] if error.get("pointer") == pointer)


def rules(record: dict[str, Any]) -> list[str]:
    """The rules under which a record is flagged."""
    assert record["needs_review"] == bool(record["review_reasons"])
    return [reason["rule"] for reason in record["review_reasons"]]


def arm(**fields: Any) -> dict[str, Any]:
    """A made-up arm."""
    return {"arm": "D", "role": "exposed", **fields}


# Per arm


def test_a_median_has_its_own_interval_that_may_not_be_reached(api: Api, base: dict[str, Any]) -> None:
    time = made(api, "outcomes", name="made-up survival", direction="higher-is-better", unit="months")["id"]
    median = arm(median=26.3, ci_level=95, ci_low=18.3, missing={"ci_high": "not-reached"})
    record = saved(api, base | {"outcome": time}, arms=[median])
    stored = record["arms"][0]
    page = api.client.get(f"/study-results/{record['id']}", headers={"Accept": "text/html"}).text
    assert "median 26.3 (95\u202f% CI 18.3 to not reached)" in page
    assert (stored["ci_low"], stored["ci_high"], stored["missing"]) == (18.3, None, {"ci_high": "not-reached"})


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"median": 26.3, "ci_low": 18.3}, "ci_level"),
        ({"median": 26.3, "ci_level": 95, "ci_low": 27}, "ci_low and median"),
        ({"percent": 40, "ci_level": 95, "ci_low": 35, "ci_high": 30}, "ci_low and ci_high"),
        ({"value": 3.1}, "unit"),
        ({"dispersion": 41}, "dispersion_kind"),
        ({"numerator": 31, "denominator": 30, "denominator_unit": "eyes"}, "numerator and denominator"),
        ({"numerator": 12, "denominator": 30}, "denominator_unit"),
        ({"role": "not-assigned"}, "role"),
        ({"person_time_printed": 120}, "person_time_unit"),
        ({"person_time_printed": 120, "person_time_unit": "a", "person_time": 120}, "person_time"),
    ],
)
def test_numbers_of_an_arm_that_do_not_fit_are_refused(
    api: Api, base: dict[str, Any], numbers: dict[str, Any], words: str
) -> None:
    assert words in refused(api, base, "/arms/0", arms=[arm(**numbers)])


def test_what_fits_no_typed_field_has_a_value_with_its_unit(api: Api, base: dict[str, Any]) -> None:
    rate = {"value": 3.1, "unit": "events per 100 patient-years", "code": "OG000", "note": "made-up comment"}
    logarithm = {"value": -0.4, "unit": "log10 copies/mL", "dispersion": 41, "arm": "P", "role": "comparator"}
    arms = saved(api, base, arms=[arm(**rate), arm(**logarithm, dispersion_kind="geometric-coefficient-of-variation")])[
        "arms"
    ]
    assert {name: arms[0][name] for name in rate} == rate
    assert arms[1]["value"] == -0.4


def test_eyes_are_counted_beside_people(api: Api, base: dict[str, Any]) -> None:
    eyes = {"n": 20, "numerator": 12, "denominator": 30, "denominator_unit": "eyes"}
    stored = saved(api, base, arms=[arm(**eyes)])["arms"][0]
    assert {name: stored[name] for name in eyes} == eyes


def test_person_time_is_kept_as_printed_and_derived_in_days(api: Api, base: dict[str, Any]) -> None:
    stored = saved(api, base, arms=[arm(event_count=15, person_time_printed=120, person_time_unit="a")])["arms"][0]
    assert (stored["person_time_printed"], stored["person_time_unit"], stored["person_time"]) == (120, "a", 43830)


@pytest.mark.parametrize("role", [{"role": "not-assigned"}, {"role": None}])
def test_an_arm_without_a_role_says_why(api: Api, base: dict[str, Any], role: dict[str, Any]) -> None:
    stored = saved(api, base, arms=[{"arm": "Group 1", **role, "missing": {"role": "not-reported"}}])["arms"][0]
    assert (stored["role"], stored["missing"]) == ("not-assigned", {"role": "not-reported"})


def test_two_arms_of_many_are_compared(api: Api, base: dict[str, Any]) -> None:
    arms = [arm(arm="low", n=100, events=10), arm(arm="high", n=100, events=30)]
    arms.append(arm(arm="P", role="comparator", n=100, events=5, code="OG002"))
    stored = saved(api, base, arms=arms, compared=["high", "OG002"])
    assert stored["compared"] == ["high", "OG002"]
    assert "'medium'" in refused(api, base, "", arms=arms, compared=["medium", "P"])


# What cannot be


def test_arms_named_alike_are_refused_unless_class_or_category_differ(api: Api, base: dict[str, Any]) -> None:
    alike = [arm(events=10, n=100), arm(events=30, n=100)]
    assert "'D'" in refused(api, base, "/arms/1/arm", arms=alike)
    classes = [{**part, "class": when} for part, when in zip(alike, ("week 4", "week 8"), strict=True)]
    assert len(saved(api, base, arms=classes)["arms"]) == 2
    assert len(saved(api, base, arms=[{**alike[0], "category": "men"}, {**alike[1], "category": "women"}])["arms"]) == 2


@pytest.mark.parametrize(
    ("pointer", "fields"),
    [
        ("/estimate", {"measure": "hazard-ratio", "estimate": -0.5, "ci_low": -1, "ci_high": 2, "ci_level": 95}),
        ("/estimate", {"measure": "odds-ratio", "estimate": 0}),
        ("/ci_low", {"measure": "risk-ratio", "estimate": 0.5, "ci_low": -0.1, "ci_high": 2, "ci_level": 95}),
        ("/p_value", {"p_value": 0, "p_modifier": "="}),
        ("/p_value", {"p_value": 0, "p_modifier": "<"}),
        ("/p_value", {"p_value": 1, "p_modifier": ">"}),
        ("/arms/0/median", {"arms": [arm(q1=3, median=2, q3=5)]}),
        ("/arms/0/q1", {"arms": [arm(min=3, q1=2)]}),
        ("/arms/0/max", {"arms": [arm(mean=9, max=8)]}),
        ("/arms/0/mean", {"arms": [arm(mean=11)], "score": "final"}),
        ("/arms/0/baseline_mean", {"arms": [arm(baseline_mean=-1)], "score": "change"}),
        ("/arms/0/mean", {"arms": [arm(mean=-10.5)], "score": "change"}),
    ],
)
def test_impossible_values_are_refused(api: Api, base: dict[str, Any], pointer: str, fields: dict[str, Any]) -> None:
    assert refused(api, base, pointer, **fields)


def test_the_refusal_of_p_0_offers_the_way_to_write_it(api: Api, base: dict[str, Any]) -> None:
    assert "<" in refused(api, base, "/p_value", p_value=0, p_modifier="=")
    assert saved(api, base, p_value=0.001, p_modifier="<")["p_modifier"] == "<"


@pytest.mark.parametrize(
    "fields",
    [
        {"measure": "mean-difference", "estimate": -0.5, "ci_low": -1, "ci_high": 0.2, "ci_level": 95},
        {"measure": "odds-ratio", "estimate": 0.05, "ci_low": 0, "ci_high": 0.9, "ci_level": 95},
        {"arms": [arm(mean=-4)], "score": "change"},
        {"arms": [arm(mean=-4)]},
        {"arms": [arm(q1=2, median=2, q3=2, min=2, max=2)]},
    ],
)
def test_possible_values_beside_them_are_taken(api: Api, base: dict[str, Any], fields: dict[str, Any]) -> None:
    assert saved(api, base, **fields)["needs_review"] is False


# Findings


@pytest.mark.parametrize("finding", ["not-significant", "non-inferior", "non-inferiority-not-shown", "no-difference"])
def test_a_finding_may_be_inconclusive_or_about_inferiority(api: Api, base: dict[str, Any], finding: str) -> None:
    assert saved(api, base, finding=finding)["finding"] == finding


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        (
            {"finding": "favours-treatment", "estimate": -1, "ci_low": -2, "ci_high": 0.5},
            "finding-contradicts-interval",
        ),
        ({"finding": "not-significant", "estimate": -1, "ci_low": -2, "ci_high": -0.5}, "finding-contradicts-interval"),
        ({"finding": "favours-treatment", "estimate": 1, "ci_low": 0.5, "ci_high": 2}, "finding-contradicts-estimate"),
        (
            {"estimate": 1, "ci_low": 0.5, "ci_high": 2, "p_value": 0.8, "p_modifier": "="},
            "p-value-contradicts-interval",
        ),
        ({"estimate": 1, "ci_low": 0.5, "ci_high": 2, "ci_level": 0.95}, "unusual-confidence-level"),
        ({"estimate": 1, "estimate_direction": "treatment"}, "direction-contradicts-outcome"),
    ],
)
def test_values_that_contradict_each_other_are_flagged(
    api: Api, base: dict[str, Any], fields: dict[str, Any], rule: str
) -> None:
    assert rules(saved(api, base, measure="mean-difference", **{"ci_level": 95, **fields})) == [rule]


@pytest.mark.parametrize(
    "fields",
    [
        {"finding": "favours-treatment", "estimate": -1, "ci_low": -2, "ci_high": -0.5, "ci_level": 95},
        {"finding": "not-significant", "estimate": -1, "ci_low": -2, "ci_high": -0.1, "ci_level": 80},
        {"finding": "no-difference", "estimate": -0.1, "ci_low": -0.2, "ci_high": -0.05, "clinically_important": False},
        {"finding": "favours-treatment", "estimate": 1, "estimate_direction": "unknown"},
    ],
)
def test_what_agrees_is_not_flagged(api: Api, base: dict[str, Any], fields: dict[str, Any]) -> None:
    assert rules(saved(api, base, measure="mean-difference", **fields)) == []


def test_a_flag_goes_with_what_it_says(api: Api, base: dict[str, Any]) -> None:
    wrong = saved(
        api,
        base,
        finding="favours-treatment",
        measure="mean-difference",
        estimate=-1,
        ci_low=-2,
        ci_high=1,
        ci_level=95,
    )
    assert wrong["review_reasons"][0]["pointer"] == "/finding"
    path, version = f"/v1/study-results/{wrong['id']}", f'"{wrong["version"]}"'
    mended = api.ask("PATCH", path, {"finding": "not-significant"}, If_Match=version).json()
    assert rules(mended) == []


NON_INFERIOR = {"hypothesis": "non-inferiority", "margin": 1, "measure": "mean-difference", "ci_level": 95}


@pytest.mark.parametrize(
    ("finding", "high", "flags"),
    [
        ("non-inferior", 0.9, []),
        ("non-inferior", 1.1, ["finding-contradicts-margin"]),
        ("non-inferiority-not-shown", 1.1, []),
        ("non-inferiority-not-shown", 0.9, ["finding-contradicts-margin"]),
    ],
)
def test_non_inferiority_is_read_against_its_margin(
    api: Api, base: dict[str, Any], finding: str, high: float, flags: list[str]
) -> None:
    stored = saved(api, base, finding=finding, estimate=0.2, ci_low=-0.5, ci_high=high, **NON_INFERIOR)
    assert rules(stored) == flags


def test_a_margin_needs_its_hypothesis(api: Api, base: dict[str, Any]) -> None:
    assert "hypothesis" in refused(api, base, "", margin=1)


def test_how_a_result_was_analysed_is_kept_in_the_words_of_the_register(api: Api, base: dict[str, Any]) -> None:
    said = {
        "analysis_method": "ANCOVA",
        "measure": "other",
        "measure_text": "Median Difference (Net)",
        "ci_sides": "one-sided",
        "p_text": "NS",
        "margin_text": "made-up margin",
        "clinically_important": False,
        "hypothesis": "equivalence",
    }
    stored = saved(api, base, estimate=2, ci_low=1, ci_level=97.5, missing={"p_value": "not-reported"}, **said)
    assert {name: stored[name] for name in said} == said


# Direction and control


@pytest.mark.parametrize(
    ("fields", "direction", "basis"),
    [
        ({"measure": "mean-difference", "estimate": -1}, "comparator", "outcome"),
        ({"measure": "other", "estimate": -1}, "unknown", "outcome"),
        ({"measure": "mean-difference", "estimate": -1, "estimate_direction": "treatment"}, "treatment", "source"),
        ({"measure": "mean-difference", "estimate": -1, "estimate_direction": "unknown"}, "unknown", "source"),
        ({}, None, None),
    ],
)
def test_which_side_a_higher_estimate_favours(
    api: Api, base: dict[str, Any], fields: dict[str, Any], direction: str | None, basis: str | None
) -> None:
    stored = saved(api, base, **fields)
    assert (stored["estimate_direction"], stored["estimate_direction_basis"]) == (direction, basis)


def test_a_direction_that_follows_goes_on_following_after_a_record_is_put_back(api: Api, base: dict[str, Any]) -> None:
    other = made(api, "outcomes", name="made-up relief", direction="higher-is-better", kind="continuous")["id"]
    stored = saved(api, base, measure="mean-difference", estimate=1)
    path = f"/v1/study-results/{stored['id']}"
    same = api.ask("PUT", path, stored, If_Match='"1"').json()
    assert same["version"] == 1
    turned = api.ask("PATCH", path, {"outcome": other}, If_Match='"1"').json()
    assert (stored["estimate_direction"], turned["estimate_direction"]) == ("comparator", "treatment")
    said = api.ask("PATCH", path, {"estimate_direction": "comparator"}, If_Match='"2"').json()
    assert (said["estimate_direction"], said["estimate_direction_basis"]) == ("comparator", "source")


def test_a_hazard_ratio_of_a_time_is_read_the_other_way_round(api: Api, base: dict[str, Any]) -> None:
    survival = made(
        api, "outcomes", name="made-up survival", direction="higher-is-better", kind="time-to-event", unit="months"
    )["id"]
    stored = saved(api, base | {"outcome": survival}, measure="hazard-ratio", estimate=0.7)
    assert stored["estimate_direction"] == "comparator"


@pytest.mark.parametrize(
    ("comparator", "is_controlled"),
    [("placebo", True), ("usual-care", True), ("baseline", False), ("none", False), (None, False)],
)
def test_only_other_people_are_a_control(
    api: Api, base: dict[str, Any], comparator: str | None, is_controlled: bool
) -> None:
    stored = saved(api, base, comparator=comparator, finding="favours-treatment")
    assert (stored["is_controlled"], stored["finding"]) == (is_controlled, "favours-treatment")
    answer = api.client.get(
        "/v1/study-results", params={"id": stored["id"], "is_controlled": str(is_controlled).lower()}
    )
    assert [item["id"] for item in answer.json()["items"]] == [stored["id"]]


def test_every_finding_has_words() -> None:
    words = [finding_words({"finding": word, "comparator": "placebo", "review_reasons": []}) for word in FINDINGS]
    assert FINDINGS.keys() == set(get_args(Finding.__value__))
    assert len({text for text, _ in words}) == len(words)
    without = [finding_words({"finding": word, "comparator": None, "review_reasons": []})[1] for word in FINDINGS]
    assert set(without) == {"plain"}


@pytest.mark.parametrize("comparator", ["baseline", None])
def test_an_uncontrolled_result_never_looks_like_a_favour(
    api: Api, base: dict[str, Any], comparator: str | None
) -> None:
    stored = saved(api, base, comparator=comparator, finding="favours-treatment")
    page = api.client.get(f"/study-results/{stored['id']}", headers={"Accept": "text/html"}).text
    verdict = page[page.index('class="verdict"') :].split("</p>")[0]
    badge = api.client.get(f"/badge/study-results/{stored['id']}.svg").text
    for text in (verdict, badge):
        assert "no control group" in text.lower()
        assert "favours the treatment" not in text.lower()
    assert "good" not in verdict
