"""Plain ASGI before anything is parsed: under which names the service answers (RFC 9110 section 7.4)."""

import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import BadRequest, Misdirected, Problem

PROBES = ("/healthz", "/readyz", "/metrics")
"""Supervisors and load balancers ask these by the machine's own address."""
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::[0-9]{0,5})?")

Tell = Callable[[Request, Problem], Awaitable[Response]]


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
