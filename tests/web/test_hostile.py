"""Wrong requests on both engines: each one is told as a problem that says what was wrong, where, and what was meant.

The lists of faults stand at the top of their section; the resources, their parameters and the operations are read off
the program, so that a new resource is attacked without a line here.
"""

import re
import socket
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Literal, cast, get_args, get_origin
from urllib.parse import quote, urlsplit

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.errors import MEDIA_TYPE, MOST_ERRORS, problems
from app.fields import QueryText, includable, uses
from app.models import RESOURCES
from app.models.base import Row
from app.reports.synthesis.answer import example_answer
from app.routers.lookup import SYSTEMS
from app.store.examples import RELEASE, example_of
from app.store.read.query import query_model
from app.web.resources import parents

TITLES = {(kind.status, kind.name): kind.title for kind in problems()}
LIST = "/v1/dosing-intervals"
KEPT_HASH = example_answer().content["input_hash"]
"""What the documentation names, and the fixtures keep."""
ONE = "/v1/treatments/onabotulinumtoxina"
PAGES = (
    "/",
    "/treatments",
    "/claims",
    "/claims/c20",
    "/docs",
    "/docs/start.js",
    "/assets/style.css",
    "/openapi.json",
    "/problems",
    "/problems/not-found",
)

every_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))


def told(answer: Response, status: int, *, parameter: str | None = None, nearest: str | None = None) -> dict[str, Any]:
    """The problem of an answer, which must have the status and all that RFC 9457, caches and browsers want of it."""
    asked = f"{answer.request.method} {str(answer.request.url)[:300]}: {answer.text[:300]}"
    assert answer.status_code == status, asked
    assert answer.headers["content-type"] == MEDIA_TYPE, asked
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == "*"
    problem = cast(dict[str, Any], answer.json())
    assert problem.keys() - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert problem["status"] == status
    assert problem["title"] == TITLES[status, problem["type"].removeprefix("http://127.0.0.1:8000/problems/")]
    assert problem["detail"]
    errors = problem.get("errors", [])
    assert all(
        error.keys() <= {"parameter", "detail", "nearest", "known", "rules", "reason", "sides"} for error in errors
    )
    if parameter is not None:
        assert parameter in [error["parameter"] for error in errors], asked
    if nearest is not None:
        assert nearest in [error.get("nearest") for error in errors], asked
    return problem


def operations(client: TestClient) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every path of the OpenAPI document with a record that exists, and its methods."""
    paths = cast(FastAPI, client.app).openapi()["paths"]
    for path, methods in paths.items():
        plural = path.split("/")[2] if path.startswith("/v1/") else ""
        known = example_of(RESOURCES[plural])["id"] if plural in RESOURCES else "1"
        yield path.replace("{id}", known).replace("{name}", RELEASE).replace("{hash}", KEPT_HASH), methods


def required(client: TestClient, methods: dict[str, Any]) -> dict[str, str]:
    """The query parameters that an operation cannot do without, with the examples of the OpenAPI document."""
    shared = cast(FastAPI, client.app).openapi()["components"]["parameters"]
    parameters = [shared.get(one.get("$ref", "").split("/")[-1], one) for one in methods["get"].get("parameters", [])]
    return {
        parameter["name"]: parameter["schema"]["examples"][0]
        for parameter in parameters
        if parameter["in"] == "query" and parameter.get("required")
    }


def handfuls(names: Sequence[str]) -> list[Sequence[str]]:
    """The names in groups, each small enough that all its faults are told in one problem."""
    return [names[start : start + MOST_ERRORS] for start in range(0, len(names), MOST_ERRORS)]


def lists(resource: type[Row]) -> list[str]:
    """The list of a resource, and its lists under a parent that exists."""
    under = [
        f"/v1/{parent.plural}/{example_of(parent)['id']}/{resource.plural}" for parent in parents(resource).values()
    ]
    return [f"/v1/{resource.plural}", *under]


# Parameters and their names


@every_resource
def test_an_unknown_parameter_is_refused_with_the_nearest_and_all_known_ones(
    seed_client: TestClient, resource: type[Row]
) -> None:
    known = sorted(query_model(resource).model_fields)
    for some in handfuls(known):
        problem = told(seed_client.get(f"/v1/{resource.plural}", params={f"{name}x": "1" for name in some}), 422)
        found = {error["parameter"]: (error["nearest"], error["known"]) for error in problem["errors"]}
        assert found == {f"{name}x": (name, known) for name in some}
    far = told(seed_client.get(f"/v1/{resource.plural}?qqqqqqqqqq=1"), 422, parameter="qqqqqqqqqq")
    assert "nearest" not in far["errors"][0]


@every_resource
def test_every_list_and_record_refuses_what_it_does_not_know(seed_client: TestClient, resource: type[Row]) -> None:
    one = f"/v1/{resource.plural}/{example_of(resource)['id']}"
    for path in lists(resource):
        told(seed_client.get(path, params={"limits": "1"}), 422, parameter="limits", nearest="limit")
        told(seed_client.get(path, params={"utm_source": "x"}), 422, parameter="utm_source")
    told(seed_client.get(one, params={"limit": "1"}), 422, parameter="limit")
    told(seed_client.get(one, params={"field": "id"}), 422, parameter="field", nearest="fields")
    for name, parent in parents(resource).items():
        under = f"/v1/{parent.plural}/{example_of(parent)['id']}/{resource.plural}"
        told(seed_client.get(under, params={name: "x"}), 422, parameter=name)


@every_resource
def test_an_unknown_name_in_a_comma_list_is_refused_with_the_nearest(
    seed_client: TestClient, resource: type[Row]
) -> None:
    path = f"/v1/{resource.plural}"
    one = f"{path}/{example_of(resource)['id']}"
    for name, use in uses(resource).items():
        told(seed_client.get(path, params={"fields": f"id,{name}x"}), 422, parameter="fields", nearest=name)
        if use.is_sortable:
            told(seed_client.get(path, params={"sort": f"-{name}x,id"}), 422, parameter="sort", nearest=name)
        else:
            told(seed_client.get(path, params={"sort": name}), 422, parameter="sort")
    for name in includable(resource):
        told(seed_client.get(path, params={"include": f"{name}x"}), 422, parameter="include", nearest=name)
        told(seed_client.get(one, params={"include": f"{name},{name}"}), 422, parameter="include")
    for path_of_any in (*lists(resource), one):
        problem = told(seed_client.get(path_of_any, params={"fields": "no such"}), 422, parameter="fields")
        assert set(problem["errors"][0]["known"]) == set(uses(resource)), "what would be right"
        told(seed_client.get(path_of_any, params={"fields": "id,id"}), 422, parameter="fields")
        told(seed_client.get(path_of_any, params={"include": "no-such"}), 422, parameter="include")


@pytest.mark.parametrize("sort", ["id,id", "id,-id", "--id", "-", "+id", " id", "id desc", "id;drop table source", "*"])
def test_a_sort_that_cannot_be_is_refused(seed_client: TestClient, sort: str) -> None:
    told(seed_client.get(LIST, params={"sort": sort}), 422, parameter="sort")


@every_resource
def test_a_parameter_of_one_value_may_stand_there_once_only(seed_client: TestClient, resource: type[Row]) -> None:
    repeated = {
        "limit": "1",
        "sort": "id",
        "fields": "id",
        "count": "exact",
        "format": "json",
        "created_at_gte": "2020",
    }
    for name, value in repeated.items():
        for path in lists(resource):
            told(seed_client.get(f"{path}?{name}={value}&{name}={value}"), 422, parameter=name)


def test_many_faults_are_told_together_but_not_without_end(seed_client: TestClient) -> None:
    two = told(seed_client.get(LIST, params={"limit": "0", "sort": "nmae"}), 422, parameter="limit")
    assert [error["parameter"] for error in two["errors"]] == ["sort", "limit"]
    many = told(seed_client.get(LIST, params={f"q{number}": "1" for number in range(500)}), 422)
    assert 1 < len(many["errors"]) <= MOST_ERRORS


def test_a_list_of_ids_has_an_end(seed_client: TestClient) -> None:
    told(seed_client.get(LIST, params={"id": [f"a{number}" for number in range(201)]}), 422, parameter="id")
    assert seed_client.get(LIST, params={"id": [f"a{number}" for number in range(200)]}).status_code == 200


# Parameters and their values

HUGE = str(2**64)
LIMITS = ["0", "-1", "1000000000", "201", "abc", "", "1.5", "1e2", HUGE, f"-{HUGE}", "9" * 5000, "１", "null"]
SLUGS = ["", "Bad_Slug", "a b", "-a", "a--b", "a-", "é", "１", "a" * 121, "' OR 1=1", "../a", "a\n"]
FAULTS = {
    "number": ["abc", "", "1e999", "-1e999", "nan", "inf", "0x10", "1,5", "1 2", "１", "9" * 400],
    "flag": ["maybe", "", "2", "TRUE!"],
    "date": [
        "yesterday",
        "",
        "2000-13",
        "2000-00-01",
        "2000-1-1",
        "20000101",
        "2000-01-01T00:00Z",
        "-2000",
        "２０００",
    ],
    "time": [
        "yesterday",
        "",
        "2000-1",
        "2000-01-01 00:00",
        "2000-01-01T00",
        "-2000",
        "2000-01-01T00:00+01:00",
        "２０００",
    ],
}


@every_resource
def test_a_limit_out_of_range_is_refused(seed_client: TestClient, resource: type[Row]) -> None:
    for path in lists(resource):
        for limit in LIMITS:
            told(seed_client.get(path, params={"limit": limit}), 422, parameter="limit")


@every_resource
def test_a_value_that_is_none_of_its_kind_is_refused(seed_client: TestClient, resource: type[Row]) -> None:
    for shape, values in FAULTS.items():
        asked = [use for use in uses(resource).values() if use.is_filter and use.shape == shape]
        names = [f"{use.name}{end}" for use in asked for end in (["", "_gte", "_lte"] if use.is_bounded else [""])]
        for value in values:
            for some in handfuls(names):
                problem = told(seed_client.get(f"/v1/{resource.plural}", params=dict.fromkeys(some, value)), 422)
                assert {error["parameter"] for error in problem["errors"]} == set(some), value


@every_resource
def test_an_unknown_word_is_refused_with_the_nearest_and_all_known_ones(
    seed_client: TestClient, resource: type[Row]
) -> None:
    path = f"/v1/{resource.plural}"
    words = {name: get_args(use.parameter) for name, use in uses(resource).items() if use.is_filter}
    words = {name: known for name, known in words.items() if get_origin(uses(resource)[name].parameter) is Literal}
    for name, known in {**words, "format": ("json", "csv", "ndjson"), "count": ("exact",)}.items():
        for word in known:
            problem = told(seed_client.get(path, params={name: f"{word}x"}), 422, parameter=name, nearest=word)
            assert problem["errors"][0]["known"] == list(known)
    for name in words:
        told(seed_client.get(path, params={name: [words[name][0], "no such word"]}), 422, parameter=name)


@every_resource
@pytest.mark.parametrize("slug", SLUGS, ids=lambda text: repr(text[:12]))
def test_a_bad_slug_is_refused_wherever_it_stands(seed_client: TestClient, resource: type[Row], slug: str) -> None:
    path = f"/v1/{resource.plural}"
    names = {"id", *parents(resource)}
    problem = told(seed_client.get(path, params=dict.fromkeys(names, slug)), 422)
    assert {error["parameter"] for error in problem["errors"]} == names
    told(seed_client.get(path, params={"id": ["good", slug]}), 422, parameter="id")
    if slug and "/" not in slug:
        told(seed_client.get(f"{path}/{quote(slug, safe='')}"), 422, parameter="id")
        for parent in parents(resource).values():
            told(seed_client.get(f"/v1/{parent.plural}/{quote(slug, safe='')}/{resource.plural}"), 422, parameter="id")


@every_resource
@pytest.mark.parametrize(
    "number",
    [2**31, -(2**31) - 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**400],
    ids=lambda n: f"{n:.0e}" if abs(n) < 2**65 else "10^400",
)
def test_an_integer_is_compared_or_refused_however_big_it_is(
    seed_client: TestClient, resource: type[Row], number: int
) -> None:
    numbers = [use for use in uses(resource).values() if use.is_filter and use.shape == "number"]
    for kind in (int, float):
        names = [use.name for use in numbers if get_args(use.parameter)[0] is kind]
        for end in ("", "_gte", "_lte"):
            answer = seed_client.get(f"/v1/{resource.plural}", params={f"{name}{end}": str(number) for name in names})
            if answer.status_code != 200:
                told(answer, 422)
            assert number != 10**400 or not names or answer.status_code == 422


def test_whole_numbers_beyond_64_bits_are_refused(seed_client: TestClient) -> None:
    for number in (2**63, -(2**63) - 1, 2**64):
        told(seed_client.get(LIST, params={"sites_min": str(number)}), 422, parameter="sites_min")


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_a_format_cannot_hold_is_refused_as_json(seed_client: TestClient, form: str) -> None:
    told(seed_client.get(LIST, params={"format": form, "include": "treatment"}), 422, parameter="include")
    told(seed_client.get(LIST, params={"format": form, "count": "exact"}), 422, parameter="count")
    told(seed_client.get(LIST, params={"format": form, "limit": "0"}), 422, parameter="limit")
    told(seed_client.get(LIST, params={"format": form, "cursor": "x"}), 400)
    told(seed_client.get("/v1/treatments/no-such", params={"format": form}), 404)


@pytest.mark.parametrize(
    ("asked", "parameter", "nearest"),
    [
        ({}, "system", None),
        ({"code": "x"}, "system", None),
        ({"system": "doi"}, "code", None),
        ({"system": "doy", "code": "x"}, "system", "doi"),
        ({"system": "", "code": "x"}, "system", None),
        ({"system": "\t", "code": "x"}, "system", None),
        ({"system": "x" * 41, "code": "x"}, "system", None),
        ({"system": "doi", "code": ""}, "code", None),
        ({"system": "doi", "code": "a\nb"}, "code", None),
        ({"system": "doi", "code": "x" * 301}, "code", None),
        ({"system": ["doi", "pmid"], "code": "x"}, "system", None),
        ({"system": "doi", "code": ["x", "y"]}, "code", None),
        ({"sytem": "doi", "code": "x"}, "sytem", "system"),
        ({"system": "doi", "code": "x", "limit": "1"}, "limit", None),
    ],
)
def test_a_wrong_lookup_says_what_is_wrong(
    seed_client: TestClient, asked: dict[str, Any], parameter: str, nearest: str | None
) -> None:
    told(seed_client.get("/v1/lookup", params=asked), 422, parameter=parameter, nearest=nearest)


def test_a_wrong_dossier_says_what_is_wrong(seed_client: TestClient) -> None:
    path = f"{ONE}/dossier"
    told(seed_client.get(path, params={"conditon": "x"}), 422, parameter="conditon", nearest="condition")
    told(seed_client.get(path, params={"condition": "Bad Slug"}), 422, parameter="condition")
    told(seed_client.get(f"{path}?condition=a&condition=b"), 422, parameter="condition")
    told(seed_client.get("/v1/treatments/Bad_Slug/dossier"), 422, parameter="id")
    told(seed_client.get(path, params={"condition": "no-such"}), 422, parameter="condition")


# Cursors


def cursor_of(client: TestClient, **asked: str) -> str:
    """The cursor of the second page of a list."""
    return str(client.get(LIST, params={"limit": "1", **asked}).json()["next"])


def forged(client: TestClient, content: str, sort: str) -> Response:
    """The answer to a cursor of a stranger's making; MARK stands for the right mark of the query."""
    mark = urlsafe_b64decode(cursor_of(client, sort=sort) + "==").split(b'"')[1].decode()
    cursor = urlsafe_b64encode(content.replace("MARK", mark).encode()).decode().rstrip("=")
    return client.get(LIST, params={"limit": "1", "sort": sort, "cursor": cursor})


@pytest.mark.parametrize(
    "other",
    [
        {"sort": "id"},
        {"sort": "-interval_days"},
        {"sort": "interval_days,created_at"},
        {"sort": "interval_days", "treatment": "onabotulinumtoxina"},
        {"sort": "interval_days", "basis": "label"},
        {"sort": "interval_days", "interval_days_lte": "84"},
        {},
    ],
)
def test_a_cursor_of_another_query_is_refused(seed_client: TestClient, other: dict[str, str]) -> None:
    cursor = cursor_of(seed_client, sort="interval_days")
    assert seed_client.get(LIST, params={"sort": "interval_days", "cursor": cursor}).status_code == 200
    told(seed_client.get(LIST, params={**other, "cursor": cursor}), 400)


def test_a_cursor_of_another_resource_or_parent_is_refused(seed_client: TestClient) -> None:
    cursor = cursor_of(seed_client)
    for path in ("/v1/treatments", f"{ONE}/dosing-intervals"):
        told(seed_client.get(path, params={"cursor": cursor}), 400)


@every_resource
@pytest.mark.parametrize(
    "cursor", ["x", " ", "!!!!", "é", "W10", "MQ", "bnVsbA", "e30", "IiI", "/////w", "a" * 4000, "W1tbW1tbW1s", "AAAA"]
)
def test_a_cursor_that_nobody_gave_is_refused(seed_client: TestClient, resource: type[Row], cursor: str) -> None:
    told(seed_client.get(f"/v1/{resource.plural}", params={"cursor": cursor}), 400)
    for path in lists(resource) if cursor == "x" else []:
        told(seed_client.get(path, params={"cursor": cursor}), 400)


def test_a_cursor_that_is_longer_than_any_is_refused(seed_client: TestClient) -> None:
    told(seed_client.get(LIST, params={"cursor": "a" * 4001}), 422, parameter="cursor")


FORGED_ANYWHERE = [
    '"MARK"',
    '{"MARK":1}',
    '["MARK"]',
    '["MARK","a"]',
    '["MARK",1,"a","b"]',
    '["MARK",1,null]',
    '["MARK",1,1]',
    '["MARK",1,["a"]]',
    '["MARK",{},"a"]',
    '["MARK",[[[[]]]],"a"]',
    f'["MARK",{"[" * 900}{"]" * 900},"a"]',
    '["MARK",NaN,"a"]',
    '["MARK",-Infinity,"a"]',
    '["MARK",1e999,"a"]',
    '["MARK",1,"\\u0000"]',
    '["MARK",1,"\\ud800"]',
    '[["MARK"],1,"a"]',
    '[null,1,"a"]',
    '["MARK",1,"a"',
    '["MARK",1,"a"] x',
]
FORGED = [
    *(("interval_days", content) for content in FORGED_ANYWHERE),
    *(("interval_days", f'["MARK",{value},"a"]') for value in ('"84"', "true", str(10**400), '""')),
    *(("sites_min", f'["MARK",{value},"a"]') for value in ("1.5", "true", '"1"', str(2**64), str(10**400), "1e999")),
    *(("needs_review", f'["MARK",{value},"a"]') for value in ("1", "0", '"true"', "null", "[]")),
    *(("created_at", f'["MARK",{value},"a"]') for value in ("1", "true", "null", "[]", '"\\u0000"', '"\\udfff"')),
    *(("treatment", f'["MARK",{value},"a"]') for value in ("1", "null", "{}", '"a\\u0000"')),
]


@pytest.mark.parametrize(("sort", "content"), FORGED, ids=lambda text: str(text)[:40])
def test_a_forged_cursor_is_refused(seed_client: TestClient, sort: str, content: str) -> None:
    told(forged(seed_client, content, sort), 400)


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**40, 2**63 - 1, -(2**63) + 1])
@pytest.mark.parametrize("sort", ["sites_min", "-sites_min", "interval_days", "-max_dose_period"])
def test_a_forged_cursor_with_a_big_number_breaks_nothing(seed_client: TestClient, sort: str, value: int) -> None:
    answer = forged(seed_client, f'["MARK",{value},"a"]', sort)
    if answer.status_code != 200:
        told(answer, 400)


# Addresses

UNREADABLE = ["%00", "a%00b", "%FF", "%C3", "%C0%80", "%ED%A0%80", "%ED%B0%80", "%F4%90%80%80", "%E2%82"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_nul_and_what_is_not_utf8_is_refused_in_path_name_and_value(seed_client: TestClient, text: str) -> None:
    for path in (LIST, ONE, f"{ONE}/dossier", f"{ONE}/side-effects", "/v1/lookup", *PAGES):
        told(seed_client.get(f"{path}?q={text}"), 400)
        told(seed_client.get(f"{path}?{text}=q"), 400)
        told(seed_client.get(f"{path}{text}"), 400)
        told(seed_client.get(f"{path.rstrip('/')}/{text}"), 400)


@pytest.mark.parametrize("path", [LIST, ONE, "/v1/lookup", "/", "/no/such/page"])
def test_an_address_that_is_too_long_is_refused(seed_client: TestClient, path: str) -> None:
    told(seed_client.get(f"{path}?q={'a' * 40_000}"), 414)
    told(seed_client.get(f"{path.rstrip('/')}/{'a' * 40_000}"), 414)
    assert seed_client.get(LIST, params={"id": ["a" * 120] * 200, "fields": "id"}).status_code == 200


@every_resource
def test_an_unknown_id_is_404_with_the_nearest_one(seed_client: TestClient, resource: type[Row]) -> None:
    known = example_of(resource)["id"]
    near = told(seed_client.get(f"/v1/{resource.plural}/{known}x"), 404)
    assert f"Did you mean {known!r}?" in near["detail"]
    far = told(seed_client.get(f"/v1/{resource.plural}/no-such-record-anywhere"), 404)
    assert "Did you mean" not in far["detail"]
    for below in [row.plural for row in RESOURCES.values() if resource in parents(row).values()]:
        assert known in told(seed_client.get(f"/v1/{resource.plural}/{known}x/{below}"), 404)["detail"]


@every_resource
def test_a_mistyped_resource_is_404_with_the_nearest_one(seed_client: TestClient, resource: type[Row]) -> None:
    for wrong in (f"{resource.plural}x", resource.plural.upper()):
        for path in (f"/v1/{wrong}", f"/v1/{wrong}/some-id"):
            assert f"Did you mean /v1/{resource.plural}?" in told(seed_client.get(path), 404)["detail"]
    for path in (f"/v1/{resource.plural}", f"/v1/{resource.plural}/some-id"):
        assert f"Did you mean {path}?" in told(seed_client.get(f"{path}/"), 404)["detail"], "a slash too many"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/",
        "/v2/treatments",
        "/V1/treatments",
        "/v1/treatments/",
        f"{ONE}/",
        f"{ONE}/dossier/",
        f"{ONE}/treatments",
        f"{ONE}/no-such-list",
        f"{ONE}/side-effects/some-id",
        "/v1//treatments",
        "/v1/lookup/",
        "/treatment",
        "/treatments/",
        "/treatments/no-such-record-anywhere",
        "/treatments/onabotulinumtoxina/dossier",
        "/outcomes/pain-relief-50",
        "/index.html",
        "/index.php",
        "/favicon.ico",
        "/.env",
        "/docs/",
        "/docs/../start.js",
        "/docs/%2e%2e%2fdocs.html",
        "/docs/..%2f..%2fcli.py",
        "/docs/%2fetc%2fpasswd",
        "/docs/..%5c..%5ccli.py",
        "/docs/start.js%20",
        "/assets/",
        "/assets/base.html",
        "/assets/..%2fbase.html",
        "/assets/%2e%2e/base.html",
        "/assets/....//base.html",
        "/problems/",
        "/problems/no-such-problem",
        "/problems/..%2fbase",
        "/v1/treatments/..%2f..%2fetc%2fpasswd",
        "/v1/treatments/%2e%2e%2f%2e%2e%2fopenapi.json",
        "/v1/treatments%2fonabotulinumtoxina/x",
        "/v1/treatments;a=b",
        "/openapi.yaml",
        "/*",
        "/%",
        "/%zz",
        "/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ],
)
def test_an_unknown_page_is_404(seed_client: TestClient, path: str) -> None:
    told(seed_client.get(path), 404)


@pytest.mark.parametrize("step", ["a b", "a\nb", "a?b", "a#b", "<b>", '"', "é", "%", "\\", "a\u202eb", "😀", "[", "|"])
def test_the_instance_of_a_problem_is_the_address_that_was_asked_for(seed_client: TestClient, step: str) -> None:
    for path in (f"/v1/{quote(step, safe='')}", f"/v1/treatments/{quote(step, safe='')}"):
        answer = seed_client.get(path)
        instance = told(answer, answer.status_code)["instance"]
        assert re.fullmatch(r"/[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*", instance), (
            "a URI reference, RFC 9457 section 3.1.5"
        )
        assert instance == path


def test_the_instance_of_a_problem_never_names_another_host(seed_client: TestClient) -> None:
    instance = told(seed_client.get("http://127.0.0.1:8000//evil.test/v1"), 404)["instance"]
    assert urlsplit(instance).netloc == ""


@pytest.mark.parametrize("kind", list(problems()), ids=lambda kind: kind.name)
def test_the_type_of_a_problem_is_a_page_that_explains_it(seed_client: TestClient, kind: Any) -> None:
    page = seed_client.get(f"/problems/{kind.name}")
    assert page.status_code == 200
    assert kind.title in page.text


# Methods

METHODS = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO")


@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_is_not_there_is_405_with_those_that_are(seed_client: TestClient, method: str) -> None:
    pages: list[tuple[str, dict[str, Any]]] = [(path, {"get": {}}) for path in PAGES]
    for path, methods in chain(operations(seed_client), pages):
        allowed = {name.upper() for name in methods} | ({"HEAD"} if "get" in methods else set())
        if method in allowed:
            continue
        answer = seed_client.request(method, path, content=b'{"a":', headers={"Content-Type": "application/json"})
        told(answer, 405)
        assert answer.headers["allow"] == ", ".join(sorted(allowed)), path


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "TRACE"])
def test_a_page_that_is_not_there_is_404_whatever_the_method(seed_client: TestClient, method: str) -> None:
    told(seed_client.request(method, "/v1/no-such"), 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{LIST}?limit=0", 422),
        (f"{LIST}?cursor=x", 400),
        (f"{LIST}?q=%00", 400),
        (f"{LIST}?q={'a' * 40_000}", 414),
        ("/v1/treatments/no-such", 404),
        ("/no-such", 404),
    ],
    ids=lambda value: str(value)[:40],
)
def test_head_of_a_wrong_request_is_get_without_its_body(seed_client: TestClient, path: str, status: int) -> None:
    named = {"X-Request-ID": "made-up"}
    get, head = seed_client.get(path, headers=named), seed_client.head(path, headers=named)
    told(get, status)
    assert head.status_code == status
    assert head.content == b""
    assert head.headers == get.headers


@pytest.mark.parametrize("body", [b"{", b"\x00\xff", b"x" * 100_000], ids=["broken", "binary", "big"])
def test_a_body_on_a_get_changes_nothing(seed_client: TestClient, body: bytes) -> None:
    for path in (f"{LIST}?limit=1", ONE):
        answer = seed_client.request("GET", path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200
        assert answer.content == seed_client.get(path).content


# Headers

UNACCEPTABLE = [
    "image/png",
    "text/html",
    "application/xml, text/html;q=0.9",
    "*/*;q=0",
    "application/*;q=0, text/*;q=0",
    "application/json;q=0, text/csv;q=0.0, application/x-ndjson;q=0.000, */*;q=0",
    "application/json;q=nan",
    "application/json;q=abc",
    "application/json;q=",
    "application/json;q=-1",
    ";;;,,,",
    "json",
    "application/jsonx",
    "application",
    "*/json",
    "é/ü",
    "a" * 20_000,
]


@pytest.mark.parametrize("accept", UNACCEPTABLE, ids=lambda text: text[:30])
def test_what_cannot_be_given_is_406(seed_client: TestClient, accept: str) -> None:
    for path in (LIST, f"{ONE}/side-effects", ONE, f"{ONE}/dossier", "/v1/lookup?system=doi&code=x"):
        told(seed_client.get(path, headers={b"Accept": accept.encode()}), 406)


def test_every_operation_names_what_it_can_give_to_whom_it_can_give_nothing(seed_client: TestClient) -> None:
    for path, methods in operations(seed_client):
        if not path.startswith("/v1/") or "get" not in methods or methods["get"].get("security"):
            continue
        problem = told(
            seed_client.get(path, params=required(seed_client, methods), headers={"Accept": "image/png"}), 406
        )
        for media_type in methods["get"]["responses"]["200"]["content"]:
            assert media_type in problem["detail"], path


@pytest.mark.parametrize(
    "accept", ["", " ", ",", "*/*", "image/png, */*;q=0.001", "APPLICATION/JSON", "application/json ; Q=1"]
)
def test_an_accept_header_that_leaves_something_is_answered(seed_client: TestClient, accept: str) -> None:
    assert seed_client.get(LIST, headers={"Accept": accept}).status_code == 200


def test_accept_headers_on_several_lines_are_one_list(seed_client: TestClient) -> None:
    lines = [("Accept", "image/png"), ("Accept", "application/json")]
    assert seed_client.get(ONE, headers=lines).status_code == 200


@pytest.mark.parametrize(
    "tag", ["", '"', '"""', ",,,", "W/", 'W/"', "*x", "é", "a" * 20_000, '"a", , "b', "W/*", '"\\"', '"-br"', "-br"]
)
def test_a_tag_that_nobody_gave_is_passed_over(seed_client: TestClient, tag: str) -> None:
    for path in (f"{LIST}?limit=1", ONE, "/", "/openapi.json"):
        assert seed_client.get(path, headers={b"If-None-Match": tag.encode()}).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        ("Host", "evil.test"),
        ("Accept-Encoding", ";;q=x,,\x7f"),
        ("Accept-Encoding", "*;q=0, identity;q=0"),
        ("Range", "bytes=5-1"),
        ("Content-Length", "0"),
        ("Content-Type", "a" * 10_000),
        ("If-Modified-Since", "yesterday"),
        ("If-Match", '"no-such"'),
        ("Origin", "null"),
        ("X-Forwarded-Proto", "javascript"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Cookie", "\x01=;;"),
        ("Authorization", "Bearer"),
    ],
    ids=lambda header: f"{header[0]} {header[1][:20]!r}",
)
def test_an_odd_header_changes_nothing(seed_client: TestClient, header: tuple[str, str]) -> None:
    headers = {header[0].encode(): header[1].encode()}
    assert seed_client.get(f"{LIST}?limit=1", headers=headers).status_code == 200
    problem = told(seed_client.get(f"{LIST}?limit=0", headers=headers), 422, parameter="limit")
    assert problem["type"].startswith("http://127.0.0.1:8000/")
    told(seed_client.get("/no-such", headers=headers), 404)
    assert seed_client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("asked", ["Authorization", "x-a, x-b", "", "<script>, \x7f", "a" * 5000, "é"])
def test_a_preflight_is_answered_whatever_it_asks_and_wherever(seed_client: TestClient, asked: str) -> None:
    headers = {
        b"Origin": b"https://a.test",
        b"Access-Control-Request-Method": b"GET",
        b"Access-Control-Request-Headers": asked.encode(),
    }
    for path in (LIST, f"{LIST}?limit=0", "/v1/no-such", "/"):
        answer = seed_client.options(path, headers=headers)
        assert answer.status_code == 204
        assert answer.content == b""
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
        assert re.fullmatch(r"[A-Za-z0-9, -]*", answer.headers.get("access-control-allow-headers", ""))


def test_options_that_is_no_preflight_is_a_method_that_is_not_there(seed_client: TestClient) -> None:
    for headers in ({}, {"Origin": "https://a.test"}, {"Access-Control-Request-Method": "GET"}):
        told(seed_client.options(LIST, headers=headers), 405)


# Text that a database may choke on

TEXTS = [
    *("'", "'; --", '"', "\\", "\\x00", "%", "_", "%s", ":a", "$1", "{}", "NULL", "a" * 300),
    *("\ufffd", "\uffff", "\U0010ffff", "😀", "é", "e\u0301", "\u202e", "\u0085"),
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:12]))
def test_any_text_is_looked_for_and_not_found(seed_client: TestClient, text: str) -> None:
    for system in SYSTEMS:
        answer = seed_client.get("/v1/lookup", params={"system": system, "code": text})
        assert answer.json() == {"items": []}, answer.text[:300]


@every_resource
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:12]))
def test_any_text_in_a_filter_is_compared_or_refused(seed_client: TestClient, resource: type[Row], text: str) -> None:
    free = [name for name, use in uses(resource).items() if use.is_filter and use.parameter == QueryText]
    answer = seed_client.get(f"/v1/{resource.plural}", params={**dict.fromkeys(free, text), "fields": "id"})
    if answer.status_code != 200:
        told(answer, 422)


# What is no HTTP at all, over a socket: no handler sees it, and yet it is told as a problem

NO_HTTP = {
    "an unknown method": b"FOO /v1/treatments HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method in lower case": b"get /v1/treatments HTTP/1.1\r\nHost: a\r\n\r\n",
    "a relative address": b"GET v1/treatments HTTP/1.1\r\nHost: a\r\n\r\n",
    "no address": b"GET HTTP/1.1\r\nHost: a\r\n\r\n",
    "an unknown version": b"GET /v1/treatments HTTP/9.9\r\nHost: a\r\n\r\n",
    "a raw NUL in the address": b"GET /v1/\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header without a name": b"GET /v1/treatments HTTP/1.1\r\n: a\r\n\r\n",
    "a NUL in a header": b"GET /v1/treatments HTTP/1.1\r\nHost: a\r\nAccept: \x00\r\n\r\n",
    "a length that is no number": b"POST /v1/treatments HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    "two lengths": b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
    "a length and chunks": (
        b"POST /v1/lookup HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "an address beyond any buffer": b"GET /v1/treatments?q=" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("name", NO_HTTP)
def test_what_is_no_http_is_told_as_a_problem_too(live_server: str, name: str) -> None:
    place = urlsplit(live_server)
    with socket.create_connection((place.hostname, place.port), timeout=10) as connection:
        connection.sendall(NO_HTTP[name])
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode().lower()
    head, _, body = answer.partition("\r\n\r\n")
    assert re.match(r"http/1\.1 4\d\d ", head), head
    assert f"content-type: {MEDIA_TYPE}" in head
    assert '"detail"' in body
