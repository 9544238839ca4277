"""Starts a server on one core, asks it with wrk from another, and reads what its processes used from /proc."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.files import FOLDER, HERE, ROOT

CONNECTIONS = 32
WARM_SECONDS = 1
MOST_WHILE_WARMING = 4
TICKS = os.sysconf("SC_CLK_TCK")


def cores() -> tuple[str, str]:
    """The core of the servers and that of wrk: the first and the last that we may use."""
    available = sorted(os.sched_getaffinity(0))
    return str(available[0]), str(available[-1])


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class ContestantFailed(Exception):  # noqa: N818  # read as a sentence
    """A server did not start, or gave a wrong answer; what was measured of it would mean nothing."""


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def items(self) -> int | None:
        """How many items are in the list that was answered; None when it was no list."""
        told = json.loads(self.body)
        listed = told.get("items") if isinstance(told, dict) else told
        return len(listed) if isinstance(listed, list) else None


@dataclass
class Server:
    """A contestant's processes, which are one process group, from `start` to `stop`."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    port: int
    first: str
    """The path whose first answer says that it is ready."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def group(self) -> int:
        """The id of the process group."""
        if self.process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self.process.pid

    def start(self, seconds: float = 120) -> "Server":
        """Start on the servers' core, and wait for the first answer."""
        log = FOLDER / f"{self.name.replace(' ', '-').replace('/', '-')}.log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
        with log.open("wb") as told:
            self.process = subprocess.Popen(
                ["taskset", "-c", cores()[0], *self.command],
                cwd=ROOT,
                env={**environment, "PYTHONPATH": str(ROOT), **self.environment},
                stdout=told,
                stderr=told,
                start_new_session=True,
            )
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(OSError):
                answer = self.ask(self.first)
                if answer.status < 500:
                    return self
                break
            time.sleep(0.005)
        self.stop()
        raise ContestantFailed(f"{self.name} does not answer: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        """End all its processes."""
        if self.process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
                break
        self.process = None  # its id may be another's from now on

    def ask(self, path: str, header: str = "") -> Answer:
        """One answer, of whatever status."""
        name, _, value = header.partition(": ")
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={name: value} if name else {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers.items()))
        except urllib.error.HTTPError as failure:
            with failure:
                return Answer(failure.code, failure.read(), dict(failure.headers.items()))

    def cpu_seconds(self) -> float:
        """What its processes, with all threads and children that ended, have used of the processor since the start."""
        used = 0
        for process in _processes(self.group):
            with suppress(FileNotFoundError, ProcessLookupError):
                used += sum(int(ticks) for ticks in _stat(process)[11:15])
        return used / TICKS

    def megabytes(self) -> float:
        """The memory of its processes; pages that several share are counted in parts (PSS)."""
        used = 0
        for process in _processes(self.group):
            with suppress(FileNotFoundError, ProcessLookupError):
                lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
                used += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return used / 1024


NOT_PASSED_ON = ("TEV_", "SLIPCOVER_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
"""Variables that would make a server another than its users have."""


def _stat(process: str) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may hold spaces (proc(5))."""
    return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _processes(group: int) -> Iterable[str]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                if int(_stat(folder.name)[2]) == group:
                    yield folder.name


@dataclass(frozen=True)
class Target:
    """A line of a table: a server, what it is asked, and what a right answer is."""

    label: str
    server: Server
    paths: Sequence[str]
    header: str = ""
    status: int = 200
    items: Sequence[int] | None = None
    """How many items the answers to the first paths have; None: not looked at."""

    def check(self, size: int | None = None) -> int:
        """Ask the first paths and judge the answers (ContestantFailed); returns the mean size of a body."""
        sizes = []
        for number, path in enumerate(self.paths[:SAMPLE]):
            answer = self.server.ask(path, self.header)
            if answer.status == 503:  # a file that is not in memory yet may take longer than a query has
                answer = self.server.ask(path, self.header)
            sizes.append(len(answer.body))
            wanted = self.items[number] if self.items else None
            if answer.status != self.status or (wanted is not None and answer.items != wanted):
                raise ContestantFailed(
                    f"{self.label}: {path} gave {answer.status}, {answer.body[:120]!r}; {wanted} items wanted"
                )
        mean = round(sum(sizes) / len(sizes))
        if size is not None and not 0.7 * size <= mean <= 1.3 * size:
            raise ContestantFailed(f"{self.label}: {mean} bytes, where ours has {size}")
        return mean


SAMPLE = 5
"""So many different answers are judged before the time is taken."""


class Round(NamedTuple):
    """What one round of load measured; a round without an answer counts as one that took all of it, and failed."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int
    connections: int


def load(target: Target, seconds: int, connections: int = CONNECTIONS) -> Round:
    """Ask for so many seconds; the processor's time is that of the server's processes, divided by the answers."""
    paths = FOLDER / "paths.txt"
    paths.write_text("\n".join(target.paths) + "\n", encoding="utf-8")
    before = target.server.cpu_seconds()
    asked = subprocess.run(
        [
            "taskset", "-c", cores()[1], "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
            "-s", str(HERE / "load.lua"), f"http://127.0.0.1:{target.server.port}",
        ],
        env={**os.environ, "PATHS": str(paths), "HEADER": target.header},
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    used = target.server.cpu_seconds() - before
    told = next((line for line in asked.stdout.splitlines() if line.startswith("MEASURED")), None)
    if told is None:
        raise ContestantFailed(f"wrk said nothing of {target.label}: {asked.stdout}{asked.stderr}")
    answers, lasted, p50, p99, failed = (float(word) for word in told.split()[1:])
    if answers == 0:
        return Round(1e6 * used, 1 / lasted, 1000 * lasted, 1000 * lasted, int(failed) + 1, connections)
    return Round(1e6 * used / answers, answers / lasted, p50 / 1000, p99 / 1000, int(failed), connections)


def rounds_of(
    targets: Sequence[Target], rounds: int, seconds: int, *, is_alike: bool = False
) -> dict[str, list[Round]]:
    """Every target in every round, the order reversed each time, so that a slow minute meets all alike.

    All are asked for a second before that, but for a single round, which is a try. How many are answered then decides
    by how many connections a target is asked at once: what is under way at the end of a round has cost without being
    counted, and is kept below a twentieth. `is_alike` asks all by as few as the slowest.
    """
    connections = {target.label: CONNECTIONS for target in targets}
    for target in targets if rounds > 1 else ():
        rate = load(target, WARM_SECONDS, MOST_WHILE_WARMING).per_second
        connections[target.label] = max(1, min(CONNECTIONS, int(rate / 20)))
    if is_alike:
        connections = dict.fromkeys(connections, min(connections.values()))
    measured: dict[str, list[Round]] = {target.label: [] for target in targets}
    for number in range(rounds):
        for target in targets if number % 2 == 0 else reversed(targets):
            measured[target.label].append(load(target, seconds, connections[target.label]))
    return measured
