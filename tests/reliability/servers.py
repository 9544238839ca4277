"""`tev serve` as a process of its own: started, looked at, stopped or killed by its id."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT, free_port, untraced

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
        inherited = untraced()
        inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program starts from compiled files
        inherited["PYTHONPYCACHEPREFIX"] = str(self.folder / "compiled")
        environment = {**inherited, "TEV_DATABASE_URL": self.url, "TEV_RATE_FAILURES": "off", **self.environment}
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
        """Reset the peak that `memory` reads to the present size (proc(5), clear_refs)."""
        for pid in self.pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5")

    def memory(self) -> float:
        """The most megabytes that one of the processes held."""
        peaks = [0.0]
        for pid in self.pids():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            peaks += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
        return max(peaks)
