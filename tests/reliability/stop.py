"""SIGTERM in the midst of writes, with one body half sent: each is answered, what was answered is there, it ends."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator

from tests.reliability.bench import Bench
from tests.reliability.calls import Caller, at_once, drain
from tests.reliability.figures import Figure, at_most, none_of
from tests.reliability.idle import SENT
from tests.reliability.kill import ids
from tests.reliability.servers import Server

IN_FLIGHT = 40
EXIT_SECONDS = 10


def probe(bench: Bench) -> Iterator[Figure]:
    """With one process and with two."""
    for engine in bench.engines:
        for workers in (1,) if bench.is_short else (1, 2):
            server = bench.prepare(engine, workers=workers)
            server.start()
            try:
                yield from look(server, f"{engine}, {workers} workers")
            finally:
                server.kill()


def look(server: Server, name: str) -> Iterator[Figure]:
    """Stop the server while it is at work, and look for what it has answered."""
    answers, half, seconds = asyncio.run(interrupted(server))
    faults = [answer for answer in answers if not answer[0].isdigit()]
    statuses = dict(Counter(status for status, _ in answers))
    yield none_of(f"requests in flight that were not answered ({statuses})", name, faults, IN_FLIGHT)
    told = half.partition("\r\n")[0] or "silence"
    yield Figure("the half-sent body is told", name, told, "408 or 503", told[9:12] in ("408", "503"))
    yield at_most("exit after", name, seconds, EXIT_SECONDS, "s")
    created = {record for status, record in answers if status == "201"}
    lost = sorted(created - ids(server))
    yield none_of("answered writes lost", name, lost, max(len(created), 1))


async def interrupted(server: Server) -> tuple[list[tuple[str, str]], str, float]:
    """Status and id of each request in flight, the answer to half a body, and how long the end took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(SENT["half a body"])
    callers = [Caller(server, key=True) for _ in range(IN_FLIGHT)]
    for caller in callers:
        await caller.ask("GET", "/healthz")  # so that each connection is the server's, not the kernel's

    async def create(number: int) -> tuple[str, str]:
        try:
            answer = await callers[number].create()
        except ConnectionError as failure:
            return repr(failure), ""
        return str(answer.status), answer.json().get("id", "")

    writing = asyncio.create_task(at_once(IN_FLIGHT, create))
    await asyncio.sleep(0.03)
    server.process.send_signal(signal.SIGTERM)
    ending = asyncio.create_task(asyncio.to_thread(server.stop))
    half = (await drain(reader)).decode("latin-1")
    writer.close()
    answers, seconds = await writing, await ending
    for caller in callers:
        await caller.close()
    return answers, half, seconds
