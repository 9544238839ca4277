"""Bodies that are broken, too large or of another format: each is told with the place, and changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import MOST_ERRORS
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.base import Row
from app.store.examples import example_record
from tests.support.api import Api, problem_of

RECORD: dict[str, Any] = {"id": "made-up-broken", "name": "made up"}
DEEP = 100_000

NO_JSON = [
    b"",
    b" ",
    b"x",
    b"nul",
    b"{",
    b"}",
    b'{"id"',
    b'{"id":}',
    b'{"id":"a",}',
    b"[1,]",
    b"{'id':'a'}",
    b"{id:1}",
    b'{"id":01}',
    b'{"id":+1}',
    b'{"id":.5}',
    b'{"id":0x10}',
    b'{"id":NaN}',
    b'{"id":Infinity}',
    b'{"id":-Infinity}',
    b'{"id":"a"}{"id":"b"}',
    b'{"id":"a"} x',
    b'{"id":"\x01"}',
    b'{"id":"a\nb"}',
    b'{"id":"\\x"}',
    b'{"id":"\\ud800"}',
    b'{"\\udfff":"a"}',
    b'{"id":"\xff"}',
    b'{"id":"\xed\xa0\x80"}',
    b'{"id":"\xc0\x80"}',
    b"\xef\xbb\xbf{}",
    '{"id":"a"}'.encode("utf-16"),
    b'// a comment\n{"id":"a"}',
    b"[" * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b'{"id":1' + b"0" * 5000 + b"}",
]
UNCLEAR = [
    (b'{"id":"a","id":"b"}', "/id"),
    (b'{"name":"x","codes":[{"code":"1","code":"2"}]}', "/codes/0/code"),
    (b'{"a/b":{"c~":1,"c~":1}}', "/a~1b/c~0"),
    (b'{"name":1e999}', "/name"),
    (b'{"name":[1,-1e999]}', "/name/1"),
    (b'{"name":1' + b"0" * 400 + b"}", "/name"),
    (b"[]", ""),
    (b"null", ""),
    (b"1", ""),
    (b'"text"', ""),
    (b"true", ""),
]
BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"id": "made-up-broken"}, "/name"),
    ({"name": "x"}, "/id"),
    (RECORD | {"id": "Bad Id"}, "/id"),
    (RECORD | {"id": "a" * 121}, "/id"),
    (RECORD | {"id": ["a"]}, "/id"),
    (RECORD | {"id": {"a": 1}}, "/id"),
    (RECORD | {"name": None}, "/name"),
    (RECORD | {"name": ""}, "/name"),
    (RECORD | {"name": 5}, "/name"),
    (RECORD | {"name": "a\u0000b"}, "/name"),
    (RECORD | {"name": "a\u202eb"[:1] + "\u0007"}, "/name"),
    (RECORD | {"name": " a"}, "/name"),
    (RECORD | {"name": "a" * 1001}, "/name"),
    (RECORD | {"synonyms": "a"}, "/synonyms"),
    (RECORD | {"synonyms": [1]}, "/synonyms/0"),
    (RECORD | {"codes": [{"system": "no-such", "code": "1"}]}, "/codes/0/system"),
    (RECORD | {"codes": [{"system": "icd-10", "code": "1", "cod": 1}]}, "/codes/0/cod"),
    (RECORD | {"part_of": "no-such"}, "/part_of"),
    (RECORD | {"nmae": "x"}, "/nmae"),
    (RECORD | {"missing": {"definition": "no-reason"}}, "/missing/definition"),
    (RECORD | {"citations": [{"source": "no-such"}]}, "/citations/0/source"),
    (RECORD | {"~/": 1}, "/~0~1"),
]


@pytest.fixture(autouse=True)
def nothing_changes(api: Api) -> Iterator[None]:
    before = api.revision()
    yield
    assert api.revision() == before
    assert api.client.get("/v1/conditions/made-up-broken").status_code == 404


def put(api: Api, body: Any) -> Any:
    return api.ask("PUT", "/v1/conditions/chronic-migraine", body, If_Match="*")


@pytest.mark.parametrize("body", NO_JSON, ids=lambda body: repr(body[:24]))
def test_what_is_no_json_is_told_with_its_place(api: Api, body: bytes) -> None:
    for answer in (api.ask("POST", "/v1/conditions", body), put(api, body)):
        problem = problem_of(answer, 400, "bad-request")
        assert " at line " in problem["detail"]
        assert len(problem["detail"]) < 500


@pytest.mark.parametrize(("body", "pointer"), UNCLEAR, ids=lambda value: repr(value[:24]))
def test_what_two_readers_would_read_differently_is_refused(api: Api, body: bytes, pointer: str) -> None:
    for answer in (api.ask("POST", "/v1/conditions", body), put(api, body)):
        problem_of(answer, 422, "invalid-body", pointer)


@pytest.mark.parametrize(("body", "pointer"), BROKEN, ids=lambda value: str(value)[:40])
def test_a_broken_rule_is_told_with_its_place(api: Api, body: dict[str, Any], pointer: str) -> None:
    problem_of(api.ask("POST", "/v1/conditions", body), 422, "invalid-record", pointer)


def places(values: Any, place: str = "") -> Iterator[tuple[Any, str]]:
    """Every object within a value, with its JSON pointer."""
    if isinstance(values, dict):
        yield values, place
        for name, inner in values.items():
            yield from places(inner, f"{place}/{name}")
    elif isinstance(values, list):
        for index, inner in enumerate(values):
            yield from places(inner, f"{place}/{index}")


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))
def test_an_unknown_name_in_any_object_of_any_record_is_told(api: Api, resource: type[Row]) -> None:
    record = {**example_record(resource), "id": "made-up-broken"}
    for inner, place in places(record):
        inner["unknwon"] = 1
        answer = api.ask("POST", f"/v1/{resource.plural}", record)
        problem_of(answer, 422, "invalid-record", f"{place}/unknwon")
        del inner["unknwon"]


def test_many_faults_are_told_together_but_not_without_end(api: Api) -> None:
    body = RECORD | {f"x{number}": 1 for number in range(1000)}
    problem = problem_of(api.ask("POST", "/v1/conditions", body), 422, "invalid-record")
    assert len(problem["errors"]) == MOST_ERRORS
    assert len(problem["errors"][0]["detail"]) < 1000


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "", "application/json; charset=latin-1"])
def test_another_format_is_refused_with_those_that_are_read(api: Api, content_type: str) -> None:
    answer = api.ask("POST", "/v1/conditions", RECORD, content_type=content_type)
    problem_of(answer, 415, "unsupported-media-type")
    assert answer.headers["accept"] == "application/json"
    patch = api.ask("PATCH", "/v1/conditions/chronic-migraine", {}, content_type=content_type, If_Match="*")
    problem_of(patch, 415, "unsupported-media-type")
    assert patch.headers["accept-patch"] == "application/merge-patch+json, application/json"
    problem_of(
        api.ask("POST", "/v1/conditions", RECORD, content_type="application/merge-patch+json"),
        415,
        "unsupported-media-type",
    )
    problem_of(api.ask("POST", "/v1/conditions", b"x", Content_Encoding="gzip"), 415, "unsupported-media-type")


def test_a_body_that_is_too_large_is_refused_however_it_comes(api: Api) -> None:
    body = to_json(RECORD | {"definition": "x" * 1_000_000})
    problem_of(api.ask("POST", "/v1/conditions", body), 413, "content-too-large")
    headers = {"Authorization": f"Bearer {api.keys['write']}", "Content-Type": "application/json"}
    pieces = (body[start : start + 50_000] for start in range(0, len(body), 50_000))
    problem_of(api.client.post("/v1/conditions", content=pieces, headers=headers), 413, "content-too-large")


def test_a_body_is_read_only_by_whoever_can_take_the_answer(api: Api) -> None:
    problem_of(api.ask("POST", "/v1/conditions", RECORD, Accept="image/png"), 406, "not-acceptable")
