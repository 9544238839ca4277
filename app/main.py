"""The ASGI application: `create_app` wires settings, database, middleware and routes."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette_compress import CompressMiddleware, add_compress_type

from app import enable_collection
from app.db.database import Database
from app.db.write_queue import LONGEST_WAIT_SECONDS, WriteQueue
from app.errors import MEDIA_TYPE, Problem, Unavailable
from app.formats.registry import REPRESENTATIONS
from app.models.base import Key
from app.releases.pool import ReleasePool
from app.routers import METHODS, ROUTES, tag_descriptions
from app.settings import Settings, load_settings
from app.store.read.revision import revision_of
from app.web.auth import Authenticator
from app.web.etags import CodedTags
from app.web.health import Readiness
from app.web.http_parser import require_httptools
from app.web.middleware.checks import AddressGuard, BodyGuard, CodingGuard, HostGuard, KeyGuard
from app.web.middleware.headers import CommonHeaders
from app.web.middleware.rate_limits import FailureGuard, RateGuard, RateLimiter
from app.web.middleware.request_log import RequestLog
from app.web.openapi.served import install_openapi
from app.web.problems import UnhandledErrors, install, respond
from app.web.responses import MEDIA_TYPES
from app.web.route_table import RouteTable

if TYPE_CHECKING:
    from app.web.metrics import Metrics

for _media_type in (
    MEDIA_TYPE,
    "text/csv",
    MEDIA_TYPES["ndjson"],
    *(representation.media_type for representation in REPRESENTATIONS),
):
    add_compress_type(_media_type)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over one migrated database; BrokenSetting without the package httptools."""
    require_httptools()
    settings = settings or load_settings()
    database = _database(settings)
    releases = ReleasePool(database, Path(settings.releases))
    queue = WriteQueue(partial(_write_group, database))
    metrics = _metrics() if settings.metrics else None
    rates = RateLimiter(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        enable_collection()
        await _revision(database)  # opens a connection, by which `tev restore` sees that a server is running
        yield
        releases.close()
        database.close()
        await rates.close()

    app = FastAPI(
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=_middleware(settings, database, queue, metrics, rates),
    )
    app.state.settings = settings
    app.state.database = database
    app.state.releases = releases
    app.state.queue = queue
    app.state.metrics = metrics
    app.state.readiness = Readiness(database)
    app.state.routes = ROUTES
    app.state.tags = tag_descriptions
    app.state.methods = METHODS
    install(app)
    app.router.routes.append(RouteTable(ROUTES))
    install_openapi(app)
    return app


def _database(settings: Settings) -> Database:
    return Database(
        settings.database_url,
        query_seconds=settings.query_seconds,
        read_threads=settings.read_threads,
        lock_seconds=LONGEST_WAIT_SECONDS,
    )


def _metrics() -> "Metrics":
    from app.web.metrics import Metrics  # noqa: PLC0415  # prometheus_client is imported when metrics are switched on

    return Metrics()


def _write_group(database: Database) -> AbstractContextManager[Callable[[Collection[Key]], None]]:
    from app.store.write.transaction import write_group  # noqa: PLC0415  # the writer is imported at the first write

    return write_group(database)


async def _revision(database: Database) -> int | None:
    try:
        return await database.cached_read("revision", revision_of)
    except Unavailable:
        return None


async def _respond(request: Request, problem: Problem) -> Response:
    return respond(problem, request)


def _middleware(
    settings: Settings, database: Database, queue: WriteQueue, metrics: "Metrics | None", rates: RateLimiter
) -> list[Middleware]:
    """The ASGI middleware around the routes, the outermost first."""
    return [
        Middleware(RequestLog, templates=METHODS, metrics=metrics, access_log=settings.access_log),
        Middleware(CommonHeaders, revision=partial(_revision, database)),
        Middleware(UnhandledErrors),
        Middleware(AddressGuard, respond=_respond),
        Middleware(HostGuard, allowed=settings.hosts, respond=_respond),
        Middleware(FailureGuard, rates=rates, respond=_respond),
        Middleware(KeyGuard, authenticate=Authenticator(database, queue).authenticate, respond=_respond),
        Middleware(RateGuard, rates=rates, respond=_respond),
        Middleware(CodingGuard, respond=_respond),
        Middleware(BodyGuard, respond=_respond),
        Middleware(CodedTags),
        Middleware(CompressMiddleware),
    ]
