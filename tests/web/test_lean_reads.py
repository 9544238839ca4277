"""A lean read answers as the declared route does: the same status, headers and bytes, or it leaves the answer to it."""

from collections.abc import Iterator
from typing import Any

import pytest

from app.db.database import Database
from app.fields import includable, reference_filters, uses
from app.main import create_app
from app.models import RESOURCES
from app.models.base import Row
from app.models.conditions import ConditionRecord
from app.settings import Settings
from app.store.read.query import BOUNDS
from app.store.write.save import rename, save_all, withdraw
from app.web.cache import CachedResponse, cache_key
from app.web.fast_path import FastPath
from app.web.lean_reads import LeanReads, parameters_of
from app.web.resources import parents
from tests.conftest import DatabaseTemplates
from tests.support.client import Client

OF_ONE_REQUEST = ("x-request-id",)
HEADERS: tuple[list[tuple[str, str]], ...] = (
    [],
    [("accept", "*/*")],
    [("accept", "application/json")],
    [("accept-encoding", "br")],
)
BROKEN = (
    "limit=0",
    "limit=201",
    "limit=x",
    "limit=",
    "limit=5&limit=6",
    "cursor=made-up",
    "cursor=",
    "unknown=1",
    "sort=unknown",
    "sort=id,id",
    "sort=",
    "fields=unknown",
    "fields=",
    "include=unknown",
    "facet=unknown",
    "count=many",
    "format=xml",
    "release=made-up",
    "release=",
    "=1",
    "&",
    "limit",
)


class Asked:
    """The application over the seed, and how to ask it in both ways."""

    def __init__(self, client: Client, revision: int) -> None:
        self.client = client
        self.revision = revision
        fast_path: FastPath = client.app_state["fast_path"]
        self.lean: LeanReads = fast_path.lean_reads
        self.answered = self.left = 0

    def compare(self, target: str, headers: list[tuple[str, str]] | None = None) -> dict[str, Any]:
        """Ask for a target in both ways, compare, and give the declared route's answer where it is JSON."""
        declared = self.client.get(target, headers=headers or [])
        lean = self.by_lean_read(target, headers or [])
        if lean is None:
            self.left += 1
        else:
            self.answered += 1
            assert declared.status_code == 200, target
            assert lean.body == declared.content, target
            head = lean.head().decode("latin-1").split("\r\n")
            assert head[0] == "HTTP/1.1 200 OK"
            found = dict(line.split(": ", 1) for line in head[1:] if line)
            expected = {name: value for name, value in declared.headers.items() if name not in OF_ONE_REQUEST}
            assert found == expected, target
        is_json = declared.headers["content-type"].startswith("application/json")
        content: dict[str, Any] = declared.json() if declared.status_code == 200 and is_json else {}
        return content

    def by_lean_read(self, target: str, headers: list[tuple[str, str]]) -> CachedResponse | None:
        """The response of the lean read, read on the event loop as the server does."""
        raw = [(name.encode(), value.encode()) for name, value in headers]

        async def answer() -> CachedResponse | None:
            key = cache_key(target.encode(), raw)
            read = None if key is None else self.lean.read_of(key)
            return None if key is None or read is None else self.lean.answer(key, read, self.revision)

        assert self.client.portal is not None
        return self.client.portal.call(answer)


@pytest.fixture(scope="module")
def asked(database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    url = database_templates.copy("sqlite", tmp_path_factory.mktemp("lean"), is_seeded=True)
    database = Database(url)
    save_all(database, [ConditionRecord(id=f"made-up-{n}", name="made-up ache") for n in range(3)], author="made-up")
    withdraw(database, "conditions", "made-up-0", author="made-up", reason="Made up.")
    rename(database, "conditions", "made-up-1", "made-up-renamed", author="made-up")
    database.close()
    settings = Settings(database_url=url, response_cache_bytes=0, contact_url="https://example.org/report")
    with Client(create_app(settings), base_url="http://127.0.0.1:8000") as client:
        yield Asked(client, int(client.get("/v1").headers["dataset-revision"]))


def value_of(text: Any) -> str | None:
    """A value as it stands in an address, when nothing of it needs quoting."""
    if isinstance(text, bool):
        return str(text).lower()
    if isinstance(text, int | float):
        return str(text)
    return (
        text if isinstance(text, str) and text.replace("-", "").replace(".", "").isalnum() and text.isascii() else None
    )


def questions(resource: type[Row], records: list[dict[str, Any]]) -> Iterator[str]:
    """Query strings of a list: every parameter by itself, with values that records have and others, and several."""
    yield ""
    yield from BROKEN
    for name, use in uses(resource).items():
        values = list(dict.fromkeys(filter(None, (value_of(record.get(name)) for record in records))))[:3]
        if use.is_filter:
            yield from (f"{name}={value}" for value in [*values, "made-up"])
            yield "&".join(f"{name}={value}" for value in values)
            if use.is_bounded:
                yield from (f"{name}{suffix}={value}" for suffix in BOUNDS for value in values)
        if use.is_sortable:
            yield from (f"sort={sign}{name}&limit=3" for sign in ("", "-"))
            yield from (f"sort={name},-id&{name}={value}" for value in values[:1] if use.is_filter)
        yield f"fields={name}&limit=2"
    yield from (
        f"{name}={value}" for name in reference_filters(resource) for value in ("made-up", "onabotulinumtoxina")
    )
    yield from (f"include={name}&limit=3" for name in includable(resource))
    yield "&".join(f"id={record['id']}" for record in records[:4]) + "&id=made-up&id=made-up-1"
    yield from ("count=exact&limit=1", "format=json", "format=csv", "format=ndjson&limit=2", "limit=200", "facet=state")


@pytest.mark.parametrize("plural", RESOURCES)
def test_lists_are_answered_alike(asked: Asked, plural: str) -> None:
    resource = RESOURCES[plural]
    records: list[dict[str, Any]] = asked.compare(f"/v1/{plural}?limit=200")["items"]
    for question in questions(resource, records):
        target = f"/v1/{plural}?{question}" if question else f"/v1/{plural}"
        page = asked.compare(target)
        for _ in range(2):
            if not page.get("next"):
                break
            joint = "&" if "?" in target else "?"
            page = asked.compare(f"{target}{joint}cursor={page['next']}")
    for headers in HEADERS:
        asked.compare(f"/v1/{plural}?limit=2", headers)
        asked.compare(f"/v1/{plural}?limit=2", [*headers, ("if-none-match", '"made-up"')])


@pytest.mark.parametrize("plural", RESOURCES)
def test_nested_lists_are_answered_alike(asked: Asked, plural: str) -> None:
    resource = RESOURCES[plural]
    for parent in parents(resource).values():
        ids = [record["id"] for record in asked.compare(f"/v1/{parent.plural}?limit=4")["items"]]
        for record_id in [*ids, "made-up", "made-up-0", "made-up-1", "a--b", "A"]:
            path = f"/v1/{parent.plural}/{record_id}/{plural}"
            for question in ("", "?limit=2", "?sort=-id&limit=1", "?limit=0", "?treatment=made-up", "?id=made-up"):
                page = asked.compare(path + question)
                if page.get("next"):
                    joint = "&" if question else "?"
                    asked.compare(f"{path}{question}{joint}cursor={page['next']}")


@pytest.mark.parametrize("plural", RESOURCES)
def test_records_are_answered_alike(asked: Asked, plural: str) -> None:
    records = asked.compare(f"/v1/{plural}?limit=200&fields=id")["items"]
    for number, record in enumerate(records):
        path = f"/v1/{plural}/{record['id']}"
        asked.compare(path)
        if number < 5:
            names = [f"include={name}" for name in includable(RESOURCES[plural])]
            for question in (
                *BROKEN,
                *names,
                "fields=id,version",
                "version=1",
                "version=99",
                "format=json",
                "format=csv",
            ):
                asked.compare(f"{path}?{question}")
            for headers in HEADERS:
                asked.compare(path, headers)
    for record_id in ("made-up", "made-up-0", "made-up-1", "a--b", "A", "history", "x" * 121):
        asked.compare(f"/v1/{plural}/{record_id}")


def test_most_of_what_is_plain_is_lean(asked: Asked) -> None:
    asked.compare("/v1/treatments")
    for plural in RESOURCES:
        for question in ("", "?limit=5", "?sort=-id"):
            assert asked.by_lean_read(f"/v1/{plural}{question}", []) is not None, plural
    assert asked.by_lean_read("/v1/treatments/onabotulinumtoxina", []) is not None
    assert asked.by_lean_read("/v1/treatments/onabotulinumtoxina/study-results?condition=chronic-migraine", [])
    assert asked.by_lean_read("/v1/study-results?treatment=onabotulinumtoxina&include=study,sources", []) is not None


def test_a_query_string_is_read_as_elsewhere() -> None:
    assert parameters_of("a=1&b=&c&&d=2=3") == [("a", "1"), ("b", ""), ("c", ""), ("d", "2=3")]
