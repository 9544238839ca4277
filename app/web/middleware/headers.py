"""ASGI middleware for the headers of every response: CORS, security policies by path, and the dataset revision."""

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
"""Policy for SVG opened as a document: inline style is allowed, since this service wrote all of it."""
PREFLIGHT_SECONDS = 86_400
SAFE = ("GET", "HEAD", "OPTIONS")
FOR_PROGRAMS = ("/v1", "/openapi.json", "/healthz", "/readyz", "/metrics", "/oembed")
"""Path prefixes of data for programs."""
FOR_OTHERS = (*FOR_PROGRAMS, "/assets", "/badge/", "/embed/")
"""Path prefixes of resources that pages of other sites may load."""
BUILDER = "/embed/builder"

ReadRevision = Callable[[], Awaitable[int | None]]


def policy_of(path: str) -> str:
    """The Content-Security-Policy of a path: data loads nothing, pages and /docs load files of the same origin only."""
    if path.startswith("/docs"):
        return DOCS
    if path.startswith(FOR_PROGRAMS):
        return DATA
    return PAGE


def resource_policy(path: str) -> str:
    """The Cross-Origin-Resource-Policy of a path: other sites may load data, assets and embeds, but no pages."""
    return "cross-origin" if path.startswith(FOR_OTHERS) and path != BUILDER else "same-origin"


class CommonHeaders:
    """ASGI middleware: responds to CORS preflights, adds the common headers, and runs HEAD as GET without a body."""

    def __init__(self, app: ASGIApp, *, revision: ReadRevision) -> None:
        self.app = app
        self.revision = revision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, with `revision` and `dataset` (the revision headers of its response) in the scope."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        revision = await self.revision() if scope["method"] in SAFE else None
        dataset = revision_header(revision)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not dataset:  # a successful write has set its own revision; otherwise none has been read yet
                    dataset.update(revision_header(await self.revision()))
                add_common(MutableHeaders(raw=message["headers"]), scope["path"], dataset)
            elif is_head and message["type"] == "http.response.body":
                if message.get("more_body"):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        if is_preflight(scope):
            await preflight(scope, send_with_headers)
            return
        scope = {**scope, "revision": revision, "dataset": dataset}
        await self.app({**scope, "method": "GET", "head": True} if is_head else scope, receive, send_with_headers)


def revision_header(revision: int | None) -> dict[str, str]:
    """The `Dataset-Revision` header; empty when the revision is not known."""
    return {} if revision is None else {"Dataset-Revision": str(revision)}


def add_common(headers: MutableHeaders, path: str, dataset: Mapping[str, str]) -> None:
    """Add the headers of every response; `dataset` holds those of the revision or release that was read."""
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
    """Whether the request is a CORS preflight (Fetch standard, CORS-preflight request)."""
    headers = Headers(scope=scope)
    return scope["method"] == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


async def preflight(scope: Scope, send: Send) -> None:
    """Respond to a CORS preflight: any origin, any header, API keys but no cookies."""
    requested = Headers(scope=scope).get("access-control-request-headers", "")
    allowed = ", ".join(re.findall(r"[A-Za-z0-9-]{1,100}", requested)[:50])
    headers = [
        (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
        (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
        (b"content-length", b"0"),
    ]
    if allowed:
        headers.append((b"access-control-allow-headers", allowed.encode()))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
