"""Writes that share a commit: each stands by itself, all wait for the disk, and none counts that was undone."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio
import pytest
from sqlalchemy import NullPool, create_engine, event, func, literal, select, table, text

from app.db.database import Database
from app.db.read_cache import ReadCache, SingleFlight
from app.db.tables import API_KEY, RECORD_VERSION, REGISTRY, REVISION
from app.db.write_queue import MOST_TOGETHER, WriteQueue
from app.errors import Conflict, Unavailable
from app.models import RESOURCES
from app.models.base import Key
from app.store.read.revision import revision_of
from app.store.write.drafts import Proposal, propose
from app.store.write.one import (
    IdempotencyKey,
    StoredRecord,
    change_one,
    change_within,
    create_one,
    create_within,
    withdraw_one,
)
from app.store.write.reindex import reindex
from app.store.write.transaction import write_group, writing
from app.web.bodies import record_of
from tests.conftest import new_postgresql_database


def condition(name: str) -> Any:
    return record_of(RESOURCES["conditions"], {"id": name, "name": "made-up ache"})


def ids(database: Database) -> list[str]:
    table = RESOURCES["conditions"].table()
    with database.read() as connection:
        return sorted(row.id for row in connection.execute(table.select()))


def all_at_once(
    database: Database, works: Sequence[Callable[[], Any]], about: Collection[Key] = ()
) -> tuple[list[Any], int]:
    """What each write came to, and in how many transactions."""
    opened = 0

    @contextmanager
    def counted() -> Iterator[Callable[[Collection[Key]], None]]:
        nonlocal opened
        opened += 1
        with write_group(database) as read_ahead:
            yield read_ahead

    results: list[Any] = [None] * len(works)

    async def main() -> None:
        queue = WriteQueue(counted)

        async def one(place: int) -> None:
            try:
                results[place] = await queue.submit(works[place], about)
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


def test_writes_that_come_while_another_process_writes_go_together() -> None:
    opened, may_write, taken = 0, threading.Event(), 0

    @contextmanager
    def after_another() -> Iterator[Callable[[Collection[Key]], None]]:
        nonlocal opened, taken
        opened += 1
        assert may_write.wait(30)

        def read_ahead(keys: Collection[Key]) -> None:
            nonlocal taken
            taken = len(keys)

        yield read_ahead

    async def main() -> list[int]:
        queue = WriteQueue(after_another)
        asked = [asyncio.create_task(queue.submit(partial(int, n), [("made-up", str(n))])) for n in range(5)]
        while queue.waiting < len(asked):
            await asyncio.wait(asked, timeout=0)
        asked[0].cancel()
        await asyncio.wait(asked[:1])
        may_write.set()
        return await asyncio.gather(*asked[1:])

    assert asyncio.run(main()) == [1, 2, 3, 4]
    assert (opened, taken) == (1, 4)


def test_a_write_that_is_refused_takes_nobody_with_it(database: Database) -> None:
    works = [
        lambda name=name: create_one(database, condition(name), author="made-up")
        for name in ("made-up-a", "made-up-b", "made-up-a", "made-up-c")
    ]
    results, _ = all_at_once(database, works)
    assert [type(result).__name__ for result in results] == ["StoredRecord", "StoredRecord", "Conflict", "StoredRecord"]
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
    assert results[1].revision == 1
    assert ids(database) == ["made-up-kept"]


def test_writes_that_only_add_share_their_statements(database: Database) -> None:
    sent: list[str] = []
    event.listen(database.writer, "before_cursor_execute", lambda _connection, _cursor, words, *_: sent.append(words))
    make = [
        lambda n=n: create_one(database, condition(f"made-up-{n:03}"), author="made-up") for n in range(MOST_TOGETHER)
    ]
    results, opened = all_at_once(database, make, [("conditions", f"made-up-{n:03}") for n in range(MOST_TOGETHER)])
    assert (opened, len(ids(database))) == (1, MOST_TOGETHER)
    assert len([words for words in sent if words.startswith("INSERT INTO registry")]) == 1
    assert not [words for words in sent if words.startswith("SAVEPOINT")]
    assert len(sent) < MOST_TOGETHER, sent
    assert [result.revision for result in results] == list(range(1, MOST_TOGETHER + 1))


IN_ONE = ("made-up", "made-up-child", "made-up-other", "made-up-draft")


@pytest.mark.parametrize("about", [(), [("nothing", "x"), *(("conditions", name) for name in IN_ONE)]])
def test_writes_of_one_transaction_see_each_other(database: Database, about: Collection[Key]) -> None:
    key, once = ("conditions", "made-up"), IdempotencyKey("holder", "made-up", "asked")
    with database.write() as connection:
        values = {"id": "holder", "name": "made-up", "scope": "write", "digest": "", "created_at": ""}
        connection.execute(API_KEY.insert().values(values))

    def named(name: str) -> Callable[[Any], Any]:
        return lambda _held: record_of(RESOURCES["conditions"], {"id": "made-up", "name": name})

    def change(version: int, name: str) -> StoredRecord:
        return change_one(database, key, named(name), expected=frozenset({version}), author="made-up")

    def child(name: str) -> StoredRecord:
        values = {"id": name, "name": "made-up ache", "part_of": "made-up"}
        return create_one(database, record_of(RESOURCES["conditions"], values), author="made-up")

    def draft(proposal: Proposal) -> StoredRecord:
        return propose(
            database, proposal, holder="holder", author="made-up", reason=None, render=lambda _connection, n: str(n)
        )

    works: list[Callable[[], Any]] = [
        lambda: create_one(database, condition("made-up"), author="made-up", idempotency=once),
        lambda: create_one(database, condition("made-up"), author="made-up", idempotency=once),
        lambda: child("made-up-child"),
        lambda: change(2, "made-up sore"),
        lambda: change(1, "made-up pain"),
        lambda: change(1, "made-up pang"),
        lambda: create_one(database, condition("made-up"), author="made-up"),
        lambda: draft(Proposal("change", key, lambda write: change_within(write, key, named("made-up sting"), None))),
        lambda: child("made-up-other"),
        lambda: withdraw_one(database, ("conditions", "made-up-child"), expected=None, author="x", reason="made-up"),
        lambda: draft(
            Proposal("create", ("conditions", IN_ONE[3]), lambda write: create_within(write, condition(IN_ONE[3])))
        ),
        lambda: create_one(database, condition(IN_ONE[3]), author="made-up"),
    ]
    results, opened = all_at_once(database, works, about)
    told = [
        type(result).__name__ if isinstance(result, Exception) else getattr(result, "revision", result)
        for result in results
    ]
    assert opened == 1
    refused = "PreconditionFailed"
    assert told == [1, 1, 2, refused, 3, refused, "Conflict", 3, 4, 5, 5, 6]
    assert results[1].is_replayed
    with database.read() as connection:
        editions = connection.execute(select(RECORD_VERSION.c.id).order_by(RECORD_VERSION.c.revision)).scalars().all()
    assert editions == ["made-up", "made-up-child", "made-up", "made-up-other", "made-up-child", "made-up-draft"]
    assert reindex(database).differences == []


def test_what_the_database_refuses_takes_nobody_with_it(database: Database) -> None:
    def refused() -> None:
        with writing(database, "made-up", None) as write:
            write.save({("conditions", "made-up-lost"): condition("made-up-lost")}, lambda _count: None)
            write.finish()
            write.insert(REGISTRY, [{"kind": "conditions", "id": "made-up-a"}])

    works: list[Callable[[], Any]] = [
        lambda: create_one(database, condition("made-up-a"), author="made-up"),
        refused,
        lambda: create_one(database, condition("made-up-b"), author="made-up"),
    ]
    results, _ = all_at_once(database, works)
    assert [type(result).__name__ for result in results] == ["StoredRecord", "Unavailable", "StoredRecord"]
    assert ids(database) == ["made-up-a", "made-up-b"]
    assert [result.revision for result in results[::2]] == [1, 2]
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(REVISION)).scalar() == 2


def test_a_read_that_fails_loses_nothing_that_was_written_before_it(database: Database) -> None:
    """PostgreSQL refuses whatever comes after it, and would take a commit for a rollback without a word."""

    def written() -> None:
        with database.write() as connection:
            connection.execute(REGISTRY.insert().values(kind="conditions", id="made-up"))

    def refused() -> None:
        with writing(database, "made-up", None) as write:
            write.connection.execute(select(literal(1).label("one")).select_from(table("made_up")))

    results, _ = all_at_once(database, [written, refused])
    assert [type(result) for result in results] == [type(None), Unavailable]
    with database.read() as connection:
        assert connection.execute(select(REGISTRY.c.id)).scalars().all() == ["made-up"]


def test_a_write_that_fails_late_leaves_no_gap_behind(database: Database) -> None:
    def late() -> None:
        with writing(database, "made-up", None) as write:
            write.save({("conditions", "made-up-lost"): condition("made-up-lost")}, lambda _count: None)
            write.finish()
            raise Conflict("made-up")

    works = [late, lambda: create_one(database, condition("made-up-lost"), author="made-up"), late]
    results, opened = all_at_once(database, works)
    assert (type(results[0]), results[1].revision, type(results[2])) == (Conflict, 1, Conflict)
    assert opened == 1
    assert ids(database) == ["made-up-lost"]


def test_a_server_that_closed_its_connections_is_asked_again_at_once(request: pytest.FixtureRequest) -> None:
    """As one does that was started again: neither the next read nor the next write pays for it."""
    database = Database(new_postgresql_database(request.getfixturevalue("postgresql")))
    database.migrate()
    ids(database)
    with create_engine(database.url, poolclass=NullPool).connect() as other:
        others = "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
        ended = other.execute(text(f"{others} WHERE datname = current_database() AND pid <> pg_backend_pid()")).all()
    assert [ok for (ok,) in ended] == [True, True]
    assert ids(database) == []
    assert create_one(database, condition("made-up"), author="made-up").revision == 1

    def lose() -> None:
        with database.write() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    make = [lambda name=name: create_one(database, condition(name), author="x") for name in ("made-up-a", "made-up-b")]
    results, opened = all_at_once(database, [make[0], lose, make[1]])
    assert [type(result) for result in results] == [Unavailable] * 3, results
    assert opened == 1
    results, _ = all_at_once(database, make)
    assert [one.revision for one in results] == [2, 3]
    database.close()


def test_reads_of_a_server_are_shared_by_those_who_come_before_they_begin() -> None:
    async def go() -> None:
        joined, begun, reads = SingleFlight(), [asyncio.Event() for _ in range(3)], 0
        go_on = [asyncio.Event() for _ in range(3)]

        async def work() -> int:
            nonlocal reads
            mine, reads = reads, reads + 1
            begun[mine].set()
            await go_on[mine].wait()
            if mine == 1:
                raise Unavailable("made-up")
            return mine

        first = [asyncio.create_task(joined.read("revision", work)) for _ in range(3)]
        await begun[0].wait()
        second = [asyncio.create_task(joined.read("revision", work)) for _ in range(3)]
        for asked in second:
            await asyncio.wait([asked], timeout=0)
        assert reads == 1
        second[0].cancel()
        go_on[0].set()
        assert await asyncio.gather(*first) == [0, 0, 0]
        await begun[1].wait()
        third = asyncio.create_task(joined.read("revision", work))
        go_on[1].set()
        failed = await asyncio.gather(*second, return_exceptions=True)
        assert [type(one) for one in failed] == [asyncio.CancelledError, Unavailable, Unavailable]
        go_on[2].set()
        assert await third == 2
        assert not joined._next
        assert not joined._under_way

    asyncio.run(go())


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
    memory = ReadCache(database.url)
    memory.valid_results()["name"] = 1
    assert memory.valid_results() == {"name": 1}
    create_one(database, condition("made-up"), author="made-up")
    assert memory.valid_results() == {}
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
