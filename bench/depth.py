"""Follows one request through the server, in process: which files of `app/` are entered, and in which order."""

import asyncio
import socket
import sys
import threading
from pathlib import Path
from types import FrameType

import uvicorn

from app.main import create_app
from app.settings import Settings
from app.web.server import Protocol
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


async def _ask(address: tuple[str, int], path: str) -> str:
    """Ask a server over a connection of its own; returns the status line."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n".encode())
    status = await reader.readline()
    writer.close()
    return status.decode().strip()


async def _walk(file: Path, path: str, steps: Steps) -> None:
    app = create_app(Settings(database_url=f"sqlite:///{file}", response_cache_bytes=0))
    server = uvicorn.Server(
        uvicorn.Config(app, http=Protocol, ws="none", lifespan="on", log_config=None, access_log=False)
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        for steps.is_looking in (False, False, True):
            status = await _ask(listener.getsockname(), path)
            if status != "HTTP/1.1 200 OK":
                raise SystemExit(f"{path} was answered with {status}")
        steps.is_looking = False
        server.should_exit = True
        await serving


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
