"""Many at once, against a server in a process of its own: exactly one wins, and nothing of a key is said."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

from app.db.database import Database
from app.store.write.keys import create_key
from tests.conftest import ROOT, free_port, untraced, wait_until_ready

AT_ONCE = 20


class Running:
    """A server, the key that it knows, and what it has said once it has ended."""

    def __init__(self, address: str, key: str) -> None:
        self.address = address
        self.key = key
        self.said = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case and body of an answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named |= {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}{path}", data=content, method=method, headers=named)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as failure:
            with failure:
                return failure.code, {k.lower(): v for k, v in failure.headers.items()}, failure.read()


@contextmanager
def running(url: str, workers: int = 2) -> Iterator[Running]:
    """`tev serve` over a database, with a key to write with."""
    database = Database(url)
    database.migrate()
    key = create_key(database, "made-up racer", "admin")
    database.close()
    port = free_port()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**untraced(), "TEV_DATABASE_URL": url, "TEV_LOG_LEVEL": "debug"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    server = Running(f"http://127.0.0.1:{port}", key)
    try:
        wait_until_ready(server.address, process, seconds=90)
        yield server
    finally:
        process.terminate()
        server.said, _ = process.communicate(timeout=30)


def at_once(work: Any) -> list[Any]:
    """What the same call gives to many who make it in the same moment."""
    start = Barrier(AT_ONCE)

    def one(number: int) -> Any:
        start.wait(30)
        return work(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def test_of_many_writers_at_once_exactly_one_wins_and_no_key_is_logged(empty_database_url: str) -> None:
    with running(empty_database_url) as server:
        path = "/v1/conditions/chronic-migraine"
        _, headers, _ = server.ask("GET", path)

        def change(number: int) -> int:
            return server.ask("PATCH", path, {"synonyms": [f"made-up {number}"]}, If_Match=headers["etag"])[0]

        assert Counter(at_once(change)) == {200: 1, 412: AT_ONCE - 1}
        _, _, content = server.ask("GET", path)
        assert json.loads(content)["version"] == 2

        def create(_: int) -> tuple[int, str | None, bytes]:
            record = {"id": "made-up-race", "name": "made-up race"}
            status, headers, content = server.ask("POST", "/v1/conditions", record, Idempotency_Key="the-same")
            return status, headers.get("idempotency-replayed"), content

        answers = at_once(create)
        assert Counter((status, replayed) for status, replayed, _ in answers) == {
            (201, None): 1,
            (201, "true"): AT_ONCE - 1,
        }
        assert len({content for _, _, content in answers}) == 1
        history = json.loads(server.ask("GET", "/v1/conditions/made-up-race/history")[2])
        assert len(history["items"]) == 1

        proposed = json.loads(server.ask("PATCH", f"{path}?draft=true", {"synonyms": ["made-up"]}, If_Match="*")[2])

        def publish(_: int) -> int:
            return server.ask("POST", f"/v1/drafts/{proposed['id']}/publish?note=Checked.")[0]

        assert Counter(at_once(publish)) == {200: 1, 409: AT_ONCE - 1}
        assert json.loads(server.ask("GET", path)[2])["version"] == 3

        def read_own(number: int) -> bool:
            record = {"id": f"made-up-own-{number}", "name": "made up"}
            status, _, _ = server.ask("POST", "/v1/conditions", record)
            return status == 201 and server.ask("GET", f"/v1/conditions/{record['id']}")[0] == 200

        assert all(at_once(read_own)), "a writer reads what was just written, whichever process answers"
        for odd in ("/v1/conditions?key=" + server.key, "/v1/" + server.key, "/v1/conditions/" + server.key):
            assert server.ask("POST", odd, {})[0] in (404, 405, 422)
    assert "Treatment Evidence API" in server.said
    assert server.key.split("_", 2)[2] not in server.said
