"""Where records do not fit together: every kind of gap in the seed, and the branches on records that were made up."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from app.db.database import Database
from app.evidence.gaps.base import KINDS
from app.evidence.gaps.interval import DoseInterval
from app.json_codec import from_json
from app.main import create_app
from app.settings import Settings
from app.store.write.save import save_all
from tests.conftest import ENGINES, new_database
from tests.store.test_store import record
from tests.web.test_hostile import told

PATH = "/v1/gaps"
BOTOX = "onabotulinumtoxina"


def gaps(client: TestClient, treatment: str = BOTOX, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get(PATH, params={"treatment": treatment, **asked})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def ids_of(gap: dict[str, Any], role: str) -> list[str]:
    return [side["record"]["id"] for side in gap["sides"] if side["role"] == role and side["record"]]


def by_condition(found: list[dict[str, Any]]) -> dict[str | None, dict[str, Any]]:
    assert len({gap["condition"] for gap in found}) == len(found)
    return {gap["condition"]: gap for gap in found}


# The seed


def test_the_two_intervals_of_the_article_that_undercut_twelve_weeks_are_found_once_each(
    seed_client: TestClient,
) -> None:
    found = by_condition(gaps(seed_client, kind="interval-below-label"))
    assert found.keys() == {"chronic-neck-pain", "chronic-low-back-pain"}
    neck, back = found["chronic-neck-pain"], found["chronic-low-back-pain"]
    assert (ids_of(neck, "claim"), ids_of(back, "claim")) == (["c42"], ["c46"])
    assert ids_of(neck, "dosing") == ["onabotulinumtoxina-chronic-neck-pain-claim-metropolmed"]
    assert ids_of(back, "dosing") == ["onabotulinumtoxina-chronic-low-back-pain-claim-metropolmed"]
    assert "onabotulinumtoxina-chronic-migraine-label-us" in ids_of(neck, "label")
    assert "1 to 2 wk (7 to 14 d)" in neck["statement"]
    assert "12 wk (84 d), on the label for chronic-migraine (GB), chronic-migraine (US), " in neck["statement"]
    assert "all of it lies below" in back["statement"]


def test_a_claim_that_the_ledger_contradicts_is_found_and_a_true_one_is_not(seed_client: TestClient) -> None:
    found = by_condition(gaps(seed_client, kind="claim-contradicts-ledger"))
    assert found.keys() == {"chronic-neck-pain", "chronic-low-back-pain"}
    for condition, gap in found.items():
        assert ids_of(gap, "claim") == ["c20"]
        assert ids_of(gap, "approval") == [f"onabotulinumtoxina-{condition}-us"]
        assert "its source carries no date" in gap["statement"]


def test_doses_outside_a_label_name_the_label_that_covers_them_too(seed_client: TestClient) -> None:
    found = gaps(seed_client, kind="dose-outside-label")
    assert [ids_of(gap, "dosing") for gap in found if gap["condition"] == "chronic-low-back-pain"] == [
        ["onabotulinumtoxina-chronic-low-back-pain-trial-jabbari-2006"]
    ]
    above = next(gap for gap in found if gap["condition"] == "chronic-low-back-pain")
    assert "200 to 500 Botox units per session; its upper end lies above the US label's most" in above["statement"]
    assert "400 Botox units in 3 mo" in above["statement"]
    migraine = [gap for gap in found if gap["condition"] == "chronic-migraine"]
    assert {ids_of(gap, "dosing")[0][-9:] for gap in migraine} == {"preempt-1", "preempt-2"}
    assert all("its upper end lies above the 155 Botox units of the US label" in gap["statement"] for gap in migraine)
    assert all("the GB label, which gives 155 to 195 Botox units, covers it" in gap["statement"] for gap in migraine)


def test_benefit_where_nothing_is_approved_counts_the_results_on_both_sides(seed_client: TestClient) -> None:
    found = by_condition(gaps(seed_client, kind="benefit-without-approval"))
    assert found.keys() == {"chronic-neck-pain", "chronic-low-back-pain"}
    back = found["chronic-low-back-pain"]
    assert "of 9 results" in back["statement"]
    assert "3 favour onabotulinumtoxina (3 against placebo)" in back["statement"]
    assert "3 were better than before, without a control group" in back["statement"]
    assert len(ids_of(back, "result")) == 3
    assert set(ids_of(back, "approval")) == {
        f"onabotulinumtoxina-chronic-low-back-pain-{place}" for place in ("ca", "gb", "us")
    }


def test_an_approval_without_a_result_says_which_list_was_empty(seed_client: TestClient) -> None:
    found = by_condition(gaps(seed_client, kind="approval-without-result"))
    assert found.keys() == {"strabismus", "blepharospasm", "spasticity"}
    for condition, gap in found.items():
        absence = gap["sides"][-1]
        assert (absence["role"], absence["record"], absence["citations"]) == ("absence", None, [])
        parts = urlsplit(absence["list_url"])
        assert parse_qs(parts.query) == {"treatment": [BOTOX], "condition": [condition]}
        assert seed_client.get(f"{parts.path}?{parts.query}").json()["items"] == []


def test_what_a_warning_names_is_looked_for_in_the_words_of_the_harms_table(seed_client: TestClient) -> None:
    words = {gap["statement"].split("”")[0].strip("“") for gap in gaps(seed_client, kind="warning-without-side-effect")}
    assert {"Death", "Hypersensitivity", "Double vision", "Difficulty in breathing"} <= words
    assert not {"Muscle weakness", "Difficulty in swallowing"} & words, "the second one is there as dysphagia"
    of_class = gaps(seed_client, "botulinum-toxin")
    assert {gap["statement"].split("”")[0].strip("“") for gap in of_class} == {
        "Death",
        "Distant spread of toxin effect",
    }


def test_every_gap_has_its_sides_and_every_side_its_source_or_its_list(seed_client: TestClient) -> None:
    treatments = [row["id"] for row in seed_client.get("/v1/treatments?fields=id").json()["items"]]
    found = [gap for treatment in treatments for gap in gaps(seed_client, treatment)]
    assert {gap["kind"] for gap in found} == set(KINDS)
    assert len({gap["id"] for gap in found}) == len(found)
    for gap in found:
        assert len(gap["sides"]) >= 2
        assert gap["statement"].endswith(".")
        for side in gap["sides"]:
            if side["record"] is None:
                assert seed_client.get(side["list_url"]).status_code == 200
                continue
            assert side["list_url"] is None
            held = seed_client.get(side["record"]["url"]).json()
            assert side["source_status"] == held["source_status"] == "current"
            own = held["citations"] if "citations" in held else [{"source": held["source"], "quote": held["quote"]}]
            named = [{name: citation[name] for name in ("source", "quote")} for citation in side["citations"]]
            assert named == [{name: citation[name] for name in ("source", "quote")} for citation in own]


def test_the_example_of_the_documentation_is_a_real_gap(seed_client: TestClient) -> None:
    example = seed_client.get("/openapi.json").json()["components"]["examples"]["gaps_json"]["value"]["items"][0]
    assert example == gaps(seed_client, kind="interval-below-label", condition=example["condition"])[0]


# The list


def test_pages_follow_each_other_without_a_gap_or_a_repeat(seed_client: TestClient) -> None:
    whole = gaps(seed_client)
    pages: list[list[dict[str, Any]]] = []
    asked: dict[str, Any] = {"treatment": BOTOX, "limit": 5}
    while True:
        answer = seed_client.get(PATH, params=asked)
        pages.append(answer.json()["items"])
        if answer.json()["next"] is None:
            break
        assert 'rel="next"' in answer.headers["link"]
        asked["cursor"] = answer.json()["next"]
    assert [gap for page in pages for gap in page] == whole
    assert all(len(page) == 5 for page in pages[:-1])
    keys = [(gap["kind"], gap["condition"] or "", gap["id"]) for gap in whole]
    assert all(one < other for one, other in pairwise(keys))


def test_an_empty_cursor_is_the_first_page(seed_client: TestClient) -> None:
    assert gaps(seed_client, cursor="", limit=2) == gaps(seed_client)[:2]


def test_kinds_and_a_condition_narrow_the_list(seed_client: TestClient) -> None:
    two = gaps(seed_client, kind=["interval-below-label", "dose-outside-label"])
    assert {gap["kind"] for gap in two} == {"interval-below-label", "dose-outside-label"}
    back = gaps(seed_client, condition="chronic-low-back-pain")
    assert back == [gap for gap in gaps(seed_client) if gap["condition"] == "chronic-low-back-pain"]
    assert gaps(seed_client, condition="fibromyalgia") == []


def test_a_wrong_question_for_gaps_says_what_is_wrong(seed_client: TestClient) -> None:
    good = {"treatment": BOTOX}
    told(seed_client.get(PATH), 422, parameter="treatment")
    told(
        seed_client.get(PATH, params={**good, "kind": "dose-outside-labels"}),
        422,
        parameter="kind",
        nearest="dose-outside-label",
    )
    told(seed_client.get(PATH, params={**good, "treatmnt": "x"}), 422, parameter="treatmnt", nearest="treatment")
    told(seed_client.get(f"{PATH}?treatment=a&treatment=b"), 422, parameter="treatment")
    told(seed_client.get(f"{PATH}?treatment=a&limit=1&limit=1"), 422, parameter="limit")
    for limit in ("0", "201", "x", ""):
        told(seed_client.get(PATH, params={**good, "limit": limit}), 422, parameter="limit")
    told(seed_client.get(PATH, params=good, headers={"Accept": "text/csv"}), 406)
    assert "Did you mean" in told(seed_client.get(PATH, params={"treatment": f"{BOTOX}x"}), 422)["detail"]
    assert "Did you mean" in told(seed_client.get(PATH, params={**good, "condition": "chronic-migrain"}), 422)["detail"]


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "bnVsbA", "e30", "IiI", "AAAA", "W1tbW1tbW1s", "a" * 4000])
def test_a_cursor_that_is_none_of_this_query_is_refused(seed_client: TestClient, cursor: str) -> None:
    told(seed_client.get(PATH, params={"treatment": BOTOX, "cursor": cursor}), 400)
    true = seed_client.get(PATH, params={"treatment": BOTOX, "limit": 1}).json()["next"]
    assert true
    told(seed_client.get(PATH, params={"treatment": "botulinum-toxin", "cursor": true}), 400)
    told(seed_client.get(PATH, params={"treatment": BOTOX, "kind": KINDS[0], "cursor": true}), 400)


@pytest.mark.parametrize(
    "place", ["", ",1,2,3", ',"a","b"', ',"a","b",null', ',"a","b","c","d"', ',["a"],"b","c"', ',NaN,"b","c"']
)
def test_a_forged_cursor_of_gaps_is_refused(seed_client: TestClient, place: str) -> None:
    true = seed_client.get(PATH, params={"treatment": BOTOX, "limit": 1}).json()["next"]
    mark = from_json(urlsafe_b64decode(f"{true}=="))[0]
    forged = urlsafe_b64encode(f'["{mark}"{place}]'.encode()).decode().rstrip("=")
    assert "cursor" in told(seed_client.get(PATH, params={"treatment": BOTOX, "cursor": forged}), 400)["detail"]


# The branches, on records that were made up

CITED = {"citations": [{"source": "example-article"}]}
LABEL = {"treatment": "example-toxin", "basis": "label", "jurisdiction": "US", **CITED}
TRIAL = {"treatment": "example-toxin", "basis": "trial", "condition": "example-pain", **CITED}
CLAIM = {
    "source": "dated-article",
    "treatment": "example-toxin",
    "verdict": "unverifiable",
    "rationale": "An example.",
    "searched": {"looked_for": "Examples.", "on": "2026-11-22"},
}
SESSION = {"dose_unit": "example-unit", "dose_per": ["session"]}
NO_START = {"valid_from": "not-applicable"}
WEEKS = {"interval_unit": "wk"}


def value(name: str, amount: float | str, unit: str | None = None) -> dict[str, Any]:
    return {"name": name, "number" if isinstance(amount, float) else "text": amount, "unit": unit}


def claimed(place: str, status: str) -> list[dict[str, Any]]:
    return [value("claimed_status", status), value("jurisdiction", place)]


def without(interval: dict[str, Any]) -> dict[str, Any]:
    """The record, with a reason for an interval unit that it does not have."""
    return interval if "interval_unit" in interval else {**interval, "missing": {"interval_unit": "not-applicable"}}


DOSING: dict[str, dict[str, Any]] = {
    "label-other": {**LABEL, "condition": "other-pain", "interval_min": 3.0, "interval_unit": "mo"},
    "label-pain": {**LABEL, "condition": "example-pain", "interval_min": 16.0, **WEEKS},
    "label-limits": {
        **LABEL,
        "condition": "example-pain",
        "dose_min": 10.0,
        "dose_max": 20.0,
        "dose_statistic": "limits",
        **SESSION,
    },
    "label-quartiles": {
        **LABEL,
        "condition": "other-pain",
        "dose_min": 1.0,
        "dose_max": 2.0,
        "dose_statistic": "iqr",
        **SESSION,
    },
    "label-most": {
        **LABEL,
        "max_dose": 50.0,
        "max_dose_period": 12.0,
        "max_dose_period_unit": "wk",
        "dose_unit": "example-unit",
    },
    "trial-12-weeks": {**TRIAL, "interval_min": 12.0, "interval_max": 20.0, **WEEKS},
    "trial-other-12-weeks": {**TRIAL, "condition": "other-pain", "interval_min": 12.0, **WEEKS},
    "trial-other-2-months": {**TRIAL, "condition": "other-pain", "interval_max": 2.0, "interval_unit": "mo"},
    "guideline-third-11-weeks": {
        **TRIAL,
        "basis": "guideline",
        "condition": "third-pain",
        "interval_min": 11.0,
        **WEEKS,
    },
    "trial-below": {**TRIAL, "dose_max": 5.0, **SESSION},
    "trial-both": {**TRIAL, "dose_min": 5.0, "dose_max": 60.0, **SESSION},
    "trial-within": {**TRIAL, "dose_min": 10.0, "dose_max": 20.0, **SESSION},
    "trial-per-site": {**TRIAL, "dose_min": 99.0, "dose_unit": "example-unit", "dose_per": ["site"]},
    "trial-per-nothing": {**TRIAL, "dose_min": 99.0, "dose_unit": "example-unit"},
    "trial-of-quartiles": {**TRIAL, "condition": "other-pain", "dose_min": 40.0, **SESSION},
    "label-any": {**LABEL, "treatment": "other-toxin", "interval_min": 8.0, **WEEKS},
    "label-of-another": {
        **LABEL,
        "treatment": "other-toxin",
        "condition": "other-pain",
        "interval_min": 4.0,
        **WEEKS,
    },
    "trial-of-another-6-weeks": {
        **TRIAL,
        "treatment": "other-toxin",
        "interval_min": 6.0,
        "interval_max": 6.0,
        **WEEKS,
    },
    "trial-of-another": {
        **TRIAL,
        "treatment": "other-toxin",
        "dose_min": 99.0,
        "dose_unit": "other-unit",
        "dose_per": ["session"],
    },
}
CLAIMS: dict[str, dict[str, Any]] = {
    "says-9-weeks": {
        "kind": "dosing-interval",
        "conditions": ["example-pain"],
        "values": [value("interval", 9.0, "wk")],
    },
    "says-9-somethings": {"kind": "dosing-interval", "values": [value("interval", 9.0, "moons")]},
    "says-1-day": {"kind": "dosing-interval", "values": [value("interval_max", 1.0, "d")]},
    "approved-too-early": {"kind": "approval", "conditions": ["example-pain"], "values": claimed("US", "FDA-approved")},
    "said-not-approved": {"kind": "approval", "conditions": ["example-pain"], "values": claimed("US", "not approved")},
    "approved-elsewhere": {"kind": "approval", "conditions": ["example-pain"], "values": claimed("JP", "approved")},
    "approved-nowhere": {"kind": "approval", "conditions": ["example-pain"], "values": claimed("XX", "approved")},
}
APPROVALS: dict[str, dict[str, Any]] = {
    "pain-us": {
        "indication": "use-pain",
        "jurisdiction": "US",
        "status": "approved",
        "valid_from": "2015-06-01",
        "first_approval": True,
    },
    "other-us": {"indication": "use-other", "jurisdiction": "US", "status": "refused", "valid_from": "2010"},
    "other-gb": {
        "indication": "use-other",
        "jurisdiction": "GB",
        "status": "approved",
        "valid_from": "2010",
        "valid_to": "2012",
    },
    "third-us": {"indication": "use-third", "jurisdiction": "US", "status": "not-approved", "missing": NO_START},
    "third-eu": {"indication": "use-third", "jurisdiction": "EU", "status": "conditional", "valid_from": "2020"},
}
RESULTS: dict[str, dict[str, Any]] = {
    "other-good": {"condition": "other-pain", "finding": "favours-treatment", "comparator": "placebo"},
    "other-bad": {"condition": "other-pain", "finding": "no-difference", "comparator": "placebo"},
    "other-review": {
        "condition": "other-pain",
        "finding": "favours-treatment",
        "synthesis": "narrative",
        "comparator": "mixed",
    },
    "other-retracted": {
        "condition": "other-pain",
        "finding": "favours-treatment",
        "citations": [{"source": "retracted-article"}],
    },
    "third-good": {"condition": "third-pain", "finding": "favours-treatment"},
}


def made_up_records() -> Iterator[Any]:
    for name in ("example", "other"):
        unit = {"code": f"{name}-unit", "label": f"{name.capitalize()} units", "interchangeable_with": []}
        yield record(
            "treatments",
            {"id": f"{name}-toxin", "name": name, "kind": "drug", "part_of": "example-class", "dose_unit": unit},
        )
    yield record("treatments", {"id": "example-class", "name": "Example class", "kind": "drug"})
    for name in ("example", "other", "third"):
        yield record("conditions", {"id": f"{name}-pain", "name": name})
    for name, condition in (("pain", "example-pain"), ("other", "other-pain"), ("third", "third-pain")):
        use = {"id": f"use-{name}", "treatment": "example-toxin", "condition": condition, "purpose": "treatment"}
        yield record("indications", use)
    article = {"kind": "journal-article", "title": "An example"}
    yield record("sources", {"id": "example-article", **article})
    yield record("sources", {"id": "dated-article", "issued": "2015-05", **article})
    yield record(
        "sources", {"id": "retracted-article", **article, "retraction": {"status": "retracted", "on": "2020-01-01"}}
    )
    yield record(
        "studies",
        {"id": "example-study", "title": "An example", "design": "randomized-parallel", "sources": ["example-article"]},
    )
    for name, values in DOSING.items():
        yield record("dosing-intervals", without({"id": name, **values}))
    for name, values in CLAIMS.items():
        yield record("claims", {**CLAIM, "id": name, "quote": f"The article {name}.", **values})
    for name, values in APPROVALS.items():
        yield record("approvals", {"id": name, "authority": "Example agency", "as_of": "2026-11-22", **CITED, **values})
    for name, values in RESULTS.items():
        result = {"id": name, "study": "example-study", "treatment": "example-toxin", "outcome_text": "pain", **CITED}
        yield record("study-results", {**result, **values})
    warned = {"kind": "warning", "statement": "An example.", "jurisdiction": "US", **CITED}
    yield record(
        "warnings", {"id": "of-class", "treatment": "example-class", "terms": ["DIPLOPIA", "Itching"], **warned}
    )
    yield record("warnings", {"id": "of-product", "treatment": "example-toxin", "terms": ["itching"], **warned})
    effect = {"id": "sees-double", "treatment": "example-toxin", "term": "double vision", "basis": "label"}
    yield record("side-effects", {**effect, "attribution": "attributed", **CITED})


@pytest.fixture(scope="module", params=ENGINES)
def gaps_client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The application over records that were made up, on each engine."""
    database = Database(new_database(request, request.param, tmp_path_factory.mktemp("gaps")))
    database.migrate()
    save_all(database, made_up_records(), author="test")
    database.close()
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        yield client


def of_kind(client: TestClient, kind: str, role: str) -> dict[str, str]:
    """The statements of the gaps of a kind, by the id of their first side of that role."""
    found = gaps(client, "example-toxin", kind=kind)
    statements = {ids_of(gap, role)[0]: gap["statement"] for gap in found}
    assert len(statements) == len(found)
    return statements


def test_an_interval_is_held_against_the_label_for_its_own_condition_first(gaps_client: TestClient) -> None:
    claims = {"says-9-weeks", "says-1-day"}
    found = gaps(gaps_client, "example-toxin", kind="interval-below-label")
    stated = {(ids_of(gap, "claim") or ids_of(gap, "dosing"))[0]: gap["statement"] for gap in found}
    assert stated.keys() == claims | {"trial-12-weeks", "trial-other-2-months", "guideline-third-11-weeks"}
    assert "its shorter end lies below" in stated["trial-12-weeks"]
    assert "a label gives for it is 16 wk (112 d), on the label for example-pain (US)" in stated["trial-12-weeks"]
    assert "it lies below" in stated["says-9-weeks"]
    assert "at most 2 mo (60.9 d)" in stated["trial-other-2-months"]
    assert "a guideline gives an interval of at least 11 wk (77 d); no label" in stated["guideline-third-11-weeks"]
    assert "3 mo (91.3 d), on the label for other-pain (US)" in stated["guideline-third-11-weeks"]
    assert stated["says-1-day"].startswith("For no condition in particular, a claim gives an interval of at most 1 d;")


def test_a_label_for_any_condition_holds_for_each(gaps_client: TestClient) -> None:
    (found,) = gaps(gaps_client, "other-toxin", kind="interval-below-label")
    assert ids_of(found, "label") == ["label-any"]
    assert (
        "a label gives for it is 8 wk (56 d), on the label for any condition (US): it lies below" in found["statement"]
    )


def test_doses_are_compared_per_the_same_thing_and_never_with_quartiles_or_another_product(
    gaps_client: TestClient,
) -> None:
    stated = of_kind(gaps_client, "dose-outside-label", "dosing")
    assert stated.keys() == {"trial-below", "trial-both"}
    assert "at most 5 Example units per session; it lies below the 10 to 20 Example units" in stated["trial-below"]
    assert "it reaches beyond both ends of the 10 to 20 Example units of the US label" in stated["trial-both"]
    assert "its upper end lies above the US label's most, 50 Example units in 12 wk" in stated["trial-both"]
    assert gaps(gaps_client, "other-toxin", kind="dose-outside-label") == []


def test_a_claim_is_held_against_the_day_of_its_source_and_only_if_it_claims_an_approval(
    gaps_client: TestClient,
) -> None:
    stated = of_kind(gaps_client, "claim-contradicts-ledger", "claim")
    assert stated.keys() == {"approved-too-early"}
    assert "on 2015-05, when it was issued" in stated["approved-too-early"]


def test_benefit_is_reported_only_where_nothing_is_approved_and_reviews_are_counted_apart(
    gaps_client: TestClient,
) -> None:
    found = gaps(gaps_client, "example-toxin", kind="benefit-without-approval")
    assert [gap["condition"] for gap in found] == ["other-pain"]
    assert ids_of(found[0], "result") == ["other-good", "other-review"]
    assert "of 2 results of single studies that we hold, 1 favour" in found[0]["statement"]
    assert "of 1 results of reviews, 1 favour it" in found[0]["statement"]
    assert "off-label in US and on-label nowhere" in found[0]["statement"]


def test_an_approval_with_a_result_of_any_finding_is_no_gap(gaps_client: TestClient) -> None:
    found = gaps(gaps_client, "example-toxin", kind="approval-without-result")
    assert [gap["condition"] for gap in found] == ["example-pain"]
    assert ids_of(found[0], "approval") == ["pain-us"]


def test_warnings_that_name_the_same_are_one_gap_whatever_the_case(gaps_client: TestClient) -> None:
    kind = "warning-without-side-effect"
    (found,) = gaps(gaps_client, "example-toxin", kind=kind)
    assert ids_of(found, "warning") == ["of-class", "of-product"]
    assert [gap["sides"][0]["record"]["id"] for gap in gaps(gaps_client, "other-toxin", kind=kind)] == [
        "of-class",
        "of-class",
    ]


def test_months_and_weeks_are_not_played_against_each_other() -> None:
    quarter = DoseInterval(3, None, "mo")
    twelve_weeks = DoseInterval(12, 12, "wk")
    assert not twelve_weeks.is_below(12, quarter)
    assert not quarter.is_below(3, twelve_weeks)
    assert DoseInterval(83, 83, "d").is_below(83, quarter)
    assert DoseInterval(2.9, 2.9, "mo").is_below(2.9, quarter)
    assert not quarter.is_below(None, twelve_weeks)
    assert not DoseInterval(52, 52, "wk").is_below(52, DoseInterval(1, None, "a"))
