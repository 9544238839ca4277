"""2,000 connections that send nothing, half a head or half a body: others do not notice, and each is let go."""

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event

from tests.reliability.bench import Bench
from tests.reliability.calls import drain
from tests.reliability.figures import Figure, at_most, milliseconds, none_of, p99
from tests.reliability.servers import Server

SENT = {
    "nothing": b"",
    "half a head": b"GET /v1/treatments HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: applica",
    "half a body": (
        b"POST /v1/syntheses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b'Content-Length: 100\r\n\r\n{"measure":'
    ),
}
CLOSED_SECONDS = 15
PATH = "/v1/treatments"
LIMITED = ("prlimit", "--nofile=1024:1024")


def probe(bench: Bench) -> Iterator[Figure]:
    """With as many files as the machine allows, and with 1,024."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    count = bench.rounds(2000, 150)
    with bench.server("sqlite") as server:
        yield from asyncio.run(look(server, "sqlite", count))
    if not bench.is_short:
        limited = bench.prepare("sqlite", prefix=LIMITED)
        limited.start()
        try:
            yield from asyncio.run(look(limited, "sqlite, 1,024 files", count))
        finally:
            limited.stop()


async def look(server: Server, name: str, count: int) -> list[Figure]:
    """Hold the connections, and ask all the while."""
    with another_reader(server.port) as before:
        await asyncio.sleep(4)
    holders = []
    with another_reader(server.port) as during:
        for number in range(count):
            holders.append(asyncio.create_task(hold(server.port, list(SENT)[number % len(SENT)])))
            if number % 25 == 24:
                await asyncio.sleep(0.05)
        ends = await asyncio.gather(*holders)
    wrong = [status for status, _ in during if status != 200]
    silent = [end for end in ends if not end[1].startswith(("408 ", "503 ")) or "problem+json" not in end[1]]
    idle, busy = p99([seconds for _, seconds in before]), p99([seconds for _, seconds in during])
    counted = Counter(told.split()[0] if told else "silence" for _, told, _ in ends)
    return [
        none_of("requests of others that failed meanwhile", name, wrong, len(during)),
        none_of(f"connections let go without a word ({dict(counted)})", name, silent, count),
        at_most("closed after", name, max(seconds for _, _, seconds in ends), CLOSED_SECONDS, "s"),
        at_most("p99 of others", name, milliseconds(busy), 3 * milliseconds(idle), "ms"),
    ]


@contextmanager
def another_reader(port: int) -> Iterator[list[tuple[int, float]]]:
    """Status and seconds of each answer to somebody who reads meanwhile, in a process that holds no connections.

    It has begun when the block begins.
    """
    context = get_context("spawn")
    done, (ours, theirs) = context.Event(), context.Pipe(duplex=False)
    process = context.Process(target=read_on, args=(port, done, theirs))
    process.start()
    theirs.close()
    ours.recv()
    found: list[tuple[int, float]] = []
    try:
        yield found
    finally:
        done.set()
        found += ours.recv()
        process.join()


def read_on(port: int, done: Event, told: Connection) -> None:
    """Say that it begins, ask again and again, each time on a new connection, and tell all answers at the end."""
    answers: list[tuple[int, float]] = []
    told.send(answers)
    while not answers or not done.is_set():
        began = time.monotonic()
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", PATH)
            answer = connection.getresponse()
            answer.read()
        answers.append((answer.status, time.monotonic() - began))
        time.sleep(0.01)
    told.send(answers)


async def hold(port: int, sent: str) -> tuple[str, str, float]:
    """What was sent, what came (status and media type), and how long the connection lived."""
    began = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(SENT[sent])
        try:
            async with asyncio.timeout(4 * CLOSED_SECONDS):
                told = (await drain(reader)).decode("latin-1")
        finally:
            writer.close()
    except (OSError, TimeoutError) as failure:
        return sent, repr(failure), time.monotonic() - began
    status = told.partition("\r\n")[0].removeprefix("HTTP/1.1 ")
    kind = "problem+json" if "content-type: application/problem+json" in told else ""
    return sent, f"{status} {kind}".strip(), time.monotonic() - began
