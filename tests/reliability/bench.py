"""Databases with the seed and a key, and servers over them: real processes, each ended by its own id."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy.engine import make_url

from app.cli import seed_database
from app.db import Database
from app.examples import SEED
from app.store import create_key
from tests.conftest import ROOT, free_port, new_postgresql_database, running_postgresql, untraced
from tests.reliability.shim import Shim

READY_SECONDS = 60


@dataclass
class Server:
    """`tev serve` over a database; `key` may write to it."""

    url: str
    key: str
    folder: Path
    workers: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    is_traced: bool = False
    """Whether coverage looks at it."""

    def __post_init__(self) -> None:
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = self.folder / f"server-{self.port}.log"

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return Path(self.url.removeprefix("sqlite:///"))

    def begin(self) -> None:
        """Start the process, in a group of its own."""
        command = [*self.prefix, sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)]
        inherited = dict(os.environ) if self.is_traced else untraced()
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program starts from compiled files
        inherited["PYTHONPYCACHEPREFIX"] = str(self.folder / "compiled")
        environment = {**inherited, "TEV_DATABASE_URL": self.url, **self.environment}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*command, "--workers", str(self.workers)],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> float:
        """Start and wait until it is ready: the seconds that this took."""
        began = time.monotonic()
        self.begin()
        while time.monotonic() - began < READY_SECONDS:
            if self.process.poll() is not None:
                break
            if self.is_ready():
                return time.monotonic() - began
            time.sleep(0.02)
        self.kill()
        raise AssertionError(f"the server did not become ready: {self.log.read_text()[-2000:]}")

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def kill(self) -> None:
        """Kill -9: the process and its workers, in the midst of whatever they do."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> float:
        """SIGTERM: the seconds until it has ended; killed after 30."""
        began = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
        return time.monotonic() - began

    def pids(self) -> list[int]:
        """The processes of the group."""
        found = [self.process.pid]
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(status.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == self.process.pid:
                found.append(int(status.parent.name))
        return found

    def forget_memory(self) -> None:
        """Let `memory` begin with what is held now (proc(5), clear_refs)."""
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def memory(self) -> float:
        """The most megabytes that one of the processes held."""
        peaks = [0.0]
        for pid in self.pids():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            peaks += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
        return max(peaks)


class Bench:
    """Where probes get databases and servers; one seed for each engine, copied for each server."""

    def __init__(self, folder: Path, *, is_short: bool) -> None:
        self.folder = folder
        self.is_short = is_short
        self.engines = ("sqlite",) if is_short else ("sqlite", "postgresql")
        self._stack = ExitStack()
        self._seeded: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._shared: dict[tuple[str, bool], Server] = {}

    def rounds(self, full: int, short: int) -> int:
        """How often to do something."""
        return short if self.is_short else full

    def database(self, engine: str, *, is_empty: bool = False) -> tuple[str, str]:
        """The address of a new database, a copy of the seed unless it is to be empty, and a key that may write."""
        if is_empty:
            return self._new(engine), ""
        if engine not in self._seeded:
            url = self._new(engine)
            database = Database(url)
            database.migrate()
            seed_database(database, SEED)
            self._keys[engine] = create_key(database, "made-up prober", "write")
            database.close()
            self._seeded[engine] = url
        seeded = self._seeded[engine]
        if engine == "postgresql":
            return new_postgresql_database(self._postgresql(), str(make_url(seeded).database)), self._keys[engine]
        url = self._new(engine)
        shutil.copy(seeded.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
        return url, self._keys[engine]

    def _new(self, engine: str) -> str:
        if engine == "postgresql":
            return new_postgresql_database(self._postgresql())
        return f"sqlite:///{self.folder}/{secrets.token_hex(4)}.db"

    def _postgresql(self) -> str:
        if not hasattr(self, "_address"):
            self._address = self._stack.enter_context(running_postgresql())
        return self._address

    def prepare(
        self,
        engine: str,
        *,
        workers: int = 1,
        environment: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> Server:
        """A server over a copy of the seed, to be started and ended by the caller; `prefix` is a command before it."""
        url, key = self.database(engine)
        return Server(url, key, self.folder, workers, environment or {}, prefix)

    @contextmanager
    def server(
        self, engine: str, *, workers: int = 1, environment: Mapping[str, str] | None = None, with_shim: bool = False
    ) -> Iterator[Server]:
        """A running server over a copy of the seed, with `shim` before it or not; in the short form they are shared."""
        alike = (engine, with_shim)
        is_shared = self.is_short and not environment
        if is_shared and alike in self._shared:
            yield self._shared[alike]
            return
        named = dict(environment or {}) | (self.shim.environment if with_shim else {})
        server = self.prepare(engine, workers=1 if self.is_short else workers, environment=named)
        server.is_traced = is_shared and not with_shim
        server.start()
        if is_shared:
            self._shared[alike] = server
            self._stack.callback(server.stop)
            yield server
            return
        try:
            yield server
        finally:
            server.stop()

    @cached_property
    def shim(self) -> Shim:
        """What stands between servers and the system."""
        return Shim(self.folder)

    def close(self) -> None:
        """End what runs still."""
        self._stack.close()


@contextmanager
def open_bench(*, is_short: bool) -> Iterator[Bench]:
    """A bench in a folder of its own, which goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="tev-reliability-"))
    bench = Bench(folder, is_short=is_short)
    try:
        yield bench
    finally:
        bench.close()
        shutil.rmtree(folder)
