"""The fast path: plain GET and HEAD requests are answered from the response cache, or by a lean read, without ASGI.

The server (`app/web/server.py`) offers each parsed request. Those that have a response in the cache or may be a lean
read (`app/web/lean_reads.py`), and that no check of the gate could refuse, wait until all requests that arrived with
them have been read; then the database is asked once whether anything was committed, and all of them are answered. What
neither the cache nor a lean read can answer goes through ASGI as any other request.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from starlette.types import Scope

from app.errors import Problem, Unavailable
from app.store.read.revision import DatasetState
from app.web.cache import CachedResponse, Key, ResponseCache, cache_key, header_of
from app.web.lean_reads import LeanRead, LeanReads
from app.web.middleware.checks import refuse_host
from app.web.middleware.headers import RawHeaders
from app.web.middleware.request_log import RAW_HEADER, RequestRecords, request_id

_CONNECTION = frozenset({None, b"keep-alive", b"Keep-Alive"})
"""Values of the Connection header with which a connection stays open."""


class Connection(Protocol):
    """The HTTP connection of a request."""

    def write_response(self, head: bytes, body: bytes) -> None:
        """Write a response; the head lacks the headers of the server and the last empty line."""

    def answer_by_asgi(self) -> None:
        """Answer the request through the ASGI application."""


class PlainRequest(NamedTuple):
    """A request that can be answered from the cache."""

    connection: Connection
    method: str
    key: Key
    if_none_match: bytes | None
    id: str
    start: float
    """Time of arrival (`time.perf_counter`), for the records."""
    read: LeanRead | None


class FastPath:
    """Answers from the response cache, with one look at the database for all requests that arrived together."""

    def __init__(
        self,
        *,
        cache: ResponseCache,
        read_state: Callable[[], DatasetState],
        hosts: Sequence[str],
        records: RequestRecords,
        lean_reads: LeanReads,
    ) -> None:
        self.cache = cache
        self.lean_reads = lean_reads
        self.records = records
        self._read_state = read_state
        self._waiting: list[PlainRequest] = []
        self._is_valid_host = lru_cache(maxsize=256)(lambda host: is_valid_host(host, hosts))

    def request(self, connection: Connection, method: str, target: bytes, headers: RawHeaders) -> PlainRequest | None:
        """The request, when the cache may have a current response, or a lean read may have one; None for others."""
        key = cache_key(target, headers)
        if key is None:
            return None
        read = None if key in self.cache else self.lean_reads.read_of(key)
        if read is None and key not in self.cache:
            return None
        host = connection_header = if_none_match = sent_id = None
        for name, value in headers:
            if name == b"host":
                if host is not None:
                    return None
                host = value
            elif name == b"if-none-match":
                if_none_match = value if if_none_match is None else header_of(headers, name)
            elif name == b"connection":
                connection_header = value
            elif name == RAW_HEADER and sent_id is None:
                sent_id = value
        if host is None or connection_header not in _CONNECTION or not self._is_valid_host(host):
            return None
        start = time.perf_counter() if self.records.are_kept else 0.0
        return PlainRequest(connection, method, key, if_none_match, request_id(sent_id or b""), start, read)

    def collect(self, request: PlainRequest) -> None:
        """Answer a request together with the others that are read in this iteration of the event loop."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self._waiting.append(request)

    def flush(self) -> None:
        """Answer all requests that wait."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            state = self._read_state()  # after all of them have been read: what was committed before them is seen
        except Unavailable:
            state = None
        for request in waiting:
            found = None if state is None else self._response(request, state)
            if found is None:
                request.connection.answer_by_asgi()
            else:
                self._answer(request, found)

    def _response(self, request: PlainRequest, state: DatasetState) -> CachedResponse | None:
        found = self.cache.find(request.key, state)
        if found is None:
            read = request.read or self.lean_reads.read_of(request.key)
            found = None if read is None else self.lean_reads.answer(request.key, read, state.revision)
            if found is not None:
                self.cache.keep(request.key, found, self.cache.drop_stale(state))
        return found

    def _answer(self, request: PlainRequest, response: CachedResponse) -> None:
        tag = response.not_modified(request.if_none_match)
        head = response.head() if tag is None else response.head_of_304(tag)
        body = response.body if tag is None and request.method == "GET" else b""
        request.connection.write_response(b"%b%b: %b\r\n" % (head, RAW_HEADER, request.id.encode()), body)
        if self.records.are_kept:
            self.records.begin()
            seconds = time.perf_counter() - request.start
            self.records.end(request.id, request.method, response.path, 200 if tag is None else 304, seconds)


def is_valid_host(host: bytes, allowed: Sequence[str]) -> bool:
    """Whether the gate lets a request with this Host pass."""
    scope: Scope = {"type": "http", "http_version": "1.1", "path": "/v1", "headers": [(b"host", host)]}
    try:
        refuse_host(scope, allowed)
    except Problem:
        return False
    return True
