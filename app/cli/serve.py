"""`tev serve`: migrate, seed an empty database, and serve."""

import gc
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from app import __version__
from app.cli.database import DatabaseOption, open_database

if TYPE_CHECKING:
    from app.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    database: DatabaseOption = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve.")] = None,
) -> None:
    """Migrate the database, seed it when it is empty, and serve."""
    from app.settings import load_settings
    from app.store.read.revision import revision_of
    from app.web.http_parser import require_httptools

    require_httptools()
    settings = load_settings(host=host, port=port, database_url=database, workers=workers)
    with open_database(settings) as opened:
        with opened.read() as connection:
            is_empty = revision_of(connection) == 0
        if is_empty:
            from app.cli.seed import print_saved, seed_database
            from app.store.examples import SEED

            print_saved(seed_database(opened, SEED))
        root = settings.public_url
        print(f"Treatment Evidence API {__version__} on {opened.describe()}")
    print(f"  address        {root}/")
    print(f"  documentation  {root}/docs")
    for path in ("/v1/treatments", "/v1/claims?verdict=contradicted", "/v1/treatments/onabotulinumtoxina/dossier"):
        print(f"  curl '{root}{path}'")
    sys.stdout.flush()
    _export_settings(settings)
    with _shared_metrics(settings):
        _run(settings)


def _shared_metrics(settings: "Settings") -> AbstractContextManager[None]:
    """The folder in which several processes count together, where they count at all."""
    if not settings.metrics:
        return nullcontext()
    from app.web.metrics import shared_by

    return shared_by(settings.workers)


def _run(settings: "Settings") -> None:
    gc.disable()  # garbage collection is off while the application loads; it is enabled again once it is ready
    import uvicorn

    from app.web.logging import configuration
    from app.web.server import backlog, raise_file_limit

    raise_file_limit()
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


def _export_settings(settings: "Settings") -> None:
    """Set the environment variables from which the worker processes read the settings."""
    from app.settings import PREFIX

    for name, value in settings.model_dump().items():
        os.environ[f"{PREFIX}{name.upper()}"] = str(value)
