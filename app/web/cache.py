"""The response cache: finished responses to public GET requests, valid until the next commit or the next day in UTC.

A response is kept with its headers and its body in the content coding that was asked for, under the request target as
it was sent, Accept and the coding. Every look-up is given the state of the database at the time of the request: when
something was committed since a response was computed, or another day has begun, all responses are dropped. So no client
gets an answer older than a write that was acknowledged before its request.
docs/decisions/0027-response-cache.md has the reasons and the figures.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette_compress._utils import parse_accept_encoding

from app.store.read.revision import DatasetState
from app.web.etags import CODINGS, tag_of_304
from app.web.middleware.headers import RawHeaders, common_lines, lines_of, own_headers, policy_of
from app.web.path_classes import path_class

SECONDS_A_DAY = 86_400
LARGEST_SHARE = 8
"""A response is kept when so many of its size fit into the cache."""
LONGEST_TARGET = 4096
LONGEST_ACCEPT = 256
"""Requests with a longer target (in bytes), Accept or Accept-Encoding are answered without the cache."""
OVERHEAD = 3500
"""Bytes that an entry takes beside its body and its key, roughly: headers, the heads of its 200 and its 304."""
_KEPT_IN_304 = frozenset({b"content-length", b"content-type", b"content-encoding"})


class Key(NamedTuple):
    """What distinguishes two cached responses."""

    target: bytes
    accept: bytes
    coding: str


class CachedResponse:
    """A finished 200 response, without what belongs to one request: its id, its rate limit, its date."""

    __slots__ = ("_heads", "body", "dataset", "headers", "path", "size", "tag")

    def __init__(self, key: Key, path: str, headers: RawHeaders, dataset: dict[str, str], body: bytes) -> None:
        self.path = path
        self.headers = headers
        self.dataset = dataset
        self.body = body
        self.tag = next(value for name, value in headers if name == b"etag").decode("latin-1")
        self.size = len(body) + len(key.target) + len(key.accept) + OVERHEAD
        self._heads: dict[bytes, bytes] = {}

    def not_modified(self, if_none_match: bytes | None) -> str | None:
        """The ETag of the 304 response; None when the request needs the whole response."""
        return None if if_none_match is None else tag_of_304(self.tag, if_none_match.decode("latin-1"))

    def headers_of_304(self, tag: str) -> RawHeaders:
        """The headers of a 304 response: those of the 200 without the ones that describe its body (RFC 9110 15.4.5)."""
        kept = [header for header in self.headers if header[0] not in _KEPT_IN_304 and header[0] != b"etag"]
        return [*kept, (b"etag", tag.encode("latin-1"))]

    def head(self) -> bytes:
        """The head of the 200 response as HTTP/1.1 has it, without its last empty line."""
        return self._head(b"200 OK", b"", self.headers)

    def head_of_304(self, tag: str) -> bytes:
        """The head of a 304 response as HTTP/1.1 has it, without its last empty line."""
        return self._head(b"304 Not Modified", tag.encode("latin-1"), self.headers_of_304(tag))

    def _head(self, status: bytes, name: bytes, headers: RawHeaders) -> bytes:
        found = self._heads.get(name)
        if found is None:  # at most one for each content coding, and the one of the 200
            own, path = own_headers(headers), path_class(self.path)
            common = common_lines(path, policy_of(own, path), tuple(self.dataset.items()))
            found = self._heads[name] = b"HTTP/1.1 %b\r\n%b%b" % (status, lines_of(own), common)
        return found


class ResponseCache:
    """Responses by key, the least recently used of which are evicted above `most_bytes`; belongs to one event loop."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._responses: OrderedDict[Key, CachedResponse] = OrderedDict()
        self._valid_for: tuple[DatasetState | None, int] = (None, 0)
        self._computing: dict[tuple[Key, Hashable], asyncio.Future[CachedResponse | None]] = {}

    def __len__(self) -> int:
        """The number of cached responses."""
        return len(self._responses)

    def __contains__(self, key: Key) -> bool:
        """Whether there is a response, which may be out of date."""
        return key in self._responses

    def find(self, key: Key, state: DatasetState) -> CachedResponse | None:
        """The response computed in this state of the database and on this day, or None."""
        self.drop_stale(state)
        found = self._responses.get(key)
        if found is not None:
            self._responses.move_to_end(key)
        return found

    def drop_stale(self, state: DatasetState) -> tuple[DatasetState, int]:
        """Drop all responses unless they belong to this state and to today; what they are valid for from now on."""
        now = (state, int(time.time()) // SECONDS_A_DAY)
        if now != self._valid_for:
            self._valid_for = now
            self._responses.clear()
            self.bytes = 0
        return now

    def keep(self, key: Key, response: CachedResponse, valid_for: tuple[DatasetState, int]) -> None:
        """Store a response that was computed for this state and day, unless they have passed or it is too large."""
        if valid_for != self._valid_for or response.size * LARGEST_SHARE > self.most_bytes:
            return
        replaced = self._responses.pop(key, None)
        self.bytes += response.size - (replaced.size if replaced else 0)
        self._responses[key] = response
        while self.bytes > self.most_bytes:
            _, evicted = self._responses.popitem(last=False)
            self.bytes -= evicted.size

    def computation(self, key: Key, valid_for: Hashable) -> asyncio.Future[CachedResponse | None] | None:
        """The computation under way of this response in this state, to wait for; None begins a new one."""
        found = self._computing.get((key, valid_for))
        if found is None:
            self._computing[key, valid_for] = asyncio.get_running_loop().create_future()
        return found

    def computed(self, key: Key, valid_for: Hashable, response: CachedResponse | None) -> None:
        """End a computation: the waiting requests get its response, or None when it gave nothing to keep."""
        future = self._computing.pop((key, valid_for), None)
        if future is not None:
            future.set_result(response)


_HEADERS = {b"accept": 0, b"accept-encoding": 1}
_NOT_PLAIN = frozenset(
    {
        b"authorization",
        b"content-length",
        b"transfer-encoding",
        b"expect",
        b"upgrade",
        b"range",
        b"if-range",
        b"if-match",
        b"if-modified-since",
        b"if-unmodified-since",
    }
)
"""Headers of requests that are answered without the cache: they carry a key or a body, or ask for a part."""


def cache_key(target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Key | None:
    """The cache key of a GET or HEAD request; None when it is to be answered without the cache."""
    if len(target) > LONGEST_TARGET:
        return None
    values = [b"", b""]
    for name, value in headers:
        if name in _NOT_PLAIN:
            return None
        place = _HEADERS.get(name)
        if place is not None:
            if values[place] or len(value) > LONGEST_ACCEPT:
                return None
            values[place] = value
    return Key(target, values[0], coding_of(values[1]))


@lru_cache(maxsize=256)
def coding_of(accept_encoding: bytes) -> str:
    """The content coding that the compression chooses for an Accept-Encoding; empty for none."""
    accepted = parse_accept_encoding(accept_encoding.decode("latin-1")) if accept_encoding else ()
    return next((coding for coding in CODINGS if coding in accepted), "")


def header_of(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    """The value of a request header; several lines of it are one list (RFC 9110 section 5.3)."""
    return b", ".join([value for name, value in headers if name == wanted]) or None


class CachedResponses:
    """ASGI middleware behind the gate: answers from the response cache, and stores what may be stored.

    Of many requests for one response at the same time, one computes it and the others wait for it. `cache` in the scope
    says `hit`, `miss` or `shared` for the `Server-Timing` header; it is absent when the cache was not asked.
    """

    def __init__(self, app: ASGIApp, *, cache: ResponseCache) -> None:
        self.app = app
        self.cache = cache

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or answer it from the cache."""
        key, state = _key_of_scope(scope), scope.get("dataset_state")
        if key is None or state is None or not self.cache.most_bytes:
            await self.app(scope, receive, send)
            return
        found = self.cache.find(key, state)
        scope["cache"] = "miss" if found is None else "hit"
        if found is None and scope.get("head"):  # its response may have no body to store
            await self.app(scope, receive, send)
            return
        if found is None:
            valid_for = self.cache.drop_stale(state)
            others = self.cache.computation(key, valid_for)
            if others is None:
                await self._compute(key, valid_for, scope, receive, send)
                return
            found = await asyncio.shield(others)
            scope["cache"] = "shared"
        if found is None:
            await self.app(scope, receive, send)
            return
        scope["dataset"].update(found.dataset)
        await _answer(found, scope, send)

    async def _compute(
        self, key: Key, valid_for: tuple[DatasetState, int], scope: Scope, receive: Receive, send: Send
    ) -> None:
        start: Message | None = None

        async def capturing_send(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _may_be_kept(message):
                start = message
                return
            if start is None:
                await send(message)
                return
            held, start = start, None
            body = message.get("body", b"")
            if message.get("more_body") or (b"content-length", b"%d" % len(body)) not in held["headers"]:
                await send(held)
                await send(message)
                return
            response = CachedResponse(key, scope["path"], list(held["headers"]), dict(scope["dataset"]), body)
            self.cache.keep(key, response, valid_for)
            self.cache.computed(key, valid_for, response)  # before a slow client is waited for
            await _answer(response, scope, send)

        try:
            await self.app({**scope, "is_cacheable": True}, receive, capturing_send)
        finally:
            self.cache.computed(key, valid_for, None)


def _key_of_scope(scope: Scope) -> Key | None:
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return cache_key(path + b"?" + query if query else path, scope["headers"])


def _may_be_kept(start: Message) -> bool:
    """Whether a response may be stored: a public 200 with a strong ETag."""
    headers: dict[bytes, bytes] = dict(start["headers"])
    is_public = headers.get(b"cache-control", b"").startswith(b"public")
    return start["status"] == 200 and is_public and headers.get(b"etag", b"").startswith(b'"')


async def _answer(response: CachedResponse, scope: Scope, send: Send) -> None:
    """Send a cached response, or 304 where If-None-Match names it."""
    tag = response.not_modified(header_of(scope["headers"], b"if-none-match"))
    if tag is None:
        await send({"type": "http.response.start", "status": 200, "headers": list(response.headers)})
        await send({"type": "http.response.body", "body": response.body})
    else:
        await send({"type": "http.response.start", "status": 304, "headers": response.headers_of_304(tag)})
        await send({"type": "http.response.body", "body": b""})
