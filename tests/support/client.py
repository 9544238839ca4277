"""A client of the application in process that crosses to its event loop once a request.

Starlette's TestClient crosses eight times, a fifth of what a request costs in tests; a response is whole here before it
is returned. What reads a response piece by piece, or goes away in the middle, takes the TestClient itself.
"""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

import anyio
import httpx2
from starlette.testclient import TestClient
from starlette.types import Message


class Client(TestClient):
    """A TestClient whose responses are whole; its `with` block runs the application's lifespan, as there."""

    def __init__(self, app: Any, **options: Any) -> None:
        super().__init__(app, **options)
        self.headers["Accept-Encoding"] = "identity"  # what tests look at is the same; those of codings ask for one
        self._piecewise = self._transport
        self._transport = WholeResponses(self, raise_exceptions=options.get("raise_server_exceptions", True))


class WholeResponses(httpx2.BaseTransport):
    """Runs the application for one request to its end (ASGI 3.0, HTTP), and then gives the response."""

    def __init__(self, client: Client, *, raise_exceptions: bool) -> None:
        self.client = client
        self.raise_exceptions = raise_exceptions

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response; 500 where the application raised before it began one, unless exceptions are to be raised."""
        if self.client.portal is None:  # outside a `with` block there is no event loop yet
            return self.client._piecewise.handle_request(request)
        status, headers, parts = 500, list[tuple[bytes, bytes]](), list[bytes]()
        try:
            for message in self.client.portal.call(self._run, _scope(request, self.client), request.read()):
                if message["type"] == "http.response.start":
                    status, headers = message["status"], list(message.get("headers", ()))
                elif message["type"] == "http.response.body":
                    parts.append(bytes(message.get("body", b"")))
        except Exception:
            if self.raise_exceptions:
                raise
        content = b"" if request.method == "HEAD" else b"".join(parts)
        return httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(content), request=request)

    async def _run(self, scope: MutableMapping[str, Any], body: bytes) -> list[Message]:
        messages: list[Message] = []
        is_answered = anyio.Event()
        left = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if left:
                return left.pop()
            await is_answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            messages.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                is_answered.set()

        try:
            await self.client.app(scope, receive, send)
        except Exception:
            if self.raise_exceptions or not messages:
                raise
        return messages


def _scope(request: httpx2.Request, client: Client) -> MutableMapping[str, Any]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "path": unquote(url.path),
        "raw_path": url.raw_path.split(b"?", 1)[0],
        "root_path": "",
        "scheme": url.scheme,
        "query_string": url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("testclient", 50000),
        "server": (url.host, url.port or 80),
        "state": client.app_state.copy(),
    }
