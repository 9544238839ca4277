"""What editors can do over HTTP, on both engines: create, replace, amend and withdraw, and lose nobody's change."""

import re
import threading
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import text

from app.models import RESOURCES
from app.models.base import Row
from app.store.examples import example_record, seed_records
from app.store.write.save import rename
from app.web.writes.edits import merged
from tests.support.api import ADDRESS, MERGE_PATCH, Api, problem_of

every_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))


def address(record: dict[str, Any], plural: str = "conditions") -> str:
    return f"/v1/{plural}/{record['id']}"


# Creating


def test_a_new_record_is_answered_as_a_get_answers_it(api: Api) -> None:
    before = api.revision()
    values = {"id": f"made-up-{token_hex(4)}", "name": "made-up ache", "synonyms": ["an ache"]}
    answer = api.ask("POST", "/v1/conditions?reason=For+the+test.", values)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{ADDRESS}/v1/conditions/{values['id']}"
    assert answer.headers["dataset-revision"] == str(before + 1)
    assert answer.headers["cache-control"] == "private, no-store"
    read = api.client.get(address(values))
    assert read.content == answer.content
    assert read.headers["etag"] == answer.headers["etag"]
    assert read.headers["etag"].startswith('"1.')
    assert read.headers["dataset-revision"] == str(before + 1)
    assert values["id"] in [item["id"] for item in api.client.get("/v1/conditions?limit=200").json()["items"]]


def test_the_history_names_who_wrote_and_why(api: Api) -> None:
    record = api.condition()
    api.ask("PATCH", f"{address(record)}?reason=A+better+name.", {"name": "made-up pain"}, If_Match="*")
    api.ask("DELETE", f"{address(record)}?reason=Entered+twice.", key="admin", If_Match="*")
    items = api.client.get(f"{address(record)}/history").json()["items"]
    told_of = [(item["author"], item["reason"], item["version"]) for item in items]
    assert told_of == [
        ("made-up admin", "Entered twice.", 3),
        ("made-up write", "A better name.", 2),
        ("made-up write", None, 1),
    ]


def test_an_id_is_given_once(api: Api) -> None:
    record = api.condition()
    problem = problem_of(api.ask("POST", "/v1/conditions", {"id": record["id"], "name": "other"}), 409, "conflict")
    assert record["id"] in problem["detail"]
    api.ask("DELETE", f"{address(record)}?reason=No.", If_Match="*")
    problem_of(api.ask("POST", "/v1/conditions", {"id": record["id"], "name": "other"}), 410, "gone")


def test_a_former_id_is_never_given_again_and_a_change_is_led_on(api: Api) -> None:
    record = api.condition()
    present = f"{record['id']}-now"
    rename(api.database, "conditions", record["id"], present, author="test")
    problem = problem_of(api.ask("POST", "/v1/conditions", {"id": record["id"], "name": "other"}), 409, "conflict")
    assert present in problem["detail"]
    answer = api.client.patch(
        f"{address(record)}?reason=Why.",
        content=b'{"name": "new"}',
        headers={
            "Authorization": f"Bearer {api.keys['write']}",
            "Content-Type": MERGE_PATCH,
            "If-Match": "*",
        },
        follow_redirects=False,
    )
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{ADDRESS}/v1/conditions/{present}?reason=Why."


# Sent again


def test_a_request_sent_again_gets_the_first_answer(api: Api) -> None:
    values = {"id": f"made-up-{token_hex(4)}", "name": "made-up ache"}
    named = token_hex(8)
    first = api.ask("POST", "/v1/conditions", values, Idempotency_Key=named)
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    api.ask("PATCH", address(values), {"name": "made-up pain"}, If_Match="*")
    revision = api.revision()
    again = api.ask("POST", "/v1/conditions", values, Idempotency_Key=named)
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    for name in ("etag", "location", "dataset-revision"):
        assert again.headers[name] == first.headers[name]
    assert api.revision() == revision


def test_an_idempotency_key_belongs_to_one_request_of_one_holder(api: Api) -> None:
    values = {"id": f"made-up-{token_hex(4)}", "name": "made-up ache"}
    named = token_hex(8)
    api.ask("POST", "/v1/conditions", values, Idempotency_Key=named)
    other = {**values, "name": "another"}
    problem_of(api.ask("POST", "/v1/conditions", other, Idempotency_Key=named), 422, "idempotency-mismatch")
    problem_of(api.ask("POST", "/v1/conditions?reason=x", values, Idempotency_Key=named), 422, "idempotency-mismatch")
    problem_of(api.ask("POST", "/v1/conditions", values, Idempotency_Key=named, key="admin"), 409, "conflict")


def test_a_refused_request_may_be_mended_and_sent_under_the_same_key(api: Api) -> None:
    named, values = token_hex(8), {"id": f"made-up-{token_hex(4)}"}
    problem_of(api.ask("POST", "/v1/conditions", values, Idempotency_Key=named), 422, "invalid-record", "/name")
    answer = api.ask("POST", "/v1/conditions", {**values, "name": "made-up"}, Idempotency_Key=named)
    assert answer.status_code == 201


def test_an_idempotency_key_is_forgotten_after_a_day(api: Api) -> None:
    values = {"id": f"made-up-{token_hex(4)}", "name": "made-up ache"}
    named = token_hex(8)
    api.ask("POST", "/v1/conditions", values, Idempotency_Key=named)
    with api.database.write() as connection:
        connection.execute(text("UPDATE idempotency SET at = '2020-01-01T00:00:00Z'"))
    problem_of(api.ask("POST", "/v1/conditions", values, Idempotency_Key=named), 409, "conflict")
    with api.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM idempotency WHERE at < '2021'")).scalar()
    api.ask("POST", "/v1/conditions", {**values, "id": f"{values['id']}-2"}, Idempotency_Key=token_hex(8))
    with api.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM idempotency WHERE at < '2021'")).scalar() == 0


@pytest.mark.parametrize("named", ["", " ", "a b", "x" * 256, "é"])
def test_a_bad_idempotency_key_is_refused(api: Api, named: str) -> None:
    headers: Any = [
        ("Authorization", f"Bearer {api.keys['write']}"),
        ("Content-Type", "application/json"),
        ("Idempotency-Key", named.encode("latin-1")),
    ]
    answer = api.client.post("/v1/conditions", content=b"{}", headers=headers)
    problem_of(answer, 422, "invalid-parameter", "Idempotency-Key")
    twice = api.client.post("/v1/conditions", content=b"{}", headers=[*headers[:2], *[("Idempotency-Key", "a")] * 2])
    problem_of(twice, 422, "invalid-parameter", "Idempotency-Key")


# Changing


def test_a_change_must_say_which_version_it_changes(api: Api) -> None:
    record = api.condition()
    problem_of(api.ask("PUT", address(record), record), 428, "precondition-required")
    problem_of(api.ask("PATCH", address(record), {}), 428, "precondition-required")
    problem_of(api.ask("DELETE", f"{address(record)}?reason=x"), 428, "precondition-required")
    for tag in ('"2.0123456789abcdef"', '"x"', 'W/"1.0123456789abcdef"', "1", '""', '"1x"', "garbage"):
        for method, body in (("PUT", record), ("PATCH", {"name": "new"}), ("DELETE", None)):
            path = f"{address(record)}?reason=x"
            problem = problem_of(api.ask(method, path, body, If_Match=tag), 412, "precondition-failed")
            assert "has version 1 now" in problem["detail"]
    assert api.client.get(address(record)).json() == record


@pytest.mark.parametrize("coding", ["identity", "br", "gzip", "zstd"])
def test_the_tag_of_any_read_is_good_for_a_change(api: Api, coding: str) -> None:
    record = api.condition(definition="a made-up text that is long enough to be compressed; " * 20)
    for form in ("json", "csv", "ndjson"):
        tag = api.client.get(f"{address(record)}?format={form}", headers={"Accept-Encoding": coding}).headers["etag"]
        assert coding in tag or coding == "identity"
        answer = api.ask("PATCH", address(record), {"name": f"made-up {form}"}, If_Match=f'"9", {tag}')
        assert answer.status_code == 200, answer.text
        assert answer.json()["name"] == f"made-up {form}"
        assert answer.headers["etag"] == api.client.get(address(record)).headers["etag"]


def test_put_replaces_the_whole_record(api: Api) -> None:
    record = api.condition(synonyms=["an ache"], definition="made up")
    answer = api.ask("PUT", address(record), {"name": "made-up pain"}, If_Match='"1"')
    assert answer.status_code == 200
    changed = answer.json()
    assert (changed["version"], changed["name"], changed["synonyms"], changed["definition"]) == (
        2,
        "made-up pain",
        [],
        None,
    )
    assert changed["created_at"] == record["created_at"]


@pytest.mark.parametrize("media_type", [MERGE_PATCH, "application/json", "application/json; charset=utf-8"])
def test_patch_changes_what_it_names_and_null_removes(api: Api, media_type: str) -> None:
    record = api.condition(synonyms=["an ache"], definition="made up")
    answer = api.ask(
        "PATCH", address(record), {"definition": None, "name": "pain"}, content_type=media_type, If_Match="*"
    )
    changed = answer.json()
    assert (changed["name"], changed["synonyms"], changed["definition"]) == ("pain", ["an ache"], None)


def test_what_says_the_same_as_before_is_not_written(api: Api) -> None:
    record = api.condition()
    revision = api.revision()
    tag = api.client.get(address(record)).headers["etag"]
    for method, body in (("PUT", record), ("PATCH", {}), ("PATCH", {"name": record["name"], "version": 99})):
        answer = api.ask(method, address(record), body, If_Match=tag)
        assert (answer.status_code, answer.headers["etag"], answer.json()) == (200, tag, record)
    assert api.revision() == revision


def test_the_id_of_a_record_is_not_changed_by_its_body(api: Api) -> None:
    record = api.condition()
    for other in ("other", None, 5, ""):
        body = {**record, "id": other}
        problem_of(api.ask("PUT", address(record), body, If_Match="*"), 422, "invalid-record", "/id")
        problem_of(api.ask("PATCH", address(record), {"id": other}, If_Match="*"), 422, "invalid-record", "/id")


def test_a_record_that_is_not_there_cannot_be_changed(api: Api) -> None:
    for method, body in (("PUT", {"name": "x"}), ("PATCH", {}), ("DELETE", None)):
        answer = api.ask(method, "/v1/conditions/chronic-migrane?reason=x", body, If_Match="*")
        assert "chronic-migraine" in problem_of(answer, 404, "not-found")["detail"]


def test_a_patched_record_is_checked_as_a_whole(api: Api) -> None:
    path = "/v1/approvals/onabotulinumtoxina-chronic-migraine-us"
    problem_of(api.ask("PATCH", path, {"citations": []}, If_Match="*"), 422, "invalid-record", "/citations")
    problem_of(api.ask("PATCH", path, {"status": "aproved"}, If_Match="*"), 422, "invalid-record", "/status")
    problem = problem_of(api.ask("PATCH", path, {"satus": "approved"}, If_Match="*"), 422, "invalid-record", "/satus")
    assert problem["errors"][0]["nearest"] == "status"
    problem_of(api.ask("PATCH", path, {"indication": "no-such"}, If_Match="*"), 422, "invalid-record", "/indication")


# Withdrawing


def test_a_withdrawn_record_is_gone_and_stays_so(api: Api) -> None:
    record = api.condition()
    revision = api.revision()
    answer = api.ask("DELETE", f"{address(record)}?reason=Entered+twice.", If_Match='"1"')
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["dataset-revision"] == str(revision + 1)
    assert "Entered twice" in problem_of(api.client.get(address(record)), 410, "gone")["detail"]
    for method, body in (("PUT", record), ("PATCH", {}), ("DELETE", None)):
        problem_of(api.ask(method, f"{address(record)}?reason=x", body, If_Match="*"), 410, "gone")


@pytest.mark.parametrize("reason", ["", "?reason=", "?reason=%20", f"?reason={'x' * 1001}", "?reason=a&reason=b"])
def test_a_withdrawal_has_one_reason(api: Api, reason: str) -> None:
    record = api.condition()
    answer = api.ask("DELETE", f"{address(record)}{reason}", If_Match="*")
    problem_of(answer, 422, "invalid-parameter", "reason")
    assert api.client.get(address(record)).status_code == 200


def test_unknown_parameters_of_a_write_are_refused(api: Api) -> None:
    record = api.condition()
    for method, path in (("POST", "/v1/conditions"), ("PUT", address(record)), ("PATCH", address(record))):
        answer = api.ask(method, f"{path}?raeson=x", {}, If_Match="*")
        problem = problem_of(answer, 422, "invalid-parameter", "raeson")
        assert problem["errors"][0]["nearest"] == "reason"


# Round trips


@every_resource
def test_what_was_read_can_be_put_back_and_changes_nothing(api: Api, resource: type[Row]) -> None:
    revision = api.revision()
    ids = [record_id for plural, record_id in seed_records() if plural == resource.plural]
    for record_id in ids[:12]:
        path = f"/v1/{resource.plural}/{record_id}"
        read = api.client.get(path)
        answer = api.ask("PUT", path, read.content, If_Match=read.headers["etag"])
        assert (answer.status_code, answer.content) == (200, read.content), answer.text
        assert answer.headers["etag"] == read.headers["etag"]
    assert ids
    assert api.revision() == revision


@every_resource
def test_a_copy_under_another_id_is_a_new_record(api: Api, resource: type[Row]) -> None:
    values = {**example_record(resource), "id": f"made-up-{token_hex(4)}"}
    answer = api.ask("POST", f"/v1/{resource.plural}", values)
    assert answer.status_code == 201, answer.text
    assert answer.json()["version"] == 1
    read = api.client.get(f"/v1/{resource.plural}/{values['id']}")
    assert read.content == answer.content
    gone = api.ask("DELETE", f"/v1/{resource.plural}/{values['id']}?reason=For+the+test.", If_Match="*")
    assert gone.status_code == 204


# Merging (RFC 7396, appendix A)

VECTORS = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("held", "patch", "result"), VECTORS)
def test_a_patch_is_merged_as_the_standard_says(held: Any, patch: Any, result: Any) -> None:
    assert merged(held, patch) == result


# When the database is busy


def test_a_write_that_waits_too_long_is_told_to_come_again(api: Api) -> None:
    app: Any = api.client.app
    queue, release, begun = app.state.queue, threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        release.wait(30)

    assert api.client.portal is not None
    held = api.client.portal.start_task_soon(queue.submit, hold)
    assert begun.wait(30)
    usual, queue.seconds = queue.seconds, 0.05
    try:
        answer = api.ask("POST", "/v1/conditions", {"id": "made-up-late", "name": "late"})
        problem_of(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert api.client.get("/v1/conditions").status_code == 200, "reads do not wait for writes"
    finally:
        queue.seconds = usual
        release.set()
        held.result(30)
    assert api.client.get("/v1/conditions/made-up-late").status_code == 404


def test_a_browser_of_another_site_may_ask_to_write(api: Api) -> None:
    asked = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, if-match, idempotency-key, content-type",
    }
    answer = api.client.options("/v1/conditions/chronic-migraine", headers=asked)
    assert set(re.split(", ", answer.headers["access-control-allow-methods"])) >= {"POST", "PUT", "PATCH", "DELETE"}
    assert answer.headers["access-control-allow-headers"] == asked["Access-Control-Request-Headers"]
    assert "access-control-allow-credentials" not in answer.headers
