"""Paging to the end while records come and go: whatever stayed is met once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator

from tests.reliability.bench import Bench
from tests.reliability.calls import Caller
from tests.reliability.figures import Figure, none_of
from tests.reliability.servers import Server

ORDERS = ("id", "-id", "name,id", "-updated_at,id")


def probe(bench: Bench) -> Iterator[Figure]:
    """In several orders, page by page and as an export."""
    for engine in bench.engines:
        with bench.server(engine) as server:
            yield from asyncio.run(look(server, engine, bench.rounds(200, 12)))


async def look(server: Server, engine: str, count: int) -> list[Figure]:
    """Create records that stay and others that go, and page while the others come and go."""
    caller = Caller(server, key=True)
    stay = [(await caller.create(name=f"made up {number % 7}")).json()["id"] for number in range(count)]
    missed: list[str] = []
    doubled: list[str] = []
    done = asyncio.Event()
    traffic = asyncio.create_task(come_and_go(server, done))
    for order in ORDERS:
        met = Counter([record async for record in pages(server, f"/v1/conditions?limit=10&sort={order}")])
        missed += [f"{order}: {record}" for record in stay if record not in met]
        doubled += [f"{order}: {record}" for record in stay if met[record] > 1]
    done.set()
    gone = await traffic
    await caller.close()
    of = count * len(ORDERS)
    return [
        none_of(f"missed while {gone} others came and went", engine, missed, of),
        none_of("met twice", engine, doubled, of),
    ]


async def come_and_go(server: Server, done: asyncio.Event) -> int:
    """Create and withdraw records until the event: how many."""
    caller, count = Caller(server, key=True), 0
    while not done.is_set() or not count:
        made = await caller.create(name=f"made up {count % 7}")
        path = f"/v1/conditions/{made.json()['id']}?reason=made+up"
        await caller.ask("DELETE", path, If_Match=made.headers["etag"])
        count += 1
    await caller.close()
    return count


async def pages(server: Server, path: str) -> AsyncIterator[str]:
    """The ids of every page, from the first to the last."""
    caller, cursor = Caller(server), ""
    while cursor is not None:
        answer = await caller.ask("GET", path + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200, answer
        page = answer.json()
        for record in page["items"]:
            yield record["id"]
        cursor = page["next"]
    await caller.close()
