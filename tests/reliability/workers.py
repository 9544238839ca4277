"""Two processes over one database: a writer reads what was just written, from either; twenty cold starts at once."""

import asyncio
import time
from collections.abc import Iterator

from tests.reliability.bench import Bench
from tests.reliability.calls import Caller, at_once
from tests.reliability.figures import Figure, none_of
from tests.reliability.servers import READY_SECONDS, Server

WRITERS = 8


def probe(bench: Bench) -> Iterator[Figure]:
    """Reads after writes, then cold starts."""
    for engine in bench.engines:
        with bench.server(engine, workers=2) as server:
            yield from asyncio.run(look(server, engine, bench.rounds(25, 2)))
        yield from cold_starts(bench, engine, bench.rounds(20, 2))


async def look(server: Server, engine: str, each: int) -> list[Figure]:
    """Create, change and withdraw, and after each step read on other connections, which any process may answer."""
    stale: list[str] = []
    ghosts: list[str] = []

    async def writer(_: int) -> None:
        for _ in range(each):
            caller = Caller(server, key=True)
            created = await caller.create()
            path = f"/v1/conditions/{created.json()['id']}"
            changed = await caller.ask("PATCH", path, {"name": "made up again"}, If_Match=created.headers["etag"])
            for _ in range(3):
                reader = Caller(server)
                read = await reader.ask("GET", path)
                await reader.close()
                if read.status != 200 or read.json()["version"] != 2:
                    stale.append(f"{changed.status} then {read.status} {read.content[:100]!r}")
            gone = await caller.ask("DELETE", f"{path}?reason=made+up", If_Match=changed.headers["etag"])
            for _ in range(3):
                reader = Caller(server)
                one, listed = await reader.ask("GET", path), await reader.ask("GET", path.replace("s/", "s?id="))
                await reader.close()
                if one.status != 410 or listed.json()["items"]:
                    ghosts.append(f"{gone.status} then {one.status} {listed.content[:100]!r}")
            await caller.close()

    await at_once(WRITERS, writer)
    of = 3 * each * WRITERS
    return [
        none_of("stale reads after one's own write", engine, stale, of),
        none_of("ghosts after a withdrawal", engine, ghosts, of),
    ]


def cold_starts(bench: Bench, engine: str, count: int) -> Iterator[Figure]:
    """So many servers begin in the same moment on a database without a schema."""
    url, _ = bench.database(engine, is_empty=True)
    servers = [Server(url, "", bench.folder) for _ in range(count)]
    try:
        for server in servers:
            server.begin()
        deadline = time.monotonic() + count * READY_SECONDS / 4
        faults = []
        for server in servers:
            while not server.is_ready() and server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            if not server.is_ready():
                faults.append(server.log.read_text()[-500:])
        revision = asyncio.run(first_revision(servers[0]))
        if revision != "1":
            faults.append(f"the seed was loaded more than once: revision {revision}")
    finally:
        for server in servers:
            server.kill()
    yield none_of("simultaneous cold starts that failed", engine, faults, count)


async def first_revision(server: Server) -> str:
    """The revision that a server answers from."""
    caller = Caller(server)
    answer = await caller.ask("GET", "/v1")
    await caller.close()
    return answer.headers["dataset-revision"]
