"""20 clients that ask for an export and do not read it, while others write and read: the log of writes stays small."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from tests.reliability.bench import Bench
from tests.reliability.bulk import fill
from tests.reliability.calls import Caller, at_once, drain, steady
from tests.reliability.figures import Figure, at_most, milliseconds, none_of, p99
from tests.reliability.servers import Server

CLIENTS = 20
P99_MILLISECONDS = 250
WAL_MEGABYTES = 16
ASKED = b"GET /v1/conditions?format=ndjson HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def probe(bench: Bench) -> Iterator[Figure]:
    """An export of some megabytes, of which a client's socket takes a few kilobytes."""
    for engine in bench.engines:
        with bench.server(engine) as server:
            fill(server, bench.rounds(10_000, 1_200), 1_000)
            yield from asyncio.run(look(server, engine, bench.rounds(15, 1)))


async def look(server: Server, engine: str, seconds: float) -> list[Figure]:
    """Let them hang, write all the while, and ask as others do."""
    stuck = [await hang(server) for _ in range(CLIENTS)]
    done = asyncio.Event()
    others = asyncio.create_task(steady(server, "/v1/treatments", every=0.01, until=done))
    until = time.monotonic() + seconds
    peaks = [0.0]

    async def write(_: int) -> list[int]:
        caller = Caller(server, key=True)
        statuses: list[int] = []
        while time.monotonic() < until or not statuses:
            statuses.append((await caller.create(definition="made up, at length. " * 40)).status)
            peaks.append(wal(server.file) if engine == "sqlite" else 0)
        await caller.close()
        return statuses

    statuses = [status for some in await at_once(4, write) for status in some]
    done.set()
    answers = await others
    whole = await drain(stuck[0][0])
    for _, writer in stuck:
        writer.close()
    figures = [
        none_of("writes that failed", engine, [status for status in statuses if status != 201], len(statuses)),
        none_of(
            "reads that failed", engine, [answer.status for answer in answers if answer.status != 200], len(answers)
        ),
        at_most("p99 of others", engine, milliseconds(p99([one.seconds for one in answers])), P99_MILLISECONDS, "ms"),
        Figure(
            "the first of them, read late", engine, f"{len(whole)} bytes", "all of it", whole.endswith(b"\r\n0\r\n\r\n")
        ),
    ]
    if engine == "sqlite":
        figures.append(at_most("the log of writes", engine, max(peaks), WAL_MEGABYTES, "MB", is_time=False))
    return figures


async def hang(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for the export over a socket that takes little, and do not read."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=1024)
    writer.write(ASKED)
    return reader, writer


def wal(file: Path) -> float:
    """Megabytes of the write-ahead log of a SQLite file."""
    log = file.with_name(f"{file.name}-wal")
    return log.stat().st_size / 1e6 if log.exists() else 0.0
