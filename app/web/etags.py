"""What a reader's cache needs: entity tags, 304 answers, and tags that differ by content coding (RFC 9110)."""

from collections.abc import AsyncIterator, Iterable
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CODINGS = ("zstd", "br", "gzip")
FRESH = "public, max-age=60, stale-while-revalidate=600"
"""A reader may reuse an answer for a minute, and for ten more while it asks again."""
FOR_EVER = "public, max-age=31536000, immutable"
"""For an address that names the hash of its content (RFC 8246)."""


def digest(content: bytes) -> str:
    """The hash that stands in an entity tag: 16 hexadecimal digits of SHA-256."""
    return sha256(content).hexdigest()[:16]


def tag_of(content: bytes, media_type: str, version: int | None = None) -> str:
    """The strong tag of a representation; that of one record begins with its version."""
    mark = digest(content + media_type.encode())
    return f'"{mark}"' if version is None else f'"{version}.{mark}"'


def response_with_etag(
    request: Request, content: bytes, media_type: str, *, version: int | None = None, links: Iterable[str] = ()
) -> Response:
    """A whole answer with its strong tag, `"<version>.<hash>"` for one record, or 304 when the reader has it."""
    tag = tag_of(content, media_type, version)
    headers = {"ETag": tag, "Cache-Control": FRESH}
    if links:
        headers["Link"] = ", ".join(links)
    if has_it(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def streamed(request: Request, content: AsyncIterator[str], media_type: str, *, mark: str) -> Response:
    """A long answer in pieces, with a weak tag: the revision that it began with and the mark of what was asked.

    A write that lands between two pieces may show in the later ones, so the bytes are not promised; whoever comes back
    with the tag after such a write gets the whole answer anew.
    """
    revision = request.scope.get("revision")
    tag = f'W/"r{revision}.{digest(f"{mark}{media_type}".encode())}"'
    headers = {"ETag": tag, "Cache-Control": FRESH}
    if has_it(request, tag):
        return Response(status_code=304, headers=headers)
    if request.scope.get("head"):
        return Response(media_type=media_type, headers=headers)
    return StreamingResponse(content, media_type=media_type, headers=headers)


def has_it(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag (weak comparison, RFC 9110 section 13.1.2)."""
    asked = request.headers.get("if-none-match")
    if asked is None:
        return False
    return asked.strip() == "*" or tag.removeprefix("W/") in (
        one.strip().removeprefix("W/") for one in asked.split(",")
    )


class CodedTags:
    """Plain ASGI around compression: a compressed body has a tag of its own, `"…-br"`, as RFC 9110 8.8.3.3 asks.

    Conditional requests come in with such a tag; the suffix is taken off before the application compares, and put back
    on the 304 that names it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match", "")
        plain = _without_codings(asked)
        if plain != asked:
            headers = [(name, value) for name, value in scope["headers"] if name != b"if-none-match"]
            scope = {**scope, "headers": [*headers, (b"if-none-match", plain.encode("latin-1"))]}

        async def tagged(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tag(message, asked)
            await send(message)

        await self.app(scope, receive, tagged)


def _without_codings(tags: str) -> str:
    for coding in CODINGS:
        tags = tags.replace(f'-{coding}"', '"')
    return tags


def _tag(message: Message, asked: str) -> None:
    headers = MutableHeaders(raw=message["headers"])
    tag = headers.get("etag")
    if tag is None or tag.startswith("W/"):
        return  # a weak tag stands for all codings
    coding = headers.get("content-encoding")
    if coding in CODINGS:
        headers["etag"] = f'{tag[:-1]}-{coding}"'
    elif message["status"] == 304:
        named = next((f'{tag[:-1]}-{coding}"' for coding in CODINGS if f'{tag[:-1]}-{coding}"' in asked), tag)
        headers["etag"] = named
