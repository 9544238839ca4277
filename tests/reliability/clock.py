"""The clock is set back by an hour between writes: a reader of the change feed still gets every change, in order."""

import asyncio
from collections.abc import Iterator
from datetime import datetime

from tests.reliability.bench import Bench
from tests.reliability.calls import Caller
from tests.reliability.figures import Figure, none_of
from tests.reliability.servers import Server
from tests.reliability.shim import Shim, compiler

HOUR = 3600


def probe(bench: Bench) -> Iterator[Figure]:
    """On both engines."""
    if compiler() is None:
        yield Figure("clock set back", "", "not measured: there is no C compiler", "0 lost", is_kept=False)
        return
    for engine in bench.engines:
        with bench.server(engine, with_shim=True) as server:
            yield from asyncio.run(follow(server, bench.shim, engine, bench.rounds(20, 4)))
            bench.shim.set()


async def follow(server: Server, shim: Shim, engine: str, rounds: int) -> list[Figure]:
    """Write, read on from the revision read last, and set the clock back half way."""
    caller = Caller(server, key=True)
    since = int((await caller.ask("GET", "/v1")).headers["dataset-revision"])
    faults, times = [], []
    for number in range(rounds):
        if number == rounds // 2:
            shim.set(seconds=-HOUR)
        created = await caller.create()
        answer = await caller.ask("GET", f"/v1/changes?since={since}")
        found = [(change["kind"], change["id"]) for change in answer.json()["items"]]
        if found != [("conditions", created.json()["id"])]:
            faults.append((number, found))
        times.append(datetime.fromisoformat(created.json()["created_at"]))
        since = int(created.headers["dataset-revision"])
    all_of_them = await caller.ask("GET", f"/v1/changes?since={since - rounds}&limit=200")
    if len(all_of_them.json()["items"]) != rounds:
        faults.append((rounds, []))
    await caller.close()
    back = (times[0] - times[-1]).total_seconds()
    return [
        none_of("changes that a follower does not get", engine, faults, rounds),
        Figure("how far the clock went back", engine, f"{back:.0f} s", "> 3000 s", back > 3000),
    ]
