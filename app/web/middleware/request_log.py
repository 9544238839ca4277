"""ASGI middleware for the request id (`X-Request-ID`), the access log and the request metrics."""

import logging
import re
import secrets
import time
from itertools import count
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api_keys import mask_keys
from app.web.route_table import RouteTable

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

    def __init__(self, app: ASGIApp, *, records: "RequestRecords") -> None:
        self.app = app
        self.records = records

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
        if not self.records.are_kept:
            await self.app(scope, receive, send_with_id)
            return
        start = time.perf_counter()
        self.records.begin()
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self.records.end(name, scope["method"], scope["path"], status, time.perf_counter() - start)


class RequestRecords:
    """What is recorded of each response, where the settings ask for it: metrics, and a line of the access log."""

    def __init__(self, routes: RouteTable, *, metrics: "Metrics | None", access_log: bool) -> None:
        self.routes = routes
        self.metrics = metrics
        self.access_log = access_log
        self.are_kept = access_log or metrics is not None

    def begin(self) -> None:
        """Count a request as in flight."""
        if self.metrics is not None:
            self.metrics.begin()

    def end(self, request: str, method: str, path: str, status: int, seconds: float) -> None:
        """Record a response; status 0 when the client disconnected before it."""
        route = self.routes.template(path) or NO_ROUTE
        if self.metrics is not None:
            self.metrics.end(method, route, status, seconds)
        if self.access_log:
            fields = {"request": request, "method": method, "route": route, "status": status}
            logger.info("answered", extra={"fields": fields | {"ms": round(seconds * 1000, 1)}})


def request_id(sent: bytes) -> str:
    """The `X-Request-ID` that the client sent, when it is well-formed and no API key; else a new id."""
    if sent and _WELL_FORMED.fullmatch(sent) and mask_keys(sent.decode()) == sent.decode():
        return sent.decode()
    return f"{_PROCESS}{next(_NUMBERS):08x}"
