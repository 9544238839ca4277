"""ASGI middleware for the request id (`X-Request-ID`), the access log and the request metrics."""

import logging
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api_keys import mask_keys

if TYPE_CHECKING:  # prometheus_client is imported when metrics are switched on
    from app.web.metrics import Metrics

logger = logging.getLogger("app.access")
HEADER = "X-Request-ID"
RAW_HEADER = HEADER.lower().encode()
NO_ROUTE = "none"
"""The route label of every unknown path, so that callers cannot add metric series."""
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._:@/+=-]{1,100}")
_PROCESS = secrets.token_hex(4)
_NUMBERS = count()
"""A new request id is a random process id and a counter: it must be unique, and this is cheaper than random bytes."""


class RequestLog:
    """Gives each request an id, returns it as a header, and records route, status and duration of the response."""

    def __init__(self, app: ASGIApp, *, templates: Iterable[str], metrics: "Metrics | None", access_log: bool) -> None:
        self.app = app
        self.routes = Routes(templates)
        self.metrics = metrics
        self.access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, with `request_id` in the scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = request_id(next((value for header, value in scope["headers"] if header == RAW_HEADER), b""))
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (RAW_HEADER, name.encode())]}
            await send(message)

        scope = {**scope, "request_id": name}
        if self.metrics is None and not self.access_log:
            await self.app(scope, receive, send_with_id)
            return
        start = time.perf_counter()
        if self.metrics is not None:
            self.metrics.begin()
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self._record(scope, status, time.perf_counter() - start)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = self.routes.find(scope["path"])
        if self.metrics is not None:
            self.metrics.end(scope["method"], route, status, seconds)
        if self.access_log:
            fields = {"request": scope["request_id"], "method": scope["method"], "route": route, "status": status}
            logger.info("answered", extra={"fields": fields | {"ms": round(seconds * 1000, 1)}})


def request_id(sent: bytes) -> str:
    """The `X-Request-ID` that the client sent, when it is well-formed and no API key; else a new id."""
    if sent and _WELL_FORMED.fullmatch(sent) and mask_keys(sent.decode()) == sent.decode():
        return sent.decode()
    return f"{_PROCESS}{next(_NUMBERS):08x}"


class Routes:
    """Finds the path template of a URL path without routing, so that refused requests have a route label, too."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._by_key: dict[tuple[int, str], list[tuple[list[str], str]]] = defaultdict(list)
        for template in sorted(templates, key=lambda path: (path.count("{"), path)):
            steps = template.split("/")
            self._by_key[_key(steps)].append((steps, template))

    def find(self, path: str) -> str:
        """The template of a path, such as `/v1/claims/{id}` for `/v1/claims/c20`; `none` when no template matches."""
        steps = path.split("/")
        for parts, template in self._by_key.get(_key(steps), ()):
            if all(part == step or part.startswith("{") for part, step in zip(parts, steps, strict=True)):
                return template
        return NO_ROUTE


def _key(steps: list[str]) -> tuple[int, str]:
    """The number of steps and the first distinguishing one, which is no `{parameter}` in any template."""
    return len(steps), steps[2] if len(steps) > 2 and steps[1] == "v1" else steps[1] if len(steps) > 1 else ""
