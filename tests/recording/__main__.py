"""Record what the service answers to thousands of requests, and compare two recordings: a move must change nothing.

python -m tests.recording prepare FOLDER                  a database, a release and keys that recordings begin with
python -m tests.recording record FOLDER OUT.jsonl.gz      ask the service over a copy of FOLDER; `--checkout DIR`
                                                          asks another version of the program
python -m tests.recording compare BEFORE AFTER [--texts]  show the first differences; exit code 0 without any
"""

import argparse
import gzip
import hashlib
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, TextIO

from tests.recording.compare import Entry, compare
from tests.recording.reads import Service
from tests.recording.values import HOST, KEPT, PUBLIC_URL, RELEASE, Answer
from tests.recording.writes import Writes

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "app.cli"]
SETTINGS = {
    "TEV_PUBLIC_URL": PUBLIC_URL,
    "TEV_ALLOWED_HOSTS": "127.0.0.1",
    "TEV_CONTACT_URL": "https://example.org/report",
    "TEV_QUERY_SECONDS": "60",
    "TEV_RATE_WRITES": "off",
    "TEV_RATE_READS": "off",
    "TEV_RATE_FAILURES": "off",
    "TEV_METRICS": "true",
}
"""No answer may depend on how fast the machine is or on the port, and as much as possible is to be seen."""
DATABASE = "original.db"
LONGEST_TEXT = 4_000_000
"""A longer body is recorded as its hash and length, as one that is no UTF-8."""
KEY = re.compile(r"tev_[0-9a-f]{16}_[A-Za-z0-9_-]{43}")


# Preparing


def prepare(folder: Path) -> None:
    """Make what both recordings begin with: all records, a release, a withdrawal, a former id, a synthesis, keys."""
    folder.mkdir(parents=True)
    run = _command_over(folder)
    run("seed")
    run("release", RELEASE)
    run("withdraw", "studies", _last_id(run, "studies"), "--reason", "Made up.", "--author", "Ana Example")
    outcome = _last_id(run, "outcomes")
    run("rename", "outcomes", outcome, f"{outcome}-renamed", "--author", "Ana Example")
    scopes = {"read": "read", "write": "write", "other": "write", "admin": "admin", "revoked": "admin"}
    keys = {
        name: run("key", "create", f"made-up {name}", "--scope", scope).split()[-1] for name, scope in scopes.items()
    }
    run("key", "revoke", "made-up revoked")
    keys["expired"] = run("key", "create", "made-up expired", "--scope", "admin", "--expires", "2999-01-01").split()[-1]
    keys["unknown"] = f"tev_{'0' * 16}_{'A' * 43}"
    with serving(folder) as port:
        answer = Recorder(port, keys, None).ask("GET", KEPT)
        assert answer.status == 200, answer.text
    with sqlite3.connect(folder / DATABASE) as database:
        database.execute("UPDATE api_key SET expires_at = '2020-01-01T00:00:00Z' WHERE name = 'made-up expired'")
    database.close()
    (folder / "keys.json").write_text(json.dumps(keys, indent=1))
    shutil.copy(ROOT / "data" / "seed.json", folder / "seed.json")


def _command_over(folder: Path) -> Any:
    """A function that runs `tev` over the database of a folder, and returns what it printed."""
    environment = {**os.environ, "TEV_DATABASE_URL": f"sqlite:///{folder.absolute()}/{DATABASE}"}

    def run(*words: str) -> str:
        finished = subprocess.run(
            [*COMMAND, *words], cwd=ROOT, env=environment, check=True, text=True, stdout=subprocess.PIPE
        )
        return finished.stdout

    return run


def _last_id(run: Any, resource: str) -> str:
    return str(json.loads(run("export", resource).splitlines()[-1])["id"])


@contextmanager
def serving(folder: Path, checkout: Path = ROOT) -> Iterator[int]:
    """The port of `tev serve` of a checkout of the program, over the database of a folder."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    database = f"sqlite:///{folder.absolute()}/{DATABASE}"
    environment = {**os.environ, **SETTINGS, "TEV_DATABASE_URL": database, "TEV_PORT": str(port)}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen([*COMMAND, "serve"], cwd=checkout, env=environment, stdout=log, stderr=log)
        try:
            for _ in range(1200):
                assert process.poll() is None, (folder / "server.log").read_text()
                with socket.socket() as knocking:
                    if knocking.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(30)
    (folder / "server.log").unlink()


# Recording


class Recorder:
    """Asks over one connection, and writes down each request with its answer."""

    def __init__(self, port: int, keys: dict[str, str], out: TextIO | None) -> None:
        self.address = ("127.0.0.1", port)
        self.connection = HTTPConnection(*self.address, timeout=120)
        self.keys, self.out = keys, out
        self.kind, self.is_after_writes = "", False
        self.counted: Counter[tuple[str, int]] = Counter()

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "", **named: str) -> Answer:
        """The answer to a request; a body that is not bytes is sent as JSON, `If_Match` is the header If-Match."""
        headers = {"Host": HOST} | {name.replace("_", "-"): value for name, value in named.items()}
        if key:
            headers["Authorization"] = f"Bearer {self.keys[key]}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        content = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        try:
            answer = self._send(method, path, headers, content)
        except (HTTPException, ConnectionError):  # the server ended the connection after an earlier answer
            self.connection.close()
            answer = self._send(method, path, headers, content)
        sent = {"method": method, "path": path, "sent": headers}
        return self._written({**sent, **_body("body_sent", content or b"")}, answer)

    def ask_raw(self, content: bytes) -> Answer:
        """The answer to bytes that may be no HTTP at all, over a connection of their own."""
        with socket.create_connection(self.address, timeout=60) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            answer = HTTPResponse(connection)
            answer.begin()
            return self._written({"method": "RAW", "path": content.decode("latin-1"), "sent": {}}, _read(answer))

    def _send(self, method: str, path: str, headers: dict[str, str], content: bytes | None) -> Answer:
        self.connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            for one in value.split("\n"):  # a header on several lines
                self.connection.putheader(name, one.encode())
        if content is not None:
            self.connection.putheader("Content-Length", str(len(content)))
        self.connection.endheaders(content)
        return _read(self.connection.getresponse())

    def _written(self, request: Entry, answer: Answer) -> Answer:
        content = answer.content
        if request["path"] == "/metrics":  # its values are times and sizes
            content = re.sub(rb"(?m)^([^#].*) \S+$", rb"\1", content)
        if answer.header("content-encoding") == "gzip":  # whose header names a time
            content = gzip.decompress(content)
        told = {"status": answer.status, "headers": answer.headers, **_body("body", content)}
        entry = {"kind": self.kind, "is_after_writes": self.is_after_writes, **request, **told}
        self.counted[self.kind, answer.status] += 1
        if self.out is not None:
            self.out.write(KEY.sub("<key>", json.dumps(entry, ensure_ascii=False)) + "\n")
        return answer


def _read(answer: HTTPResponse) -> Answer:
    return Answer(answer.status, answer.getheaders(), answer.read())


def _body(name: str, content: bytes) -> Entry:
    """A body as text; as its hash and length when it is no text or too long."""
    try:
        if len(content) <= LONGEST_TEXT:
            return {name: content.decode()}
    except UnicodeDecodeError:
        pass
    return {name: {"sha256": hashlib.sha256(content).hexdigest(), "length": len(content)}}


def ask_everything(recorder: Recorder, seed: dict[str, list[Entry]]) -> None:
    """Ask all requests in their order; whatever writes comes last but for the reads that look at what was written."""
    recorder.kind = "operations"
    service = Service(recorder)
    plans = (service.operations, service.lists, service.records, service.reports, service.calculator, service.pages)
    for plan in (*plans, service.wrong):
        recorder.kind = plan.__name__
        plan()
    recorder.kind, recorder.is_after_writes = "writes", True
    writes = Writes(service, seed)
    for plural in service.resources:
        writes.life(plural)
    for plan in (writes.batches, writes.after_writes):
        recorder.kind = plan.__name__
        plan()


def record(folder: Path, file: Path, checkout: Path) -> None:
    """Ask everything of a checkout of the program, over a copy of a prepared folder."""
    keys = json.loads((folder / "keys.json").read_text())
    seed = json.loads((folder / "seed.json").read_text())
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(shutil.copytree(folder, Path(temporary) / "served"))
        with serving(copy, checkout) as port, gzip.open(file, "wt", encoding="utf-8", compresslevel=6) as out:
            out.write(json.dumps({"started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}) + "\n")
            recorder = Recorder(port, keys, out)
            ask_everything(recorder, seed)
    for kind in dict.fromkeys(kind for kind, _ in recorder.counted):
        statuses = {status: n for (of, status), n in sorted(recorder.counted.items()) if of == kind}
        print(f"{kind:<16} {sum(statuses.values()):>5}  " + ", ".join(f"{s}: {n}" for s, n in statuses.items()))
    print(f"{recorder.counted.total()} requests in {time.monotonic() - began:.0f} seconds: {file}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare").add_argument("folder", type=Path)
    recording = commands.add_parser("record")
    recording.add_argument("folder", type=Path)
    recording.add_argument("out", type=Path)
    recording.add_argument("--checkout", type=Path, default=ROOT, help="the folder of the program; default: this one")
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    comparing.add_argument("--texts", action="store_true", help="ignore human wording")
    asked = parser.parse_args()
    if asked.command == "prepare":
        prepare(asked.folder)
    elif asked.command == "record":
        record(asked.folder, asked.out, asked.checkout)
    else:
        sys.exit(1 if compare(asked.before, asked.after, without_texts=asked.texts) else 0)


if __name__ == "__main__":
    main()
