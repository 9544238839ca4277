"""Any read of records, asked of a release: as it was then, under what has become of its records since."""

import re
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import create_engine, select
from starlette.testclient import TestClient

from app.db.database import Database
from app.db.schema import migrate_schema
from app.json_codec import from_json
from app.models.approvals import Approval
from app.releases.build import build_release
from app.releases.pool import MOST_OPEN
from app.releases.reader import ReleaseReader
from app.store.examples import RELEASE
from app.store.read.releases import Release, file_of, find_release
from app.store.write.releases import record_release
from app.store.write.save import reinstate, rename, save_all, withdraw
from tests.releases.test_releases import serving
from tests.store.test_store import APPROVAL, CONDITION, SOURCE, record, small_set
from tests.web.test_hostile import operations, required

RETRACTED = {**SOURCE, "retraction": {"status": "retracted", "on": "2026-11"}}
PATHS = (
    "/v1/approvals",
    "/v1/approvals/example-approval",
    "/v1/approvals?format=ndjson",
    "/v1/treatments/example-toxin/approvals?include=sources",
    "/v1/treatments/example-toxin/dossier",
)


@pytest.fixture
def frozen_releases(tmp_path: Path) -> Path:
    """Where the releases of a test lie."""
    return tmp_path / "releases"


def asked(path: str, name: str = "1.0") -> str:
    return f"{path}{'&' if '?' in path else '?'}release={name}"


def shown(client: TestClient, path: str) -> dict[str, Any]:
    answer = client.get(asked(path))
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_a_release_of_today_answers_every_read_as_the_dataset_does(seed_client: TestClient) -> None:
    for path, methods in operations(seed_client):
        taken = methods.get("get", {}).get("parameters", [])
        if "release" not in [entry.get("$ref", "").split("/")[-1] for entry in taken]:
            continue
        parameters = required(seed_client, methods)
        now, then = (seed_client.get(path, params=parameters | more) for more in ({}, {"release": RELEASE}))
        if now.status_code == 404:  # an example that is no source with a text, say
            assert then.json()["detail"] == now.json()["detail"]
            continue
        same = re.sub(rf"[?&]release={RELEASE}", "", then.text)
        assert _without_cursors(same) == _without_cursors(now.text), path
        assert (then.headers["dataset-release"], then.headers["dataset-revision"]) == (RELEASE, "1")
        assert "dataset-release" not in now.headers


def _without_cursors(content: str) -> str:
    """Without what belongs to one question or one release: cursors, what a card says of it, a synthesis's hash."""
    content = re.sub(r'"release":(null|"[^"]+")|"input_hash":"[^"]+"|"links":[{][^}]+[}]', "…", content)
    content = re.sub(r'"as_of":"(Dataset|Release [^,"]+,) revision', '"as_of":"… revision', content)
    return re.sub(r'"next":"[^"]+"', '"next":"…"', content)


def test_a_release_answers_the_same_bytes_after_the_dataset_changed(database: Database, frozen_releases: Path) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, frozen_releases, "1.0")
    with serving(database, frozen_releases) as client:
        before = {path: client.get(asked(path)).content for path in PATHS}
        save_all(database, [record("treatments", {"id": "example-toxin", "name": "New", "kind": "drug"})], author="t")
        save_all(database, [record("conditions", {"id": "new", "name": "New"})], author="test")
        save_all(database, [record("approvals", {**APPROVAL, "status": "suspended"})], author="test")
        assert {path: client.get(asked(path)).content for path in PATHS} == before
        answer = client.get(asked("/v1/approvals/example-approval"))
        assert (answer.json()["status"], answer.json()["version"]) == ("approved", 1)
        assert (answer.headers["dataset-revision"], answer.headers["dataset-release"]) == ("1", "1.0")
        live = client.get("/v1/approvals/example-approval")
        assert (live.json()["status"], live.headers["dataset-revision"]) == ("suspended", "4")
        gone = client.get(asked("/v1/conditions/new"))
        assert (gone.status_code, gone.headers["dataset-release"]) == (404, "1.0")


def test_a_retraction_shows_in_a_release_and_goes_when_it_is_undone(database: Database, frozen_releases: Path) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, frozen_releases, "1.0")
    with serving(database, frozen_releases) as client:
        before = {path: client.get(asked(path)).content for path in PATHS}
        tag = client.get(asked("/v1/approvals?format=ndjson")).headers["etag"]
        save_all(database, [record("sources", RETRACTED)], author="test")
        assert shown(client, "/v1/approvals/example-approval")["source_status"] == "retracted"
        assert shown(client, "/v1/sources/example-article")["source_status"] == "retracted"
        listed = shown(client, "/v1/approvals?source_status=retracted&include=sources")
        assert [item["id"] for item in listed["items"]] == ["example-approval"]
        assert listed["included"]["sources"]["example-article"]["source_status"] == "retracted"
        assert shown(client, "/v1/approvals?source_status=current")["items"] == []
        assert shown(client, "/v1/approvals?source_status=retracted&count=exact")["total"] == 1
        part = shown(client, "/v1/treatments/example-toxin/dossier")["approvals"]["items"][0]
        assert (part["source_status"], part["status"]) == ("retracted", "approved")
        assert client.get(asked("/v1/approvals?format=ndjson")).headers["etag"] != tag
        marked = shown(client, "/v1/approvals/example-approval")
        assert marked | {"source_status": "current"} == {**marked, "source_status": "current", "version": 1}
        save_all(database, [record("sources", SOURCE)], author="test")
        assert {path: client.get(asked(path)).content for path in PATHS} == before


def test_a_withdrawal_shows_in_a_release_and_the_record_is_still_served(
    database: Database, frozen_releases: Path
) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, frozen_releases, "1.0")
    with serving(database, frozen_releases) as client:
        before = client.get(asked("/v1/approvals/example-approval")).content
        withdraw(database, "approvals", "example-approval", author="test", reason="an example")
        assert shown(client, "/v1/approvals/example-approval")["state"] == "withdrawn"
        assert [item["state"] for item in shown(client, "/v1/approvals")["items"]] == ["withdrawn"]
        assert client.get("/v1/approvals").json()["items"] == []
        reinstate(database, "approvals", "example-approval", author="test", reason="an error of ours")
        assert client.get(asked("/v1/approvals/example-approval")).content == before


def test_what_was_withdrawn_when_it_was_released_stays_so_in_the_release(
    database: Database, frozen_releases: Path
) -> None:
    save_all(database, small_set(), author="test")
    withdraw(database, "approvals", "example-approval", author="test", reason="an example")
    build_release(database, frozen_releases, "1.0")
    reinstate(database, "approvals", "example-approval", author="test", reason="an example")
    with serving(database, frozen_releases) as client:
        assert [item["id"] for item in client.get("/v1/approvals").json()["items"]] == ["example-approval"]
        assert shown(client, "/v1/approvals")["items"] == []
    with database.read() as connection:
        frozen = ReleaseReader(
            file_of(frozen_releases, "1.0"), find_release(connection, "1.0"), query_seconds=1, read_threads=1
        )
    anyio.run(frozen.follow, database)
    with frozen.read() as connection:
        document = from_json(connection.execute(select(Approval.table().c.document)).scalar_one())
    frozen.close()
    assert document["state"] == "withdrawn", "its visibility and what it says of it agree"


def test_a_renamed_record_has_its_former_id_in_a_release_and_todays_standing(
    database: Database, frozen_releases: Path
) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, frozen_releases, "1.0")
    rename(database, "sources", "example-article", "renamed-article", author="test")
    save_all(database, [record("sources", {**RETRACTED, "id": "renamed-article"})], author="test")
    with serving(database, frozen_releases) as client:
        assert shown(client, "/v1/sources/example-article")["source_status"] == "retracted"
        assert shown(client, "/v1/approvals/example-approval")["citations"][0]["source"] == "example-article"
        assert client.get(asked("/v1/sources/renamed-article")).status_code == 404


def test_pages_and_addresses_stay_in_the_release(seed_client: TestClient) -> None:
    first = seed_client.get(asked("/v1/claims?limit=30", RELEASE))
    following = first.links["next"]["url"]
    assert f"release={RELEASE}" in following
    second = seed_client.get(following)
    assert second.headers["dataset-release"] == RELEASE
    assert len(first.json()["items"] + second.json()["items"]) == 51
    assert seed_client.get(following.replace(f"release={RELEASE}&", "")).status_code == 400, "a cursor of another query"
    found = seed_client.get(asked("/v1/claims/c20", RELEASE)).links
    assert {"latest-version", "version-history", "alternate"} <= found.keys()
    assert all(f"release={RELEASE}" in link["url"] for link in found.values())
    for path in ("/v1", "/v1/lookup?system=pmid&code=11376175", "/v1/treatments/onabotulinumtoxina/dossier"):
        urls = re.findall(r'"url":"http://127.0.0.1:8000([^"]+)"', seed_client.get(asked(path, RELEASE)).text)
        ours = [url for url in urls if url.startswith("/v1/")]
        assert ours
        assert all(url.endswith(f"?release={RELEASE}") for url in ours), path
        assert seed_client.get(ours[0]).headers["dataset-release"] == RELEASE


def test_an_export_streams_from_a_release(seed_client: TestClient) -> None:
    now, then = (seed_client.get(f"/v1/sources?format=ndjson{more}") for more in ("", f"&release={RELEASE}"))
    assert now.content == then.content
    assert then.headers["dataset-release"] == RELEASE


def test_the_tag_of_a_long_export_changes_with_what_became_of_its_records(
    database: Database, frozen_releases: Path
) -> None:
    save_all(database, [record("conditions", {"id": f"c{n}", "name": f"C {n}"}) for n in range(501)], author="test")
    build_release(database, frozen_releases, "1.0")
    path = asked("/v1/conditions?format=ndjson")
    with serving(database, frozen_releases) as client:
        before = client.get(path)
        assert before.headers["etag"].startswith("W/")
        withdraw(database, "conditions", "c7", author="test", reason="an example")
        after = client.get(path, headers={"If-None-Match": before.headers["etag"]})
        assert (before.status_code, after.status_code) == (200, 200)
        assert before.text.count("\n") == after.text.count("\n") == 501
        assert client.get(path, headers={"If-None-Match": after.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/v1/treatments?release={RELEASE}&release={RELEASE}", 422),
        (f"/v1?release={RELEASE}&release={RELEASE}", 422),
        ("/v1/treatments?release=", 422),
        ("/v1?release=../x", 422),
        ("/v1/treatments?release=2026-11-2", 404),
        ("/v1/treatments/onabotulinumtoxina?release=2026-11-2", 404),
        ("/v1?release=2026-11-2", 404),
        (f"/problems?release={RELEASE}&utm_source=x", 200),
        ("/?release=2026-11-2", 404),
        ("/treatments/onabotulinumtoxina?release=2026-11-2", 404),
        (f"/claims?release={RELEASE}&release={RELEASE}", 422),
        ("/claims?release=../x", 422),
        ("/claims?release=", 200),
        ("/readyz?release=no-such", 200),
    ],
)
def test_a_release_is_named_once_and_exists(seed_client: TestClient, path: str, status: int) -> None:
    answer = seed_client.get(path)
    assert answer.status_code == status
    assert "dataset-release" not in answer.headers
    if status == 404:
        assert answer.json()["detail"] == f"There is no release '2026-11-2'. Did you mean {RELEASE!r}?"


def test_few_releases_are_open_at_once_and_none_after_the_end(database: Database, frozen_releases: Path) -> None:
    save_all(database, small_set(), author="test")
    names = [f"a{number}" for number in range(MOST_OPEN + 3)]
    for name in names:
        build_release(database, frozen_releases, name)

    def open_files() -> set[str]:
        opened = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return {path.name for path in opened if path.parent == frozen_releases and path.suffix == ".sqlite3"}

    with serving(database, frozen_releases) as client:
        for name in (*names, names[0]):
            assert client.get(asked("/v1/treatments", name)).headers["dataset-release"] == name
        assert open_files() == {f"{name}.sqlite3" for name in (names[0], *names[-MOST_OPEN + 1 :])}
    assert open_files() == set()


# Releases of other programs


def recorded(database: Database, file: Path, name: str) -> None:
    """Record a file that was made by hand."""
    content = file.read_bytes()
    difference = {"since": 0, "created": {}, "withdrawn": {}, "changed": {}, "by_type": {}}
    digest = sha256(content).hexdigest()
    made = Release(name, "2026-11-22T00:00:00Z", 1, None, digest, len(content), {}, difference, None)
    assert record_release(database, made)


def test_a_release_of_an_earlier_program_is_read(database: Database, frozen_releases: Path) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, frozen_releases, "1.0")
    file = file_of(frozen_releases, "0.9")
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        migrate_schema(connection, "0001")
        values = {
            "id": CONDITION["id"],
            "name": "As it was called then",
            "missing": "{}",
            "synonyms": "[]",
            "codes": "[]",
            "citations": "[]",
            "version": 1,
            "created_at": "2025-01-01T00:00:00Z",
            "updated_at": "2025-01-01T00:00:00Z",
            "state": "published",
            "needs_review": 0,
            "digest": "",
            "document": '{"id":"example-pain","name":"As it was called then","state":"published"}',
        }
        places = ", ".join(f":{name}" for name in values)
        connection.exec_driver_sql(f"INSERT INTO condition ({', '.join(values)}) VALUES ({places})", values)
        connection.exec_driver_sql("INSERT INTO registry (kind, id) VALUES ('conditions', 'example-pain')")
    engine.dispose()
    recorded(database, file, "0.9")
    before = file.read_bytes()
    with serving(database, frozen_releases) as client:
        for _ in range(2):
            answer = client.get(asked("/v1/conditions/example-pain", "0.9"))
            assert (answer.status_code, answer.json()["name"]) == (200, "As it was called then")
        assert client.get(asked("/v1/conditions", "0.9")).json()["items"][0]["id"] == "example-pain"
        assert client.get(asked("/v1/treatments", "0.9")).json()["items"] == []
        assert client.get("/v1/releases/0.9/dataset.sqlite3").content == before
    assert file.read_bytes() == before


def test_a_release_of_a_later_program_is_503(database: Database, frozen_releases: Path) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, frozen_releases, "1.0")
    file = file_of(frozen_releases, "9.0")
    file.write_bytes(file_of(frozen_releases, "1.0").read_bytes())
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    recorded(database, file, "9.0")
    with serving(database, frozen_releases) as client:
        answer = client.get(asked("/v1/treatments", "9.0"))
        assert (answer.status_code, "'9.0' cannot be read" in answer.json()["detail"]) == (503, True)
        assert client.get(asked("/v1/treatments")).status_code == 200
