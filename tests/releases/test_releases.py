"""Releases on both engines: made whole or not at all, never overwritten, passed on without foreign texts, and cited."""

import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from app.db.database import Database
from app.errors import BrokenSetting, RangeNotSatisfiable
from app.evidence.citations.masking import MASK, mask_text
from app.formats.dataset_citation import CitedRelease, bibtex, dataset_csl_item, text
from app.main import create_app
from app.releases.build import build_release, released_tables
from app.settings import Settings
from app.store.examples import RELEASE, TEXTS
from app.store.read.releases import file_of
from app.store.write.save import reinstate, save_all, withdraw
from app.web.files import range_of
from tests.conftest import ENGINES, ROOT, DatabaseTemplates
from tests.store.test_store import SOURCE, record, small_set
from tests.support.commands import tev

ARTICLE = "metropolmed-botox-neck-back-pain"
FILE = f"/v1/releases/{RELEASE}/dataset.sqlite3"
HOSTILE_NAMES = ["../x", "", "a/b", "A", ".x", "-x", "a" * 61, "a" * 1000, "é", "１", "a b", "a\n", "a_b"]


@contextmanager
def serving(database: Database, folder: Path) -> Iterator[TestClient]:
    """The application over a database and a folder of releases, without the cache: each read opens its release."""
    app = create_app(Settings(database_url=database.url, releases=str(folder), response_cache_bytes=0))
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield client


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


@pytest.fixture
def release_files(tmp_path: Path) -> Path:
    """Where the releases of a test lie."""
    folder = tmp_path / "releases"
    folder.mkdir()
    return folder


# Made


def test_a_release_is_one_compact_file_that_nobody_may_write_to(database: Database, release_files: Path) -> None:
    save_all(database, small_set(), author="test")
    made = build_release(database, release_files, "1.0", notes="An example.")
    file = file_of(release_files, "1.0")
    assert names_in(release_files) == ["1.0.sqlite3"]
    assert (file.stat().st_mode & 0o777, file.stat().st_size) == (0o444, made.size)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == made.sha256
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert raw.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert raw.execute("SELECT count(*) FROM edition").fetchone() == (5,)
        assert raw.execute("SELECT id, state FROM approval").fetchall() == [("example-approval", "published")]


def test_every_table_is_released_or_kept_back_on_purpose() -> None:
    kept_back = {"api_key", "idempotency", "draft"}  # who may write, and what they propose, is no part of what is known
    kept_back |= {"synthesis"}  # what was asked of releases is no part of it either
    assert {table.name for table in released_tables()} == set(SQLModel.metadata.tables) - kept_back


def test_a_name_is_taken_for_ever(database: Database, release_files: Path) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, release_files, "1.0")
    before = file_of(release_files, "1.0").read_bytes()
    with pytest.raises(BrokenSetting, match=r"There is a release '1.0' already"):
        build_release(database, release_files, "1.0")
    with pytest.raises(BrokenSetting, match=r"There is a release '1.0' already"):
        build_release(database, release_files / "elsewhere", "1.0")
    file_of(release_files, "2.0").write_text("someone else's")
    with pytest.raises(BrokenSetting, match="is no release of this database"):
        build_release(database, release_files, "2.0")
    assert file_of(release_files, "1.0").read_bytes() == before
    assert file_of(release_files, "2.0").read_text() == "someone else's"


def test_an_empty_dataset_is_not_released(database: Database, release_files: Path) -> None:
    with pytest.raises(BrokenSetting, match="nothing to release"):
        build_release(database, release_files, "1.0")
    assert names_in(release_files) == []


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_what_is_no_name_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "releases"
    with pytest.raises(BrokenSetting, match="is no name of a release"):
        build_release(Database(f"sqlite:///{tmp_path}/x.db"), folder, name)
    assert not folder.exists()


CRASH = """
import os, pathlib, sys
from app.db.database import Database
from app.releases.build import build_release
build_release(Database(sys.argv[1]), pathlib.Path(sys.argv[2]), "1.0", progress=lambda _count: os._exit(9))
"""


def test_a_crash_leaves_no_release_and_the_next_run_clears_up(database: Database, release_files: Path) -> None:
    save_all(database, small_set(), author="test")
    crashed = subprocess.run([sys.executable, "-c", CRASH, database.url, str(release_files)], cwd=ROOT, check=False)
    assert crashed.returncode == 9
    assert ".1.0.partial" in names_in(release_files)
    assert not file_of(release_files, "1.0").exists()
    with serving(database, release_files) as client:
        assert client.get("/v1/releases").json()["items"] == []
        build_release(database, release_files, "2.0")
        assert [item["name"] for item in client.get("/v1/releases").json()["items"]] == ["2.0"]
    assert names_in(release_files) == ["2.0.sqlite3"]


@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_crash_at_the_last_step_is_cleared_up_too(database: Database, release_files: Path, is_recorded: bool) -> None:
    """The file has its name already; whether it counts is what the database says."""
    save_all(database, small_set(), author="test")
    file, partial = file_of(release_files, "1.0"), release_files / ".1.0.partial"
    if is_recorded:
        build_release(database, release_files, "1.0")
        os.link(file, partial)
    else:
        partial.write_text("half")
        os.link(partial, file)
    build_release(database, release_files, "2.0")
    assert names_in(release_files) == (["1.0.sqlite3"] if is_recorded else []) + ["2.0.sqlite3"]


def test_of_two_runs_at_once_one_wins_and_the_other_says_so(database: Database, release_files: Path) -> None:
    save_all(database, small_set(), author="test")
    command = [sys.executable, "-m", "app.cli", "release", "1.0", "--database", database.url]
    environment = {**os.environ, "TEV_RELEASES": str(release_files)}
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE) for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=60)[1] for process in started)
    assert sorted(process.returncode for process in started) == [0, 1]
    assert said == ["", "tev: There is a release '1.0' already, and a release never changes. Take another name.\n"]
    assert names_in(release_files) == ["1.0.sqlite3"]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_command_says_what_it_made(engine: str, database_templates: DatabaseTemplates, tmp_path: Path) -> None:
    folder, url = tmp_path / "releases", database_templates.copy(engine, tmp_path, is_seeded=True)
    finished = tev("release", "a.1", "--database", url, "--notes", "For tests.", TEV_RELEASES=str(folder))
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("Release a.1 of dataset revision 1\n")
    file = file_of(folder, "a.1")
    assert re.search(rf"file +{re.escape(str(file))}\n", finished.stdout)
    assert re.search(rf"sha256 +{hashlib.sha256(file.read_bytes()).hexdigest()}\n", finished.stdout)
    assert re.search(r"records +\d+ approvals, 51 claims, ", finished.stdout)
    wrong = tev("release", "../x", "--database", url, TEV_RELEASES=str(folder))
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    unreadable = tev("release", "b", "--notes", "\x07", "--database", url, TEV_RELEASES=str(folder))
    assert unreadable.stderr == "tev: --notes: text holds a character that cannot be shown: U+0007\n"
    nowhere = tev("release", "b", "--database", url, TEV_RELEASES="/dev/null/x")
    assert nowhere.stderr.startswith("tev: TEV_RELEASES=/dev/null/x: ")


# Passed on


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 45), st.integers(0, 45)), max_size=5))
def test_a_masked_text_keeps_its_length_and_the_quoted_characters_alone(
    words: str, spans: list[tuple[int, int]]
) -> None:
    quoted = {place for start, end in spans for place in range(start, end)}
    expected = "".join(sign if place in quoted else MASK for place, sign in enumerate(words))
    assert mask_text(words, spans) == expected


def test_of_a_text_that_is_not_ours_the_file_holds_the_quotes_alone(
    seed_client: TestClient, release_folder: Path
) -> None:
    whole = (TEXTS / f"{ARTICLE}.txt").read_bytes().decode()
    with closing(sqlite3.connect(f"file:{file_of(release_folder, RELEASE)}?mode=ro", uri=True)) as raw:
        (held,) = raw.execute("SELECT text FROM source_text WHERE source = ?", [ARTICLE]).fetchone()
    assert len(held) == len(whole)
    assert all(kept in (MASK, sign) for kept, sign in zip(held, whole, strict=True))
    claims = seed_client.get("/v1/claims", params={"source": ARTICLE, "limit": 200}).json()["items"]
    assert all(held[claim["span"]["start"] : claim["span"]["end"]] == claim["quote"] for claim in claims)
    quoted = {place for claim in claims for place in range(claim["span"]["start"], claim["span"]["end"])}
    gaps = re.findall(r"\S{12,}", "".join(" " if place in quoted else sign for place, sign in enumerate(whole)))
    unquoted = [word for word in gaps if not any(word in claim["quote"] for claim in claims)]
    assert {"game-changer", "debilitating"} <= set(unquoted)
    assert not [word for word in unquoted if word in held]
    now, then = (seed_client.get(f"/v1/sources/{ARTICLE}/annotated{asked}") for asked in ("", f"?release={RELEASE}"))
    assert now.content == then.content


def test_a_text_that_may_be_served_is_passed_on_whole(database: Database, release_files: Path) -> None:
    words = "An example text of ours."
    source = {**SOURCE, "sha256": hashlib.sha256(words.encode()).hexdigest(), "text_served": "full"}
    save_all(database, [record("sources", source)], author="test", texts={SOURCE["id"]: words})
    build_release(database, release_files, "1.0")
    with closing(sqlite3.connect(file_of(release_files, "1.0"))) as raw:
        assert raw.execute("SELECT text FROM source_text").fetchall() == [(words,)]


# Listed and compared


def test_a_release_says_what_changed_since_the_one_before(database: Database, release_files: Path) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, release_files, "1.0")
    renamed = record("treatments", {"id": "example-toxin", "name": "Another name", "kind": "drug"})
    save_all(database, [renamed, record("conditions", {"id": "came", "name": "Came"})], author="test")
    save_all(database, [record("conditions", {"id": "gone", "name": "Gone"})], author="test")
    withdraw(database, "conditions", "gone", author="test", reason="came and went")
    save_all(database, [record("sources", {**SOURCE, "title": "Another title"})], author="test")
    save_all(database, [record("sources", SOURCE)], author="test", reason="changed back")
    withdraw(database, "approvals", "example-approval", author="test", reason="an example")
    build_release(database, release_files, "1.1", notes="The second.")
    with serving(database, release_files) as client:
        newest, first = client.get("/v1/releases").json()["items"]
        assert client.get("/v1/releases/1.1").json() == newest
    assert newest["difference"] == {
        "since": 1,
        "created": {"conditions": 1},
        "withdrawn": {"approvals": 1},
        "changed": {"treatments": 1},
        "by_type": {"created": 1, "record-withdrawn": 1, "value-revised": 1},
    }
    assert (newest["name"], newest["previous"], newest["notes"]) == ("1.1", "1.0", "The second.")
    assert newest["changes_url"] == f"http://127.0.0.1:8000/v1/changes?since=1&until={newest['revision']}"
    assert (newest["counts"]["conditions"], newest["counts"]["approvals"]) == (2, 0)
    assert (first["previous"], first["difference"]["since"]) == (None, 0)
    assert first["difference"]["created"] == {plural: 1 for plural, count in first["counts"].items() if count}


def test_the_list_is_read_in_pages_and_takes_no_cursor_of_others(database: Database, release_files: Path) -> None:
    save_all(database, small_set(), author="test")
    for number in range(3):
        build_release(database, release_files, f"{number}")
    with serving(database, release_files) as client:
        found, path = [], "/v1/releases?limit=1"
        while path:
            answer = client.get(path)
            found += [item["name"] for item in answer.json()["items"]]
            path = answer.links["next"]["url"] if answer.json()["next"] else ""
        assert found == ["2", "1", "0"]
        for cursor in ("x", "é", urlsafe_b64encode(b"[1,2]").decode(), urlsafe_b64encode(b'["a\\u0000","b"]').decode()):
            assert client.get("/v1/releases", params={"cursor": cursor}).status_code == 400
        assert client.get("/v1/releases?limit=0").status_code == 422


@pytest.mark.parametrize("path", ["/v1/releases", f"/v1/releases/{RELEASE}", FILE])
def test_a_release_is_not_asked_of_a_release(seed_client: TestClient, path: str) -> None:
    answer = seed_client.get(path, params={"release": RELEASE})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "release"


@pytest.mark.parametrize("ending", ["", "/dataset.sqlite3"])
def test_an_unknown_release_is_404_with_the_nearest(seed_client: TestClient, ending: str) -> None:
    answer = seed_client.get(f"/v1/releases/2026-11-2{ending}")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no release '2026-11-2'. Did you mean '2026-11-22'?"


# CitedRelease


@pytest.mark.parametrize(
    ("asked", "accept", "media_type"),
    [
        ("?format=csl-json", "*/*", "application/vnd.citationstyles.csl+json"),
        ("", "application/vnd.citationstyles.csl+json", "application/vnd.citationstyles.csl+json"),
        ("?format=bibtex", "*/*", "application/x-bibtex"),
        ("", "application/x-bibtex", "application/x-bibtex"),
        ("?format=text", "application/json", "text/plain; charset=utf-8"),
        ("", "text/plain", "text/plain; charset=utf-8"),
        ("", "text/html, */*;q=0.1", "application/json"),
    ],
)
def test_a_citation_comes_in_the_format_that_was_asked_for(
    seed_client: TestClient, asked: str, accept: str, media_type: str
) -> None:
    shown = seed_client.get(f"/v1/releases/{RELEASE}").json()
    cited = shown["cite_as"]
    contents = {"json": json.dumps([cited["csl_json"]]), "bibtex": cited["bibtex"], "plain": cited["text"] + "\n"}
    answer = seed_client.get(f"/v1/releases/{RELEASE}{asked}", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    if "json" in media_type:
        expected: Any = json.loads(contents["json"]) if "csl" in media_type else shown
        assert answer.json() == expected
    else:
        assert answer.text == contents["bibtex" if "bibtex" in media_type else "plain"]


def bibtex_fields(entry: str) -> dict[str, str]:
    """A small reader of BibTeX: balanced braces, one entry, its fields."""
    head, *lines, last, end = entry.split("\n")
    assert re.fullmatch(r"@misc\{[a-z0-9.-]+,", head), head
    assert (last, end) == ("}", "")
    found: dict[str, str] = {}
    for line in lines:
        name, value = line.strip().removesuffix(",").split(" = ", 1)
        depth = 0
        for index, sign in enumerate(value):
            escaped = index > 0 and value[index - 1] == "\\"
            depth += 0 if escaped else (sign == "{") - (sign == "}")
            assert depth > 0 or index == len(value) - 1, line
        assert depth == 0, line
        found[name] = value[1:-1]
    return found


def test_a_citation_says_who_when_which_and_where() -> None:
    cited = CitedRelease("1.0", "2026-11-02", 7, "ab" * 32, "http://example.org/a_b%7Bc&d#{x}")
    fields = bibtex_fields(bibtex(cited))
    assert (fields["year"], fields["month"], fields["version"]) == ("2026", "11", "1.0")
    assert fields["url"] == "http://example.org/a_b%7Bc&d#%7Bx%7D"
    assert fields["note"] == f"Version 1.0. Dataset revision 7, SHA-256 {'ab' * 32}"
    assert "(2026, November 2)" in text(cited)
    item = dataset_csl_item(cited)
    assert (item["type"], item["issued"]) == ("dataset", {"date-parts": [[2026, 11, 2]]})
    assert (item["version"], item["URL"]) == ("1.0", cited.url)


# The file


def test_the_file_is_given_as_it_lies_there(seed_client: TestClient, release_folder: Path) -> None:
    content = file_of(release_folder, RELEASE).read_bytes()
    shown = seed_client.get(f"/v1/releases/{RELEASE}").json()
    answer = seed_client.get(FILE)
    assert answer.content == content
    assert hashlib.sha256(content).hexdigest() == shown["sha256"]
    assert b64decode(answer.headers["repr-digest"].removeprefix("sha-256=").strip(":")).hex() == shown["sha256"]
    assert answer.headers["content-type"] == "application/vnd.sqlite3"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-disposition"] == f'attachment; filename="treatment-evidence-{RELEASE}.sqlite3"'
    assert (answer.headers["dataset-release"], answer.headers["accept-ranges"]) == (RELEASE, "bytes")
    tag = {"If-None-Match": answer.headers["etag"]}
    assert seed_client.get(FILE, headers=tag).status_code == 304
    head = seed_client.head(FILE)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(content)))


def test_a_download_goes_on_where_it_stopped(seed_client: TestClient, release_folder: Path) -> None:
    content = file_of(release_folder, RELEASE).read_bytes()
    size = len(content)
    tag = seed_client.head(FILE).headers["etag"]
    for asked, start, end in (("0-15", 0, 16), (f"{size - 5}-", size - 5, size), ("-7", size - 7, size)):
        answer = seed_client.get(FILE, headers={"Range": f"bytes={asked}", "If-Range": tag})
        assert (answer.status_code, answer.content) == (206, content[start:end])
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    assert seed_client.get(FILE, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).status_code == 200
    beyond = seed_client.get(FILE, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert beyond.headers["content-type"] == "application/problem+json"


@given(st.integers(1, 20), st.integers(0, 25) | st.none(), st.integers(0, 25) | st.none())
def test_a_range_is_a_slice_of_the_file_or_beyond_it(size: int, first: int | None, last: int | None) -> None:
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    places = list(range(size))
    if first is None:
        wanted = places if last is None else places[max(size - last, 0) :]
    else:
        wanted = places[first:] if last is None else places[first : last + 1]
    if (first is None and last is None) or (first is not None and last is not None and first > last):
        assert range_of(header, size) is None
    elif not wanted:
        with pytest.raises(RangeNotSatisfiable):
            range_of(header, size)
    else:
        assert range_of(header, size) == (wanted[0], wanted[-1] + 1)


@pytest.mark.parametrize("header", ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "0-1"])
def test_a_range_that_we_do_not_give_is_the_whole(header: str) -> None:
    assert range_of(header, 10) is None


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_a_file_that_is_not_what_was_released_is_503_and_the_rest_goes_on(
    database: Database, release_files: Path, damage: str
) -> None:
    save_all(database, small_set(), author="test")
    build_release(database, release_files, "1.0")
    file, aside = file_of(release_files, "1.0"), release_files / "aside"
    addresses = ("/v1/treatments?release=1.0", "/v1/releases/1.0/dataset.sqlite3")
    with serving(database, release_files) as client:
        assert [client.get(address).status_code for address in addresses] == [200, 200]
        file.rename(aside)
        if damage == "altered":
            file.write_bytes(aside.read_bytes()[:-1] + b"x")
        for address in addresses:
            answer = client.get(address)
            assert (answer.status_code, "'1.0'" in answer.json()["detail"]) == (503, True)
        assert client.get("/v1/treatments").status_code == 200
        assert client.get("/v1/releases/1.0").status_code == 200
        aside.replace(file)
        assert [client.get(address).status_code for address in addresses] == [200, 200]


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if name and "/" not in name])
def test_a_hostile_name_is_refused_wherever_a_name_stands(seed_client: TestClient, name: str) -> None:
    assert seed_client.get("/v1/treatments", params={"release": name}).status_code == 422
    assert seed_client.get(f"/v1/releases/{quote(name)}").status_code == 422


def test_a_reinstated_record_stays_what_it_was_in_the_release(database: Database, release_files: Path) -> None:
    save_all(database, small_set(), author="test")
    withdraw(database, "approvals", "example-approval", author="test", reason="an example")
    build_release(database, release_files, "1.0")
    reinstate(database, "approvals", "example-approval", author="test", reason="an example")
    with serving(database, release_files) as client:
        assert client.get("/v1/approvals").json()["items"]
        assert not client.get("/v1/approvals?release=1.0").json()["items"]
