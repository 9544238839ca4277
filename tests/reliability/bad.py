"""Bad requests, made from the OpenAPI document for every operation, and messages that are no HTTP at all."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from app.models import RESOURCES
from app.store.examples import RELEASE, example_of
from tests.reliability.bench import Bench
from tests.reliability.calls import PROBLEM, Answer, Caller, drain
from tests.reliability.figures import Figure, at_most, none_of
from tests.reliability.messages import NO_HTTP_EITHER
from tests.reliability.servers import Server
from tests.web.test_hostile import NO_HTTP

SECONDS = 2.0
LEAST = 800
ODD_IDS = ("no-such-one", "%00", "%ff%fe", "..%2f..%2fetc", quote("ä" * 300), "a" * 40_000, "%27%20or%201=1--")


def probe(bench: Bench) -> Iterator[Figure]:
    """Every one of them, one after the other, on connections of their own."""
    for engine in bench.engines:
        with bench.server(engine) as server:
            yield from asyncio.run(look(server, engine, every=bench.rounds(1, 16)))


async def look(server: Server, engine: str, every: int) -> list[Figure]:
    """Send all of them, or only some."""
    caller = Caller(server)
    document = (await caller.ask("GET", "/openapi.json")).json()
    sent = list(requests(document))[::every]
    answers = [await attempt(caller, request) for request in sent]
    await caller.close()
    faults = [f"{request}: {wrong(answer)}" for request, answer in zip(sent, answers, strict=True) if wrong(answer)]
    messages = {**NO_HTTP, **NO_HTTP_EITHER}
    told = {name: await send(server, content) for name, content in messages.items()}
    odd = [f"{name}: {text[:100]!r}" for name, (text, _) in told.items() if not is_told(text)]
    slowest = max([answer.seconds for answer in answers] + [seconds for _, seconds in told.values()])
    return [
        none_of("bad requests answered with 5xx, or otherwise than by a problem", engine, faults, len(answers)),
        Figure("how many bad requests", engine, str(len(answers)), f"≥ {LEAST}", len(answers) * every >= LEAST),
        none_of("messages that are no HTTP, not told as a problem", engine, odd, len(told)),
        Figure("how many of them", engine, str(len(told)), "≥ 40", len(told) >= 40),
        at_most("the slowest answer", engine, slowest, SECONDS, "s"),
    ]


Request = tuple[str, str, Any, dict[str, str]]


def requests(document: dict[str, Any]) -> Iterator[Request]:
    """Method, address, body and headers of each bad request: what is wrong in each stands in its address or headers."""
    for template, methods in document["paths"].items():
        plural = template.split("/")[2] if template.startswith("/v1/") else ""
        known = example_of(RESOURCES[plural])["id"] if plural in RESOURCES else "none"
        path = template.replace("{id}", known).replace("{name}", RELEASE)
        yield ("BREW" if "x" in path else "TRACE"), path, None, {}
        for method, operation in methods.items():
            yield from bad(method.upper(), path, operation, document)
        if "{" in template:
            for odd in (
                "no-such-one",
                "%00",
                "%ff%fe",
                "..%2f..%2fetc",
                quote("ä" * 300),
                "a" * 40_000,
                "%27%20or%201=1--",
            ):
                yield "GET", template.replace("{id}", odd).replace("{name}", odd), None, {}


def bad(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> Iterator[Request]:
    """Bad requests to one operation."""
    if path.startswith("/v1"):  # other pages pass over what they do not know
        yield method, f"{path}?no-such-parameter=1", None, {}
    yield method, f"{path}?%ff=%00", None, {}
    yield method, f"{path}?" + "a=1&" * 10_000, None, {}
    if "requestBody" in operation:
        for body in (b"", b"{", b"[]", b"null", b'{"id":1e999}', b"\xff", b'{"a":1,"a":2}', b"[" * 5_000):
            yield method, path, body, {}
        yield method, path, b"{}", {"Content-Type": "text/plain"}
        yield method, path, b"{}", {"Content-Encoding": "gzip"}
    shared = document["components"].get("parameters", {})
    for one in operation.get("parameters", []):
        parameter = shared.get(one.get("$ref", "").split("/")[-1], one)
        if parameter["in"] == "query" and method == "GET":
            name = parameter["name"]
            yield method, f"{path}?{name}=%00", None, {}
            yield method, f"{path}?{name}=%ed%a0%80", None, {}
            if parameter["schema"].get("type") in ("integer", "number", "boolean"):
                yield method, f"{path}?{name}=x", None, {}


async def attempt(caller: Caller, request: Request) -> Answer:
    """The answer to a bad request; status 0 when there is none."""
    method, path, body, headers = request
    try:
        return await caller.ask(method, path, body, **headers)
    except ConnectionError as failure:
        return Answer(0, {}, repr(failure).encode(), 0)


def wrong(answer: Answer) -> str:
    """What is wrong with the answer to a bad request."""
    if 400 <= answer.status < 500 and answer.headers.get("content-type") == PROBLEM:
        return ""
    return f"{answer.status} {answer.content[:100]!r}"


async def send(server: Server, content: bytes) -> tuple[str, float]:
    """All that is answered to a message, and how long that took."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        writer.write(content)
        writer.write_eof()
    except OSError:
        pass  # the answer was there before the end of the message
    try:
        async with asyncio.timeout(30):
            told = await drain(reader)
    finally:
        writer.close()
    return told.decode("latin-1"), time.monotonic() - began


def is_told(text: str) -> bool:
    """Whether an answer is a problem of the caller's making."""
    return text.startswith("HTTP/1.1 4") and f"content-type: {PROBLEM}" in text
