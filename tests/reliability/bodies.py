"""Hostile bodies: each refused with 4xx in two seconds, without the memory for it; without a key before it is read."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from tests.reliability.bench import Bench
from tests.reliability.calls import PROBLEM, drain
from tests.reliability.figures import Figure, at_most, none_of
from tests.reliability.servers import Server

HUGE = 100_000_000
SECONDS = 2.0
MEGABYTES = 60
NESTED = b"[" * 100_000 + b"]" * 100_000
OBJECTS = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
PATHS = (("POST", "/v1/conditions"), ("PATCH", "/v1/conditions/chronic-migraine"), ("POST", "/v1/syntheses"))


@dataclass(frozen=True)
class Body:
    """A request body, its announced length, and whether a key is sent with it."""

    name: str
    content: bytes = b""
    repeated: int = 1
    announced: int | None = None
    is_chunked: bool = False
    coding: str = ""
    ends: bool = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes as they are sent."""
        for _ in range(self.repeated):
            yield b"%x\r\n%b\r\n" % (len(self.content), self.content) if self.is_chunked else self.content


def bodies() -> Iterator[Body]:
    """All of them."""
    piece = b" " * 100_000
    yield Body("100 MB", piece, HUGE // len(piece), HUGE)
    yield Body("100 MB in chunks", piece, HUGE // len(piece), is_chunked=True)
    yield Body("100,000 nested arrays", NESTED)
    yield Body("100,000 nested objects", OBJECTS)
    bomb = gzip.compress(bytes(20_000_000))
    yield Body("a compressed bomb", bomb, coding="gzip")
    yield Body("a bomb of an unknown coding", bomb, coding="br, gzip")
    yield Body("less than Content-Length says", b"{}", announced=1000, ends=True)
    yield Body("more than Content-Length says", b'{"id":"made-up"}' + piece, announced=5)
    yield Body("5 GB announced, nothing sent", b"", announced=5_000_000_000)
    yield Body("a length beyond any integer", b"{}", announced=10**30)
    yield Body("chunks that end in the middle", b"{", is_chunked=True, ends=True)


def probe(bench: Bench) -> Iterator[Figure]:
    """With a key and without, at every address that takes a body."""
    with bench.server("sqlite") as server:
        asyncio.run(send(server, PATHS[0], Body("warm", b"{}"), keyed=True))
        server.forget_memory()
        before = server.memory()
        faults, slow, of = asyncio.run(look(server, many=not bench.is_short))
        yield none_of("hostile bodies not refused with 4xx problem+json", "sqlite", faults, of)
        yield at_most("the slowest refusal", "sqlite", slow, SECONDS, "s")
        yield at_most("more memory", "sqlite", server.memory() - before, MEGABYTES, "MB", is_time=bench.is_short)
        unread = asyncio.run(unkeyed(server))
        yield none_of("refusals without a key that waited for the body", "sqlite", unread, len(PATHS) - 1)


async def look(server: Server, *, many: bool) -> tuple[list[str], float, int]:
    """What is wrong with the answers, and the slowest of them; ten at once of each in the long form."""
    faults, slow, of = [], 0.0, 0
    for body in bodies():
        for path in PATHS:
            for keyed in (True, False):
                answers = await asyncio.gather(
                    *(send(server, path, body, keyed=keyed) for _ in range(2 if many else 1))
                )
                for told, seconds in answers:
                    of += 1
                    slow = max(slow, seconds)
                    if not told.startswith("HTTP/1.1 4") or PROBLEM not in told:
                        faults.append(f"{body.name}, {path}, key {keyed}: {told[:150]!r}")
    return faults, slow, of


async def send(server: Server, path: tuple[str, str], body: Body, *, keyed: bool) -> tuple[str, float]:
    """The answer to a body, and how long it took to come once it could."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(head(server, path, body, keyed=keyed))
    sending = asyncio.create_task(pour(writer, body))
    try:
        async with asyncio.timeout(20):
            first = await reader.read(65_536)
        seconds = time.monotonic() - began
        sending.cancel()
        writer.close()
        rest = await drain(reader)
    except (OSError, TimeoutError) as failure:
        sending.cancel()
        writer.close()
        return repr(failure), time.monotonic() - began
    return (first + rest).decode("latin-1"), seconds


def head(server: Server, path: tuple[str, str], body: Body, *, keyed: bool) -> bytes:
    """The head of the request."""
    method, target = path
    length = len(body.content) if body.announced is None else body.announced
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "If-Match: *"]
    lines.append("Transfer-Encoding: chunked" if body.is_chunked else f"Content-Length: {length}")
    lines += [f"Content-Encoding: {body.coding}"] if body.coding else []
    lines += [f"Authorization: Bearer {server.key}"] if keyed else []
    return "\r\n".join([*lines, "", ""]).encode()


async def pour(writer: asyncio.StreamWriter, body: Body) -> None:
    """Send the body for as long as the other side takes it, and look between its pieces whether an answer has come.

    `drain` does not while the other side reads as fast as we send, and whoever sends 32 MB more is let go.
    """
    try:
        async for piece in body.pieces():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if body.ends:
            writer.write_eof()
    except OSError:
        return


async def unkeyed(server: Server) -> list[str]:
    """The writes that are not refused before the first byte of a body."""
    announced = Body("100 MB, none of it sent", b"", announced=HUGE)
    found = [await send(server, path, announced, keyed=False) for path in PATHS[:2]]
    return [told[:150] for told, _ in found if not told.startswith("HTTP/1.1 401")]
