"""A small HTTP/1.1 caller, many of which can ask at once, and which says how long each answer took."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from tests.reliability.servers import Server

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    content: bytes
    seconds: float

    def json(self) -> Any:
        """The body."""
        return json.loads(self.content)


class Caller:
    """One connection, kept alive; opened again when it was closed."""

    def __init__(self, server: Server, *, key: bool = False) -> None:
        self.server = server
        self.key = key
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """The answer to a request; `If_Match` is the header If-Match. OSError when the connection breaks."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.key:
            named.setdefault("Authorization", f"Bearer {self.server.key}")
        if body is not None:
            named = {"Content-Type": "application/json", **named, "Content-Length": str(len(content))}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named.items())
        began = time.monotonic()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.server.port)
        reader, writer = self._streams
        try:
            writer.write(head.encode() + b"\r\n" + content)
            status, found, told = await read_answer(reader, has_body=method != "HEAD")
        except (OSError, EOFError, ValueError) as failure:
            await self.close()
            raise ConnectionError(f"{method} {path}: {failure!r}") from failure
        if found.get("connection", "").lower() == "close":
            await self.close()
        return Answer(status, found, told, time.monotonic() - began)

    async def create(self, **fields: Any) -> Answer:
        """Post a made-up condition."""
        return await self.ask("POST", "/v1/conditions", {"id": f"made-up-{token_hex(8)}", "name": "made up", **fields})

    async def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def read_answer(reader: asyncio.StreamReader, *, has_body: bool = True) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case and body of the next answer on a connection."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1])
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    if not has_body or status in (204, 304):
        return status, headers, b""
    if headers.get("transfer-encoding") != "chunked":
        return status, headers, await reader.readexactly(int(headers.get("content-length", 0)))
    parts = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readexactly(2)
    return status, headers, b"".join(parts)


async def at_once(count: int, work: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """What so many callers get who begin in the same moment."""
    return list(await asyncio.gather(*(work(number) for number in range(count))))


async def steady(server: Server, path: str, *, every: float, until: asyncio.Event, least: int = 1) -> list[Answer]:
    """The answers to one reader who asks again and again, each time on a new connection, until the event is set."""
    answers: list[Answer] = []
    while not until.is_set() or len(answers) < least:
        caller = Caller(server)
        answers.append(await caller.ask("GET", path))
        await caller.close()
        await asyncio.sleep(every)
    return answers


async def drain(reader: asyncio.StreamReader) -> bytes:
    """All that still comes on a connection; what has come when it breaks."""
    parts = []
    try:
        while part := await reader.read(65_536):
            parts.append(part)
    except OSError:
        parts.append(b"")
    return b"".join(parts)
