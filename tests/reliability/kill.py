"""kill -9 in the midst of concurrent writes, again and again: what was answered is there, and it starts again soon."""

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import create_engine, text

from tests.reliability.bench import Bench
from tests.reliability.calls import Caller, at_once
from tests.reliability.figures import Figure, at_most, none_of
from tests.reliability.servers import Server

WRITERS = 8
READY_SECONDS = 3


def probe(bench: Bench) -> Iterator[Figure]:
    """50 rounds on one database each; PostgreSQL goes on running, as it would."""
    for engine in bench.engines:
        rounds = bench.rounds(50, 1)
        server = bench.prepare(engine)
        starts, answered, lost = [server.start()], [], []
        dice = random.Random(1)
        try:
            for _ in range(rounds):
                found = asyncio.run(until_killed(server, 0.05 + dice.random() * 0.5))
                starts.append(server.start())
                lost += sorted(set(found) - ids(server))
                answered += found
        finally:
            server.kill()
        lost += sorted(set(answered) - ids(server))
        yield none_of(f"answered writes lost in {rounds} rounds", engine, lost, len(answered))
        if engine == "sqlite":
            with closing(sqlite3.connect(server.file)) as connection:
                found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
                broken = connection.execute("PRAGMA foreign_key_check").fetchall()
            yield none_of("faults of the file", engine, [one for one in found if one != "ok"] + broken, rounds)
        yield at_most("ready again after", engine, max(starts[1:]), READY_SECONDS, "s")


async def until_killed(server: Server, seconds: float) -> list[str]:
    """The ids of the writes that were answered before the server was killed, so long after the first of them."""
    answered: list[str] = []
    first = asyncio.Event()

    async def writer(_: int) -> None:
        caller = Caller(server, key=True)
        try:
            while True:
                answer = await caller.create()
                assert answer.status == 201, answer
                answered.append(answer.json()["id"])
                first.set()
        except (ConnectionError, OSError):
            await caller.close()

    writing = asyncio.create_task(at_once(WRITERS, writer))
    await first.wait()
    await asyncio.sleep(seconds)
    server.kill()
    await writing
    return answered


def ids(server: Server) -> set[str]:
    """The ids of all conditions that the database holds."""
    engine = create_engine(server.url)
    with engine.connect() as connection:
        found = {row[0] for row in connection.execute(text("SELECT id FROM condition"))}
    engine.dispose()
    return found
