"""60 queries at once, each of which would take longer than a second: they are cut, and cheap reads pass them by."""

import asyncio
from collections import Counter
from collections.abc import Iterator

from tests.reliability.bench import Bench
from tests.reliability.bulk import fill
from tests.reliability.calls import PROBLEM, Answer, Caller, at_once, steady
from tests.reliability.figures import Figure, at_most, none_of
from tests.reliability.servers import Server

AT_ONCE = 60
CHEAP = ("/v1/treatments/onabotulinumtoxina", "/v1/treatments", "/v1/approvals?treatment=onabotulinumtoxina")
SECONDS = 1.0
EXPENSIVE = "/v1/conditions?sort=name,-updated_at,id&count=exact&updated_at_gte=2000&limit=200"


def probe(bench: Bench) -> Iterator[Figure]:
    """Hundreds of thousands of records, ordered by what has no index, and counted."""
    for engine in bench.engines:
        environment = {"TEV_QUERY_SECONDS": "0.2"} if bench.is_short else {}
        with bench.server(engine, environment=environment) as server:
            fill(server, bench.rounds(400_000, 20_000), 200)
            yield from asyncio.run(look(server, engine, bench.rounds(3, 1)))


async def look(server: Server, engine: str, rounds: int) -> list[Figure]:
    """Ask the expensive ones over and over, and the cheap ones all the while."""
    done = asyncio.Event()
    cheap = [asyncio.create_task(steady(server, path, every=0.02, until=done)) for path in CHEAP]

    async def ask(_: int) -> list[Answer]:
        caller = Caller(server)
        answers = [await caller.ask("GET", EXPENSIVE) for _ in range(rounds)]
        await caller.close()
        return answers

    answers = [answer for some in await at_once(AT_ONCE, ask) for answer in some]
    done.set()
    reads = [answer for task in cheap for answer in await task]
    statuses = Counter(answer.status for answer in answers)
    odd = [one for one in answers if one.status != 200 and (one.status, one.headers["content-type"]) != (503, PROBLEM)]
    failed = [read.status for read in reads if read.status != 200]
    return [
        none_of(f"expensive queries neither answered nor cut with 503 ({dict(statuses)})", engine, odd, len(answers)),
        Figure("expensive queries that were cut", engine, str(statuses[503]), "> 0", statuses[503] > 0, is_time=True),
        none_of("cheap reads that failed", engine, failed, len(reads), is_time=True),  # a busy machine makes all slow
        at_most("the slowest cheap read", engine, max(one.seconds for one in reads), SECONDS, "s"),
    ]
