"""64 writers at once, with one process and with two: no error, and how long a write takes."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

from tests.reliability.bench import Bench
from tests.reliability.calls import Answer, Caller, at_once
from tests.reliability.figures import Figure, at_least, at_most, milliseconds, none_of, p99
from tests.reliability.servers import Server

WRITERS = 64
P99_MILLISECONDS = 500
WRITES_PER_SECOND = 400


def probe(bench: Bench) -> Iterator[Figure]:
    """Each writer on a connection of its own, one write after the other."""
    for engine in bench.engines:
        for workers in (1,) if bench.is_short else (1, 2):
            with bench.server(engine, workers=workers) as server:
                name = f"{engine}, {workers} workers"
                yield from asyncio.run(look(server, name, bench.rounds(60, 2)))


async def look(server: Server, name: str, each: int) -> list[Figure]:
    """Write, and count."""

    async def writer(_: int) -> list[Answer]:
        caller = Caller(server, key=True)
        answers = [await caller.create() for _ in range(each)]
        await caller.close()
        return answers

    began = time.monotonic()
    answers = [answer for some in await at_once(WRITERS, writer) for answer in some]
    seconds = time.monotonic() - began
    wrong = [answer for answer in answers if answer.status != 201]
    statuses = dict(Counter(answer.status for answer in answers))
    return [
        none_of(f"writes refused ({statuses})", name, wrong, len(answers)),
        at_most("p99", name, milliseconds(p99([answer.seconds for answer in answers])), P99_MILLISECONDS, "ms"),
        at_least("rate", name, len(answers) / seconds, WRITES_PER_SECOND, "writes/s"),
    ]
