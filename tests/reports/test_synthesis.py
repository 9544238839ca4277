"""Syntheses of study results on both engines: pooled, refused, archived, per 1,000 people, compared.

The results are made up (tests/support/evidence.py); the seed speaks for the documentation's own examples.
"""

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from math import exp
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from app.db.database import Database
from app.errors import Unavailable
from app.models.base import Record
from app.releases.build import build_release
from app.routers import syntheses
from app.store.write.save import save_all, withdraw
from tests.conftest import new_database
from tests.releases.test_releases import serving
from tests.store.test_store import record
from tests.support.api import problem_of
from tests.support.evidence import (
    CONDITION,
    EVENT,
    NAUSEA,
    OTHER,
    PAIN,
    RELIEF,
    SCALE,
    SOURCE,
    TIME,
    TOXIN,
    counts,
    ground,
    means,
    result,
    study,
    trials,
)

PATH = "/v1/syntheses"
ASKED = {"treatment": TOXIN, "condition": CONDITION, "outcome": RELIEF}
PEOPLE = f"/v1/treatments/{TOXIN}/benefit-harm"
WEATHER = "made-up-weather-ache"
CERTAIN = {"level": "moderate", "by": "made-up raters"}


def more() -> list[Record]:
    """Results that must not be joined with the three trials, each for a reason of its own."""
    review = {"design": "systematic-review", "includes": ["made-up-a"], "trial_count": 1}
    ratio = {"measure": "risk-ratio", "estimate": 1.8, "ci_level": 95, "ci_low": 1.1, "ci_high": 2.9}
    one_arm = [{"arm": "all", "role": "exposed", "events": 9, "n": 30}]
    return [
        result("made-up-a-later", study="made-up-a", time_frame_days=180, arms=counts(20, 60, 9, 58)),
        study("made-up-sham"),
        result("made-up-sham", comparator="sham", arms=counts(9, 40, 4, 41)),
        study("made-up-review", **review),
        result("made-up-review", synthesis="random-effects", arms=counts(50, 140, 19, 140), **ratio),
        study("made-up-contrary"),
        result("made-up-contrary", arms=counts(1, 100, 30, 40)),
        study("made-up-open", design="non-randomized"),
        result("made-up-open", arms=counts(14, 40, 8, 39)),
        study("made-up-twin", overlaps=["made-up-b"]),
        result("made-up-twin", arms=counts(11, 40, 6, 39)),
        study("made-up-single", design="single-arm"),
        result("made-up-single", comparator=None, arms=one_arm),
        study("made-up-percent"),
        result("made-up-percent", arms=[{**arm, "events": None, "percent": 30} for arm in counts(3, 40, 3, 40)]),
        study("made-up-other"),
        result("made-up-other", treatment=OTHER, arms=counts(15, 50, 8, 50)),
        study("made-up-direct"),
        result("made-up-direct", comparator=OTHER, arms=counts(21, 50, 14, 50)),
        result("made-up-unlisted", study="made-up-direct", outcome=None, arms=counts(21, 50, 14, 50)),
        record("conditions", {"id": WEATHER, "name": "Made-up weather ache"}),
        result("made-up-b-weather", study="made-up-b", condition=WEATHER, arms=counts(20, 80, 9, 82)),
        result("made-up-c-weather", study="made-up-c", condition=WEATHER, arms=counts(31, 90, 22, 91)),
        *measured(),
        *timed(),
        *harmful(),
        *dosed(),
    ]


def measured() -> list[Record]:
    """Continuous outcomes: final values, changes, another scale."""
    return [
        result("made-up-a-pain", study="made-up-a", outcome=PAIN, score="final", arms=means(3.1, 4.0)),
        result("made-up-b-pain", study="made-up-b", outcome=PAIN, score="final", arms=means(3.4, 3.9)),
        result("made-up-c-pain", study="made-up-c", outcome=PAIN, score="change", arms=means(-2.0, -1.1)),
        result("made-up-sham-scale", study="made-up-sham", outcome=SCALE, score="final", arms=means(30, 38, 12)),
        result(
            "made-up-twin-pain",
            study="made-up-twin",
            outcome=PAIN,
            score="change",
            finding="favours-treatment",
            arms=means(2.0, 1.1),
        ),
    ]


def timed() -> list[Record]:
    """Hazard ratios: of an outcome whose values are times, and of one that may be times or events."""
    slower = {"measure": "hazard-ratio", "estimate": 0.6, "ci_level": 95, "ci_low": 0.4, "ci_high": 0.9}
    return [
        result("made-up-a-time", study="made-up-a", outcome=TIME, finding="favours-treatment", **slower),
        result("made-up-a-event", study="made-up-a", outcome=EVENT, finding="favours-treatment", **slower),
    ]


def harmful() -> list[Record]:
    """Nausea as a study result and, of the same people, as a side effect."""
    nausea = counts(8, 60, 3, 58)
    affected = [
        {"arm": arm["arm"], "role": arm["role"], "affected": arm["events"], "at_risk": arm["n"]} for arm in nausea
    ]
    side_effect = {
        "treatment": TOXIN,
        "condition": CONDITION,
        "term": "Made-up nausea",
        "basis": "trial",
        "attribution": "observed",
        "citations": [{"source": SOURCE}],
    }
    return [
        result("made-up-a-nausea", study="made-up-a", outcome=NAUSEA, arms=nausea, certainty=CERTAIN),
        record("side-effects", {"id": "made-up-a-nausea", "study": "made-up-a", "arms": affected, **side_effect}),
        record(
            "side-effects",
            {"id": "made-up-itch", "study": "made-up-a", "arms": affected, **side_effect, "term": "itch"},
        ),
        record("side-effects", {"id": "made-up-rash", **side_effect, "term": "made-up rash", "arms": affected[:1]}),
    ]


def dosed() -> list[Record]:
    """A trial of two doses, as a study result and as a side effect."""
    doses = [("100 U", "exposed", 2, 40), ("200 U", "exposed", 6, 41), ("placebo", "comparator", 1, 42)]
    arms = [{"arm": arm, "role": role, "events": some, "n": people} for arm, role, some, people in doses]
    affected = [{"arm": arm, "role": role, "affected": some, "at_risk": people} for arm, role, some, people in doses]
    controlled = [*affected[1:], {**affected[2], "arm": "sham"}]
    side_effect = {
        "id": "made-up-dizziness",
        "treatment": TOXIN,
        "condition": CONDITION,
        "study": "made-up-doses",
        "term": "dizziness",
        "basis": "trial",
        "attribution": "observed",
        "citations": [{"source": SOURCE}],
        "arms": affected,
    }
    return [
        study("made-up-doses"),
        result("made-up-doses", outcome=NAUSEA, arms=arms),
        record("side-effects", side_effect),
        record("side-effects", {**side_effect, "id": "made-up-controls", "term": "tremor", "arms": controlled}),
    ]


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def results_app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, Database]]:
    """The application over the made-up results and a release of them, on each engine."""
    folder = tmp_path_factory.mktemp("evidence")
    database = Database(new_database(request, request.param, folder))
    database.migrate()
    save_all(database, [*ground(), *trials(), *more()], author="test")
    build_release(database, folder, "1.0")
    with serving(database, folder) as client:
        yield client, database
    database.close()


@pytest.fixture
def results_client(results_app: tuple[TestClient, Database]) -> TestClient:
    return results_app[0]


def ask(client: TestClient, **asked: Any) -> Response:
    return client.get(PATH, params=ASKED | asked)


def answered(client: TestClient, **asked: Any) -> dict[str, Any]:
    answer = ask(client, **asked)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def refused(client: TestClient, **asked: Any) -> dict[str, list[list[str]]]:
    """Each reason of a refusal with the results on its sides."""
    problem = problem_of(ask(client, **asked), 422, "not-comparable")
    assert all(error["detail"] and error["known"] and error["parameter"] for error in problem["errors"])
    return {error["reason"]: [side["results"] for side in error["sides"]] for error in problem["errors"]}


THREE = {"id": ["made-up-a", "made-up-b", "made-up-c"]}


# Pooled


def test_subgroups_are_pooled_apart_as_the_calculator_pools_them(results_client: TestClient) -> None:
    ids, caveats = [*THREE["id"], "made-up-open", "made-up-twin"], ["overlapping-reports", "different-designs"]
    found = answered(results_client, id=ids, subgroup="design", accept=caveats)
    designs = {entry["id"]: entry["effect"]["subgroup"] for entry in found["results"]}
    assert designs == {**dict.fromkeys(ids, "randomized-parallel"), "made-up-open": "non-randomized"}
    studies = [
        {"label": entry["label"], "subgroup": designs[entry["id"]]}
        | {number["name"]: number["value"] for number in entry["numbers"]}
        for entry in found["results"]
    ]
    names = ("measure", "model", "method", "estimator", "interval")
    asked = {name: found["question"][name] for name in names} | {"studies": studies, "also": ["subgroups"]}
    assert found["pooled"]["subgroups"] == results_client.post(PATH, json=asked).json()["subgroups"]
    assert found["pooled"]["subgroups"]["q_df"] == 1
    assert found["question"]["subgroup"] == "design"
    table = ask(results_client, id=ids, subgroup="design", accept=caveats, format="csv").text
    assert table.count("\nsubgroup,") == 2
    everyone = answered(results_client, id=ids, subgroup="risk-of-bias", accept=caveats)["pooled"]["subgroups"]
    assert [group["label"] for group in everyone["groups"]] == ["not recorded"]
    assert everyone["q"] is None
    problem_of(ask(results_client, subgroup="weather"), 422, "invalid-parameter", "subgroup")


def test_trials_that_agree_are_pooled_as_the_calculator_pools_them(results_client: TestClient) -> None:
    found = answered(results_client, **THREE)
    studies = [
        {"label": entry["label"]} | {number["name"]: number["value"] for number in entry["numbers"]}
        for entry in found["results"]
    ]
    choices = {
        name: found["question"][name] for name in ("measure", "model", "method", "estimator", "interval", "level")
    }
    calculated = results_client.post(PATH, json={**choices, "studies": studies}).json()
    assert choices["measure"] == "risk-ratio"
    assert {name: found["pooled"][name] for name in ("k", "estimate", "se", "tau2", "q", "display")} == {
        name: calculated[name] for name in ("k", "estimate", "se", "tau2", "q", "display")
    }
    assert [entry["effect"] for entry in found["results"]] == calculated["studies"]
    assert found["not_pooled"] is None
    assert found["favours"] == {
        "direction": "higher-is-better",
        "left": "Favours placebo",
        "right": "Favours Made-Up-Toxin",
    }
    assert found["included"]["sources"][SOURCE]["title"] == "A made-up article"


def test_each_number_stands_where_its_pointer_says(results_client: TestClient) -> None:
    for entry in answered(results_client, **THREE)["results"]:
        document: Any = results_client.get(f"/v1/study-results/{entry['id']}").json()
        for number in entry["numbers"]:
            value = document
            for step in number["pointer"].split("/")[1:]:
                value = value[int(step) if step.isdigit() else step]
            assert value == number["value"]
        assert results_client.get(entry["url"]).json()["version"] == entry["version"]


def test_one_study_is_shown_and_not_pooled(results_client: TestClient) -> None:
    found = answered(results_client, id="made-up-a")
    assert (found["pooled"], found["not_pooled"]) == (None, "One study is shown, not pooled.")
    assert found["results"][0]["effect"]["display"]["estimate"] == pytest.approx((12 / 60) / (5 / 58))


def test_no_result_at_all_is_an_empty_answer_with_a_picture_that_says_so(results_client: TestClient) -> None:
    found = answered(results_client, comparator="waiting-list")
    assert (found["results"], found["excluded"], found["pooled"]) == ([], [], None)
    picture = ask(results_client, comparator="waiting-list", format="svg")
    assert "No study result of ours" in "".join(ET.fromstring(picture.text).itertext())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("made-up-single", "no-comparator"),
        ("made-up-percent", "no-counts"),
        ("made-up-nobody", None),
    ],
)
def test_what_does_not_count_says_why(results_client: TestClient, name: str, reason: str | None) -> None:
    found = answered(results_client, id=["made-up-a", name])
    assert [entry["id"] for entry in found["results"]] == ["made-up-a"]
    assert [(entry["id"], entry["reason"]) for entry in found["excluded"]] == ([(name, reason)] if reason else [])
    assert reason is not None or any(name in note for note in found["notes"])


def test_of_a_review_the_estimate_counts_and_a_method_of_counts_takes_neither(results_client: TestClient) -> None:
    found = answered(results_client, id="made-up-review")
    assert found["results"][0]["taken_from"] == "estimate"
    assert exp(found["results"][0]["effect"]["estimate"]) == pytest.approx(1.8)
    counted = answered(results_client, id="made-up-review", method="mantel-haenszel")
    assert [entry["reason"] for entry in counted["excluded"]] == ["summed-arms"]


def test_a_sign_that_contradicts_the_finding_is_not_counted(results_client: TestClient) -> None:
    found = answered(results_client, outcome=PAIN, id="made-up-twin-pain")
    assert [entry["reason"] for entry in found["excluded"]] == ["sign-contradicts-finding"]


def test_a_lower_hazard_is_a_longer_time(results_client: TestClient) -> None:
    longer = answered(results_client, outcome=TIME, audience="patient")
    assert [entry["id"] for entry in longer["results"]] == ["made-up-a-time"], longer["excluded"]
    assert longer["favours"] == {
        "direction": "lower-is-better",
        "left": f"Favours {TOXIN.title()}",
        "right": "Favours placebo",
    }
    words = "reduces the hazard (how soon it happens) of “Made-up time: to the next ache” compared with placebo"
    assert f"{words}, which is better." in text_of(longer)
    unknown = answered(results_client, outcome=EVENT, audience="patient")
    assert (len(unknown["results"]), unknown["favours"]["left"]) == (1, f"Less with {TOXIN.title()}")
    assert "which is" not in text_of(unknown)


def test_results_of_one_group_are_told_as_proportions(results_client: TestClient) -> None:
    share = answered(results_client, id="made-up-single")
    assert share["question"]["measure"] == "proportion-logit", "no result of this question compares two groups"
    assert share["results"][0]["effect"]["display"]["estimate"] == pytest.approx(0.3)
    assert share["favours"]["left"] == ""


# Refused


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"id": ["made-up-a", "made-up-a-later"]}, {"time-frames-apart", "overlapping-reports"}),
        ({"id": ["made-up-a", "made-up-a-later"], "window_days": 152}, {"overlapping-reports"}),
        ({"id": ["made-up-b", "made-up-twin"]}, {"overlapping-reports"}),
        ({"id": ["made-up-b", "made-up-sham"]}, {"different-comparators"}),
        ({"id": ["made-up-a", "made-up-review"]}, {"review-with-its-trials"}),
        ({"id": ["made-up-b", "made-up-open"]}, {"different-designs"}),
        ({"id": ["made-up-b", "made-up-other"], "treatment": [TOXIN, OTHER]}, {"different-products"}),
        ({"id": ["made-up-b-pain", "made-up-c-pain"], "outcome": PAIN}, {"change-with-final"}),
        (
            {"id": ["made-up-b-pain", "made-up-sham-scale"], "outcome": [PAIN, SCALE], "measure": "mean-difference"},
            {"different-instruments"},
        ),
        ({"id": ["made-up-b", "made-up-a-nausea"], "outcome": [RELIEF, NAUSEA]}, {"different-outcomes"}),
    ],
    ids=lambda value: "+".join(sorted(value)) if isinstance(value, set) else "",
)
def test_what_must_not_be_joined_is_refused_with_both_sides_unless_it_is_accepted(
    results_client: TestClient, asked: dict[str, Any], expected: set[str]
) -> None:
    found = refused(results_client, **asked)
    assert found.keys() == expected
    both = sorted(asked["id"])
    assert all(sorted(result for side in sides for result in side) == both for sides in found.values())
    accepted = answered(results_client, **asked, accept=[*expected, "different-designs", "change-with-final"])
    assert {caveat["reason"] for caveat in accepted["caveats"]} == expected == set(accepted["question"]["accept"])
    assert accepted["pooled"]["k"] == 2
    if len(expected) > 1:
        assert refused(results_client, **asked, accept=sorted(expected)[0]).keys() == set(sorted(expected)[1:])


def test_scales_of_one_domain_are_standardised_unless_told_otherwise(results_client: TestClient) -> None:
    found = answered(results_client, id=["made-up-b-pain", "made-up-sham-scale"], outcome=[PAIN, SCALE])
    assert found["question"]["measure"] == "standardized-mean-difference"
    assert found["pooled"]["k"] == 2


def test_a_review_that_names_all_its_trials_may_stand_with_another(results_client: TestClient) -> None:
    assert answered(results_client, id=["made-up-b", "made-up-review"])["pooled"]["k"] == 2


@pytest.mark.parametrize(
    ("asked", "parameter", "nearest"),
    [
        ({"accept": "overlaping-reports"}, "accept", "overlapping-reports"),
        ({"measure": "risk-ratoi"}, "measure", "risk-ratio"),
        ({"mesure": "risk-ratio"}, "mesure", "measure"),
        ({"method": "peto", "measure": "risk-ratio"}, "method", None),
        ({"interval": "knapp-hartung", "model": "common-effect"}, "interval", None),
        ({"level": "100"}, "level", None),
        ({"window_days": "-1"}, "window_days", None),
        ({"plot": "funnel"}, "plot", None),
        ({"condition": [CONDITION, CONDITION]}, "condition", None),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_a_wrong_choice_is_a_problem_that_names_it(
    results_client: TestClient, asked: dict[str, Any], parameter: str, nearest: str | None
) -> None:
    problem = problem_of(ask(results_client, **{**THREE, **asked}), 422, "invalid-parameter")
    error = next(error for error in problem["errors"] if error["parameter"] == parameter)
    assert error.get("nearest") == nearest


def test_an_unknown_record_in_the_question_is_told_with_the_nearest(results_client: TestClient) -> None:
    for name, wrong in (("treatment", TOXIN), ("condition", CONDITION), ("outcome", RELIEF)):
        problem = problem_of(ask(results_client, **{name: f"{wrong}x"}), 422, "invalid-parameter")
        assert f"'{wrong}'" in problem["detail"]


# Told in other forms


def test_csv_and_plots_say_what_the_json_says(results_client: TestClient) -> None:
    found = answered(results_client, **THREE)
    rows = list(csv.DictReader(io.StringIO(ask(results_client, **THREE, format="csv").text)))
    assert [row["id"] for row in rows] == [entry["id"] for entry in found["results"]] + [""]
    assert float(rows[-1]["estimate"]) == found["pooled"]["estimate"]
    forest = ask(results_client, **THREE, format="svg").text
    text = "".join(ET.fromstring(forest).itertext())
    assert "Favours placebo" in text
    assert f"{found['pooled']['display']['estimate']:.2f}" in text
    assert "Pooled" in "".join(ET.fromstring(ask(results_client, **THREE, format="svg", plot="funnel").text).itertext())
    assert ask(results_client, **THREE).headers["etag"] != ask(results_client, **THREE, format="csv").headers["etag"]


@pytest.mark.parametrize("audience", ["patient", "clinician"])
def test_sentences_hold_each_number_where_they_say_and_repeat_themselves(
    results_client: TestClient, audience: str
) -> None:
    asked: dict[str, Any] = {**THREE, "audience": audience}
    first, second = ask(results_client, **asked), ask(results_client, **asked)
    assert first.content == second.content
    content = first.json()
    sentences = content["plain"]["sentences"]
    numbers = [(sentence["text"], number) for sentence in sentences for number in sentence["numbers"]]
    assert len(numbers) > 4
    for text, number in numbers:
        assert text[number["start"] : number["end"]] == number["text"]
        assert all(results_client.get(f"/v1/{name}").status_code == 200 for name in number["records"])
        value: Any = content
        for step in number["pointer"].split("/")[1:]:
            value = value[int(step) if isinstance(value, list) else step]
    whole = " ".join(sentence["text"] for sentence in sentences)
    assert "has not been rated" in whole
    assert ("not medical advice" in whole) == (audience == "patient")


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("high", "increases"),
        ("moderate", "probably increases"),
        ("low", "may increase"),
        ("very-low", "very uncertain"),
    ],
)
def test_certainty_has_the_words_of_grade(empty_database_url: str, tmp_path: Path, level: str, words: str) -> None:
    database = Database(empty_database_url)
    database.migrate()
    rated = {"level": level, "by": "made-up raters"}
    one = [study("made-up-rated"), result("made-up-rated", arms=counts(40, 80, 15, 80), certainty=rated)]
    save_all(database, [*ground(), *one], author="test")
    with serving(database, tmp_path) as client:
        sentences = answered(client, audience="patient")["plain"]["sentences"]
    text = " ".join(sentence["text"] for sentence in sentences)
    assert words in text
    assert f"(GRADE) is {level.replace('-', ' ')}, rated by made-up raters" in text
    assert ("which is better" in text) == (level != "very-low"), "what is very uncertain is not better"
    database.close()


def text_of(content: dict[str, Any]) -> str:
    return " ".join(sentence["text"] for sentence in content["plain"]["sentences"])


@pytest.mark.parametrize("audience", ["patient", "clinician"])
def test_an_interval_without_end_is_told_too(results_client: TestClient, audience: str) -> None:
    wide = {"id": ["made-up-a", "made-up-contrary"], "interval": "knapp-hartung", "level": 99.9}
    found = answered(results_client, **wide, audience=audience)
    shown = found["pooled"]["display"]
    assert (shown["ci_low"], shown["ci_high"]) == (None, None), "no number is as large"
    text = text_of(found)
    assert "0 to ∞" in text
    assert "None" not in text
    forest = "".join(ET.fromstring(ask(results_client, **wide, format="svg").text).itertext())
    assert "[0, ∞]" in forest
    assert "?" not in forest


def test_a_comparator_is_called_by_its_name(results_client: TestClient) -> None:
    found = answered(results_client, id="made-up-direct", audience="patient")
    assert found["favours"]["left"] == f"Favours {OTHER.title()}"
    assert f"compared with {OTHER.title()}" in text_of(found)


def test_people_who_count_twice_are_said_to(results_client: TestClient) -> None:
    twice = {"id": ["made-up-a", "made-up-a-later"], "accept": ["overlapping-reports", "time-frames-apart"]}
    assert "Some people are counted more than once." in text_of(answered(results_client, **twice, audience="patient"))
    assert "more than once" not in text_of(answered(results_client, **THREE, audience="patient"))


def test_a_share_is_told_in_people_with_its_interval(results_client: TestClient) -> None:
    text = text_of(answered(results_client, id="made-up-single", audience="patient"))
    assert "Of 1,000 people, about 300 had the outcome (164 to 483, 95% interval)." in text


# Kept


def test_a_release_gives_the_same_bytes_again_in_every_form(results_app: tuple[TestClient, Database]) -> None:
    client, database = results_app
    first = ask(client, **THREE, release="1.0")
    content = first.json()
    permalink = content["links"]["permalink"]
    assert permalink.endswith(f"{PATH}/{content['input_hash']}")
    plots = {form: ask(client, **THREE, release="1.0", **form_of(form)).content for form in ("csv", "forest", "funnel")}
    save_all(database, [study("made-up-a", title="Another title")], author="test")
    again = client.get(permalink)
    assert again.content == first.content
    assert again.headers["dataset-release"] == "1.0"
    assert again.headers["source-status"] == "current"
    assert content["links"]["live"] in again.headers["link"]
    for form, bytes_before in plots.items():
        assert client.get(content["links"][form]).content == bytes_before
    assert answered(client, **THREE)["release"] is None
    assert answered(client, **THREE)["links"]["permalink"] is None
    assert client.get(content["links"]["live"]).json()["pooled"] == content["pooled"]
    problem_of(client.get(f"{PATH}/{'0' * 64}"), 404, "not-found")
    problem_of(client.get(f"{PATH}/{'x' * 64}"), 422, "invalid-parameter")


def form_of(form: str) -> dict[str, str]:
    return {"format": "csv"} if form == "csv" else {"format": "svg", "plot": form}


def test_the_hash_follows_the_question_and_what_was_found(results_client: TestClient) -> None:
    same = [answered(results_client, id=ids)["input_hash"] for ids in (THREE["id"], THREE["id"][::-1])]
    assert same[0] == same[1], "the order of parameters says nothing"
    spelled = answered(
        results_client, **THREE, measure="risk-ratio", model="random-effects", accept="different-designs"
    )
    assert spelled["input_hash"] == same[0], "defaults spelled out and reasons that do not apply say nothing"
    assert answered(results_client, **THREE, level=90)["input_hash"] != same[0]
    assert answered(results_client, id=THREE["id"][:2])["input_hash"] != same[0]
    assert answered(results_client, **THREE, release="1.0")["input_hash"] != same[0]


def test_a_retraction_takes_a_result_out_and_marks_what_was_kept(empty_database_url: str, tmp_path: Path) -> None:
    database = Database(empty_database_url)
    database.migrate()
    own = record("sources", {"id": "made-up-b-paper", "kind": "journal-article", "title": "Made-up B"})
    b = result("made-up-b", arms=counts(20, 80, 9, 82), citations=[{"source": "made-up-b-paper"}])
    save_all(
        database, [*ground(), own, *trials()[:2], study("made-up-b", sources=["made-up-b-paper"]), b], author="test"
    )
    build_release(database, tmp_path, "1.0")
    with serving(database, tmp_path) as client:
        first = ask(client, release="1.0")
        retracted = {"status": "retracted", "on": "2026-11"}
        values = own.model_dump(mode="json", exclude_defaults=True)
        save_all(database, [record("sources", {**values, "retraction": retracted})], author="test")
        for asked in ({}, {"release": "1.0"}):
            found = answered(client, **asked)
            assert [(entry["id"], entry["reason"]) for entry in found["excluded"]] == [("made-up-b", "retracted")]
            assert found["pooled"] is None
        kept = client.get(first.json()["links"]["permalink"])
        assert kept.content == first.content
        assert kept.headers["source-status"] == "retracted"
        assert "max-age=86400" in kept.headers["cache-control"]
        withdraw(database, "studies", "made-up-a", author="test", reason="made up")
        assert {entry["reason"] for entry in answered(client)["excluded"]} == {"retracted", "withdrawn"}
    database.close()


def test_a_database_that_cannot_be_written_to_still_answers(
    results_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: Any) -> None:
        raise Unavailable("The database is busy with another write.")

    monkeypatch.setattr(syntheses, "archive_synthesis", locked)
    found = answered(results_client, id=THREE["id"][:2], release="1.0")
    assert found["links"]["permalink"] is None
    assert results_client.get(found["links"]["forest"]).headers["content-type"] == "image/svg+xml"


# Per 1,000 people


def people(client: TestClient, **asked: Any) -> dict[str, Any]:
    answer = client.get(PEOPLE, params={"condition": CONDITION, **asked})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_benefits_and_harms_stand_side_by_side_each_with_its_baseline(results_client: TestClient) -> None:
    found = people(results_client)
    benefit = next(row for row in found["benefits"] if row["record"]["id"] == "made-up-a")
    assert (benefit["baseline"]["events"], benefit["baseline"]["people"], benefit["baseline"]["per_1000"]) == (
        5,
        58,
        86.2,
    )
    assert benefit["with_treatment"]["per_1000"] == 200
    assert benefit["baseline"]["taken_from"] == "own-comparator-arm"
    assert benefit["number_needed"]["estimate"]["kind"] == "benefit"
    harm = next(row for row in found["harms"] if row["about"] == NAUSEA)
    assert harm["certainty"]["level"] == "moderate"
    assert [(one["kind"], one["id"]) for one in harm["also_in"]] == [("side-effects", "made-up-a-nausea")]
    assert {"itch", NAUSEA} < {row["about"] for row in found["harms"]}, "equal counts do not make two things one"
    assert harm["number_needed"]["through_infinity"]
    assert "∞" in harm["number_needed"]["text"]
    assert harm["citations"][0]["source"] in found["included"]["sources"]
    why = {entry["record"]["id"]: entry["reason"] for entry in found["refused"]}
    assert why["made-up-rash"] == "no-comparator"
    assert why["made-up-a-pain"] == "not-binary"
    assert why["made-up-percent"] == "no-counts"
    assert why["made-up-controls"] == "several-arms"
    assert any("made-up-unlisted" in note for note in found["notes"])


def test_a_baseline_is_given_per_thousand_or_taken_from_a_named_record(results_client: TestClient) -> None:
    given = people(results_client, outcome=NAUSEA, baseline="100")["harms"][0]
    assert (given["baseline"]["per_1000"], given["baseline"]["taken_from"], given["baseline"]["record"]) == (
        100,
        "given",
        None,
    )
    assert given["with_treatment"]["per_1000"] == pytest.approx(100 * (8 / 60) / (3 / 58), abs=0.1)
    rows = people(results_client, baseline=["made-up-b", f"{NAUSEA}:20"])
    relief = {row["record"]["id"]: row for row in rows["benefits"]}
    assert {row["baseline"]["record"]["id"] for row in relief.values()} == {"made-up-b"}
    assert relief["made-up-a"]["baseline"]["taken_from"] == "named-record"
    assert {row["about"]: row["baseline"]["per_1000"] for row in rows["harms"]}[NAUSEA] == 20
    review = relief["made-up-review"]
    assert (review["measure"], review["baseline"]["events"]) == ("risk-ratio", 9)


def test_results_that_may_be_joined_are_told_together_as_their_synthesis_says(results_client: TestClient) -> None:
    path = PEOPLE.replace(TOXIN, OTHER)
    found = results_client.get(path, params={"condition": CONDITION, "audience": "clinician"}).json()
    assert found["pooled"] == [], "one result is not several"
    apart = people(results_client, outcome=RELIEF)
    assert apart["pooled"] == [], "these must not be joined"
    assert any(note.startswith("Made-up relief: ") and "time frames" in note for note in apart["notes"])
    answer = results_client.get(PEOPLE, params={"condition": WEATHER, "audience": "clinician"})
    (row,) = answer.json()["pooled"]
    synthesis = results_client.get(row["synthesis"]).json()
    assert synthesis["pooled"]["display"]["estimate"] == row["effect"]["estimate"]
    assert [one["id"] for one in synthesis["results"]] == [one["id"] for one in row["records"]]
    weightiest = max(synthesis["results"], key=lambda one: one["effect"]["weight"])
    assert (row["baseline"]["record"]["id"], row["baseline"]["taken_from"]) == (
        weightiest["id"],
        "weightiest-comparator-arm",
    )
    expected = 1000 * row["effect"]["estimate"] * row["baseline"]["events"] / row["baseline"]["people"]
    assert row["with_treatment"]["per_1000"] == pytest.approx(expected, abs=0.05)
    assert row["number_needed"]["estimate"]["kind"] == row["more_is"] == "benefit"
    text = text_of(answer.json())
    assert "Made-up relief (2 study results together, not rated): of 1,000 people, about" in text
    named = results_client.get(PEOPLE, params={"condition": WEATHER, "outcome": RELIEF, "baseline": "250"}).json()[
        "pooled"
    ][0]
    assert (named["baseline"]["per_1000"], named["baseline"]["taken_from"]) == (250, "given")
    assert named["with_treatment"]["per_1000"] == pytest.approx(250 * row["effect"]["estimate"], abs=0.05)


def test_each_exposed_arm_is_told_by_itself_and_none_is_summed(results_client: TestClient) -> None:
    rows = {(row["about"], row["arm"]): row for row in people(results_client)["harms"] if row["arm"]}
    assert rows.keys() == {(name, dose) for name in ("dizziness", NAUSEA) for dose in ("100 U", "200 U")}
    for (_, dose), row in rows.items():
        seen = (row["with_treatment"]["events"], row["with_treatment"]["people"])
        assert seen == {"100 U": (2, 40), "200 U": (6, 41)}[dose]
        assert row["with_treatment"]["per_1000"] == pytest.approx(1000 * seen[0] / seen[1], abs=0.05)
        assert (row["baseline"]["events"], row["baseline"]["people"], row["baseline"]["pointer"]) == (1, 42, "/arms/2")
    assert "Dizziness (200 U): of 1,000 people" in text_of(people(results_client, audience="patient"))


@pytest.mark.parametrize("baseline", ["0", "900", "1000"])
def test_an_effect_is_not_carried_where_it_would_mean_more_people_than_there_are(
    results_client: TestClient, baseline: str
) -> None:
    found = people(results_client, outcome=NAUSEA, baseline=baseline)
    assert (found["harms"], {entry["reason"] for entry in found["refused"]}) == ([], {"impossible-at-baseline"})


def test_a_rare_harm_is_not_rounded_to_nobody(results_client: TestClient) -> None:
    found = people(results_client, outcome=NAUSEA, baseline="0.01", audience="patient")
    row = found["harms"][0]
    assert row["baseline"]["per_1000"] == 0.01
    assert 0 < row["difference"]["per_1000"] < row["with_treatment"]["per_1000"] < 0.03
    assert "about 0.01 have it without" in " ".join(sentence["text"] for sentence in found["plain"]["sentences"])


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"baseline": "100"}, "baseline"),
        ({"baseline": "made-up-nobody"}, "baseline"),
        ({"baseline": "made-up-rash"}, "baseline"),
        ({"baseline": "made-up-nausee:100"}, "baseline"),
        ({"baseline": f"{NAUSEA}:1001"}, "baseline"),
        ({"baseline": "a:b:c"}, "baseline"),
        ({"outcome": "made-up-releif"}, "outcome"),
        ({"audience": "nobody"}, "audience"),
    ],
    ids=str,
)
def test_a_baseline_that_is_none_is_refused(results_client: TestClient, asked: dict[str, str], parameter: str) -> None:
    problem = problem_of(results_client.get(PEOPLE, params={"condition": CONDITION, **asked}), 422, "invalid-parameter")
    assert {error["parameter"] for error in problem["errors"]} == {parameter}


def test_people_are_told_in_words(results_client: TestClient) -> None:
    for audience, named in (("patient", False), ("clinician", True)):
        plain = people(results_client, audience=audience)["plain"]
        text = " ".join(sentence["text"] for sentence in plain["sentences"])
        assert (
            "of 1,000 people, about 86 have it without Made-Up-Toxin (5 of 58 in the arm “placebo” of made-up-a)"
            in text
        )
        assert "and about 200 with Made-Up-Toxin (12 of 60; 95% interval" in text
        assert "about 280 have it with Made-Up-Other-Toxin (14 of 50 in" in text, "without would not be true"
        assert "rated by made-up raters" in text
        assert ("Number needed to treat: NNTB" in text) == named
        for sentence in plain["sentences"]:
            for number in sentence["numbers"]:
                assert sentence["text"][number["start"] : number["end"]] == number["text"]
                assert all(results_client.get(f"/v1/{name}").status_code == 200 for name in number["records"])


# Side by side


def test_direct_evidence_stands_apart_from_indirect_and_nothing_is_ranked(results_client: TestClient) -> None:
    answer = results_client.get("/v1/compare", params={"treatments": f"{OTHER},{TOXIN}", "condition": CONDITION})
    found = answer.json()
    assert [treatment["id"] for treatment in found["treatments"]] == [OTHER, TOXIN]
    assert [row["id"] for group in found["direct"] for row in group["rows"]] == ["made-up-direct"]
    assert found["direct"][0]["comparator"] == OTHER
    through = next(group for group in found["indirect"] if group["comparator"] == "placebo")
    assert {row["treatment"] for row in through["rows"]} == {OTHER, TOXIN}
    assert not through["may_be_compared"]
    assert {"time-frames-apart", "overlapping-reports"} <= {why["reason"] for why in through["why_not"]}
    assert "different-products" not in {why["reason"] for why in through["why_not"]}
    alone = {(group["outcome"], group["comparator"]) for group in found["alone"]}
    assert (RELIEF, None) in alone, "people of one group are compared with nobody"
    words = answer.text.lower()
    assert "rank" in words
    assert "best" not in words


@pytest.mark.parametrize(
    "treatments",
    [TOXIN, f"{TOXIN},{TOXIN}", f"{TOXIN},", "a,b,c,d,e,f", f"{TOXIN} {OTHER}", ""],
    ids=lambda value: value,
)
def test_a_comparison_takes_two_to_five_treatments(results_client: TestClient, treatments: str) -> None:
    problem_of(
        results_client.get("/v1/compare", params={"treatments": treatments, "condition": CONDITION}),
        422,
        "invalid-parameter",
    )


def test_an_unknown_treatment_is_told_with_the_nearest(results_client: TestClient) -> None:
    asked = {"treatments": f"{TOXIN},{OTHER}x", "condition": CONDITION}
    problem = problem_of(results_client.get("/v1/compare", params=asked), 422, "invalid-parameter")
    assert f"'{OTHER}'" in problem["detail"]
