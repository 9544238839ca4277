"""The application: create_app wires the parts, and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette_compress import CompressMiddleware, add_compress_type

from app.answers import MEDIA_TYPES
from app.auth import Doorkeeper
from app.cache import CodedTags
from app.db import Database
from app.embedding import Cards
from app.errors import MEDIA_TYPE, Problem, Unavailable
from app.guards import AddressGuard, BodyGuard, KeyGuard
from app.headers import CommonHeaders
from app.open_releases import OpenReleases
from app.openapi import describe
from app.problems import Unexpected, install, respond
from app.queue import LONGEST_WAIT_SECONDS, WriteQueue
from app.representations import REPRESENTATIONS
from app.routers import METHODS, ROUTERS, TAGS
from app.settings import Settings, load_settings
from app.store import revision_of

for _media_type in (MEDIA_TYPE, "text/csv", MEDIA_TYPES["ndjson"], *(one.media_type for one in REPRESENTATIONS)):
    add_compress_type(_media_type)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over one database, which must have been migrated."""
    settings = settings or load_settings()
    database = Database(
        settings.database_url,
        query_seconds=settings.query_seconds,
        read_threads=settings.read_threads,
        lock_seconds=LONGEST_WAIT_SECONDS,
    )
    releases = OpenReleases(database, Path(settings.releases))
    queue = WriteQueue(database.together)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        releases.close()
        database.close()

    async def revision() -> int | None:
        try:
            return await database.remember("revision", revision_of)
        except Unavailable:
            return None

    async def tell(request: Request, problem: Problem) -> Response:
        return respond(problem, request)

    app = FastAPI(
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(CommonHeaders, revision=revision),
            Middleware(Unexpected),
            Middleware(AddressGuard, tell=tell),
            Middleware(KeyGuard, identify=Doorkeeper(database, queue).identify, tell=tell),
            Middleware(BodyGuard, tell=tell),
            Middleware(CodedTags),
            Middleware(CompressMiddleware),
        ],
    )
    app.state.settings = settings
    app.state.database = database
    app.state.releases = releases
    app.state.queue = queue
    app.state.cards = Cards()
    app.state.tags = TAGS
    app.state.methods = METHODS
    install(app)
    for router in ROUTERS:
        app.include_router(router)
    describe(app)
    return app
