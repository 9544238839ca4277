"""Plain ASGI around everything: a name for each request, and what became of it in the access log and the metrics."""

import logging
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import count

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api_keys import mask_keys
from app.web.metrics import Metrics

logger = logging.getLogger("app.access")
HEADER = "X-Request-ID"
RAW_HEADER = HEADER.lower().encode()
NO_ROUTE = "none"
"""What stands for every address that is none of ours, so that nobody makes metrics grow."""
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._:@/+=-]{1,100}")
_PROCESS = secrets.token_hex(4)
_NUMBERS = count()
"""A new name is that of the process and a number: unique is enough, and random bytes each time would cost more."""


class Observed:
    """Gives each request an id, says it in the answer, and notes status and time once it has been answered."""

    def __init__(self, app: ASGIApp, *, templates: Iterable[str], metrics: Metrics | None, access_log: bool) -> None:
        self.app = app
        self.routes = Routes(templates)
        self.metrics = metrics
        self.access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = request_id(next((value for header, value in scope["headers"] if header == RAW_HEADER), b""))
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (RAW_HEADER, name.encode())]}
            await send(message)

        scope = {**scope, "request_id": name}
        if self.metrics is None and not self.access_log:
            await self.app(scope, receive, named)
            return
        start = time.perf_counter()
        if self.metrics is not None:
            self.metrics.begin()
        try:
            await self.app(scope, receive, named)
        finally:
            self._note(scope, status, time.perf_counter() - start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = self.routes.find(scope["path"])
        if self.metrics is not None:
            self.metrics.end(scope["method"], route, status, seconds)
        if self.access_log:
            fields = {"request": scope["request_id"], "method": scope["method"], "route": route, "status": status}
            logger.info("answered", extra={"fields": fields | {"ms": round(seconds * 1000, 1)}})


def request_id(asked: bytes) -> str:
    """The name that the caller gave the request, when it is well-formed and no key; else a new one."""
    if asked and _WELL_FORMED.fullmatch(asked) and mask_keys(asked.decode()) == asked.decode():
        return asked.decode()
    return f"{_PROCESS}{next(_NUMBERS):08x}"


class Routes:
    """Which template an address follows, known before and without routing it: refused requests have one, too."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._alike: dict[tuple[int, str], list[tuple[list[str], str]]] = defaultdict(list)
        for template in sorted(templates, key=lambda one: (one.count("{"), one)):
            steps = template.split("/")
            self._alike[_key(steps)].append((steps, template))

    def find(self, path: str) -> str:
        """`/v1/claims/{id}` for `/v1/claims/c20`; `none` for what fits nothing."""
        steps = path.split("/")
        for parts, template in self._alike.get(_key(steps), ()):
            if all(part == step or part.startswith("{") for part, step in zip(parts, steps, strict=True)):
                return template
        return NO_ROUTE


def _key(steps: list[str]) -> tuple[int, str]:
    """How many steps, and the first that tells addresses apart: no template has a name in braces there."""
    return len(steps), steps[2] if len(steps) > 2 and steps[1] == "v1" else steps[1] if len(steps) > 1 else ""
