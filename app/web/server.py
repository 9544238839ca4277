"""The HTTP/1.1 protocol of uvicorn with timeouts for slow clients and a limit on open connections.

uvicorn waits without end for the rest of a request and for a client to read a response, and accepts connections until
no file descriptor is left. Here each connection is checked once a second: a slow request gets 408 and is closed, and
above a number of connections those idle longest are closed (503). Malformed HTTP and an oversized request head get a
problem, too. docs/decisions/0016-connections.md gives the reason of each number. Plain reads that are in the response
cache are answered before ASGI is entered (`app/web/fast_path.py`).
"""

import asyncio
import resource
from collections import deque
from enum import Enum
from functools import cache
from itertools import cycle
from operator import itemgetter
from typing import Any
from weakref import ref

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.errors import (
    MEDIA_TYPE,
    BadRequest,
    HeadTooLarge,
    Problem,
    RequestTimeout,
    TooLong,
    Unavailable,
)
from app.json_codec import to_json
from app.web.fast_path import FastPath, PlainRequest

CHECK_SECONDS = 1.0
FIRST_CHECKS = cycle([1 + number / 64 for number in range(64)])
"""Factors of the first check interval, so that connections opened together are not all checked and closed at once."""
HEAD_SECONDS = 10.0
"""Timeout of a request head: of the first one from the connection on, of later ones from their first byte on."""
BODY_SECONDS = 10.0
"""Longest pause within a request body; a body that takes longer in total must exceed the rate `SLOWEST_BODY`."""
SLOWEST_BODY = 1000
"""Least average rate of a request body, in bytes per second."""
UNREAD_SECONDS = 20.0
"""A client that reads nothing of a response for so long is disconnected."""
STOPPING_SECONDS = 3.0
"""At shutdown, the time for a request body that is partly received to be completed."""
LINGER_SECONDS = 5.0
"""How long input is read and discarded after the last response: a TCP reset at once could destroy the response."""
MOST_DISCARDED = 32_000_000
"""Most bytes discarded after the last response; a client that sends more does not read it."""
LARGEST_HEAD = 65_536
"""Most bytes of an incomplete request head."""
MOST_CONNECTIONS = 4096
"""Most connections of one process, however many file descriptors it may open."""


METHODS_OF_READS = {b"GET": "GET", b"HEAD": "HEAD"}


class ConnectionState(Enum):
    """What the server expects next from the client; the values are used in problem details."""

    HEAD = "the head of a request"
    BODY = "its body"
    NOTHING = "nothing: the response is pending"
    GONE = "nothing any more: the last response is complete"


def raise_file_limit() -> None:
    """Raise the limit of open files to the hard limit: each connection needs a file descriptor."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@cache
def share_of_files(eighths: int) -> int:
    """A share of the open file limit, in eighths."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] * eighths // 8


def most_connections() -> int:
    """The connection limit of this process: half of its open file limit, at most MOST_CONNECTIONS."""
    return min(share_of_files(4), MOST_CONNECTIONS)


def most_lingering() -> int:
    """How many further connections may linger after their last response: an eighth of the open files.

    Another eighth is left for databases, releases and logs.
    """
    return share_of_files(1)


def backlog() -> int:
    """The listen backlog, of connections not yet counted: two eighths of the open files, at most 2048."""
    return min(share_of_files(2), 2048)


def raw_http_response(problem: Problem) -> bytes:
    """A complete HTTP/1.1 response for a problem raised before ASGI; `type` is a relative URI (RFC 9457, 3.1.1)."""
    content = to_json(problem.body("", "/"))
    headers = {
        "content-type": MEDIA_TYPE,
        "content-length": str(len(content)),
        "cache-control": "no-store",
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "connection": "close",
        **problem.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return bytes(STATUS_LINE[problem.status]) + head.encode() + b"\r\n" + content


class Protocol(HttpToolsProtocol):
    """One HTTP connection, with timeouts for its client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start the timeout of the first request; above the connection limit, close the connection idle longest."""
        super().connection_made(transport)
        self._expected = ConnectionState.HEAD
        self._waiting_since = self._last_received = self._last_read = self.loop.time()
        self._received = self._unread = 0
        self._timer = self.loop.call_later(CHECK_SECONDS * next(FIRST_CHECKS), self._check)
        self._fast_path: FastPath | None = self.app_state.get("fast_path")
        self._plain: PlainRequest | None = None
        if len(self.connections) > most_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and refuse a head above LARGEST_HEAD: 414 within the request line, else 431."""
        if self._expected is ConnectionState.GONE:
            self._received += len(data)
            if self._received > MOST_DISCARDED:
                self.transport.abort()
            return
        self._last_received = self.loop.time()
        self._received += len(data)
        super().data_received(data)
        if self._expected is ConnectionState.HEAD and self._received > LARGEST_HEAD and not self._is_responding():
            is_request_line = not self.headers  # no header has been received yet
            self._refuse((TooLong if is_request_line else HeadTooLarge)(f"It has more than {LARGEST_HEAD} bytes."))

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio has it: whether our half stays open
        """The client has closed its half: a complete request still gets its response, an incomplete one a 400."""
        if self._expected is ConnectionState.BODY or (self._expected is ConnectionState.HEAD and self._received):
            self._refuse(BadRequest(f"The connection was closed before {self._expected.value} was complete."))
        if self._expected is ConnectionState.NOTHING and self._is_responding():
            self.cycle.keep_alive = False
            return True
        return False

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        """A request begins; the bytes of its first chunk have been counted already."""
        if self._plain is not None and self._fast_path is not None:
            self._fast_path.flush()  # a pipelined request: the one before it is answered first
        super().on_message_begin()
        received = self._received
        self._expect(ConnectionState.HEAD)
        self._received = max(received, 1)

    def on_headers_complete(self) -> None:
        """The request head is complete: the application is called, unless the fast path takes the request."""
        self._plain = self._plain_request()
        if self._plain is None:
            self._call_application()

    def _plain_request(self) -> PlainRequest | None:
        """The request for the fast path; None for one that is not plain, or while an earlier one is being answered."""
        method = METHODS_OF_READS.get(self.parser.get_method())
        if (
            method is None
            or self._fast_path is None
            or self.parser.get_http_version() != "1.1"
            or self._is_responding()
            or self.flow.write_paused
            or self.transport.is_closing()
        ):
            return None
        return self._fast_path.request(self, method, self.url, self.headers)

    def _call_application(self) -> None:
        super().on_headers_complete()
        self._expect(ConnectionState.BODY)
        if self.cycle is not None:
            self.cycle.transport = ResponseTransport(self)  # type: ignore[assignment]  # the part of a transport that uvicorn uses there

    def on_message_complete(self) -> None:
        """The request is complete."""
        if self._plain is not None and self._fast_path is not None:
            self._fast_path.collect(self._plain)
        else:
            super().on_message_complete()
        self._expect(ConnectionState.NOTHING)

    def write_response(self, head: bytes, body: bytes) -> None:
        """Write a response of the fast path; the keep-alive timeout is that of the check once a second."""
        self._plain = None
        if self._expected is ConnectionState.GONE or self.transport.is_closing():
            return
        own = b"".join([b"%b: %b\r\n" % header for header in self.server_state.default_headers])
        self.server_state.total_requests += 1
        self.transport.write(b"%b%b\r\n%b" % (head, own, body))
        self._waiting_since, self._received = self.loop.time(), 0

    def answer_by_asgi(self) -> None:
        """Call the application for a request that the fast path gives back."""
        self._plain = None
        if self._expected is ConnectionState.GONE or self.transport.is_closing():
            return
        self._call_application()
        super().on_message_complete()
        self._expect(ConnectionState.NOTHING)

    def on_response_complete(self) -> None:
        """The response is complete: the keep-alive timeout of uvicorn applies until the next request."""
        if self._expected is ConnectionState.GONE:
            self.pipeline.clear()
        super().on_response_complete()
        if self._expected is ConnectionState.NOTHING:
            self._waiting_since, self._received = self.loop.time(), 0

    def _expect(self, state: ConnectionState) -> None:
        if self._expected is not ConnectionState.GONE:
            self._expected, self._waiting_since, self._received = state, self.loop.time(), 0

    # The check once a second

    def _check(self) -> None:
        now = self.loop.time()
        self._timer = self.loop.call_later(CHECK_SECONDS, self._check)
        if self.flow.read_paused or (self._expected is ConnectionState.HEAD and self._is_responding()):
            self._waiting_since = self._last_received = now  # the delay is ours: we do not read from the client
        unread = self.transport.get_write_buffer_size()
        if unread != self._unread or not unread:
            self._unread, self._last_read = unread, now
        if now - self._last_read > UNREAD_SECONDS or (
            self._expected is ConnectionState.GONE and now - self._waiting_since > LINGER_SECONDS
        ):
            self.transport.abort()
        elif self._expected is ConnectionState.NOTHING and self.is_idle() and self._kept_alive_for(now):
            self.transport.close()
        elif self._is_late(now):
            self._refuse(RequestTimeout(f"We waited too long for {self._expected.value}."))

    def _kept_alive_for(self, now: float) -> bool:
        """Whether the keep-alive timeout has passed: uvicorn's timer is set by responses of the application alone."""
        return now - self._waiting_since > self.timeout_keep_alive and not self.transport.get_write_buffer_size()

    def _is_late(self, now: float) -> bool:
        """Whether a timeout of the request head or body has passed."""
        waited = now - self._waiting_since
        if self._expected is ConnectionState.HEAD:
            return waited > HEAD_SECONDS
        if self._expected is ConnectionState.BODY:
            is_slow = waited > BODY_SECONDS and self._received < SLOWEST_BODY * waited
            return is_slow or now - self._last_received > BODY_SECONDS
        return False

    def _is_responding(self) -> bool:
        is_running = self.cycle is not None and not self.cycle.response_complete
        return is_running or (self._plain is not None and self._expected is ConnectionState.NOTHING)

    # Closing

    def _make_room(self) -> None:
        """Close the connection idle longest, or this one when all others are being served."""
        longest_idle = self._next_to_close() or self
        if longest_idle._expected is ConnectionState.NOTHING:
            longest_idle.transport.close()  # no request is pending, so HTTP expects no response
            return
        detail = f"This process holds {most_connections()} connections, which is as many as it may."
        longest_idle._refuse(Unavailable(detail, headers={"Retry-After": "1"}))

    def _next_to_close(self) -> "Protocol | None":
        """The connection idle longest, from the sorted queue IDLE, which is refilled when it is empty."""
        for _ in range(2):
            while IDLE:
                since, reference = IDLE.popleft()
                connection = reference()
                if connection is None or connection not in self.connections:
                    continue
                if connection._waiting_since == since and connection.is_idle():
                    return connection
            idle = [
                (connection._waiting_since, ref(connection))
                for connection in self.connections
                if isinstance(connection, Protocol) and connection.is_idle()
            ]
            IDLE.extend(sorted(idle, key=itemgetter(0)))
        return None

    def is_idle(self) -> bool:
        """Whether the server waits for the client, not the client for a response."""
        return self._expected is ConnectionState.BODY or (
            self._expected is not ConnectionState.GONE and not self._is_responding()
        )

    def shutdown(self) -> None:
        """Stop: complete requests get their response, a partial body STOPPING_SECONDS, a partial head a 503 at once."""
        stopping = Unavailable("The service is being stopped; nothing was begun.", headers={"Retry-After": "5"})
        if self._expected is ConnectionState.HEAD and self._received and not self._is_responding():
            self._refuse(stopping)
            return
        if self._plain is not None and self._fast_path is not None:
            self._fast_path.flush()
        super().shutdown()
        if self._expected is ConnectionState.BODY:
            self.loop.call_later(STOPPING_SECONDS, lambda: self._refuse(stopping) if self.owes_body else None)

    def send_400_response(self, msg: str) -> None:
        """Refuse a message that is not HTTP."""
        self._refuse(BadRequest(msg))

    def _refuse(self, problem: Problem) -> None:
        """Write a problem unless a response has begun, and close the connection."""
        if self._expected is ConnectionState.GONE or self.transport.is_closing():
            return
        can_respond = True
        if self.cycle is not None:
            is_between = self.cycle.response_complete and not self.owes_body
            can_respond = is_between or not self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if can_respond:
            self.transport.write(raw_http_response(problem))
            self.close_gracefully()
        else:
            self.transport.close()

    def close_gracefully(self) -> None:
        """Half-close the connection; input is discarded until the client closes its half, or for LINGER_SECONDS."""
        self._unset_keepalive_if_required()
        self._expect(ConnectionState.GONE)
        if len(self.connections) > most_connections() + most_lingering():
            self.transport.close()
        else:
            self.transport.write_eof()
            self.flow.resume_reading()

    @property
    def owes_body(self) -> bool:
        """Whether the body of the current request is not complete yet."""
        return self._expected is ConnectionState.BODY


IDLE: deque[tuple[float, "ref[Protocol]"]] = deque()
"""Idle connections, each with the time since when, the longest first; entries that are no longer true are skipped."""


class ResponseTransport:
    """The transport of a response; when it closes during a request body, the rest of the body is discarded first."""

    __slots__ = ("_protocol", "is_closing", "write")

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self.write: Any = protocol.transport.write
        self.is_closing: Any = protocol.transport.is_closing

    def close(self) -> None:
        """Close the connection after the response."""
        if self._protocol.owes_body:
            self._protocol.close_gracefully()
        else:
            self._protocol.transport.close()
