"""The HTTP protocol of uvicorn, patient with slow callers for as long as it hurts nobody else.

uvicorn waits for ever for the rest of a request and for a reader of an answer, and takes connections until no file is
left to open. Here each connection is looked at once a second: whoever keeps us waiting too long is told so (408) and
let go, and above a number of connections those that have kept us waiting longest give way (503). What is not HTTP, or
a head without end, gets its problem too. docs/decisions/0016-connections.md says why each number is what it is.
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

from pydantic_core import to_json
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

LOOK_SECONDS = 1.0
FIRST_LOOKS = cycle([1 + turn / 64 for turn in range(64)])
"""In seconds: connections that come together are not all looked at, and let go of, in the same moment."""
HEAD_SECONDS = 10.0
"""A connection has so long to send the head of its first request, and every head so long once it has begun."""
BODY_SECONDS = 10.0
"""A body may pause so long, and after so long it must have come faster than `SLOWEST_BODY`."""
SLOWEST_BODY = 1000
"""Bytes a second."""
UNREAD_SECONDS = 20.0
"""A reader who takes nothing of an answer for so long is let go."""
STOPPING_SECONDS = 3.0
"""When the service stops, a body that has begun to come has so long."""
LINGER_SECONDS = 5.0
"""After the last answer what still comes is thrown away for so long: closed at once, TCP would destroy the answer."""
MOST_THROWN_AWAY = 32_000_000
"""Bytes: whoever sends more after the last answer does not read it."""
LARGEST_HEAD = 65_536
"""Bytes of a head that is not complete yet."""
MOST_CONNECTIONS = 4096
"""In one process, however many files it may open."""


class ConnectionState(Enum):
    """What the caller owes us next."""

    HEAD = "the head of a request"
    BODY = "its body"
    NOTHING = "nothing: the answer is ours to give"
    GONE = "nothing any more: the last answer is given"


def raise_file_limit() -> None:
    """Let this process open as many files as it may: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@cache
def share_of_files(eighths: int) -> int:
    """So many eighths of the files that this process may open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] * eighths // 8


def most_connections() -> int:
    """How many connections are held, of the files that this process may open: half of them."""
    return min(share_of_files(4), MOST_CONNECTIONS)


def most_goodbyes() -> int:
    """How many connections more are read to their end after the last answer: an eighth. One is for the database."""
    return share_of_files(1)


def backlog() -> int:
    """How many connections may arrive at once, before any of them is counted: two eighths."""
    return min(share_of_files(2), 2048)


def written(problem: Problem) -> bytes:
    """The whole answer that tells a problem; `type` is relative to wherever the caller found us (RFC 9457, 3.1.1)."""
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
    """One connection, which waits for its caller only so long."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request; above the number of connections somebody gives way."""
        super().connection_made(transport)
        self._owed = ConnectionState.HEAD
        self._since = self._heard = self._taken = self.loop.time()
        self._received = self._unread = 0
        self._timer = self.loop.call_later(LOOK_SECONDS * next(FIRST_LOOKS), self._look)
        if len(self.connections) > most_connections():
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop to look."""
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and refuse a head that does not end."""
        if self._owed is ConnectionState.GONE:
            self._received += len(data)
            if self._received > MOST_THROWN_AWAY:
                self.transport.abort()
            return
        self._heard = self.loop.time()
        self._received += len(data)
        super().data_received(data)
        if self._owed is ConnectionState.HEAD and self._received > LARGEST_HEAD and not self._is_answering():
            is_address = not self.headers  # nothing of the headers has come yet
            self._refuse((TooLong if is_address else HeadTooLarge)(f"It has more than {LARGEST_HEAD} bytes."))

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio has it: whether we keep our half open
        """The caller sends no more: what has come whole is answered still."""
        if self._owed is ConnectionState.BODY or (self._owed is ConnectionState.HEAD and self._received):
            self._refuse(BadRequest(f"The connection was closed before {self._owed.value} was complete."))
        if self._owed is ConnectionState.NOTHING and self._is_answering():
            self.cycle.keep_alive = False
            return True
        return False

    # What has come of a request, as the parser tells it

    def on_message_begin(self) -> None:
        """A request begins; the bytes of this piece have been counted."""
        super().on_message_begin()
        received = self._received
        self._expect(ConnectionState.HEAD)
        self._received = max(received, 1)

    def on_headers_complete(self) -> None:
        """Its head is complete: the application begins to answer."""
        super().on_headers_complete()
        self._expect(ConnectionState.BODY)
        if self.cycle is not None:
            self.cycle.transport = Answering(self)  # type: ignore[assignment]  # what uvicorn asks of it there

    def on_message_complete(self) -> None:
        """All of it has come."""
        super().on_message_complete()
        self._expect(ConnectionState.NOTHING)

    def on_response_complete(self) -> None:
        """The answer is given: the next request may take as long as uvicorn keeps a connection."""
        if self._owed is ConnectionState.GONE:
            self.pipeline.clear()
        super().on_response_complete()
        if self._owed is ConnectionState.NOTHING:
            self._since, self._received = self.loop.time(), 0

    def _expect(self, part: ConnectionState) -> None:
        if self._owed is not ConnectionState.GONE:
            self._owed, self._since, self._received = part, self.loop.time(), 0

    # Once a second

    def _look(self) -> None:
        now = self.loop.time()
        self._timer = self.loop.call_later(LOOK_SECONDS, self._look)
        if self.flow.read_paused or (self._owed is ConnectionState.HEAD and self._is_answering()):
            self._since = self._heard = now  # we are the ones who do not read
        unread = self.transport.get_write_buffer_size()
        if unread != self._unread or not unread:
            self._unread, self._taken = unread, now
        if now - self._taken > UNREAD_SECONDS or (
            self._owed is ConnectionState.GONE and now - self._since > LINGER_SECONDS
        ):
            self.transport.abort()
        elif self._is_late(now):
            self._refuse(RequestTimeout(f"We waited too long for {self._owed.value}."))

    def _is_late(self, now: float) -> bool:
        """Whether the caller has kept us waiting for the rest of a request for too long."""
        waited = now - self._since
        if self._owed is ConnectionState.HEAD:
            return waited > HEAD_SECONDS
        if self._owed is ConnectionState.BODY:
            is_slow = waited > BODY_SECONDS and self._received < SLOWEST_BODY * waited
            return is_slow or now - self._heard > BODY_SECONDS
        return False

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # Letting go

    def _make_room(self) -> None:
        """Let go of the connection that has kept us waiting longest, or of this one when all the others are at work."""
        longest = self._next_to_leave() or self
        if longest._owed is ConnectionState.NOTHING:
            longest.transport.close()  # between two requests nobody waits for an answer
            return
        words = f"This process holds {most_connections()} connections, which is as many as it may."
        longest._refuse(Unavailable(words, headers={"Retry-After": "1"}))

    def _next_to_leave(self) -> "Protocol | None":
        """Who has kept us waiting longest. All are put in order once for many who come at the same time."""
        for _ in range(2):
            while LEAVING:
                since, named = LEAVING.popleft()
                one = named()
                if one and one in self.connections and one._since == since and one.keeps_waiting():
                    return one
            waiting = [
                connection
                for connection in self.connections
                if isinstance(connection, Protocol) and connection.keeps_waiting()
            ]
            LEAVING.extend(sorted(((one._since, ref(one)) for one in waiting), key=itemgetter(0)))
        return None

    def keeps_waiting(self) -> bool:
        """Whether we wait for the caller, not the caller for us."""
        return self._owed is ConnectionState.BODY or (
            self._owed is not ConnectionState.GONE and not self._is_answering()
        )

    def shutdown(self) -> None:
        """The service stops: what has come whole is answered, the rest of a body has a moment, half a head has none."""
        stopping = Unavailable("The service is being stopped; nothing was begun.", headers={"Retry-After": "5"})
        if self._owed is ConnectionState.HEAD and self._received and not self._is_answering():
            self._refuse(stopping)
            return
        super().shutdown()
        if self._owed is ConnectionState.BODY:
            self.loop.call_later(STOPPING_SECONDS, lambda: self._refuse(stopping) if self.owes_body else None)

    def send_400_response(self, msg: str) -> None:
        """Say that the message is not HTTP."""
        self._refuse(BadRequest(msg))

    def _refuse(self, problem: Problem) -> None:
        """Tell a problem where it stands in nobody's answer, take no more, and close."""
        if self._owed is ConnectionState.GONE or self.transport.is_closing():
            return
        can_tell = True
        if self.cycle is not None:
            is_between = self.cycle.response_complete and not self.owes_body
            can_tell = is_between or not self.cycle.response_started
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if can_tell:
            self.transport.write(written(problem))
            self.let_go()
        else:
            self.transport.close()

    def let_go(self) -> None:
        """Close our half; the caller's is read to its end, or for a while."""
        self._unset_keepalive_if_required()
        self._expect(ConnectionState.GONE)
        if len(self.connections) > most_connections() + most_goodbyes():
            self.transport.close()
        else:
            self.transport.write_eof()
            self.flow.resume_reading()

    @property
    def owes_body(self) -> bool:
        """Whether the caller is still sending the request that is answered."""
        return self._owed is ConnectionState.BODY


LEAVING: deque[tuple[float, "ref[Protocol]"]] = deque()
"""Who gives way next when there are too many, and since when we waited; who moved on or is gone is passed over."""


class Answering:
    """What an answer is written to. A refused body may still be coming when it ends: then it is read to its end."""

    __slots__ = ("_protocol", "is_closing", "write")

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self.write: Any = protocol.transport.write
        self.is_closing: Any = protocol.transport.is_closing

    def close(self) -> None:
        """Close the connection after the answer."""
        if self._protocol.owes_body:
            self._protocol.let_go()
        else:
            self._protocol.transport.close()
