"""The calculator over HTTP: what it answers, how it refuses, and how its pictures read. The studies are made up."""

import csv
import io
import json
import socket
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from math import exp
from typing import Any
from urllib.parse import urlsplit

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from app.errors import MEDIA_TYPE, MOST_ERRORS
from app.evidence.calculator.request import EXAMPLE, MOST_STUDIES, SynthesisRequest
from app.evidence.calculator.schemas import Synthesis
from app.evidence.statistics.measures import MEASURES
from app.web.middleware.checks import LARGEST_BODY
from tests.evidence.test_metafor import KNOWN, assert_same

PATH = "/v1/syntheses"
COUNTS = {"events1": 3, "n1": 20, "events2": 6, "n2": 21}
OTHER = {"events1": 5, "n1": 40, "events2": 9, "n2": 38}
SVG = "{http://www.w3.org/2000/svg}"
"""An SVG's namespace, as ElementTree writes it."""


def ask(client: TestClient, body: Any, query: str = "", **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(PATH + query, content=content, headers={"Content-Type": "application/json", **headers})


def answered(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = ask(client, body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: Response, status: int = 422) -> dict[str, str]:
    """What was wrong, by its place; the problem must be one."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    problem = answer.json()
    assert problem["instance"] == PATH
    return {error["pointer"]: error["detail"] for error in problem.get("errors", [])}


def counts(number: int) -> list[dict[str, Any]]:
    return [{"events1": i % 7 + 1, "n1": 20 + i % 11, "events2": i % 5 + 3, "n2": 21 + i % 13} for i in range(number)]


# What it answers


@pytest.mark.parametrize("row", KNOWN["pooled"], ids=lambda row: f"{row['measure']} {row['command'][:60]}")
def test_the_answer_has_metafors_numbers(seed_client: TestClient, row: dict[str, Any]) -> None:
    choices = {name: row[name] for name in ("measure", "model", "method", "estimator", "interval")}
    found = answered(seed_client, **choices, studies=KNOWN["datasets"][row["dataset"]])
    assert_same(found, {name: row[name] for name in row if name in found and isinstance(row[name], float)})
    assert {name: found[name] for name in choices} | {"estimator": None} == choices | {"estimator": None}
    assert sum(study["weight"] for study in found["studies"]) == pytest.approx(100)
    Synthesis.model_validate(found)


def test_ratios_are_shown_as_ratios_and_the_rest_as_it_is(seed_client: TestClient) -> None:
    found = answered(seed_client, measure="risk-ratio", studies=[COUNTS, OTHER])
    shown = found["display"]
    assert shown["estimate"] == pytest.approx(exp(found["estimate"]))
    assert shown["ci_low"] == pytest.approx(exp(found["ci_low"]))
    assert shown["prediction_high"] == pytest.approx(exp(found["prediction_high"]))
    assert found["studies"][0]["display"]["estimate"] == pytest.approx((3 / 20) / (6 / 21))
    assert [study["label"] for study in found["studies"]] == ["Study 1", "Study 2"]
    plain = answered(seed_client, measure="risk-difference", studies=[COUNTS, OTHER])
    assert plain["display"]["estimate"] == plain["estimate"]
    hazard = answered(seed_client, measure="generic", estimates_are_log=True, studies=[{"estimate": -0.5, "se": 0.2}])
    assert hazard["display"]["estimate"] == pytest.approx(exp(-0.5))
    assert (hazard["tau2"], hazard["estimator"], hazard["prediction_low"]) == (None, None, None)


def test_what_else_is_asked_for_is_added(seed_client: TestClient) -> None:
    studies = [{**study, "subgroup": "even" if i % 2 else "odd"} for i, study in enumerate(counts(6))]
    also = ["leave-one-out", "cumulative", "subgroups", "egger", "trim-and-fill"]
    without = answered(seed_client, measure="odds-ratio", studies=studies)
    found = answered(seed_client, measure="odds-ratio", studies=studies, also=[*also, "egger"])
    added = ("leave_one_out", "cumulative", "subgroups", "egger", "trim_and_fill")
    assert all(without[name] is None and found[name] for name in added)
    assert {name: value for name, value in found.items() if name not in added} == {
        name: value for name, value in without.items() if name not in added
    }
    assert len(found["leave_one_out"]) == len(found["cumulative"]) == 6
    assert found["cumulative"][-1]["result"]["estimate"] == found["estimate"]
    odd = answered(seed_client, measure="odds-ratio", studies=studies[::2])
    assert found["subgroups"]["groups"][0]["label"] == "odd"
    assert found["subgroups"]["groups"][0]["result"]["estimate"] == odd["estimate"]


def test_the_same_body_gives_the_same_bytes_and_nothing_is_kept(seed_client: TestClient) -> None:
    first, second = ask(seed_client, EXAMPLE), ask(seed_client, EXAMPLE)
    assert first.content == second.content
    assert first.headers["cache-control"] == "no-store"
    assert "etag" not in first.headers


def test_whole_numbers_may_have_a_point_and_absent_fields_may_be_null(seed_client: TestClient) -> None:
    plain = answered(seed_client, measure="risk-ratio", studies=[COUNTS])
    spelled = {name: float(value) for name, value in COUNTS.items()} | {"mean1": None, "label": None}
    assert answered(seed_client, measure="risk-ratio", studies=[spelled]) == plain


def test_a_csv_has_a_line_for_each_study_and_result(seed_client: TestClient) -> None:
    studies = [{**COUNTS, "label": "=made-up()"}, OTHER, OTHER]
    body = {"measure": "risk-ratio", "studies": studies, "also": ["leave-one-out", "trim-and-fill"]}
    for answer in (ask(seed_client, body, "?format=csv"), ask(seed_client, body, Accept="text/csv")):
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        kinds = [row["row"] for row in rows]
        assert kinds == ["study"] * 3 + ["pooled"] + ["leave-one-out"] * 3 + ["trim-and-fill"]
        assert rows[0]["label"] == "'=made-up()"
        assert float(rows[3]["estimate"]) == ask(seed_client, body).json()["estimate"]


def test_a_thousand_studies_are_pooled_and_one_more_is_refused(seed_client: TestClient) -> None:
    found = answered(seed_client, measure="odds-ratio", studies=counts(MOST_STUDIES), also=["egger", "trim-and-fill"])
    assert found["k"] == len(found["studies"]) == MOST_STUDIES
    too_many = refused(ask(seed_client, {"measure": "odds-ratio", "studies": counts(MOST_STUDIES + 1)}))
    assert list(too_many) == ["/studies"]
    repeated = refused(ask(seed_client, {"measure": "odds-ratio", "studies": counts(201), "also": ["cumulative"]}))
    assert repeated == {"/also": "leave-one-out and cumulative take at most 200 studies"}


# How it refuses


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, {"/measure", "/studies"}),
        ([], {""}),
        (None, {""}),
        ({"measure": "risk-ratio", "studies": []}, {"/studies"}),
        ({"measure": "risk-ratoi", "studies": [COUNTS]}, {"/measure"}),
        ({"measure": "risk-ratio", "studies": [COUNTS], "modle": "x"}, {"/modle"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "evnts1": 1}]}, {"/studies/0/evnts1"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "a/b~c": 1}]}, {"/studies/0/a~1b~0c"}),
        ({"measure": "risk-ratio", "studies": [COUNTS, {**COUNTS, "events1": 21}]}, {"/studies/1/events1"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "n1": 0}]}, {"/studies/0/n1"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "n1": -1}]}, {"/studies/0/n1"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "n1": 20.5}]}, {"/studies/0/n1"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "n1": "20"}]}, {"/studies/0/n1"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "n1": True}]}, {"/studies/0/n1"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "n1": 2**31}]}, {"/studies/0/n1"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "label": ""}]}, {"/studies/0/label"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "label": "a\nb"}]}, {"/studies/0/label"}),
        ({"measure": "risk-ratio", "studies": [{**COUNTS, "label": "a" * 201}]}, {"/studies/0/label"}),
        (
            {"measure": "risk-ratio", "studies": [COUNTS, {"n1": 3}]},
            {f"/studies/1/{n}" for n in ("events1", "events2", "n2")},
        ),
        ({"measure": "risk-ratio", "studies": [COUNTS, {**COUNTS, "mean1": 3}]}, {"/studies/1/mean1"}),
        ({"measure": "generic", "studies": [{"estimate": 1, "se": 0}]}, {"/studies/0/se"}),
        ({"measure": "generic", "studies": [{"estimate": 1, "se": -1}]}, {"/studies/0/se"}),
        ({"measure": "generic", "studies": [{"estimate": 1, "se": 1e-13}]}, {"/studies/0"}),
        ({"measure": "generic", "studies": [{"estimate": 1e13, "se": 1}]}, {"/studies/0/estimate"}),
        ({"measure": "fisher-z", "studies": [{"r": 1, "n": 9}, {"r": 0, "n": 3}]}, {"/studies/0/r", "/studies/1/n"}),
        ({"measure": "risk-ratio", "level": 100, "studies": [COUNTS]}, {"/level"}),
        ({"measure": "risk-ratio", "also": ["everything"], "studies": [COUNTS]}, {"/also/0"}),
        ({"measure": "risk-ratio", "also": ["subgroups"], "studies": [COUNTS]}, {"/studies/0/subgroup"}),
        ({"measure": "risk-ratio", "estimates_are_log": True, "studies": [COUNTS]}, {"/estimates_are_log"}),
        ({"measure": "risk-ratio", "method": "peto", "studies": [COUNTS]}, {"/method", "/model"}),
        (
            {"measure": "risk-ratio", "model": "common-effect", "interval": "knapp-hartung", "studies": [COUNTS]},
            {"/interval"},
        ),
        ({"measure": "risk-ratio", "interval": "knapp-hartung", "studies": [COUNTS]}, {"/studies"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value)[:70],  # a set has no order of its own
)
def test_a_wrong_body_is_refused_with_its_places(seed_client: TestClient, body: Any, places: set[str]) -> None:
    found = refused(ask(seed_client, body))
    assert found.keys() == places
    assert all(found.values())


def means(**other: float) -> dict[str, float]:
    return {"mean1": 3, "sd1": 1, "n1": 9, "mean2": 4, "sd2": 1, "n2": 9, **other}


@pytest.mark.parametrize(
    ("measure", "study", "place"),
    [
        ("mean-difference", means(sd1=-1), "sd1"),
        ("mean-difference", means(sd1=0, sd2=0), "sd1"),
        ("mean-difference", means(n2=0), "n2"),
        ("standardized-mean-difference", means(n1=1, n2=2), "n1"),
        ("ratio-of-means", means(mean1=0), "mean1"),
        ("rate-ratio", {"events1": 1, "time1": 0, "events2": 2, "time2": 3}, "time1"),
        ("proportion-logit", {"events": 3, "n": 2}, "events"),
        ("proportion-freeman-tukey", {"events": 0, "n": 0}, "n"),
    ],
)
def test_numbers_that_cannot_be_are_named(
    seed_client: TestClient, measure: str, study: dict[str, float], place: str
) -> None:
    assert f"/studies/0/{place}" in refused(ask(seed_client, {"measure": measure, "studies": [study]}))


def test_a_mistyped_name_or_word_is_told_with_the_nearest(seed_client: TestClient) -> None:
    body = {"measure": "risk-ratoi", "studies": [{**COUNTS, "evnts1": 1}], "estimater": "reml"}
    problem = ask(seed_client, body).json()
    near = {error["pointer"]: (error["nearest"], error["nearest"] in error["known"]) for error in problem["errors"]}
    assert near == {
        "/measure": ("risk-ratio", True),
        "/studies/0/evnts1": ("events1", True),
        "/estimater": ("estimator", True),
    }


def test_many_faults_are_told_together_but_not_without_end(seed_client: TestClient) -> None:
    assert len(refused(ask(seed_client, {"measure": "risk-ratio", "studies": [{}] * 100}))) == MOST_ERRORS


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"{", b'{"measure"', b"{}x", b"\xff", b'"\\ud800"', b"[" * 5000, b'{"a":' * 5000, b"\x00", b"'{}'"],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_json_is_told_with_its_place(seed_client: TestClient, content: bytes) -> None:
    answer = ask(seed_client, content)
    assert refused(answer, 400) == {}
    assert "line 1 column" in answer.json()["detail"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_numbers_without_an_end_are_refused(seed_client: TestClient, number: str) -> None:
    content = f'{{"measure":"generic","studies":[{{"estimate":{number},"se":1}}]}}'.encode()
    assert refused(ask(seed_client, content)).keys() == {"/studies/0/estimate"}


def test_a_name_that_stands_twice_is_refused(seed_client: TestClient) -> None:
    content = b'{"measure":"generic","measure":"generic","studies":[{"estimate":9,"estimate":1,"se":1}]}'
    assert refused(ask(seed_client, content)).keys() == {"/measure", "/studies/0/estimate"}


def test_a_name_without_end_is_not_repeated_without_end(seed_client: TestClient) -> None:
    answer = ask(seed_client, {"measure": "generic", "studies": [{"e" * 500_000: 1, "estimate": 1, "se": 1}]})
    assert refused(answer).keys() == {f"/studies/0/{'e' * 100}…"}
    assert len(answer.content) < 3000


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application/json; charset=latin-1"],
)
def test_another_content_type_is_415(seed_client: TestClient, media_type: str) -> None:
    answer = seed_client.post(PATH, content=json.dumps(EXAMPLE).encode(), headers={"Content-Type": media_type})
    refused(answer, 415)
    assert answer.headers["accept"] == "application/json"
    for spelled in ("Application/JSON", 'application/json; charset="UTF-8"'):
        assert ask(seed_client, EXAMPLE, **{"Content-Type": spelled}).status_code == 200


def test_a_coded_body_is_415(seed_client: TestClient) -> None:
    assert "Content-Encoding" in ask(seed_client, b"\x1f\x8b", **{"Content-Encoding": "gzip"}).json()["detail"]
    refused(ask(seed_client, b"\x1f\x8b", **{"Content-Encoding": "gzip"}), 415)
    assert ask(seed_client, EXAMPLE, **{"Content-Encoding": "identity"}).status_code == 200


def test_a_body_that_is_too_large_is_413_with_or_without_its_length(seed_client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(LARGEST_BODY // 50_000 + 1):
            yield b" " * 50_000

    for answer in (
        ask(seed_client, b" " * (LARGEST_BODY + 1)),
        seed_client.post(PATH, content=pieces(), headers={"Content-Type": "application/json"}),
    ):
        refused(answer, 413)
        assert answer.headers["connection"] == "close"
    announced = ask(seed_client, b" " * (LARGEST_BODY + 1)).json()["detail"]
    assert f"{LARGEST_BODY + 1} bytes" in announced, "told before any of it is read"
    fits = json.dumps(EXAMPLE).encode().ljust(LARGEST_BODY)
    assert ask(seed_client, fits).status_code == 200


def test_a_stream_without_end_is_cut_off(live_server: str) -> None:
    place = urlsplit(live_server)
    head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = 0
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(head.encode())
        try:
            while sent < 50 * LARGEST_BODY:
                connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                sent += 0x10000
        except OSError:
            pass
    assert sent < 50 * LARGEST_BODY


def test_when_too_many_wait_the_caller_is_told_when_to_come_back(
    seed_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.routers.syntheses.MOST_WAITING", 0)
    answer = ask(seed_client, EXAMPLE)
    refused(answer, 503)
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?format=xml", "format"),
        ("?formt=csv", "formt"),
        ("?format=csv&format=svg", "format"),
        ("?plot=forest", "plot"),
    ],
)
def test_a_wrong_parameter_is_refused(seed_client: TestClient, query: str, parameter: str) -> None:
    answer = ask(seed_client, EXAMPLE, query)
    assert answer.status_code == 422
    assert parameter in [error["parameter"] for error in answer.json()["errors"]]


def test_what_cannot_be_given_is_406_and_names_what_can(seed_client: TestClient) -> None:
    answer = ask(seed_client, EXAMPLE, Accept="image/png")
    refused(answer, 406)
    assert all(word in answer.json()["detail"] for word in ("application/json", "text/csv", "image/svg+xml"))


def test_a_browser_may_post_from_any_page(seed_client: TestClient) -> None:
    asked = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = seed_client.options(PATH, headers=asked)
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "content-type"


def test_every_measure_and_field_stands_in_the_description_of_the_body() -> None:
    named = set(SynthesisRequest.model_fields["measure"].annotation.__value__.__args__)  # type: ignore[union-attr]  # a named list of words
    assert named == set(MEASURES)


# Its pictures


def drawing(client: TestClient, body: dict[str, Any], query: str = "?format=svg") -> ET.Element:
    answer = ask(client, body, query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "style-src 'unsafe-inline'" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]
    return ET.fromstring(answer.content)


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_a_forest_plot_says_every_figure_and_which_way_is_better(seed_client: TestClient) -> None:
    body = {**EXAMPLE, "title": "Made-up trials", "arm1": "pill", "arm2": "sugar", "direction": "lower-is-better"}
    root = drawing(seed_client, body)
    found = ask(seed_client, body).json()
    assert root.get("role") == "img"
    assert root.get("viewBox")
    named = [root.find(f"{SVG}title"), root.find(f"{SVG}desc")]
    assert [element.get("id") for element in named if element is not None] == str(root.get("aria-labelledby")).split()
    assert named[0] is not None
    assert named[1] is not None
    assert named[0].text == "Made-up trials"
    shown = texts(root)
    for study in found["studies"]:
        figures = [f"{study['display'][name]:.2f}" for name in ("estimate", "ci_low", "ci_high")]
        assert any(line.startswith(f"{figures[0]} [{figures[1]}, {figures[2]}]") for line in shown), shown
        assert all(figure in str(named[1].text) for figure in (study["label"], *figures))
    assert "← Favours pill" in shown
    assert "Favours sugar →" in shown
    assert "Prediction interval" in shown
    assert any("REML" in line and "Knapp–Hartung" in line for line in shown)
    assert len(list(root.iter(f"{SVG}rect"))) == 1 + len(found["studies"])


def test_a_plot_runs_no_script_and_holds_no_markup_of_a_stranger(seed_client: TestClient) -> None:
    evil = "</text><script>alert(\"1\")</script> & 'x'"
    body = {**EXAMPLE, "title": evil, "arm1": evil, "studies": [{**COUNTS, "label": evil}, OTHER]}
    for plot in ("forest", "funnel"):
        root = drawing(seed_client, body, f"?format=svg&plot={plot}")
        names = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert names <= {"svg", "title", "desc", "style", "text", "path", "rect", "circle"}
        assert not any(name.startswith("on") or "href" in name for element in root.iter() for name in element.attrib)


def test_thirteen_studies_fit_in_15_kb_and_a_thousand_are_drawn(seed_client: TestClient) -> None:
    for plot in ("forest", "funnel"):
        small = ask(seed_client, {"measure": "odds-ratio", "studies": counts(13)}, f"?format=svg&plot={plot}")
        assert len(small.content) <= 15_000
        drawing(seed_client, {"measure": "odds-ratio", "studies": counts(MOST_STUDIES)}, f"?format=svg&plot={plot}")


@pytest.mark.parametrize(
    ("direction", "left"),
    [("lower-is-better", "Favours pill"), ("higher-is-better", "Favours sugar"), ("unclear", "Less with pill")],
)
def test_the_left_of_a_plot_is_where_arm_1_has_less(seed_client: TestClient, direction: str, left: str) -> None:
    body = {**EXAMPLE, "arm1": "pill", "arm2": "sugar", "direction": direction}
    assert f"← {left}" in texts(drawing(seed_client, body))


def test_wide_letters_and_long_names_leave_room_for_the_figures(seed_client: TestClient) -> None:
    labels = ["W" * 60, "研究" * 30, "e" * 60]
    studies = [{**COUNTS, "label": label} for label in labels]
    shown = texts(drawing(seed_client, {**EXAMPLE, "title": "研究" * 60, "studies": studies}))
    wide, eastern, plain = (next(line for line in shown[3:] if line.startswith(label[:2])) for label in labels)
    assert len(wide) < len(eastern) + 2 < len(plain) <= 30
    assert all(len(line) <= 25 for line in shown[:2]), "and titles are broken"
    long = {"arm1": "a treatment of a long name", "arm2": "a comparator of a long name", "direction": "lower-is-better"}
    root = drawing(seed_client, {**EXAMPLE, **long})
    left, right = (
        next(one for one in root.iter(f"{SVG}text") if name in str(one.text)) for name in list(long.values())[:2]
    )
    assert left.get("y") != right.get("y"), "they would stand in each other"


def test_subgroups_stand_together_above_what_they_come_to(seed_client: TestClient) -> None:
    names = ["old", "young", "old"]
    made_up: Any = EXAMPLE["studies"]
    studies = [{**study, "subgroup": name} for study, name in zip(made_up, names, strict=True)]
    body = {**EXAMPLE, "interval": "wald", "studies": studies, "also": ["subgroups"]}
    root, found = drawing(seed_client, body), ask(seed_client, body).json()
    labels = ["Made-up A", "Made-up C", "old, 2 studies", "Made-up B", "young, 1 study", "Pooled"]
    assert [line for line in texts(root) if line in labels] == labels
    old = next(group["result"]["display"] for group in found["subgroups"]["groups"] if group["label"] == "old")
    figures = f"{old['estimate']:.2f} [{old['ci_low']:.2f}, {old['ci_high']:.2f}]"
    assert figures in texts(root)
    spoken = root.findtext(f"{SVG}desc") or ""
    assert f"old, 2 studies: RR {old['estimate']:.2f}, 95% CI" in spoken
    assert "Between subgroups: Q = " in spoken


def test_differences_are_written_finely_enough_to_tell_them_from_none(seed_client: TestClient) -> None:
    studies = [{"estimate": 2, "se": 0.75}, {"estimate": 20, "se": 173}, {"estimate": -7, "se": 0.75}]
    shown = texts(drawing(seed_client, {"measure": "generic", "studies": studies}))
    assert any(line.startswith("2.0 [0.5, 3.5]") for line in shown), shown


def test_an_interval_beyond_the_axis_ends_in_an_arrow(seed_client: TestClient) -> None:
    studies = [{"estimate": 0, "se": 0.1}, {"estimate": 0.1, "se": 0.1}, {"estimate": 0.2, "se": 50}]
    paths = [
        element.get("d", "")
        for element in drawing(seed_client, {"measure": "generic", "studies": studies}).iter(f"{SVG}path")
    ]
    assert sum("l5 -3v6z" in path and "l-5 -3v6z" in path for path in paths) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"measure": "generic", "studies": [{"estimate": 0, "se": 1}]},
        {"measure": "generic", "studies": [{"estimate": 1e12, "se": 1e-12}]},
        {"measure": "generic", "studies": [{"estimate": 1e12, "se": 1e-12}] * 2},
        {"measure": "generic", "estimates_are_log": True, "studies": [{"estimate": 0, "se": 1e12}] * 2},
        {"measure": "generic", "estimates_are_log": True, "studies": [{"estimate": -1e12, "se": 1}] * 2},
        {"measure": "generic", "estimates_are_log": True, "studies": [{"estimate": 90, "se": 80}] * 2},
        {"measure": "proportion-logit", "studies": [{"events": 0, "n": 1}, {"events": 2**30, "n": 2**30}]},
        {"measure": "proportion-freeman-tukey", "studies": [{"events": 0, "n": 1}, {"events": 5, "n": 5}]},
        {"measure": "fisher-z", "studies": [{"r": 0.999999999, "n": 4}]},
        {
            "measure": "risk-ratio",
            "model": "common-effect",
            "method": "mantel-haenszel",
            "studies": [{**COUNTS, "events1": 0, "events2": 0}, OTHER],
        },
    ],
    ids=lambda body: str(body)[:90],
)
def test_strange_numbers_are_drawn_too(seed_client: TestClient, body: dict[str, Any]) -> None:
    for plot in ("forest", "funnel"):
        root = drawing(seed_client, body, f"?format=svg&plot={plot}")
        assert not any(word in ET.tostring(root, encoding="unicode") for word in ("nan", "inf]", "inf,", '"inf'))


def test_a_funnel_plot_has_a_dot_for_each_study_and_hollow_ones_for_what_was_filled(seed_client: TestClient) -> None:
    studies = KNOWN["trim_and_fill"]["studies"]
    body = {"measure": "generic", "estimator": "dl", "studies": studies, "also": ["egger", "trim-and-fill"]}
    root = drawing(seed_client, body, "?format=svg&plot=funnel")
    dots = [element.get("class") for element in root.iter(f"{SVG}circle")]
    assert dots.count("mark") == len(studies)
    assert dots.count("hollow") == KNOWN["trim_and_fill"]["k0"]
    assert any(line.startswith("Egger's test: t = ") for line in texts(root))


def test_a_plot_has_colours_for_the_dark_and_is_compressed(seed_client: TestClient) -> None:
    answer = ask(seed_client, EXAMPLE, Accept="image/svg+xml", **{"Accept-Encoding": "gzip"})
    assert "prefers-color-scheme:dark" in answer.text
    assert answer.headers["content-encoding"] == "gzip"
