"""ETags, 304 responses and ETags by content coding, for HTTP caches (RFC 9110)."""

from collections.abc import AsyncIterator, Iterable
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CODINGS = ("zstd", "br", "gzip")
FRESH = "public, max-age=60, stale-while-revalidate=600"
"""Cache-Control: fresh for one minute, and usable for ten more while it is revalidated."""
FOR_EVER = "public, max-age=31536000, immutable"
"""Cache-Control for a URL that contains the hash of its content (RFC 8246)."""


def digest(content: bytes) -> str:
    """The content hash of an ETag: the first 16 hexadecimal digits of SHA-256."""
    return sha256(content).hexdigest()[:16]


def tag_of(content: bytes, media_type: str, version: int | None = None) -> str:
    """The strong ETag of a representation: `"<hash>"`, or `"<version>.<hash>"` for one record."""
    content_hash = digest(content + media_type.encode())
    return f'"{content_hash}"' if version is None else f'"{version}.{content_hash}"'


def response_with_etag(
    request: Request, content: bytes, media_type: str, *, version: int | None = None, links: Iterable[str] = ()
) -> Response:
    """A complete response with a strong ETag (see `tag_of`), or 304 when If-None-Match names it.

    Where the response cache (`app/web/cache.py`) will store the response, it is complete in either case.
    """
    tag = tag_of(content, media_type, version)
    headers = headers_with_etag(tag, links)
    if not request.scope.get("is_cacheable") and matches_if_none_match(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def headers_with_etag(tag: str, links: Iterable[str]) -> dict[str, str]:
    """The headers of a complete response: its ETag, for how long caches may keep it, and its links."""
    headers = {"ETag": tag, "Cache-Control": FRESH}
    if links:
        headers["Link"] = ", ".join(links)
    return headers


def streamed(request: Request, content: AsyncIterator[str], media_type: str, *, mark: str) -> Response:
    """A streamed response with a weak ETag of the revision at its start and `mark`, which identifies the query.

    The tag is weak because a write committed between two chunks may show in the later ones, so the bytes are not
    guaranteed. A client that revalidates the tag after such a write gets the whole response again.
    """
    revision = request.scope.get("revision")
    tag = f'W/"r{revision}.{digest(f"{mark}{media_type}".encode())}"'
    headers = {"ETag": tag, "Cache-Control": FRESH}
    if matches_if_none_match(request, tag):
        return Response(status_code=304, headers=headers)
    if request.scope.get("head"):
        return Response(media_type=media_type, headers=headers)
    return StreamingResponse(content, media_type=media_type, headers=headers)


def matches_if_none_match(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the ETag or is `*` (weak comparison, RFC 9110 section 13.1.2)."""
    header = request.headers.get("if-none-match")
    return header is not None and is_named(tag, header)


def is_named(tag: str, if_none_match: str) -> bool:
    """Whether the value of If-None-Match names an ETag or is `*`, by weak comparison."""
    return if_none_match.strip() == "*" or tag.removeprefix("W/") in (
        candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")
    )


def tag_of_304(tag: str, if_none_match: str) -> str | None:
    """The ETag of the 304 response to a request for the representation with this ETag; None when it needs a 200.

    A client may hold the same representation in another content coding: its 304 names the tag that it sent.
    """
    plain = without_coding(tag)
    if not is_named(plain, without_coding(if_none_match)):
        return None
    return _named_coding(plain, if_none_match)


def without_coding(tags: str) -> str:
    """One or more ETags without the suffixes of content codings."""
    for coding in CODINGS:
        tags = tags.replace(f'-{coding}"', '"')
    return tags


def _named_coding(plain: str, if_none_match: str) -> str:
    """The ETag with the suffix of the content coding that If-None-Match names; without one when it names none."""
    coded = (f'{plain[:-1]}-{coding}"' for coding in CODINGS)
    return next((candidate for candidate in coded if candidate in if_none_match), plain)


class CodedTags:
    """ASGI middleware before compression: a compressed body gets an ETag of its own, `"…-br"` (RFC 9110 8.8.3.3).

    The suffix is removed from If-None-Match before the application compares ETags, and added again to the ETag of a
    304 response. The time in the header of a gzip body is set to none, so that equal content has equal bytes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if_none_match = Headers(scope=scope).get("if-none-match", "")
        plain = without_coding(if_none_match)
        if plain != if_none_match:
            headers = [(name, value) for name, value in scope["headers"] if name != b"if-none-match"]
            scope = {**scope, "headers": [*headers, (b"if-none-match", plain.encode("latin-1"))]}
        starts_gzip = False

        async def send_with_tag(message: Message) -> None:
            nonlocal starts_gzip
            if message["type"] == "http.response.start":
                starts_gzip = _add_coding(message, if_none_match) == "gzip"
            elif starts_gzip and len(body := message.get("body", b"")) >= _AFTER_GZIP_TIME:
                message = {**message, "body": body[:4] + bytes(4) + body[_AFTER_GZIP_TIME:]}
                starts_gzip = False
            await send(message)

        await self.app(scope, receive, send_with_tag)


_AFTER_GZIP_TIME = 8
"""Offset behind the modification time in the header of a gzip body (RFC 1952 section 2.3)."""


def _add_coding(message: Message, if_none_match: str) -> str | None:
    """Add the content coding of a response to its ETag; the coding, or None when the body is not coded."""
    headers = MutableHeaders(raw=message["headers"])
    tag, coding = headers.get("etag"), headers.get("content-encoding")
    if tag is None or tag.startswith("W/"):
        return coding  # a weak ETag is the same for all codings
    if coding in CODINGS:
        headers["etag"] = f'{tag[:-1]}-{coding}"'
    elif message["status"] == 304:
        headers["etag"] = _named_coding(tag, if_none_match)
    return coding
