"""ASGI middleware that refuses requests before routing: bad URL, Host, API key, content coding or body size."""

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
"""Most bytes of path and query string together: two hundred ids of the greatest length fit."""

LARGEST_BODY = 1_000_000
"""Most bytes of a request body: a thousand studies with long labels fit three times."""

WITH_BODY = ("POST", "PUT", "PATCH")
"""Methods whose request bodies are read; bodies of other methods are ignored."""
LARGER_BODIES = {"/v1/batch": 32_000_000}
"""Most bytes of a request body on paths with a limit of their own: ten thousand exported records fit."""

KEYED = "private, no-store"
"""Cache-Control of responses to requests with an API key: no shared or browser cache may store them."""

PROBES = ("/healthz", "/readyz", "/metrics")
"""Paths without a Host check: supervisors and load balancers request them by IP address."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::[0-9]{0,5})?")

Respond = Callable[[Request, Problem], Awaitable[Response]]
Authenticate = Callable[[str], Awaitable[Caller]]


class AddressGuard:
    """Refuses URLs that are too long, contain NUL, or are not UTF-8."""

    def __init__(self, app: ASGIApp, *, respond: Respond) -> None:
        self.app = app
        self.respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or respond with the problem of its URL."""
        problem = faulty_address(scope) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
            return
        response = await self.respond(Request(scope), problem)
        await response(scope, receive, send)


def faulty_address(scope: Scope) -> Problem | None:
    """The problem of a URL that is too long (414), contains NUL or is not UTF-8 (400); None for a valid one."""
    raw = scope.get("raw_path") or scope["path"].encode()
    query = scope["query_string"]
    if len(raw) + len(query) > LONGEST_ADDRESS:
        return TooLong(f"The address has {len(raw) + len(query)} bytes; {LONGEST_ADDRESS} are allowed.")
    for part, part_name in ((raw, "path"), (query, "query")):
        decoded = unquote_to_bytes(part)
        if b"\x00" in decoded:
            return BadRequest(f"The {part_name} holds a NUL character.")
        try:
            decoded.decode()
        except UnicodeDecodeError as failure:
            return BadRequest(f"The {part_name} is not UTF-8 at byte {failure.start}.")
    return None


class KeyGuard:
    """Refuses invalid API keys (401) and writes without the needed scope (401, 403) before the body is read."""

    def __init__(self, app: ASGIApp, *, authenticate: Authenticate, respond: Respond) -> None:
        self.app = app
        self.authenticate = authenticate
        self.respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request with its `Caller`, or None, as `scope["caller"]`."""
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
            response = await self.respond(Request(scope), problem)
            await response(scope, receive, send)
            return

        async def no_store(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"])["Cache-Control"] = KEYED
            await send(message)

        await self.app({**scope, "caller": caller}, receive, send if caller is None else no_store)


class CodingGuard:
    """Refuses compressed request bodies (415) unread: a few bytes may decompress to any size."""

    def __init__(self, app: ASGIApp, *, respond: Respond) -> None:
        self.app = app
        self.respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or respond 415 with `Accept-Encoding: identity` (RFC 9110 section 12.5.3)."""
        codings = Headers(scope=scope).getlist("content-encoding") if scope["type"] == "http" else []
        coding = ", ".join(codings).strip().lower()
        if scope["type"] != "http" or scope["method"] not in WITH_BODY or coding in ("", "identity"):
            await self.app(scope, receive, send)
            return
        detail = f"Content-Encoding: {coding[:200]} is not read here; send the body as it is."
        problem = UnsupportedMediaType(detail, headers={"Accept-Encoding": "identity"})
        response = await self.respond(Request(scope), problem)
        await response(scope, receive, send)


class BodyGuard:
    """Refuses request bodies above the size limit (413): by Content-Length at once, else while they are received."""

    def __init__(self, app: ASGIApp, *, respond: Respond) -> None:
        self.app = app
        self.respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request; its `receive` raises ContentTooLarge when the body exceeds the limit."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        largest = LARGER_BODIES.get(scope["path"], LARGEST_BODY)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced[:20]) > largest:
            response = await self.respond(Request(scope), too_large(f"{announced[:20]} bytes", largest))
            await response(scope, receive, send)
            return
        arrived = 0

        async def counting_receive() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > largest:
                raise too_large("more", largest)
            return message

        await self.app(scope, counting_receive, send)


def too_large(size: str, largest: int) -> Problem:
    """The 413 problem for a request body; closes the connection so that the rest of the body is not read."""
    detail = f"The body has {size}; {largest} bytes are allowed."
    return ContentTooLarge(detail, headers={"Connection": "close"})


class HostGuard:
    """Refuses a missing, repeated or malformed Host (400), and, where `allowed` lists host names, any other (421)."""

    def __init__(self, app: ASGIApp, *, allowed: Sequence[str], respond: Respond) -> None:
        self.app = app
        self.allowed = allowed
        self.respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or respond with the problem of its Host."""
        problem = faulty_host(scope, self.allowed) if scope["type"] == "http" else None
        if problem is None:
            await self.app(scope, receive, send)
            return
        response = await self.respond(Request(scope), problem)
        await response(scope, receive, send)


def faulty_host(scope: Scope, allowed: Sequence[str]) -> Problem | None:
    """The problem of the Host header, or None; HTTP/1.0 needs no Host (RFC 9112 section 3.2)."""
    hosts = Headers(scope=scope).getlist("host")
    if not hosts and scope["http_version"] == "1.0" and not allowed:
        return None
    if len(hosts) != 1:
        return BadRequest(f"A request has one Host; this one has {len(hosts) or 'none'}.")
    match = _HOST.fullmatch(hosts[0].strip())
    if match is None:
        return BadRequest(f"Host: {hosts[0][:200]} is no name of a host.")
    if allowed and scope["path"] not in PROBES and not is_among(match[1].lower(), allowed):
        return Misdirected(f"Host: {hosts[0][:200]} is none of the names under which this service answers.")
    return None


def is_among(host: str, allowed: Sequence[str]) -> bool:
    """Whether a host name matches the list; `*.example.org` matches every subdomain of example.org."""
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in allowed)
