"""The ASGI application: `create_app` wires settings, database, middleware and routes."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette_compress import CompressMiddleware, add_compress_type

from app import enable_collection
from app.db.database import Database
from app.db.write_queue import LONGEST_WAIT_SECONDS, WriteQueue
from app.errors import MEDIA_TYPE, Unavailable
from app.formats.registry import REPRESENTATIONS
from app.models.base import Key
from app.releases.pool import ReleasePool
from app.routers import ROUTES, tag_descriptions
from app.settings import OFF, Settings, load_settings
from app.store.read.revision import DatasetState, dataset_state
from app.web.auth import Authenticator
from app.web.cache import CachedResponses, ResponseCache
from app.web.etags import CodedTags
from app.web.fast_path import FastPath
from app.web.health import Readiness
from app.web.http_parser import require_httptools
from app.web.lean_reads import LeanReads
from app.web.middleware.checks import address, announced_length, api_key, content_coding, host_among
from app.web.middleware.gate import Check, Gate
from app.web.middleware.rate_limits import RateLimiter, failed_keys, request_rate
from app.web.middleware.request_log import RequestLog, RequestRecords
from app.web.openapi.served import install_openapi
from app.web.problems import install
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
    cache = ResponseCache(settings.response_cache_bytes)
    routes = RouteTable(ROUTES)
    records = RequestRecords(routes, metrics=metrics, access_log=settings.access_log)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        enable_collection()
        await _state(database)  # opens a connection, by which `tev restore` sees that a server is running
        yield {"fast_path": _fast_path(settings, database, cache, records)}
        releases.close()
        database.close()
        await rates.close()

    app = FastAPI(
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(RequestLog, records=records),
            Middleware(
                Gate,
                checks=_checks(settings, database, queue, rates),
                read_state=partial(_state, database),
                server_timing=settings.server_timing,
            ),
            Middleware(CachedResponses, cache=cache),
            Middleware(CodedTags),
            Middleware(CompressMiddleware),
        ],
    )
    app.state.settings = settings
    app.state.database = database
    app.state.cache = cache
    app.state.releases = releases
    app.state.queue = queue
    app.state.metrics = metrics
    app.state.readiness = Readiness(database)
    app.state.route_table = routes
    app.state.tags = tag_descriptions
    install(app)
    app.router.routes.append(routes)
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


async def _state(database: Database) -> DatasetState | None:
    try:
        return await database.cached_read("state", dataset_state)
    except Unavailable:
        return None


def _checks(settings: Settings, database: Database, queue: WriteQueue, rates: RateLimiter) -> tuple[Check, ...]:
    """The checks of the gate, in their order."""
    return (
        address,
        host_among(settings.hosts),
        failed_keys(rates),
        api_key(Authenticator(database, queue).authenticate),
        request_rate(rates),
        content_coding,
        announced_length,
    )


def _fast_path(
    settings: Settings, database: Database, cache: ResponseCache, records: RequestRecords
) -> FastPath | None:
    """The fast path, where no request needs more: on SQLite, without a limit or a timing of reads."""
    if database.dialect != "sqlite" or settings.rate_reads != OFF or settings.server_timing:
        return None
    return FastPath(
        cache=cache,
        read_state=partial(database.cached_read_now, "state", dataset_state),
        hosts=settings.hosts,
        records=records,
        lean_reads=LeanReads(database, public_url=settings.public_url, contact_url=settings.contact_url),
    )
