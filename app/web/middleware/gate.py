"""The gate: one ASGI layer that every request passes before it is parsed, with its checks in a fixed order."""

import time
from collections.abc import Awaitable, Callable, Sequence
from math import inf

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.db.stopwatch import STOPWATCH, Stopwatch
from app.errors import ContentTooLarge
from app.store.read.revision import DatasetState
from app.web.auth import Caller
from app.web.middleware.headers import RawHeaders, is_preflight, preflight, revision_header, with_common
from app.web.path_classes import path_class
from app.web.problems import problem_for, respond

SAFE = ("GET", "HEAD", "OPTIONS")
KEYED = (b"cache-control", b"private, no-store")
"""Header of responses to requests with an API key: no shared or browser cache may store them."""

ReadState = Callable[[], Awaitable[DatasetState | None]]


class Passage:
    """One request on its way through the gate: what the checks find out, and what its response gets from them."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, read_state: ReadState) -> None:
        self.is_head = scope["method"] == "HEAD"
        self.scope = {**scope, "method": "GET", "head": True} if self.is_head else dict(scope)
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.caller: Caller | None = None
        """The authenticated caller, once the check of the key has passed."""
        self.largest_body: float = inf
        """Most bytes of the request body, once the check of its announced length has passed."""
        self.headers: RawHeaders = []
        """Headers that checks add to the response."""
        self.on_status: Callable[[int], Awaitable[None]] | None = None
        """Called with the status of the response before it is sent."""
        self.is_started = False
        self._receive = receive
        self._send = send
        self._read_state = read_state
        self._received = 0
        self._start = time.perf_counter()
        self._stopwatch: Stopwatch | None = None

    def measure(self) -> None:
        """Measure where the time of this request goes, for the `Server-Timing` header of its response."""
        self._stopwatch = Stopwatch()
        STOPWATCH.set(self._stopwatch)

    async def read_state(self) -> None:
        """Put the state of the dataset into the scope, and `dataset`, the revision headers of the response."""
        state = await self._read_state() if self.method in SAFE else None
        revision = None if state is None else state.revision
        self.scope |= {"dataset_state": state, "revision": revision, "dataset": revision_header(revision)}

    async def receive(self) -> Message:
        """The next part of the request; ContentTooLarge when the body exceeds its limit."""
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self.largest_body:
            raise too_large("more", int(self.largest_body))
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the response: with the common headers, and without a body in response to HEAD."""
        if message["type"] == "http.response.start":
            message = await self._with_headers(message)
        elif self.is_head and message["type"] == "http.response.body":
            if message.get("more_body"):
                return
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _with_headers(self, message: Message) -> Message:
        self.is_started = True
        if self.on_status is not None:
            await self.on_status(message["status"])
        dataset = self.scope["dataset"]
        if not dataset:  # a successful write has set its own revision; otherwise none has been read yet
            state = await self._read_state()
            dataset = revision_header(None if state is None else state.revision)
        headers = message.get("headers", ())
        if self.caller is not None:
            headers = [*(header for header in headers if header[0] != KEYED[0]), KEYED]
        if self._stopwatch is not None:
            timing = server_timing(self.scope.get("cache"), self._stopwatch, time.perf_counter() - self._start)
            self.headers.append((b"server-timing", timing.encode()))
        return {**message, "headers": with_common([*headers, *self.headers], path_class(self.path), dataset)}


Check = Callable[[Passage], Awaitable[None]]
"""A check of a request; it raises the Problem that is the response."""


class Gate:
    """ASGI middleware: everything that a request must pass before it is parsed; the first problem is the response.

    It also answers CORS preflights, adds the headers of every response, runs HEAD as GET without a body, and turns an
    unhandled exception into a 500 problem.
    """

    def __init__(
        self, app: ASGIApp, *, checks: Sequence[Check], read_state: ReadState, server_timing: bool = False
    ) -> None:
        self.app = app
        self.checks = checks
        self.read_state = read_state
        self.server_timing = server_timing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, with `dataset_state`, `revision`, `dataset` and `caller` in the scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = Passage(scope, receive, send, self.read_state)
        if self.server_timing:
            passage.measure()
        await passage.read_state()
        try:
            if is_preflight(scope):
                await preflight(scope, passage.send)
                return
            for check in self.checks:
                await check(passage)
            passage.scope["caller"] = passage.caller
            await self.app(passage.scope, passage.receive, passage.send)
        except ClientDisconnect:
            return  # the client disconnected, or was refused already, in the middle of a body
        except Exception as failure:
            if passage.is_started:
                raise
            response = respond(problem_for(failure, scope), Request(scope))
            await response(scope, receive, passage.send)


def server_timing(cache: str | None, stopwatch: Stopwatch, seconds: float) -> str:
    """The value of the `Server-Timing` header (W3C Server Timing), with durations in milliseconds up to the head."""
    parts = [f"db;dur={stopwatch.seconds * 1000:.2f}", f"total;dur={seconds * 1000:.2f}"]
    return ", ".join([f"cache;desc={cache}", *parts] if cache else parts)


def too_large(size: str, largest: int) -> ContentTooLarge:
    """The 413 problem for a request body; closes the connection so that the rest of the body is not read."""
    detail = f"The body has {size}; {largest} bytes are allowed."
    return ContentTooLarge(detail, headers={"Connection": "close"})
