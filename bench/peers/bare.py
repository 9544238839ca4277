"""Bare ASGI: `/N` answers N bytes of JSON and `/304` that nothing changed; as fast as uvicorn can be."""

from functools import cache
from typing import Any

Message = dict[str, Any]


@cache
def body_of(path: str) -> bytes:
    """As many bytes as the path says, which are JSON."""
    return b'"' + b"x" * (int(path[1:]) - 2) + b'"'


async def app(scope: Message, receive: Any, send: Any) -> None:
    """Answer; each message is a new one, because a server or a middleware may change what it is given."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/304":
        await send({"type": "http.response.start", "status": 304, "headers": [(b"etag", b'"made-up"')]})
        await send({"type": "http.response.body", "body": b""})
        return
    body = body_of(scope["path"])
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
