"""The headers that every response has: CORS, security policies by path class, Vary, and the dataset revision."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from starlette.datastructures import Headers
from starlette.types import Scope, Send

from app.web.path_classes import DRAWING, PathClass

RawHeaders = list[tuple[bytes, bytes]]
"""Header names, in lower case, and values, as ASGI has them."""

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
    "Server-Timing",
)
PREFLIGHT_SECONDS = 86_400
CONSTANT: RawHeaders = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"vary", b"Accept, Accept-Encoding"),
]
"""The headers that are the same for every path."""
_FOR_OTHERS = (b"cross-origin-resource-policy", b"cross-origin")
_FOR_US = (b"cross-origin-resource-policy", b"same-origin")
_REPLACED = frozenset({*(name for name, _ in CONSTANT), _FOR_US[0], b"dataset-revision", b"dataset-release"})
_POLICY = b"content-security-policy"


def with_common(headers: Iterable[tuple[bytes, bytes]], path: PathClass, dataset: Mapping[str, str]) -> RawHeaders:
    """The headers of a response together with those of every response; `dataset` names the revision that was read."""
    own = own_headers(headers)
    return [*own, *common_headers(path, policy_of(own, path), tuple(dataset.items()))]


def own_headers(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """The headers of a response but for those that are replaced by the common ones."""
    return [header for header in headers if header[0] not in _REPLACED]


def policy_of(headers: RawHeaders, path: PathClass) -> str | None:
    """The Content-Security-Policy that a response lacks; None when it has one of its own."""
    content_type = b""
    for name, value in headers:
        if name == _POLICY:
            return None
        if name == b"content-type":
            content_type = value
    is_drawing = path.may_be_drawing and content_type.startswith(b"image/svg+xml")
    return DRAWING if is_drawing else path.content_security_policy


@lru_cache(maxsize=256)
def common_headers(path: PathClass, policy: str | None, dataset: tuple[tuple[str, str], ...]) -> RawHeaders:
    """The headers of every response of a path class, for one revision of the dataset."""
    return [
        *([] if policy is None else [(_POLICY, policy.encode())]),
        *CONSTANT,
        _FOR_OTHERS if path.is_for_other_sites else _FOR_US,
        *((name.lower().encode(), value.encode()) for name, value in dataset),
    ]


@lru_cache(maxsize=256)
def common_lines(path: PathClass, policy: str | None, dataset: tuple[tuple[str, str], ...]) -> bytes:
    """The same headers as lines of an HTTP/1.1 head."""
    return lines_of(common_headers(path, policy, dataset))


def lines_of(headers: RawHeaders) -> bytes:
    """Headers as lines of an HTTP/1.1 head."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def revision_header(revision: int | None) -> dict[str, str]:
    """The `Dataset-Revision` header; empty when the revision is not known."""
    return {} if revision is None else {"Dataset-Revision": str(revision)}


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
