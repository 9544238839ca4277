"""Databases with the seed and a key to write with, and servers over them."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

from sqlalchemy.engine import make_url

from app.cli.seed import seed_database
from app.db.database import Database
from app.store.examples import SEED
from app.store.write.keys import create_key
from tests.conftest import new_postgresql_database, running_postgresql
from tests.reliability.servers import Server
from tests.reliability.shim import Shim


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
            self._address = self._stack.enter_context(running_postgresql(is_safe=True))
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
