"""A start imports what it needs: the modules of a server's first answer, and of each command, are looked at by name."""

import json
import subprocess
import sys

import pytest

from app.db.schema import known_schemas, newest_schema
from tests.conftest import ROOT, free_port, untraced
from tests.support.commands import tev

PRINTING = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
"""
"""Prints the names of all imported modules as the last line of standard error."""
ASKING = """
import http.client, os, signal, socket, threading

def ask(port):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            pass
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for path in ("/readyz", "/v1/treatments"):
        connection.request("GET", path)
        answer = connection.getresponse()
        print(answer.status, len(answer.read()) > 0)
    os.kill(os.getpid(), signal.SIGINT)
"""
"""Asks the server of this process whether it is ready and for a list, and stops it."""
COMMAND = "from app.cli import main\nsys.argv[0] = 'tev'\nmain()"
ALWAYS_LATE = {"alembic", "jinja2", "limits", "markdown_it", "numpy", "prometheus_client", "redis", "scipy"}
WRITER = {"app.store.write.transaction", "app.store.write.documents", "app.store.examples", "app.web.bodies"}
DOCUMENTATION = {"app.web.openapi.document", "app.web.openapi.reads", "app.web.openapi.writes"}
OTHER_ROUTES = {"app.routers.syntheses", "app.routers.record_pages", "app.pages.cards", "app.pages.records"}
WEB = {"fastapi", "starlette", "uvicorn", "app.web.responses"}


def modules_of(program: str, *words: str, **environment: str) -> tuple[set[str], str]:
    """The modules that a Python program has imported at its end, and what it printed."""
    finished = subprocess.run(
        [sys.executable, "-c", PRINTING + program, *words],
        cwd=ROOT,
        env={**untraced(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return set(json.loads(finished.stderr.strip().splitlines()[-1])), finished.stdout


def test_a_server_that_answers_a_list_has_imported_nothing_else(seeded_database_url: str) -> None:
    assert tev("key", "list", "--database", seeded_database_url).returncode == 0  # the first command marks the shape
    port = free_port()
    ask = f"threading.Thread(target=ask, args=({port},), daemon=True).start()\n"
    loaded, printed = modules_of(
        ASKING + ask + COMMAND, "serve", "--port", str(port), TEV_DATABASE_URL=seeded_database_url
    )
    assert printed.splitlines()[-2:] == ["200 True"] * 2
    assert loaded & (ALWAYS_LATE | WRITER | DOCUMENTATION | OTHER_ROUTES) == set()
    assert ("psycopg" in loaded) == seeded_database_url.startswith("postgresql")


def test_help_imports_no_library_but_that_of_commands() -> None:
    loaded, printed = modules_of(COMMAND, "--help")
    assert "serve" in printed
    assert loaded & (ALWAYS_LATE | WEB | {"pydantic", "sqlalchemy", "sqlmodel", "psycopg"}) == set()


@pytest.mark.parametrize(
    "words",
    [["key", "create", "made-up", "--scope", "read"], ["key", "list"], ["check"], ["export", "claims"], ["seed"]],
    ids=" ".join,
)
def test_a_command_imports_neither_the_web_nor_what_migrates(words: list[str], migrated_database_url: str) -> None:
    loaded, printed = modules_of(COMMAND, *words, TEV_DATABASE_URL=migrated_database_url)
    assert printed or words[0] == "export", "an export of no records is empty"
    assert loaded & (ALWAYS_LATE | WEB) == set()
    assert ("psycopg" in loaded) == migrated_database_url.startswith("postgresql")


def test_the_known_schemas_are_those_of_alembic() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(ROOT / "app" / "migrations"))
    history = ScriptDirectory.from_config(config)
    assert newest_schema() == history.get_current_head()
    assert set(known_schemas()) == {script.revision for script in history.walk_revisions()}
