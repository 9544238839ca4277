"""The programs that are measured beside each other: how each is started, and the addresses of its questions."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.settings import PREFIX, Settings
from bench.files import FOLDER, HERE, ROOT
from bench.load import Server, free_port

PEERS = HERE / "peers"
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
SETUP = "run `make bench-setup`"
UVICORN = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")

ADDRESSES = {
    "by-id": "/side-effects/{id}",
    "list": "/side-effects?treatment={treatment}&limit=20",
    "cached-list": "/side-effects?limit=14",
    "include": "/side-effects-with-conditions?treatment={treatment}&limit=20",
    "nested": "/treatments/{treatment}/side-effects?limit=20",
    "sorted": "/side-effects?treatment={treatment}&limit=20&sort=-percent",
}
"""Of the peers that we wrote."""
NO_TAGS = {"not-modified": "sends no ETag unless its user writes that"}
NOT_CODED = {"cached-list-coded": "compresses on every request, if at all; not compared"}


Start = Callable[[Path | str, int], tuple[list[str], dict[str, str]]]


@dataclass(frozen=True)
class Contestant:
    """A program: the words that start it, and what it is asked."""

    name: str
    start: Start
    """Its command and variables, for a database and a port."""
    addresses: Mapping[str, str] = field(default_factory=lambda: ADDRESSES)
    lacks: Mapping[str, str] = field(default_factory=lambda: NO_TAGS | NOT_CODED)
    """Why it does not take part in a case."""
    needs: Callable[[], str | None] = lambda: None
    """What is not installed; None when nothing is missing."""
    is_ours: bool = False

    def server(self, file: Path | str, **addressed: str) -> Server:
        """A server over that database; what is in the addresses of `by-id` makes its first question."""
        port = free_port()
        command, environment = self.start(file, port)
        first = self.addresses["by-id"].format(database=Path(file).stem, **addressed)
        return Server(self.name, command, environment, port, first)


def uvicorn(python: Path | str, app: str) -> Start:
    """How uvicorn starts an application."""
    return lambda file, port: (
        [str(python), "-m", "uvicorn", app, "--port", str(port), *UVICORN],
        {"PEERS_DATABASE": str(file)},
    )


def known(**settings: str) -> dict[str, str]:
    """Those of the variables that the program as it stands knows."""
    return {f"{PREFIX}{name.upper()}": value for name, value in settings.items() if name in Settings.model_fields}


def ours(name: str = "ours", **settings: str) -> Contestant:
    """`tev serve` with its defaults, and these settings where they are known."""

    def start(file: Path | str, port: int) -> tuple[list[str], dict[str, str]]:
        url = str(file) if "://" in str(file) else f"sqlite:///{file}"
        places = {"TEV_DATABASE_URL": url, "TEV_PORT": str(port)}
        return [sys.executable, "-m", "app.cli", "serve"], places | known(**settings)

    addresses = {name: f"/v1{address}" for name, address in ADDRESSES.items()}
    addresses["include"] = f"{addresses['list']}&include=condition"
    return Contestant(name, start, addresses, lacks={}, is_ours=True)


def _nginx(_file: Path | str, port: int) -> tuple[list[str], dict[str, str]]:
    folder = FOLDER / "nginx"
    (folder / "files").mkdir(parents=True, exist_ok=True)
    user = "user root;" if os.geteuid() == 0 else ""
    text = (PEERS / "nginx.conf").read_text(encoding="utf-8").replace("@FOLDER@", str(folder))
    written = folder / "nginx.conf"
    written.write_text(text.replace("@PORT@", str(port)).replace("@USER@", user), encoding="utf-8")
    return [_program("nginx") or "nginx", "-e", "stderr", "-p", str(folder), "-c", str(written)], {}


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _absent(name: str, found: object) -> str | None:
    return None if found else f"{name} is not installed: {SETUP}"


def _datasette(file: Path | str, port: int) -> tuple[list[str], dict[str, str]]:
    words = ["serve", "--immutable", str(file), "--port", str(port), "--setting", "suggest_facets", "off"]
    return [str(PEERS_PYTHON), "-m", "datasette", *words], {}


def wrk_is_missing() -> str | None:
    """What to do where wrk, which asks, is not installed."""
    return _absent("wrk", _program("wrk"))


NO_NESTING = dict.fromkeys(("include", "nested"), "has tables and no records within records")
OURS = ours()
UNCACHED = ours("ours, uncached", response_cache_bytes="0")
BARE = Contestant("bare ASGI", uvicorn(sys.executable, "bench.peers.bare:app"), {"by-id": "/100"}, {})
NGINX = Contestant(
    "nginx", _nginx, {"by-id": "/", "cached-list": "/list.json"},
    dict.fromkeys(("by-id", "list", "include", "nested", "sorted"), "serves files") | NOT_CODED,
    needs=lambda: _absent("nginx", _program("nginx")),
)  # fmt: skip
NAIVE = Contestant("FastAPI + SQLModel", uvicorn(sys.executable, "bench.peers.naive:app"))
LITESTAR = Contestant(
    "Litestar + msgspec", uvicorn(PEERS_PYTHON, "bench.peers.litestar_peer:app"),
    needs=lambda: _absent("Litestar", PEERS_PYTHON.exists()),
)  # fmt: skip
FASTIFY = Contestant(
    "Fastify + better-sqlite3",
    lambda file, port: (["node", str(PEERS / "fastify.js")], {"PEERS_DATABASE": str(file), "PORT": str(port)}),
    needs=lambda: _absent("Fastify", (PEERS / "node_modules" / "fastify").exists() and _program("node")),
)
DATASETTE = Contestant(
    "Datasette",
    _datasette,
    {
        "by-id": "/{database}/side_effect/{id}.json?_shape=array",
        "list": "/{database}/side_effect.json?treatment={treatment}&_size=20&_shape=array&_sort=id",
        "cached-list": "/{database}/side_effect.json?_size=14&_shape=array&_sort=id",
        "sorted": "/{database}/side_effect.json?treatment={treatment}&_size=20&_shape=array&_sort_desc=percent",
    },
    NO_TAGS | NOT_CODED | NO_NESTING,
    needs=lambda: _absent("Datasette", PEERS_PYTHON.exists()),
)
PROGRAMS = (NGINX, NAIVE, LITESTAR, FASTIFY, DATASETTE)
"""Those that stand beside ours and bare ASGI."""
