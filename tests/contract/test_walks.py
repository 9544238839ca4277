"""How far a request walks through the tree: which packages it enters, and how often it passes from one to another."""

import sys
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
from starlette.types import Message

from app.main import create_app
from app.settings import Settings
from tests.conftest import ROOT

READ = "/v1/treatments/onabotulinumtoxina/study-results"
MOST_PACKAGES = 5
MOST_CROSSINGS = 30


async def read_of(app: Any) -> int:
    """The status of the answer to a read, from within the running event loop."""
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": READ,
        "raw_path": READ.encode(),
        "query_string": b"condition=chronic-migraine",
        "headers": [(b"host", b"127.0.0.1:8000")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "scheme": "http",
        "root_path": "",
    }
    await app(scope, receive, send)
    return statuses[0]


def walk_of_a_read(url: str) -> list[str]:
    """The packages of `app` in which the functions lie that a read calls, call by call."""
    packages: list[str] = []
    app_folder = f"{ROOT / 'app'}/"

    def watch(frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(app_folder):
            packages.append(Path(file).relative_to(app_folder).parts[0])

    async def walked() -> None:
        app = create_app(Settings(database_url=url, response_cache_bytes=0))
        async with app.router.lifespan_context(app):
            assert await read_of(app) == 200  # the first one loads what later ones have
            sys.setprofile(watch)
            try:
                assert await read_of(app) == 200
            finally:
                sys.setprofile(None)

    anyio.run(walked)
    return packages


def test_a_read_enters_few_packages_and_crosses_between_them_seldom(seeded_database_url: str) -> None:
    packages = walk_of_a_read(seeded_database_url)
    assert {"web", "store", "db"} <= set(packages) <= {"main.py", "web", "store", "db", "models"}
    assert len(set(packages)) <= MOST_PACKAGES
    assert sum(left != right for left, right in pairwise(packages)) <= MOST_CROSSINGS
