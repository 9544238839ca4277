"""Drafts on both engines: only its author and the reviewers see one, and to publish it is a write like any other."""

from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import text

from app.json_codec import to_json
from app.models import RESOURCES
from app.releases.build import build_release
from app.store.write.keys import create_key
from app.store.write.save import rename
from tests.support.api import ADDRESS, Api, problem_of


@pytest.fixture(scope="module", autouse=True)
def second_editor(api: Api) -> None:
    api.keys["other"] = create_key(api.database, "made-up other", "write")
    api.keys["reviewer"] = create_key(api.database, "made-up reviewer", "admin")


def address(record: dict[str, Any]) -> str:
    return f"/v1/conditions/{record['id']}"


def new() -> dict[str, Any]:
    return {"id": f"made-up-{token_hex(4)}", "name": "made-up ache"}


def proposed(answer: Any) -> dict[str, Any]:
    """The draft that an answer tells."""
    assert answer.status_code == 202, answer.text
    draft: dict[str, Any] = answer.json()
    assert answer.headers["location"] == draft["url"] == f"{ADDRESS}/v1/drafts/{draft['id']}"
    assert answer.headers["cache-control"] == "private, no-store"
    assert draft["state"] == "open"
    return draft


def publish(api: Api, draft: dict[str, Any], *, key: str | None = "reviewer", note: str = "Checked.") -> Any:
    return api.ask("POST", f"/v1/drafts/{draft['id']}/publish?note={note}", key=key)


# Invisible


def everything(api: Api) -> list[bytes]:
    """What readers can get of the conditions, the changes and the counts."""
    paths = ["/v1", "/v1/conditions?limit=200&count=exact", "/v1/conditions?format=ndjson", "/v1/changes?since=1"]
    paths += ["/v1/scorecard", "/v1/changes?format=atom", "/llms.txt"]
    return [api.client.get(path).content for path in paths]


def test_a_draft_is_nowhere_but_among_the_drafts(api: Api, tmp_path: Any) -> None:
    record, body = api.condition(), new()
    before, revision = everything(api), api.revision()
    created = proposed(api.ask("POST", "/v1/conditions?draft=true&reason=Secret.", body))
    changed = proposed(api.ask("PATCH", f"{address(record)}?draft=true", {"name": "made-up secret"}, If_Match="*"))
    withdrawn = proposed(api.ask("DELETE", f"{address(record)}?reason=Secret.&draft=true", If_Match="*"))
    assert everything(api) == before
    assert api.revision() == revision
    assert api.client.get(address(record)).json() == record
    assert api.client.get(address(body)).status_code == 404
    history = api.client.get(f"{address(record)}/history").json()["items"]
    assert len(history) == 1
    part = {"id": f"made-up-{token_hex(4)}", "name": "made up", "part_of": body["id"]}
    problem_of(api.ask("POST", "/v1/conditions", part), 422, "invalid-record", "/part_of")
    build_release(api.database, tmp_path, "made-up")
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(word in content for word in (body["id"].encode(), b"made-up secret") for content in files)
    for draft in (created, changed, withdrawn):
        api.ask("DELETE", f"/v1/drafts/{draft['id']}?reason=Done.")


@pytest.mark.parametrize("path", ["/v1/drafts", "/v1/drafts/1"])
def test_drafts_are_for_those_who_may_write(api: Api, path: str) -> None:
    problem_of(api.ask("GET", path, key=None), 401, "unauthorized")
    problem_of(api.ask("GET", path, key="read"), 403, "forbidden")
    problem_of(api.client.get(path, headers={"Authorization": "Basic YTpi"}), 401, "unauthorized")


def test_an_author_sees_their_own_and_a_reviewer_all(api: Api) -> None:
    mine = proposed(api.ask("POST", "/v1/conditions?draft=true", new()))
    theirs = proposed(api.ask("POST", "/v1/conditions?draft=true", new(), key="other"))
    seen = {
        key: {item["id"] for item in api.ask("GET", "/v1/drafts?limit=200", key=key).json()["items"]}
        for key in ("write", "other", "admin")
    }
    pair = {mine["id"], theirs["id"]}
    assert {key: ids & pair for key, ids in seen.items()} == {
        "write": {mine["id"]},
        "other": {theirs["id"]},
        "admin": pair,
    }
    path = f"/v1/drafts/{theirs['id']}"
    problem_of(api.ask("GET", path), 404, "not-found")
    problem_of(api.ask("DELETE", f"{path}?reason=No."), 404, "not-found")
    problem_of(publish(api, theirs, key="other"), 403, "forbidden")
    answer = api.ask("GET", path, key="other")
    assert (answer.json(), answer.headers["cache-control"]) == (theirs, "private, no-store")
    for number in ("0", "-1", "x", "1.5", str(2**31)):
        problem_of(api.ask("GET", f"/v1/drafts/{number}"), 422, "invalid-parameter", "id")


def test_the_list_is_narrowed_and_paged(api: Api) -> None:
    record = api.condition()
    numbers = [
        proposed(api.ask("PATCH", f"{address(record)}?draft=true", {"name": f"made-up {word}"}, If_Match="*"))["id"]
        for word in ("one", "two", "three")
    ]
    api.ask("DELETE", f"/v1/drafts/{numbers[0]}?reason=No.")
    path = f"/v1/drafts?kind=conditions&record={record['id']}"
    first = api.ask("GET", f"{path}&limit=1").json()
    assert [item["id"] for item in first["items"]] == [numbers[2]]
    second = api.ask("GET", f"{path}&limit=1&cursor={first['next']}").json()
    assert ([item["id"] for item in second["items"]], second["next"]) == ([numbers[1]], None)
    either = api.ask("GET", f"{path}&state=discarded&state=open").json()
    assert [item["id"] for item in either["items"]] == numbers[::-1]
    assert api.ask("GET", f"/v1/drafts?kind=claims&record={record['id']}").json()["items"] == []
    problem_of(api.ask("GET", f"/v1/drafts?limit=1&cursor={first['next']}"), 400, "bad-cursor")
    problem_of(api.ask("GET", f"{path}&cursor={first['next']}", key="admin"), 400, "bad-cursor")
    problem_of(api.ask("GET", "/v1/drafts?state=opne"), 422, "invalid-parameter", "state")
    problem_of(api.ask("GET", "/v1/drafts?stat=open"), 422, "invalid-parameter", "stat")


# Publishing


def test_a_published_draft_is_in_the_history_with_author_reviewer_and_note(api: Api) -> None:
    record = api.condition()
    answer = api.ask("PATCH", f"{address(record)}?draft=true&reason=Better.", {"name": "made-up pain"}, If_Match='"1"')
    draft = proposed(answer)
    assert (draft["action"], draft["base_version"], draft["present_version"]) == ("change", 1, 1)
    assert draft["changes"] == [
        {"type": "value-revised", "field": "name", "old": "made-up ache", "new": "made-up pain"}
    ]
    revision = api.revision()
    published = publish(api, draft)
    assert published.status_code == 200
    assert published.headers["dataset-revision"] == str(revision + 1) == str(api.revision())
    told_of = published.json()
    assert (told_of["state"], told_of["decided_by"], told_of["note"]) == ("published", "made-up reviewer", "Checked.")
    assert told_of["revision"] == revision + 1
    assert told_of["changes"] == draft["changes"]
    found = api.client.get(address(record)).json()
    assert (found["name"], found["version"], found["state"]) == ("made-up pain", 2, "published")
    entry = api.client.get(f"{address(record)}/history").json()["items"][0]
    told_by = {name: entry[name] for name in ("author", "reason", "reviewer", "note")}
    assert told_by == {
        "author": "made-up write",
        "reason": "Better.",
        "reviewer": "made-up reviewer",
        "note": "Checked.",
    }
    change = api.client.get(f"/v1/changes?since={revision}").json()["items"][0]
    assert {name: change[name] for name in told_by} == told_by


def test_a_new_record_and_a_withdrawal_are_reviewed_too(api: Api) -> None:
    body = new()
    draft = proposed(api.ask("POST", "/v1/conditions?draft=true", body))
    assert (draft["action"], draft["base_version"], draft["present_version"]) == ("create", None, None)
    assert [change["type"] for change in draft["changes"]] == ["created"]
    assert publish(api, draft).status_code == 200
    saved = api.client.get(address(body)).json()
    assert (saved["version"], saved["name"]) == (1, body["name"])
    taken_back = proposed(api.ask("DELETE", f"{address(body)}?draft=true&reason=Entered+twice.", If_Match='"1"'))
    assert [change["type"] for change in taken_back["changes"]] == ["record-withdrawn"]
    assert publish(api, taken_back).status_code == 200
    assert "Entered twice" in problem_of(api.client.get(address(body)), 410, "gone")["detail"]


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_draft_of_any_resource_says_what_a_write_would(api: Api, resource: str) -> None:
    record = api.client.get(f"/v1/{resource}?limit=1").json()["items"][0]
    body = {**record, "id": f"made-up-{token_hex(4)}"}
    draft = proposed(api.ask("POST", f"/v1/{resource}?draft=true", body))
    assert publish(api, draft).status_code == 200
    saved = api.client.get(f"/v1/{resource}/{body['id']}").json()
    clock = ("created_at", "updated_at")
    assert {**saved, **dict.fromkeys(clock)} == {**draft["proposed"], **dict.fromkeys(clock)}


def test_what_a_publication_would_refuse_is_refused_as_a_draft(api: Api) -> None:
    record = api.condition()
    count = len(api.ask("GET", "/v1/drafts?limit=200").json()["items"])
    problem_of(api.ask("POST", "/v1/conditions?draft=true", {"id": "x"}), 422, "invalid-record", "/name")
    problem_of(
        api.ask("POST", "/v1/conditions?draft=true", {**new(), "part_of": "no"}), 422, "invalid-record", "/part_of"
    )
    problem_of(api.ask("POST", "/v1/conditions?draft=true", record), 409, "conflict")
    path = f"{address(record)}?draft=true"
    problem_of(api.ask("PUT", path, record), 428, "precondition-required")
    problem_of(api.ask("PUT", path, record, If_Match='"7"'), 412, "precondition-failed")
    problem_of(api.ask("DELETE", f"{path}&reason=x", If_Match='"7"'), 412, "precondition-failed")
    problem_of(api.ask("PUT", path, record, If_Match="*"), 422, "invalid-record", "")
    problem_of(api.ask("PATCH", f"{address(new())}?draft=true", {}, If_Match="*"), 404, "not-found")
    problem_of(api.ask("POST", "/v1/conditions?draft=perhaps", new()), 422, "invalid-parameter", "draft")
    assert len(api.ask("GET", "/v1/drafts?limit=200").json()["items"]) == count


def test_a_draft_of_a_record_that_has_moved_on_is_not_published(api: Api) -> None:
    record = api.condition()
    drafts = [
        proposed(api.ask("PATCH", f"{address(record)}?draft=true", {"name": "made-up one"}, If_Match="*")),
        proposed(api.ask("DELETE", f"{address(record)}?draft=true&reason=No.", If_Match="*")),
    ]
    api.ask("PATCH", address(record), {"name": "changed meanwhile"}, If_Match="*")
    for draft in drafts:
        problem = problem_of(publish(api, draft), 412, "precondition-failed")
        assert "has version 2 now; the draft changes version 1" in problem["detail"]
        read = api.ask("GET", f"/v1/drafts/{draft['id']}").json()
        assert (read["state"], read["base_version"], read["present_version"]) == ("open", 1, 2)
        assert read["changes"] == draft["changes"], "what it changes of the version that it was made for"
    api.ask("DELETE", f"{address(record)}?reason=No.", If_Match="*")
    problem_of(publish(api, drafts[0]), 410, "gone")
    assert api.ask("GET", f"/v1/drafts/{drafts[0]['id']}").json()["present_version"] is None


def test_a_draft_of_a_record_that_was_renamed_or_created_meanwhile_is_not_published(api: Api) -> None:
    record, body = api.condition(), new()
    draft = proposed(api.ask("PATCH", f"{address(record)}?draft=true", {"name": "made-up one"}, If_Match="*"))
    rename(api.database, "conditions", record["id"], f"{record['id']}-now", author="test")
    assert f"{record['id']}-now" in problem_of(publish(api, draft), 412, "precondition-failed")["detail"]
    assert api.ask("GET", f"/v1/drafts/{draft['id']}").json()["present_version"] == 2
    twice = [proposed(api.ask("POST", "/v1/conditions?draft=true", body)) for _ in range(2)]
    assert publish(api, twice[0]).status_code == 200
    problem_of(publish(api, twice[1]), 409, "conflict")


def test_a_draft_is_decided_once(api: Api) -> None:
    draft = proposed(api.ask("POST", "/v1/conditions?draft=true", new()))
    assert publish(api, draft).status_code == 200
    revision = api.revision()
    problem = problem_of(publish(api, draft), 409, "already-decided")
    assert f"Draft {draft['id']} was published by made-up reviewer" in problem["detail"]
    problem_of(api.ask("DELETE", f"/v1/drafts/{draft['id']}?reason=x"), 409, "already-decided")
    assert api.revision() == revision
    problem_of(publish(api, {"id": 2**31 - 1}), 404, "not-found")


@pytest.mark.parametrize("query", ["", "?note=", "?note=%20", "?note=a&note=b", f"?note={'x' * 1001}"])
def test_a_publication_has_one_note(api: Api, query: str) -> None:
    draft = proposed(api.ask("POST", "/v1/conditions?draft=true", new()))
    answer = api.ask("POST", f"/v1/drafts/{draft['id']}/publish{query}", key="admin")
    problem_of(answer, 422, "invalid-parameter", "note")


def test_a_discarded_draft_says_why(api: Api) -> None:
    draft = proposed(api.ask("POST", "/v1/conditions?draft=true", new()))
    revision = api.revision()
    problem_of(api.ask("DELETE", f"/v1/drafts/{draft['id']}"), 422, "invalid-parameter", "reason")
    answer = api.ask("DELETE", f"/v1/drafts/{draft['id']}?reason=No+source.", key="reviewer")
    assert (answer.status_code, answer.content) == (204, b"")
    read = api.ask("GET", f"/v1/drafts/{draft['id']}").json()
    assert (read["state"], read["decided_by"], read["note"]) == ("discarded", "made-up reviewer", "No source.")
    problem_of(publish(api, draft), 409, "already-decided")
    assert api.revision() == revision


def test_a_draft_sent_again_is_kept_once(api: Api) -> None:
    body, named = new(), token_hex(8)
    first = api.ask("POST", "/v1/conditions?draft=true", body, Idempotency_Key=named)
    again = api.ask("POST", "/v1/conditions?draft=true", body, Idempotency_Key=named)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["location"] == first.headers["location"]
    problem_of(api.ask("POST", "/v1/conditions", body, Idempotency_Key=named), 422, "idempotency-mismatch")
    listed = api.ask("GET", f"/v1/drafts?record={body['id']}").json()["items"]
    assert len(listed) == 1


def test_a_draft_holds_no_key(api: Api) -> None:
    draft = proposed(api.ask("POST", "/v1/conditions?draft=true", new()))
    with api.database.read() as connection:
        rows = connection.execute(text("SELECT * FROM draft")).all()
    assert draft["id"] in [row.number for row in rows]
    secrets = [key.split("_", 2)[2] for key in api.keys.values()]
    assert not any(secret in to_json(list(map(str, row))).decode() for row in rows for secret in secrets)
