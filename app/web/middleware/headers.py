"""The headers of every answer, by the class of its address: who may read it, what a page may load, which revision."""

import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EXPOSED = (
    "Link",
    "ETag",
    "Dataset-Revision",
    "Dataset-Release",
    "Source-Status",
    "Repr-Digest",
    "Content-Range",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Location",
    "WWW-Authenticate",
    "Idempotency-Replayed",
    "Deprecation",
    "Sunset",
    "X-Request-ID",
)
SEALED = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
DATA = f"default-src 'none'; {SEALED}"
PAGE = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
DOCS = f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; {SEALED}"
DRAWING = f"default-src 'none'; style-src 'unsafe-inline'; {SEALED}"
"""An SVG opened by itself may use the style within it, which nobody but us wrote."""
PREFLIGHT_SECONDS = 86_400
SAFE = ("GET", "HEAD", "OPTIONS")
FOR_PROGRAMS = ("/v1", "/openapi.json", "/healthz", "/readyz", "/metrics", "/oembed")
"""Where the addresses of data begin."""
FOR_OTHERS = (*FOR_PROGRAMS, "/assets", "/badge/", "/embed/")
"""Where the addresses begin that pages of other sites load."""
BUILDER = "/embed/builder"

ReadRevision = Callable[[], Awaitable[int | None]]


def policy_of(path: str) -> str:
    """The Content-Security-Policy of an address: data loads nothing, pages and /docs load our own files alone."""
    if path.startswith("/docs"):
        return DOCS
    if path.startswith(FOR_PROGRAMS):
        return DATA
    return PAGE


def resource_policy(path: str) -> str:
    """The Cross-Origin-Resource-Policy of an address: other sites may load data, files and embeds, never our pages."""
    return "cross-origin" if path.startswith(FOR_OTHERS) and path != BUILDER else "same-origin"


class CommonHeaders:
    """Plain ASGI: answers CORS preflights, adds the headers of every answer, and runs HEAD as GET without a body."""

    def __init__(self, app: ASGIApp, *, revision: ReadRevision) -> None:
        self.app = app
        self.revision = revision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        revision = await self.revision() if scope["method"] in SAFE else None
        dataset = named(revision)

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not dataset:  # a write says itself which revision it made; when it made none, nobody has asked yet
                    dataset.update(named(await self.revision()))
                add_common(MutableHeaders(raw=message["headers"]), scope["path"], dataset)
            elif head and message["type"] == "http.response.body":
                if message.get("more_body"):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        if is_preflight(scope):
            await preflight(scope, completed)
            return
        scope = {**scope, "revision": revision, "dataset": dataset}
        await self.app({**scope, "method": "GET", "head": True} if head else scope, receive, completed)


def named(revision: int | None) -> dict[str, str]:
    """The header that names a revision, when it is known."""
    return {} if revision is None else {"Dataset-Revision": str(revision)}


def add_common(headers: MutableHeaders, path: str, dataset: Mapping[str, str]) -> None:
    """Add to the headers of an answer what all answers have; `dataset` says which revision or release answered."""
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
    is_drawing = headers.get("content-type", "").startswith("image/svg+xml") and path.startswith(("/v1", "/badge/"))
    headers.setdefault("Content-Security-Policy", DRAWING if is_drawing else policy_of(path))
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Cross-Origin-Resource-Policy"] = resource_policy(path)
    headers.update(dataset)
    headers["Vary"] = "Accept, Accept-Encoding"


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks first (Fetch standard, CORS-preflight request)."""
    headers = Headers(scope=scope)
    return scope["method"] == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


async def preflight(scope: Scope, send: Send) -> None:
    """Answer a CORS preflight: any origin may ask, with any header and its own key, without cookies."""
    asked = Headers(scope=scope).get("access-control-request-headers", "")
    allowed = ", ".join(re.findall(r"[A-Za-z0-9-]{1,100}", asked)[:50])
    headers = [
        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
        (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
        (b"content-length", b"0"),
    ]
    if allowed:
        headers.append((b"access-control-allow-headers", allowed.encode()))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
