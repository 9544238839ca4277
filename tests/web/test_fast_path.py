"""Plain reads in the response cache are answered before ASGI is entered, byte for byte as ASGI answers them."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from secrets import token_hex
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.db.database import Database
from app.main import create_app
from app.models.conditions import ConditionRecord
from app.settings import Settings
from app.store.write.save import save_all
from app.web.server import Protocol
from tests.conftest import DatabaseTemplates
from tests.web.test_cache import READS, TREATMENT

PATH = f"/v1/treatments/{TREATMENT}"
OF_ONE_REQUEST = (b"date", b"x-request-id")


class Counted:
    """The application, with the number of requests that reached it by ASGI."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += scope["type"] == "http"
        await self.app(scope, receive, send)


class Served:
    """The application under uvicorn, with our protocol, in a thread of this process."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.app = Counted(create_app(Settings(database_url=url, allowed_hosts="127.0.0.1,made-up.example")))
        config = uvicorn.Config(
            self.app, http=Protocol, ws="none", lifespan="on", log_config=None, access_log=False, server_header=False
        )
        self.server = uvicorn.Server(config)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self.listener.getsockname()
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        """Serve until told to stop, on an event loop of this thread."""
        with asyncio.Runner(loop_factory=self.server.config.get_loop_factory()) as runner:
            runner.run(self.server.serve(sockets=[self.listener]))

    def write(self) -> None:
        """Save a record by another connection, as another process would."""
        save_all(self.database, [ConditionRecord(id=f"made-up-{token_hex(4)}", name="made-up ache")], author="made-up")


@pytest.fixture(scope="module")
def served(database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(database_templates.copy("sqlite", tmp_path_factory.mktemp("served"), is_seeded=True))
    served.thread.start()
    try:
        with connected(served) as client:
            assert client.ask(request_of("/healthz")).startswith(b"HTTP/1.1 200")
        yield served
    finally:
        served.server.should_exit = True
        served.thread.join(20)
        served.database.close()


class Connected:
    """A connection that reads whole responses."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=10)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> "Connected":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def ask(self, request: bytes) -> bytes:
        """The response to a request."""
        self.socket.sendall(request)
        return self.response(has_body=not request.startswith(b"HEAD"))

    def response(self, *, has_body: bool = True) -> bytes:
        """The next response: its head, and its body."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.file.readline()
            assert line, head
            head += line
        length = headers_of(head).get(b"content-length", b"0")
        return head + (self.file.read(int(length)) if has_body else b"")


def connected(served: Served) -> Connected:
    return Connected(served.address)


def request_of(path: str, *lines: str, method: str = "GET", version: str = "1.1", host: str = "127.0.0.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", f"Host: {host}", *lines, "", ""]).encode()


def headers_of(response: bytes) -> dict[bytes, bytes]:
    lines = response.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]
    return {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}


def shared(response: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Status line, headers and body, without what belongs to one request."""
    headers = {name: value for name, value in headers_of(response).items() if name not in OF_ONE_REQUEST}
    return response.split(b"\r\n", 1)[0], headers, response.split(b"\r\n\r\n", 1)[1]


def by_asgi(served: Served, client: Connected, request: bytes) -> tuple[bytes, bool]:
    """The response to a request, and whether ASGI was entered for it."""
    before = served.app.requests
    response = client.ask(request)
    return response, served.app.requests > before


@pytest.mark.parametrize("coding", ["identity", "br", "zstd", "gzip"])
@pytest.mark.parametrize("path", READS)
def test_the_fast_path_answers_as_asgi_does(served: Served, path: str, coding: str) -> None:
    served.write()
    with connected(served) as client:
        request = request_of(path, f"Accept-Encoding: {coding}")
        first, entered = by_asgi(served, client, request_of(path, f"Accept-Encoding: {coding}", "Range: bytes=0-1"))
        client.ask(request)
        second, entered_again = by_asgi(served, client, request)
        assert (entered, entered_again) == (True, False)
        assert shared(second) == shared(first)
        assert headers_of(second)[b"x-request-id"] != headers_of(first)[b"x-request-id"]
        assert b"date" in headers_of(second)
        head, entered = by_asgi(served, client, request_of(path, f"Accept-Encoding: {coding}", method="HEAD"))
        assert (shared(head), entered) == ((*shared(first)[:2], b""), False)
        tag = headers_of(first)[b"etag"].decode()
        again = request_of(path, f"Accept-Encoding: {coding}", f"If-None-Match: W/{tag}, *")
        unchanged, entered = by_asgi(served, client, again)
        assert (unchanged.split(b"\r\n")[0], entered) == (b"HTTP/1.1 304 Not Modified", False)
        served.write()
        later = client.ask(again)
        assert int(headers_of(later)[b"dataset-revision"]) == int(headers_of(unchanged)[b"dataset-revision"]) + 1


def test_a_write_is_seen_by_the_next_request(served: Served) -> None:
    with connected(served) as client:
        client.ask(request_of(PATH))
        for _ in range(20):
            assert not by_asgi(served, client, request_of(PATH))[1]
            revision = int(headers_of(client.ask(request_of(PATH)))[b"dataset-revision"])
            served.write()
            assert int(headers_of(client.ask(request_of(PATH)))[b"dataset-revision"]) == revision + 1


def test_requests_that_were_sent_together_are_answered_in_order(served: Served) -> None:
    paths = [PATH, "/v1/treatments", PATH, "/v1/nothing", "/v1/gaps", "/v1/search?q=botox", "/v1/outcomes"]
    with connected(served) as client:
        expected = [client.ask(request_of(path)) for path in paths]
        for _ in range(3):
            served.write()
            client.socket.sendall(b"".join(map(request_of, paths)))
            answers = [client.response() for _ in paths]
            assert [shared(answer)[2] for answer in answers[:3]] == [shared(answer)[2] for answer in expected[:3]]
            assert [answer.split(b"\r\n")[0] for answer in answers] == [answer.split(b"\r\n")[0] for answer in expected]
            client.socket.sendall(b"".join(map(request_of, paths)))
            assert [shared(client.response())[2] == shared(answer)[2] for answer in answers].count(False) <= 1


@pytest.mark.parametrize(
    ("request_lines", "status"),
    [
        (request_of(PATH, host="evil.example"), b"421"),
        (request_of(PATH, "Host: 127.0.0.1"), b"400"),
        (request_of(PATH).replace(b"Host: 127.0.0.1\r\n", b""), b"400"),
        (request_of(PATH, host="a b"), b"400"),
        (request_of(PATH, "Authorization: Bearer made-up"), b"401"),
        (request_of(PATH, method="POST"), b"405"),
        (request_of(PATH, method="DELETE"), b"401"),
        (request_of(PATH + "%00"), b"400"),
        (request_of(PATH, "Accept: image/png"), b"406"),
        (request_of(PATH, "Content-Length: 3") + b"abc", b"200"),
        (request_of(PATH, "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n", b"200"),
        (request_of(PATH, "Range: bytes=0-1"), b"200"),
    ],
)
def test_what_the_gate_could_refuse_goes_through_it(served: Served, request_lines: bytes, status: bytes) -> None:
    with connected(served) as client:
        client.ask(request_of(PATH))
        response, entered = by_asgi(served, client, request_lines)
        assert (response.split(b" ")[1], entered) == (status, True)
    with connected(served) as client:
        assert client.ask(request_of(PATH)).startswith(b"HTTP/1.1 200")


def test_a_request_id_that_is_well_formed_is_repeated(served: Served) -> None:
    with connected(served) as client:
        client.ask(request_of(PATH))
        response, entered = by_asgi(served, client, request_of(PATH, "X-Request-ID: made-up-7"))
        assert (headers_of(response)[b"x-request-id"], entered) == (b"made-up-7", False)
        response = client.ask(request_of(PATH, "X-Request-ID: made up<7>"))
        assert b"made" not in headers_of(response)[b"x-request-id"]


def test_a_connection_that_is_to_be_closed_is_closed(served: Served) -> None:
    for last in (request_of(PATH, "Connection: close"), request_of(PATH, version="1.0")):
        with connected(served) as client:
            client.ask(request_of(PATH))
            client.ask(last)
            assert client.file.read() == b""


def test_a_client_that_stops_reading_makes_us_hold_little(served: Served) -> None:
    path = "/v1/study-results?limit=100"
    with connected(served) as client:
        size = len(client.ask(request_of(path)))
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.socket.settimeout(0.5)
        with suppress(TimeoutError):
            client.socket.sendall(request_of(path) * 5_000)
        connections = list(served.server.server_state.connections)
        assert max(connection.transport.get_write_buffer_size() for connection in connections) < 3 * size + 1_000_000
    with connected(served) as client:
        assert client.ask(request_of(PATH)).startswith(b"HTTP/1.1 200")
