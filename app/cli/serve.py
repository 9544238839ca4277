"""`tev serve`: migrate, seed an empty database, and serve."""

import gc
import os
import sys
from typing import Annotated

import typer
import uvicorn

from app import __version__
from app.cli.database import DatabaseOption, open_database
from app.cli.seed import print_saved, seed_database
from app.settings import PREFIX, Settings, load_settings
from app.store.examples import SEED
from app.store.read.revision import revision_of
from app.web.http_parser import require_httptools
from app.web.logging import configuration
from app.web.metrics import shared_by
from app.web.server import backlog, raise_file_limit


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    database: DatabaseOption = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve.")] = None,
) -> None:
    """Migrate the database, seed it when it is empty, and serve."""
    require_httptools()
    settings = load_settings(host=host, port=port, database_url=database, workers=workers)
    with open_database(settings) as opened:
        with opened.read() as connection:
            is_empty = revision_of(connection) == 0
        if is_empty:
            print_saved(seed_database(opened, SEED))
        root = settings.public_url
        print(f"Treatment Evidence API {__version__} on {opened.describe()}")
    print(f"  address        {root}/")
    print(f"  documentation  {root}/docs")
    for path in ("/v1/treatments", "/v1/claims?verdict=contradicted", "/v1/treatments/onabotulinumtoxina/dossier"):
        print(f"  curl '{root}{path}'")
    sys.stdout.flush()
    _export_settings(settings)
    with shared_by(settings.workers if settings.metrics else 1):
        _run(settings)


def _run(settings: Settings) -> None:
    raise_file_limit()
    gc.disable()  # garbage collection is off while the application loads; it is enabled again once it is ready
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="app.web.server:Protocol",
        ws="none",
        backlog=backlog(),
        access_log=False,
        server_header=False,
        log_config=configuration(settings.log_level, access_log=settings.access_log),
        log_level=settings.log_level,
        timeout_graceful_shutdown=8,
        timeout_worker_healthcheck=60,  # a worker that starts slowly on a busy machine must not be killed
    )


def _export_settings(settings: Settings) -> None:
    """Set the environment variables from which the worker processes read the settings."""
    for name, value in settings.model_dump().items():
        os.environ[f"{PREFIX}{name.upper()}"] = str(value)
