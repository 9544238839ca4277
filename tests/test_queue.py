"""Writes that share a commit: each stands by itself, all wait for the disk, and none counts that was undone."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from app.bodies import record_of
from app.db import Database
from app.errors import Conflict, Unavailable
from app.memory import Memory
from app.models import RESOURCES
from app.queue import MOST_TOGETHER, Key, WriteQueue
from app.store import create_one, revision_of, together


def condition(name: str) -> Any:
    return record_of(RESOURCES["conditions"], {"id": name, "name": "made-up ache"})


def ids(database: Database) -> list[str]:
    table = RESOURCES["conditions"].table()
    with database.read() as connection:
        return sorted(row.id for row in connection.execute(table.select()))


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    database.migrate()
    yield database
    database.close()


def all_at_once(database: Database, works: Sequence[Callable[[], Any]]) -> tuple[list[Any], int]:
    """What each write came to, and in how many transactions."""
    opened = 0

    @contextmanager
    def counted(about: Collection[Key]) -> Iterator[None]:
        nonlocal opened
        opened += 1
        with together(database, about):
            yield

    results: list[Any] = [None] * len(works)

    async def main() -> None:
        queue = WriteQueue(counted)

        async def one(place: int) -> None:
            try:
                results[place] = await queue.submit(works[place])
            except Exception as failure:
                results[place] = failure

        async with anyio.create_task_group() as group:
            for place in range(len(works)):
                group.start_soon(one, place)

    anyio.run(main)
    return results, opened


def test_writes_that_wait_share_a_transaction_and_make_a_revision_each(database: Database) -> None:
    works = [lambda n=n: create_one(database, condition(f"made-up-{n:03}"), author="made-up") for n in range(100)]
    results, opened = all_at_once(database, works)
    assert [result.revision for result in results] == list(range(1, 101))
    assert len(ids(database)) == 100
    assert opened <= 100 / MOST_TOGETHER + 2


def test_a_write_that_is_refused_takes_nobody_with_it(database: Database) -> None:
    works = [
        lambda name=name: create_one(database, condition(name), author="made-up")
        for name in ("made-up-a", "made-up-b", "made-up-a", "made-up-c")
    ]
    results, _ = all_at_once(database, works)
    assert [type(result).__name__ for result in results] == ["Kept", "Kept", "Conflict", "Kept"]
    assert isinstance(results[2], Conflict)
    assert ids(database) == ["made-up-a", "made-up-b", "made-up-c"]
    with database.read() as connection:
        assert revision_of(connection) == 3


def test_a_fault_of_ours_takes_nobody_with_it(database: Database) -> None:
    def broken() -> Any:
        create_one(database, condition("made-up-lost"), author="made-up")
        raise RuntimeError("made-up fault")

    def half() -> Any:
        with database.write():
            broken()

    works = [half, lambda: create_one(database, condition("made-up-kept"), author="made-up")]
    results, _ = all_at_once(database, works)
    assert isinstance(results[0], RuntimeError)
    assert ids(database) == ["made-up-kept"]


def test_nothing_counts_when_the_database_undid_the_transaction(tmp_path: Any) -> None:
    """As SQLite does when the disk is full: the writes before it in the group must not be told that they were kept."""
    database = Database(f"sqlite:///{tmp_path}/undone.db")
    database.migrate()

    def undo() -> None:
        with database.write() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.rollback()

    works: list[Callable[[], Any]] = [
        lambda: create_one(database, condition("made-up-before"), author="made-up"),
        undo,
        lambda: create_one(database, condition("made-up-after"), author="made-up"),
    ]
    results, _ = all_at_once(database, works)
    assert all(isinstance(result, Unavailable) for result in results), results
    assert ids(database) == []
    results, _ = all_at_once(database, [works[0]])
    assert results[0].revision == 1
    database.close()


def test_what_was_read_is_believed_until_somebody_commits(tmp_path: Any) -> None:
    database = Database(f"sqlite:///{tmp_path}/watched.db")
    database.migrate()
    memory = Memory(database.url)
    memory.since_last_commit()["name"] = 1
    assert memory.since_last_commit() == {"name": 1}
    create_one(database, condition("made-up"), author="made-up")
    assert memory.since_last_commit() == {}
    memory.close()
    database.close()


def test_a_writer_waits_for_another_process_no_longer_than_it_was_told(tmp_path: Any) -> None:
    database = Database(f"sqlite:///{tmp_path}/locked.db", lock_seconds=0.05)
    database.migrate()
    other = sqlite3.connect(tmp_path / "locked.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="busy"):
        create_one(database, condition("made-up"), author="made-up")
    other.rollback()
    assert create_one(database, condition("made-up"), author="made-up").revision == 1
    other.close()
    database.close()
