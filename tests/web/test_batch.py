"""Batches: many records at once, on both engines; all are saved or none is, and nobody's change is lost."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from secrets import token_hex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import MOST_ERRORS, ContentTooLarge, Problem
from app.json_codec import to_json
from app.models import RESOURCES
from app.store.examples import example_record
from app.store.write.save import rename
from app.web.writes.ndjson import LARGEST_LINE, MOST_RECORDS, BatchReader
from tests.support.api import Api, problem_of

NDJSON = "application/x-ndjson"


def send(api: Api, lines: Any, query: str = "", **headers: Any) -> Any:
    """The answer to a batch of bytes, or of values that become one line each."""
    body = lines if isinstance(lines, bytes) else b"".join(to_json(line) + b"\n" for line in lines)
    return api.ask("POST", f"/v1/batch{query}", body, content_type=NDJSON, **headers)


def counts(answer: Any) -> tuple[int, int, int]:
    assert answer.status_code == 200, answer.text[:500]
    told_of = answer.json()
    assert answer.headers["dataset-revision"] == str(told_of["revision"])
    return told_of["created"], told_of["changed"], told_of["unchanged"]


def condition(**fields: Any) -> dict[str, Any]:
    """A line with a new condition."""
    values = {"id": f"made-up-{token_hex(4)}", "name": "made-up ache", **fields}
    return {"kind": "conditions", "record": values}


def read(api: Api, line: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get(f"/v1/{line['kind']}/{line['record']['id']}").json()
    return found


# What is saved


def test_records_of_several_kinds_point_to_each_other_in_any_order(api: Api) -> None:
    revision = api.revision()
    above = condition()
    below = condition(part_of=above["record"]["id"])
    indication = example_record(RESOURCES["indications"])
    used = {"kind": "indications", "record": {**indication, "id": "made-up-use", "condition": below["record"]["id"]}}
    answer = send(api, [used, below, above], "?reason=For+the+test.")
    assert counts(answer) == (3, 0, 0)
    assert answer.json()["revision"] == revision + 1, "one revision holds all of it"
    assert read(api, used)["condition"] == below["record"]["id"]
    entry = api.client.get(f"/v1/conditions/{above['record']['id']}/history").json()["items"][0]
    assert (entry["author"], entry["reason"]) == ("made-up write", "For the test.")


def test_exported_files_can_be_sent_back_and_change_nothing(api: Api) -> None:
    revision = api.revision()
    for kind in RESOURCES:
        exported = api.client.get(f"/v1/{kind}?format=ndjson").content
        created, changed, unchanged = counts(send(api, exported, f"?kind={kind}"))
        assert (created, changed) == (0, 0), kind
        assert unchanged == exported.count(b"\n") > 0
    assert api.revision() == revision


def test_an_exported_file_is_changed_and_sent_back(api: Api) -> None:
    first, second = api.condition(), api.condition()
    changed = [{**first, "name": "made-up pain"}, second]
    assert counts(send(api, changed, "?kind=conditions")) == (0, 1, 1)
    found = api.client.get(f"/v1/conditions/{first['id']}").json()
    assert (found["name"], found["version"]) == ("made-up pain", 2)
    assert counts(send(api, changed, "?kind=conditions")) == (0, 0, 2), "sent again, it says what is there already"


def test_a_line_may_end_in_any_way_and_be_empty(api: Api) -> None:
    lines = [to_json(condition()) for _ in range(3)]
    body = b"\n\r\n" + lines[0] + b"\r\n  \n" + lines[1] + b" \n\n" + lines[2]
    assert counts(send(api, body)) == (3, 0, 0)


# Nobody's change is lost


def test_a_line_with_a_version_that_is_not_there_any_more_changes_nothing(api: Api) -> None:
    record, other = api.condition(), condition()
    api.ask("PATCH", f"/v1/conditions/{record['id']}", {"name": "changed meanwhile"}, If_Match="*")
    revision = api.revision()
    stale = {"kind": "conditions", "record": {**record, "name": "made-up pain"}}
    for query in ("", "?replace=true"):
        problem = problem_of(send(api, [other, stale], query), 412, "precondition-failed", "/record/version")
        assert problem["errors"] == [
            {
                "line": 2,
                "record": f"conditions/{record['id']}",
                "pointer": "/record/version",
                "detail": "it has version 2 now, not 1",
            }
        ]
    assert api.revision() == revision
    assert api.client.get(f"/v1/conditions/{other['record']['id']}").status_code == 404


def test_a_line_without_a_version_replaces_only_when_asked_to(api: Api) -> None:
    record = api.condition()
    line = {"kind": "conditions", "record": {"id": record["id"], "name": "made-up pain"}}
    problem_of(send(api, [line]), 409, "conflict", "/record/version")
    problem_of(send(api, [line["record"]], "?kind=conditions"), 409, "conflict", "/version")
    assert counts(send(api, [line], "?replace=true")) == (0, 1, 0)
    assert counts(send(api, [line])) == (0, 0, 1)


def test_what_was_withdrawn_or_renamed_does_not_come_back(api: Api) -> None:
    gone, former = api.condition(), api.condition()
    api.ask("DELETE", f"/v1/conditions/{gone['id']}?reason=No.", If_Match="*")
    rename(api.database, "conditions", former["id"], f"{former['id']}-now", author="test")
    problem = problem_of(send(api, [gone], "?kind=conditions&replace=true"), 409, "conflict", "/id")
    assert "withdrawn" in problem["detail"]
    problem = problem_of(send(api, [former], "?kind=conditions"), 422, "invalid-record", "/id")
    assert (problem["errors"][0]["line"], f"{former['id']}-now" in problem["detail"]) == (1, True)


def test_a_batch_sent_again_gets_the_first_answer(api: Api) -> None:
    named, lines = token_hex(8), [condition(), condition()]
    first = send(api, lines, Idempotency_Key=named)
    assert counts(first) == (2, 0, 0)
    api.condition()
    again = send(api, lines, Idempotency_Key=named)
    assert (again.headers["idempotency-replayed"], again.content) == ("true", first.content)
    assert again.headers["dataset-revision"] == first.headers["dataset-revision"]
    problem_of(send(api, [*lines, condition()], Idempotency_Key=named), 422, "idempotency-mismatch")


# What is wrong

GOOD = b'{"kind":"conditions","record":{"id":"made-up-batch","name":"made up"}}\n'
FAULTS: list[tuple[bytes, str, int, str, int, str]] = [
    (b"x", "", 400, "bad-request", 2, ""),
    (GOOD[:40], "", 400, "bad-request", 2, ""),
    (b'{"kind":"conditions","record":{"id":"\xff"}}', "", 400, "bad-request", 2, ""),
    (b"[1,2]", "", 422, "invalid-body", 2, ""),
    (b'{"id":"made-up","name":"no envelope"}', "", 422, "invalid-body", 2, ""),
    (b'{"kind":"condition","record":{}}', "", 422, "invalid-body", 2, "/kind"),
    (b'{"kind":"conditions","record":[]}', "", 422, "invalid-body", 2, "/record"),
    (b'{"kind":"conditions","record":{},"recrod":1}', "", 422, "invalid-body", 2, "/recrod"),
    (b'{"kind":"conditions","kind":"conditions","record":{}}', "", 422, "invalid-body", 2, "/kind"),
    (b'{"kind":"conditions","record":{"id":"made-up"}}', "", 422, "invalid-record", 2, "/record/name"),
    (GOOD, "", 422, "invalid-record", 2, "/record/id"),
    (
        GOOD.replace(b"-batch", b"-b2").replace(b"}}", b',"part_of":"no"}}'),
        "",
        422,
        "invalid-record",
        2,
        "/record/part_of",
    ),
    (
        GOOD.replace(b"-batch", b"-b2").replace(b"}}", b',"version":"1"}}'),
        "",
        422,
        "invalid-record",
        2,
        "/record/version",
    ),
    (
        GOOD.replace(b"-batch", b"-b2").replace(b"}}", b',"version":0}}'),
        "",
        422,
        "invalid-record",
        2,
        "/record/version",
    ),
    (b"[1,2]", "?kind=conditions", 422, "invalid-record", 1, "/name"),
]


@pytest.mark.parametrize(
    ("line", "query", "status", "name", "number", "pointer"), FAULTS, ids=lambda value: repr(value)[:30]
)
def test_a_fault_is_told_with_its_line_and_nothing_is_stored(
    api: Api, line: bytes, query: str, status: int, name: str, number: int, pointer: str
) -> None:
    revision = api.revision()
    problem = problem_of(send(api, (b'{"id":"a"}\n' if query else GOOD) + line, query), status, name)
    assert (problem["errors"][0]["line"], problem["errors"][0]["pointer"]) == (number, pointer)
    assert f"{number}" in problem["detail"]
    assert api.revision() == revision
    assert api.client.get("/v1/conditions/made-up-batch").status_code == 404


def test_the_nearest_resource_is_named(api: Api) -> None:
    problem = problem_of(send(api, [{"kind": "condition", "record": {}}]), 422, "invalid-body", "/kind")
    assert problem["errors"][0]["nearest"] == "conditions"
    problem_of(send(api, GOOD, "?kind=condition"), 422, "invalid-parameter", "kind")


@pytest.mark.parametrize("body", [b"", b"\n", b"\r\n \n"])
def test_an_empty_batch_is_refused(api: Api, body: bytes) -> None:
    problem_of(send(api, body), 422, "invalid-body")


def test_faults_of_many_lines_are_told_together_but_not_without_end(api: Api) -> None:
    problem = problem_of(send(api, b"x\n" * 3 + GOOD + b"y\n" * 1000), 400, "bad-request")
    lines = [error["line"] for error in problem["errors"]]
    assert lines == [1, 2, 3, *range(5, MOST_ERRORS + 2)]


def test_another_format_is_refused(api: Api) -> None:
    for content_type in ("application/json", "text/plain", "", "application/x-ndjson; charset=latin-1"):
        answer = api.ask("POST", "/v1/batch", GOOD, content_type=content_type)
        problem_of(answer, 415, "unsupported-media-type")
        assert answer.headers["accept"] == NDJSON
    problem_of(send(api, GOOD, Content_Encoding="gzip"), 415, "unsupported-media-type")
    problem_of(send(api, GOOD, Accept="text/csv"), 406, "not-acceptable")
    problem_of(send(api, GOOD, "?replace=perhaps"), 422, "invalid-parameter", "replace")
    problem_of(api.ask("GET", "/v1/batch"), 405, "method-not-allowed")


def test_a_batch_that_is_too_large_is_refused_whatever_it_holds(api: Api) -> None:
    problem_of(send(api, GOOD, Content_Length="32000001"), 413, "content-too-large")
    problem_of(send(api, b" " * (LARGEST_LINE + 1)), 413, "content-too-large")
    problem_of(send(api, GOOD + b'{"id":"' + b"a" * LARGEST_LINE), 413, "content-too-large")
    above = condition(definition="made up " * 120)
    assert counts(send(api, [above] + [condition(definition="made up " * 120) for _ in range(1100)])) == (1101, 0, 0)


def test_a_sender_who_goes_away_half_way_has_stored_nothing(api: Api) -> None:
    pieces = iter([{"type": "http.request", "body": GOOD, "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(pieces)

    async def send_on(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/v1/batch",
        "raw_path": b"/v1/batch",
        "query_string": b"",
        "headers": [
            (b"content-type", NDJSON.encode()),
            (b"authorization", f"Bearer {api.keys['write']}".encode()),
        ],
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
    }
    portal = api.client.portal
    assert portal is not None
    app: Any = api.client.app
    portal.call(asyncio.wait_for, app(scope, receive, send_on), 30)
    assert sent[0]["status"] == 400
    assert api.client.get("/v1/conditions/made-up-batch").status_code == 404


# The reader alone


def lines_of(count: int) -> Iterator[bytes]:
    return (to_json({"id": f"made-up-{number}", "name": "made up"}) + b"\n" for number in range(count))


def test_one_record_more_than_a_batch_holds_is_refused() -> None:
    reader = BatchReader("conditions")
    for line in lines_of(MOST_RECORDS):
        reader.feed(line)
    assert len(reader.entries) == MOST_RECORDS
    with pytest.raises(ContentTooLarge, match=f"line {MOST_RECORDS + 1} has one more"):
        reader.feed(b'{"id":"one-more","name":"made up"}\n')


BATCH = b"\n".join([*lines_of(3), "{'é'}".encode(), b'{"id":"a","name":"b","version":3}', b""])


@given(st.lists(st.integers(0, len(BATCH)), max_size=8))
def test_a_batch_says_the_same_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> Any:
        reader = BatchReader("conditions")
        for piece in pieces:
            reader.feed(piece)
        try:
            reader.finish()
        except Problem as problem:
            return problem.errors, reader.entries
        raise AssertionError("one line is broken")

    edges = [0, *sorted(cuts), len(BATCH)]
    assert outcome([BATCH[a:b] for a, b in pairwise(edges)]) == outcome([BATCH])
