"""Follows one request through the program, in process: which files of `app/` are entered, and in which order."""

import asyncio
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from app.main import create_app
from app.settings import Settings
from bench.files import ROOT

APP = f"{ROOT / 'app'}/"


class Steps:
    """The files whose functions are called while it looks on, from call to call."""

    def __init__(self) -> None:
        self.is_looking = False
        self.files: list[str] = []

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """What `sys.setprofile` and `threading.setprofile` call."""
        name = frame.f_code.co_filename
        if self.is_looking and event == "call" and name.startswith(APP):
            self.files.append(name.removeprefix(APP))


async def _ask(app: Any, path: str) -> int:
    """Ask an ASGI application; returns the status."""
    address, _, query = path.partition("?")
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    headers = [(b"host", b"127.0.0.1:8000"), (b"accept", b"*/*")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": address, "raw_path": address.encode(), "query_string": query.encode(), "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return int(told[0]["status"])


async def _walk(file: Path, path: str, steps: Steps) -> None:
    settings: dict[str, Any] = {"database_url": f"sqlite:///{file}"}
    if "response_cache_bytes" in Settings.model_fields:
        settings["response_cache_bytes"] = 0
    app = create_app(Settings(**settings))
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    answered: asyncio.Queue[Any] = asyncio.Queue()
    lifespan = asyncio.create_task(app({"type": "lifespan", "asgi": {}, "state": {}}, asked.get, answered.put))
    for message in ("startup", "shutdown"):
        await asked.put({"type": f"lifespan.{message}"})
        if (await answered.get())["type"] != f"lifespan.{message}.complete":
            raise SystemExit(f"the application did not complete its {message}")
        for steps.is_looking in (False, False, True) if message == "startup" else ():
            if await _ask(app, path) != 200:
                raise SystemExit(f"{path} was not answered")
        steps.is_looking = False
    await lifespan


def walk(file: Path, path: str) -> tuple[list[str], int]:
    """Ask twice to warm up and once looking on: the files in the order of their first call, and the changes of file."""
    steps = Steps()
    threading.setprofile(steps)
    sys.setprofile(steps)
    try:
        asyncio.run(_walk(file, path, steps))
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    changes = sum(one != other for one, other in zip(steps.files, steps.files[1:], strict=False))
    return list(dict.fromkeys(steps.files)), changes
