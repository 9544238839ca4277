"""Keys: how they are made, and that each opens what it should and nothing else, whatever is asked."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text, update

from app.api_keys import SCOPES, allows, key_digest, mask_keys, new_key, public_id
from app.db.database import Database
from app.db.tables import API_KEY, metadata
from app.models import RESOURCES
from app.releases.build import build_release
from app.store.examples import example_of
from app.store.write.keys import create_key, revoke_key
from tests.support.api import Api, open_api, problem_of
from tests.support.commands import tev

INVALID = ("wrong", "revoked", "expired")
CALLERS: tuple[str | None, ...] = (None, *INVALID, *SCOPES)
OPEN = {"create_synthesis"}
"""Operations with a body that change nothing, so that anybody may ask them."""
KEYED_READS = {"list_drafts", "get_draft"}
FOR_ADMINS = {"publish_draft"}


# The command


def test_a_key_is_shown_once_and_stored_as_its_hash_alone(empty_database_url: str) -> None:
    made = tev(
        "key",
        "create",
        "made-up editor",
        "--scope",
        "write",
        "--expires",
        "2999-01-01",
        "--database",
        empty_database_url,
    )
    assert made.returncode == 0, made.stderr
    key = made.stdout.splitlines()[-1]
    public = public_id(key)
    assert public is not None
    listed = tev("key", "list", "--database", empty_database_url).stdout
    assert f"made-up editor  tev_{public}_…  write  expires 2999-01-01T00:00:00Z  last used: never" in listed
    secret = key.removeprefix(f"tev_{public}_")
    assert len(secret) == 43, "256 random bits"
    assert secret not in listed
    engine = create_engine(empty_database_url)
    with engine.connect() as connection:
        rows = [str(row) for table in metadata.sorted_tables for row in connection.execute(table.select())]
    engine.dispose()
    assert any(key_digest(key) in row for row in rows)
    assert not any(secret in row for row in rows)


def test_a_name_is_given_once_and_a_revoked_key_stays_so(empty_database_url: str) -> None:
    at = ("--database", empty_database_url)
    assert tev("key", "create", "ana", "--scope", "read", *at).returncode == 0
    assert "There is a key 'ana' already" in tev("key", "create", "ana", "--scope", "write", *at).stderr
    assert "Did you mean 'ana'?" in tev("key", "revoke", "anna", *at).stderr
    assert tev("key", "revoke", "ana", *at).stdout == "The key of ana is revoked.\n"
    assert "revoked already" in tev("key", "revoke", "ana", *at).stderr
    assert "There is a key 'ana' already" in tev("key", "create", "ana", "--scope", "write", *at).stderr
    assert "ana" in tev("key", "list", *at).stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x", "--scope", "owner"), "'owner' is not one of 'read', 'write', 'admin'"),
        (("x",), "Missing option '--scope'"),
        (("x", "--scope", "read", "--expires", "2000-01-01"), "not in the future"),
        (("x", "--scope", "read", "--expires", "soon"), "must be a day such as 2027-01-01"),
        ((" x", "--scope", "read"), "white space"),
        (("", "--scope", "read"), "one to 100 characters"),
        (("x" * 101, "--scope", "read"), "one to 100 characters"),
    ],
)
def test_a_key_that_cannot_be_is_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    refused = tev("key", "create", *arguments, "--database", str(tmp_path / "keys.db"))
    assert refused.returncode != 0
    assert words in " ".join(refused.stderr.split())


# What a key opens


def every_operation(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, address with a record that exists, and declaration of every operation of the OpenAPI document."""
    app: Any = api.client.app
    found = []
    for path, methods in app.openapi()["paths"].items():
        plural = path.split("/")[2] if path.startswith("/v1/") else ""
        known = example_of(RESOURCES[plural])["id"] if plural in RESOURCES else "none"
        found += [(method.upper(), path.replace("{id}", known), one) for method, one in methods.items()]
    return found


def test_every_operation_asks_for_the_key_that_it_declares(api: Api) -> None:
    asked = 0
    for method, path, operation in every_operation(api):
        name = operation["operationId"]
        needs_key = name in KEYED_READS if method == "GET" else name not in OPEN
        too_little = ("read", "write") if name in FOR_ADMINS else ("read",)
        roles = ["admin"] if name in FOR_ADMINS else []
        assert operation.get("security") == ([{"bearer": roles}] if needs_key else None), path
        for caller in CALLERS:
            answer = api.ask(method, path, key=caller)
            asked += 1
            if caller in INVALID:
                expected = "401"
            elif not needs_key:
                expected = "no refusal"
            else:
                expected = "401" if caller is None else "403" if caller in too_little else "no refusal"
            found = str(answer.status_code) if answer.status_code in (401, 403) else "no refusal"
            assert (caller, method, path, found) == (caller, method, path, expected)
            if found == "401":
                assert answer.headers["www-authenticate"].startswith('Bearer realm="treatment-evidence"')
    assert asked >= 700
    assert api.revision() == 1, "whatever was let in lacked a body or If-Match, and changed nothing"


def test_the_challenge_says_what_is_wrong_with_a_key(api: Api) -> None:
    none = api.ask("POST", "/v1/conditions", {}, key=None)
    problem_of(none, 401, "unauthorized")
    assert none.headers["www-authenticate"] == 'Bearer realm="treatment-evidence"'
    words = {"wrong": "no such key", "revoked": "was revoked at", "expired": "expired at"}
    for caller, said in words.items():
        answer = api.ask("GET", "/v1/conditions", key=caller)
        assert said in problem_of(answer, 401, "unauthorized")["detail"]
        assert answer.headers["www-authenticate"] == 'Bearer realm="treatment-evidence", error="invalid_token"'
    read = problem_of(api.ask("POST", "/v1/conditions", {}, key="read"), 403, "forbidden")
    assert read["detail"] == "This needs a key of the scope write; yours has the scope read."


@pytest.mark.parametrize("line", ["Basic YTpi", "bearer {key}", "BEARER   {key} ", "Bearer", "tev_x", ""])
def test_the_scheme_may_be_spelled_in_any_case_and_other_schemes_are_not_ours(api: Api, line: str) -> None:
    headers = {"Authorization": line.replace("{key}", api.keys["write"])}
    assert api.client.get("/v1/conditions", headers=headers).status_code == 200
    is_key = "{key}" in line
    answer = api.client.post("/v1/conditions", content=b"", headers=headers)
    assert answer.status_code == (415 if is_key else 401)


@pytest.mark.parametrize("key", ["x", "tev_", "tev_0123456789abcdef_", "é", "a" * 10_000, "' OR 1=1 --"])
def test_what_is_no_key_opens_nothing(api: Api, key: str) -> None:
    line = b"Bearer " + key.encode()
    for headers in ([(b"Authorization", line)], [(b"Authorization", line)] * 2):
        problem_of(api.client.get("/v1/conditions", headers=headers), 401, "unauthorized")


def test_a_key_with_one_character_changed_opens_nothing(api: Api) -> None:
    key = api.keys["admin"]
    for place in (5, 21, len(key) - 1):
        other = "0" if key[place] != "0" else "1"
        api.keys["changed"] = key[:place] + other + key[place + 1 :]
        problem_of(api.ask("GET", "/v1/conditions", key="changed"), 401, "unauthorized")


def test_an_answer_to_a_key_is_kept_by_no_cache(api: Api) -> None:
    public = api.client.get("/v1/conditions")
    keyed = api.ask("GET", "/v1/conditions", key="read")
    assert public.headers["cache-control"].startswith("public")
    assert keyed.headers["cache-control"] == "private, no-store"
    assert keyed.content == public.content


def test_the_last_use_is_noted_once_a_minute(api: Api) -> None:
    def last_used() -> str | None:
        with api.database.read() as connection:
            query = text("SELECT last_used_at FROM api_key WHERE name = 'made-up read'")
            value: str | None = connection.execute(query).scalar()
            return value

    api.ask("GET", "/v1/conditions", key="read")
    api.ask("PATCH", "/v1/conditions/chronic-migraine", {}, If_Match="*")  # stands behind the note in the queue
    assert last_used() is not None
    with api.database.write() as connection:
        connection.execute(update(API_KEY).values(last_used_at="2020-01-01T00:00:00Z"))
    api.ask("GET", "/v1/conditions", key="read")
    assert last_used() == "2020-01-01T00:00:00Z", "the same process has noted it within the minute"


# Before the body is read


def answered(api: Api, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> int:
    """The status of an answer that is given without a look at the body."""
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was asked for")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8000"), *headers],
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
    }

    async def served() -> None:
        await api.client.app(scope, receive, send)

    asyncio.run(served())
    return int(sent[0]["status"])


def test_without_a_key_that_may_write_the_body_is_never_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/unread.db"
    database = Database(url)
    database.migrate()
    database.close()
    with open_api(url) as api:
        for plural in RESOURCES:
            for method, path in (("POST", f"/v1/{plural}"), ("PUT", f"/v1/{plural}/x"), ("PATCH", f"/v1/{plural}/x")):
                headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
                assert answered(api, method, path, headers) == 401
                for caller in (*INVALID, "read"):
                    line = f"Bearer {api.keys[caller]}".encode()
                    status = answered(api, method, path, [*headers, (b"authorization", line)])
                    assert status == (403 if caller == "read" else 401)


@pytest.mark.parametrize("path", ["/v1/conditions/x?nope=1", "/v1/conditions/Bad_Slug", "/v1/conditions/x"])
def test_what_is_wrong_with_a_write_is_told_to_whoever_may_write(api: Api, path: str) -> None:
    huge = {"Content_Length": "100000000"} if path.endswith("x") else {}
    for caller, status in ((None, 401), ("wrong", 401), ("read", 403)):
        answer = api.ask("PUT", path, b"{}", key=caller, **huge)
        assert answer.status_code == status
    assert api.ask("PUT", path, b"{}", If_Match="*", **huge).status_code == (413 if huge else 422)


@pytest.mark.parametrize("end", ["%0A", "/", "%2F", "%00", "%20", "?", ";"])
def test_an_odd_address_opens_nothing(api: Api, end: str) -> None:
    revision = api.revision()
    body = {"id": "made-up-odd", "name": "made up"}
    for path in (f"/v1/conditions{end}", f"/v1/conditions/chronic-migraine{end}", f"/v1{end}/conditions"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = api.ask(method, path, body, key=None, If_Match="*")
            assert 400 <= answer.status_code < 500
            assert answer.status_code != 400 or end == "%00"
    assert api.revision() == revision


# Nowhere else


def test_a_key_is_never_repeated(api: Api) -> None:
    key = api.keys["write"]
    secret = key.split("_", 2)[2]
    paths = [f"/v1/conditions?key={key}", f"/v1/conditions?{key}=1", f"/v1/conditions?sort={key}", f"/v1/{key}"]
    paths += [f"/v1/conditions/{key}", f"/{key}", f"/v1/lookup?system={key}&code=x", f"/problems/{key}"]
    for path in paths:
        answer = api.client.get(path)
        assert answer.status_code in (404, 422), path
        assert secret not in answer.text, path
        assert secret not in str(answer.headers), path
    problem_of(api.client.get(f"/v1/conditions?key={key}"), 422, "invalid-parameter", "key")


def test_a_release_holds_no_key(api: Api, tmp_path: Path) -> None:
    build_release(api.database, tmp_path, "made-up")
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for key in api.keys.values():
        assert not any(key_digest(key).encode() in content or key.encode() in content for content in files)


# Pure


@given(st.text(), st.text())
def test_a_text_is_masked_wherever_the_key_stands(before: str, after: str) -> None:
    _, key = new_key()
    assert key.split("_", 2)[2] not in mask_keys(before + key + after)


def test_each_scope_includes_those_before_it() -> None:
    assert [[allows(scope, needed) for needed in SCOPES] for scope in SCOPES] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_a_key_that_another_process_revokes_opens_nothing_from_the_next_request_on(api: Api) -> None:
    elsewhere = Database(api.database.url)
    api.keys["soon-revoked"] = create_key(elsewhere, "made-up, soon revoked", "write")
    assert api.ask("GET", "/v1/conditions", key="soon-revoked").status_code == 200
    assert api.ask("GET", "/v1/conditions", key="soon-revoked").status_code == 200
    revoke_key(elsewhere, "made-up, soon revoked")
    elsewhere.close()
    problem_of(api.ask("GET", "/v1/conditions", key="soon-revoked"), 401, "unauthorized")
