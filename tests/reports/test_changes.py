"""The change feed on both engines: replaying it gives the dataset, and a mirror that reads on misses nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.cli.seed import seed_database
from app.db.database import Database
from app.errors import InvalidRecord
from app.formats.atom import FeedAddresses, FeedEntry, render_feed, title_of
from app.main import create_app
from app.models import RESOURCES, plural_of
from app.models.base import Record
from app.reports.changes import MOST_COMPARED
from app.settings import Settings
from app.store.examples import SEED, seed_records
from app.store.read.changes import RecordChange, changes_between
from app.store.write.save import reinstate, rename, save_all, withdraw
from tests.conftest import ENGINES, DatabaseTemplates
from tests.store.test_history import CLASS, CONDITION, SOURCE, TREATMENT, WARNING, record

FEED = "/v1/changes"
ATOM = "{http://www.w3.org/2005/Atom}"
Mirror = dict[tuple[str, str], dict[str, Any]]
OTHER = {**SOURCE, "id": "other-article"}
SECOND = {**WARNING, "id": "other-warning", "citations": [{"source": "other-article"}]}
RETRACTION = {"status": "retracted", "on": "2026-11"}


def small_set() -> list[Record]:
    """A made-up set in which everything rests on something."""
    return [
        record("sources", SOURCE),
        record("sources", OTHER),
        record("treatments", CLASS),
        record("treatments", TREATMENT),
        record("conditions", CONDITION),
        record("warnings", WARNING),
        record("warnings", SECOND),
    ]


def service(database: Database) -> TestClient:
    return TestClient(create_app(Settings(database_url=database.url)), base_url="http://127.0.0.1:8000")


@pytest.fixture
def changes_client(database: Database) -> Iterator[TestClient]:
    """The service over a small set with one record withdrawn, one source retracted and one treatment renamed."""
    save_all(database, small_set(), author="ada", reason="a start")
    save_all(database, [record("sources", {**SOURCE, "retraction": RETRACTION})], author="ben", reason="a notice")
    withdraw(database, "warnings", "other-warning", author="ben", reason="an error")
    rename(database, "treatments", "example-class", "sample-class", author="ada", reason="a better name")
    with service(database) as client:
        yield client


def items(client: TestClient, **asked: Any) -> list[dict[str, Any]]:
    """All items of the feed, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        answer = client.get(FEED, params={**asked, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next"]
        assert (cursor is not None) == ("next" in answer.links)
        if cursor is None:
            return found


def applied(mirror: Mirror, changes: list[dict[str, Any]]) -> Mirror:
    """The mirror after the changes, applied as the documentation says."""
    for change in changes:
        key = (change["kind"], change["id"])
        if change["type"] == "created":
            mirror[key] = dict(change["record"])
        elif change["type"] == "renamed":
            mirror[key] = {**mirror.pop((change["kind"], change["old"])), "id": change["new"]}
        else:
            mirror[key][change["field"]] = change["new"]
        mirror[key] |= {"version": change["version"], "updated_at": change["updated_at"]}
    return mirror


def lists(client: TestClient) -> Mirror:
    """Every record of every list."""
    found: Mirror = {}
    for plural in RESOURCES:
        lines = client.get(f"/v1/{plural}", params={"format": "ndjson"}).text.splitlines()
        found |= {(plural, content["id"]): content for content in map(json.loads, lines)}
    return found


def published(mirror: Mirror) -> Mirror:
    return {key: content for key, content in mirror.items() if content["state"] == "published"}


# Replaying


def edit(database: Database) -> None:
    """Everything that can happen to the records of the seed."""
    known = seed_records()
    source = known["sources", "foster-2001"].model_dump(mode="json")
    claim = known["claims", "c20"].model_dump(mode="json")
    save_all(database, [record("sources", {**source, "retraction": RETRACTION})], author="ben", reason="a notice")
    save_all(database, [record("claims", {**claim, "rationale": "A made-up reason."})], author="ben")
    save_all(database, [record("sources", source), record("claims", claim)], author="ben", reason="two at once")
    withdraw(database, "claims", "c20", author="ben", reason="an error")
    withdraw(database, "conditions", "chronic-migraine", author="ben", reason="an error")
    rename(database, "conditions", "chronic-migraine", "sample-migraine", author="ada", reason="a better name")
    reinstate(database, "conditions", "sample-migraine", author="ada", reason="no error")
    rename(database, "treatments", "onabotulinumtoxina", "sample-toxin", author="ada", reason="a better name")
    rename(database, "treatments", "sample-toxin", "specimen-toxin", author="ada", reason="the best name")


def test_a_replayed_feed_is_the_dataset(database: Database) -> None:
    seed_database(database, SEED)
    edit(database)
    with service(database) as client:
        truth = lists(client)
        assert published(applied({}, items(client, limit=37))) == truth
        stream = [json.loads(line) for line in client.get(FEED, params={"format": "ndjson"}).text.splitlines()]
        assert published(applied({}, stream)) == truth
        assert items(client, limit=1000) == stream
        backwards = items(client, limit=53, order="newest-first")
        assert backwards[::-1] == stream
        middle = applied({}, items(client, until=4))
        assert published(applied(middle, items(client, since=4))) == truth


operations = st.lists(
    st.tuples(
        st.sampled_from(["revise", "retract", "correct", "withdraw", "reinstate", "rename", "several"]),
        st.integers(0, 6),
        st.integers(0, 3),
    ),
    min_size=6,
    max_size=12,
)


SLOW = [HealthCheck.too_slow]
"""Each example makes a database."""


@pytest.fixture(scope="session", params=ENGINES)
def new_databases(
    request: pytest.FixtureRequest, database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Database]:
    """Makes databases without records, on each engine."""
    return lambda: Database(database_templates.copy(request.param, tmp_path_factory.mktemp("replayed")))


def change_something(database: Database, ids: list[tuple[str, str]], what: str, which: int, how: int) -> None:
    """One change of the small set; what the store refuses does not happen."""
    plural, record_id = ids[which]
    current = small_set()[which].model_dump(mode="json") | {"id": record_id}
    if what == "withdraw":
        withdraw(database, plural, record_id, author="ben", reason=f"error {how}")
    elif what == "reinstate":
        reinstate(database, plural, record_id, author="ada", reason=f"no error {how}")
    elif what == "rename":
        rename(database, plural, record_id, f"sample-{which}-{how}", author="ada", reason="a better name")
        ids[which] = (plural, f"sample-{which}-{how}")
    elif what in ("retract", "correct"):
        notices = {**SOURCE, "retraction": {**RETRACTION, "status": "retracted" if what == "retract" else "corrected"}}
        source = {**(notices if how else SOURCE), "id": ids[which % 2][1]}
        save_all(database, [record("sources", source)], author="ben", reason=what)
    elif plural in ("sources", "conditions"):
        name = "title" if plural == "sources" else "name"
        batch = [record(plural, {**current, name: f"Example {how}"})]
        if what == "several":
            batch.append(record("conditions", {**CONDITION, "id": f"new-condition-{how}"}))
        save_all(database, batch, author="ben")


@given(operations)
@settings(
    max_examples=5, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
def test_whatever_happens_a_mirror_that_reads_on_follows(
    new_databases: Callable[[], Database], drawn: list[tuple[str, int, int]]
) -> None:
    ids = [(plural_of(one), one.id) for one in small_set()]
    mirror: Mirror = {}
    since = 0
    with closing(new_databases()) as database, service(database) as client:
        save_all(database, small_set(), author="ada")
        for what, which, how in drawn:
            with suppress(InvalidRecord):
                change_something(database, ids, what, which, how)
            mirror = applied(mirror, items(client, since=since, limit=3))
            since = client.get(FEED, params={"limit": 1}).json()["revision"]
        assert published(mirror) == lists(client)
        assert published(applied({}, items(client, limit=2))) == lists(client)


# What an item says


def test_an_item_says_what_changed_when_by_whom_and_why(changes_client: TestClient) -> None:
    retracted = next(item for item in items(changes_client) if item["type"] == "source-retracted")
    assert retracted == {
        "revision": 2,
        "position": 1,
        "at": retracted["at"],
        "author": "ben",
        "reason": "a notice",
        "reviewer": None,
        "note": None,
        "kind": "sources",
        "id": "example-article",
        "version": 2,
        "updated_at": retracted["updated_at"],
        "type": "source-retracted",
        "field": "retraction",
        "old": None,
        "new": retracted["new"],
        "record": None,
        "url": "http://127.0.0.1:8000/v1/sources/example-article",
    }
    assert retracted["new"]["status"] == "retracted"


def test_what_follows_from_a_change_stands_in_the_same_revision(changes_client: TestClient) -> None:
    followed = [item for item in items(changes_client, since=1, until=2) if item["kind"] == "warnings"]
    assert [(item["type"], item["old"], item["new"]) for item in followed] == [
        ("standing-changed", "current", "retracted")
    ]
    assert followed[0]["version"] == 1, "the warning itself did not change"


def test_an_item_keeps_the_id_of_its_time_and_links_to_the_record_as_it_is_called_now(
    changes_client: TestClient,
) -> None:
    of_class = items(changes_client, kind="treatments", id="sample-class")
    assert [(item["type"], item["id"]) for item in of_class] == [
        ("created", "example-class"),
        ("renamed", "sample-class"),
    ]
    assert {item["url"] for item in of_class} == {"http://127.0.0.1:8000/v1/treatments/sample-class"}
    assert items(changes_client, kind="treatments", id="example-class") == of_class, "a former id names it too"
    assert items(changes_client, id="example-class") == of_class, "and no kind is needed"
    assert items(changes_client, kind=["sources", "treatments"], id="sample-class", limit=1) == of_class


# Which changes


def test_kind_type_since_and_until_narrow_the_feed(changes_client: TestClient) -> None:
    everything = items(changes_client)
    assert {item["revision"] for item in everything} == {1, 2, 3, 4}
    assert items(changes_client, since=2) == [item for item in everything if item["revision"] > 2]
    assert items(changes_client, until=2) == [item for item in everything if item["revision"] <= 2]
    kinds = ["warnings", "sources"]
    assert items(changes_client, kind=kinds, limit=2) == [item for item in everything if item["kind"] in kinds]
    for types in (["record-withdrawn"], ["created"], ["renamed", "source-retracted"], ["verdict-changed"]):
        expected = [item for item in everything if item["type"] in types]
        assert items(changes_client, type=types, limit=1) == expected
        assert items(changes_client, type=types, order="newest-first") == expected[::-1]


def test_nothing_comes_after_the_newest_revision(changes_client: TestClient) -> None:
    page = changes_client.get(FEED, params={"since": 999}).json()
    assert page == {"items": [], "next": None, "revision": 4}


def test_a_page_may_end_inside_an_edition(database: Database) -> None:
    save_all(database, small_set(), author="ada")
    changed = {**WARNING, "statement": "Another.", "jurisdiction": "GB", "condition": None}
    save_all(database, [record("warnings", changed)], author="ben")
    with service(database) as client:
        one_by_one = items(client, since=1, limit=1)
        assert [item["field"] for item in one_by_one] == ["condition", "jurisdiction", "statement"]
        assert items(client, since=1) == one_by_one


def test_a_type_that_is_rare_is_found_behind_many_others(database: Database) -> None:
    many = [record("conditions", {**CONDITION, "id": f"example-{n}"}) for n in range(MOST_COMPARED + 100)]
    save_all(database, many, author="ada")
    save_all(database, [record("conditions", {**CONDITION, "id": "example-7", "name": "Other"})], author="ben")
    with service(database) as client:
        page = client.get(FEED, params={"type": "value-revised"}).json()
        assert [item["id"] for item in page["items"]] == ["example-7"], "creations are passed over unread"
        first = client.get(FEED, params={"type": ["created", "renamed"], "limit": 1000}).json()
        assert first["next"] is not None
        short = client.get(FEED, params={"type": ["status-granted"]}).json()
        assert (short["items"], short["next"] is None) == ([], False), "a page compares so many editions only"
        assert items(client, type="status-granted") == []


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ("since=5&until=4", "until"),
        ("since=-1", "since"),
        ("since=1&since=2", "since"),
        ("id=C20", "id"),
        ("kind=claim", "kind"),
        ("type=verdict", "type"),
        ("limit=1001", "limit"),
        ("order=oldest", "order"),
        ("format=csv", "format"),
        ("until=99999999999", "until"),
    ],
)
def test_a_question_that_cannot_be_is_refused(seed_client: TestClient, asked: str, parameter: str) -> None:
    answer = seed_client.get(f"{FEED}?{asked}")
    assert answer.status_code == 422
    assert parameter in [error["parameter"] for error in answer.json()["errors"]]


def test_an_unknown_id_is_404_and_names_the_nearest(seed_client: TestClient) -> None:
    for asked, where in (({"kind": "treatments"}, "treatments"), ({}, "any resource")):
        answer = seed_client.get(FEED, params={**asked, "id": "onabotulinumtoxin"})
        assert answer.status_code == 404
        assert f"in {where}. Did you mean 'onabotulinumtoxina'?" in answer.json()["detail"]


def test_a_cursor_goes_with_its_question_alone(seed_client: TestClient) -> None:
    cursor = seed_client.get(FEED, params={"limit": 1}).json()["next"]
    assert seed_client.get(FEED, params={"limit": 5, "cursor": cursor}).status_code == 200
    for other in ({"since": 1}, {"order": "newest-first"}, {"kind": "claims"}, {"type": "created"}, {"until": 1}):
        assert seed_client.get(FEED, params={**other, "cursor": cursor}).status_code == 400
    assert seed_client.get(FEED, params={"cursor": "WzFd"}).status_code == 400


def test_polling_without_news_answers_304(changes_client: TestClient) -> None:
    for asked in ({"since": 4}, {"format": "atom"}, {"format": "ndjson"}):
        first = changes_client.get(FEED, params=asked)
        again = changes_client.get(FEED, params=asked, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code) == (200, 304)


def test_the_format_follows_accept_and_the_parameter(seed_client: TestClient) -> None:
    for accept, media_type in (("application/atom+xml", "application/atom+xml"), ("text/csv", None)):
        answer = seed_client.get(FEED, params={"limit": 1}, headers={"Accept": accept})
        assert answer.headers["content-type"] == (media_type or "application/problem+json")
    lines = seed_client.get(FEED, params={"limit": 3, "format": "ndjson"})
    assert lines.text.count("\n") == 3
    assert "next" in lines.links


# Atom


def test_the_atom_feed_has_what_rfc_4287_requires(changes_client: TestClient) -> None:
    answer = changes_client.get(FEED, params={"format": "atom", "limit": 5})
    feed = ElementTree.fromstring(answer.content)  # our own
    assert feed.tag == f"{ATOM}feed"
    for parent in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(parent.findall(f"{ATOM}{name}")) == 1, name
        assert parent.findtext(f"{ATOM}author/{ATOM}name")
        links = {(link.get("rel"), link.get("type")) for link in parent.findall(f"{ATOM}link")}
        assert ("alternate", "application/json") in links
    relations = {link.get("rel"): link.get("href") or "" for link in feed.findall(f"{ATOM}link")}
    assert relations["self"] == f"http://127.0.0.1:8000{FEED}?format=atom&limit=5"
    following = ElementTree.fromstring(changes_client.get(relations["next"]).content)  # our own
    assert following.findtext(f"{ATOM}id") == feed.findtext(f"{ATOM}id")
    assert changes_client.get(relations["alternate"]).json()["items"]
    entries = [*feed.findall(f"{ATOM}entry"), *following.findall(f"{ATOM}entry")]
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids) == 10
    assert all(entry.find(f"{ATOM}category") is not None for entry in entries)


def test_the_atom_feed_is_newest_first_unless_it_is_read_on_from_a_revision(changes_client: TestClient) -> None:
    def revisions(**asked: Any) -> list[str]:
        feed = ElementTree.fromstring(changes_client.get(FEED, params={"format": "atom", **asked}).content)
        return [entry.findtext(f"{ATOM}title") or "" for entry in feed.findall(f"{ATOM}entry")]

    assert "treatments/sample-class: renamed from example-class" in revisions()[:3]
    assert revisions(since=0) == revisions()[::-1]
    assert revisions(since=0, order="newest-first") == revisions()


CHANGE = FeedEntry(
    "1.1.x.y", "2026-11-22T00:00:00Z", "ada", None, "claims/c20", "value-revised", "x", 1, 2, "https://e.org"
)


@pytest.mark.parametrize(
    ("values", "title"),
    [
        (
            {"type": "verdict-changed", "field": "verdict", "old": "contradicted", "new": "supported"},
            "claims/c20: verdict changed from contradicted to supported",
        ),
        ({"type": "claim-withdrawn", "field": "state"}, "claims/c20: withdrawn"),
        ({"old": None, "new": 3}, "claims/c20: x set to 3"),
        ({"old": 3, "new": None}, "claims/c20: x removed"),
        ({"old": "a" * 99, "new": "b"}, "claims/c20: x changed"),
        ({"old": [], "new": [1]}, "claims/c20: x changed from [] to [1]"),
    ],
)
def test_a_change_is_told_in_words(values: dict[str, Any], title: str) -> None:
    assert title_of(CHANGE.__class__(**{**CHANGE.__dict__, **values})) == title


@given(st.text(), st.text())
def test_no_text_breaks_the_feed(value: str, reason: str) -> None:
    entry = FeedEntry(**{**CHANGE.__dict__, "new": value, "author": value, "reason": reason})
    addresses = FeedAddresses("https://e.org", "https://e.org/f", "https://e.org/f?a=1&b=2", None, "https://e.org/j")
    feed = ElementTree.fromstring(render_feed([entry], addresses, updated=""))  # our own
    assert feed.findtext(f"{ATOM}entry/{ATOM}id")


# What changed between two editions

VALUES: dict[str, Any] = {"id": "a", "status": None, "verdict": "supported", "version": 1, "state": "published"}


@pytest.mark.parametrize(
    ("kind", "after", "expected"),
    [
        (
            "claims",
            {"verdict": "contradicted"},
            RecordChange("verdict-changed", "verdict", "supported", "contradicted"),
        ),
        ("claims", {"state": "withdrawn"}, RecordChange("claim-withdrawn", "state", "published", "withdrawn")),
        ("studies", {"state": "withdrawn"}, RecordChange("record-withdrawn", "state", "published", "withdrawn")),
        ("approvals", {"status": "approved"}, RecordChange("status-granted", "status", None, "approved")),
        ("approvals", {"status": "refused"}, RecordChange("value-revised", "status", None, "refused")),
        ("studies", {"status": "approved"}, RecordChange("value-revised", "status", None, "approved")),
        ("studies", {"id": "b"}, RecordChange("renamed", "id", "a", "b")),
        ("studies", {"added": None}, RecordChange("value-revised", "added", None, None)),
    ],
)
def test_changes_that_matter_have_names(kind: str, after: dict[str, Any], expected: RecordChange) -> None:
    assert list(changes_between(kind, VALUES, {**VALUES, **after, "version": 2})) == [expected]


def test_a_new_record_announces_what_subscribers_wait_for() -> None:
    granted = {**VALUES, "status": "approved"}
    assert [change.type for change in changes_between("approvals", None, granted)] == ["created", "status-granted"]
    assert [change.type for change in changes_between("studies", None, granted)] == ["created"]
    ended = list(changes_between("approvals", granted, {**granted, "status": "withdrawn"}))
    assert ended == [RecordChange("status-ended", "status", "approved", "withdrawn")]
