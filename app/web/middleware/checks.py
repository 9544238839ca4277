"""Plain ASGI before anything is parsed: requests that no handler should ever see get their problem here."""

import re
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BadRequest, ContentTooLarge, Misdirected, Problem, TooLong, UnsupportedMediaType
from app.web.auth import Caller, admit, bearer_key, needed_scope

LONGEST_ADDRESS = 32_768
"""Bytes of path and query: two hundred ids of the longest kind fit."""

LARGEST_BODY = 1_000_000
"""Bytes of a request's body: a thousand studies with long labels fit three times."""

WITH_BODY = ("POST", "PUT", "PATCH")
"""The methods whose bodies are read; those of others are passed over."""
LARGER_BODIES = {"/v1/batch": 32_000_000}
"""Bytes of the bodies that may be larger, by path: ten thousand records as exports give them fit."""

KEYED = "private, no-store"
"""Cache-Control of whatever a key was sent for: no cache may keep it, not even the browser's own."""

PROBES = ("/healthz", "/readyz", "/metrics")
"""Supervisors and load balancers ask these by the machine's own address."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::[0-9]{0,5})?")

Tell = Callable[[Request, Problem], Awaitable[Response]]
Authenticate = Callable[[str], Awaitable[Caller]]


class AddressGuard:
    """Refuses addresses that are too long, hold NUL, or are not UTF-8."""

    def __init__(self, app: ASGIApp, *, tell: Tell) -> None:
        self.app = app
        self.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or tell what is wrong with its address."""
        problem = faulty_address(scope) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
            return
        answer = await self.tell(Request(scope), problem)
        await answer(scope, receive, send)


def faulty_address(scope: Scope) -> Problem | None:
    """What is wrong with the bytes of an address, if anything."""
    raw = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"]
    if len(raw) + len(query) > LONGEST_ADDRESS:
        return TooLong(f"The address has {len(raw) + len(query)} bytes; {LONGEST_ADDRESS} are allowed.")
    for part, words in ((raw, "path"), (query, "query")):
        decoded = unquote_to_bytes(part)
        if b"\x00" in decoded:
            return BadRequest(f"The {words} holds a NUL character.")
        try:
            decoded.decode()
        except UnicodeDecodeError as failure:
            return BadRequest(f"The {words} is not UTF-8 at byte {failure.start}.")
    return None


class KeyGuard:
    """Refuses keys that are not valid, and writes without one that may, before any of the body is read."""

    def __init__(self, app: ASGIApp, *, authenticate: Authenticate, tell: Tell) -> None:
        self.app = app
        self.authenticate = authenticate
        self.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is behind finds the caller in the scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            key = bearer_key(Headers(scope=scope))
            caller = None if key is None else await self.authenticate(key)
            needed = needed_scope(scope["method"], scope["path"])
            if needed is not None:
                admit(caller, needed)
        except Problem as problem:
            answer = await self.tell(Request(scope), problem)
            await answer(scope, receive, send)
            return

        async def no_store(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"])["Cache-Control"] = KEYED
            await send(message)

        await self.app({**scope, "caller": caller}, receive, send if caller is None else no_store)


class CodingGuard:
    """Refuses compressed bodies before any of it is read: what a few bytes unfold to is bounded by nobody."""

    def __init__(self, app: ASGIApp, *, tell: Tell) -> None:
        self.app = app
        self.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or tell which codings are read: none (RFC 9110 section 12.5.3)."""
        codings = Headers(scope=scope).getlist("content-encoding") if scope["type"] == "http" else []
        named = ", ".join(codings).strip().lower()
        if scope["type"] != "http" or scope["method"] not in WITH_BODY or named in ("", "identity"):
            await self.app(scope, receive, send)
            return
        words = f"Content-Encoding: {named[:200]} is not read here; send the body as it is."
        problem = UnsupportedMediaType(words, headers={"Accept-Encoding": "identity"})
        answer = await self.tell(Request(scope), problem)
        await answer(scope, receive, send)


class BodyGuard:
    """Refuses bodies that are too large: at once when Content-Length says so, else as soon as too much has come."""

    def __init__(self, app: ASGIApp, *, tell: Tell) -> None:
        self.app = app
        self.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whoever reads a body that grows too large gets the problem as an exception."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        largest = LARGER_BODIES.get(scope["path"], LARGEST_BODY)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced[:20]) > largest:
            answer = await self.tell(Request(scope), too_large(f"{announced[:20]} bytes", largest))
            await answer(scope, receive, send)
            return
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > largest:
                raise too_large("more", largest)
            return message

        await self.app(scope, counted, send)


def too_large(size: str, largest: int) -> Problem:
    """The problem of a body of this size; the connection closes, so that nobody reads the rest."""
    words = f"The body has {size}; {largest} bytes are allowed."
    return ContentTooLarge(words, headers={"Connection": "close"})


class HostGuard:
    """Refuses a Host that is missing, repeated or malformed, and with `allowed` every name that is not ours."""

    def __init__(self, app: ASGIApp, *, allowed: Sequence[str], tell: Tell) -> None:
        self.app = app
        self.allowed = allowed
        self.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or tell what is wrong with its Host."""
        problem = faulty_host(scope, self.allowed) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
            return
        answer = await self.tell(Request(scope), problem)
        await answer(scope, receive, send)


def faulty_host(scope: Scope, allowed: Sequence[str]) -> Problem | None:
    """What is wrong with the Host of a request, if anything; HTTP/1.0 needs none (RFC 9112 section 3.2)."""
    named = Headers(scope=scope).getlist("host")
    if not named and scope["http_version"] == "1.0" and not allowed:
        return None
    if len(named) != 1:
        return BadRequest(f"A request has one Host; this one has {len(named) or 'none'}.")
    match = _HOST.fullmatch(named[0].strip())
    if match is None:
        return BadRequest(f"Host: {named[0][:200]} is no name of a host.")
    if allowed and scope["path"] not in PROBES and not is_among(match[1].lower(), allowed):
        return Misdirected(f"Host: {named[0][:200]} is none of the names under which this service answers.")
    return None


def is_among(host: str, allowed: Sequence[str]) -> bool:
    """Whether a name is one of these; `*.example.org` stands for every name below example.org."""
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in allowed)
