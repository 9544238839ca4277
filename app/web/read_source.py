"""The source of reads of a request: the live database, or the release in its `release` parameter."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from fastapi import Request
from sqlalchemy import Connection

from app.db.database import Database
from app.errors import InvalidParameter
from app.models import RESOURCES
from app.store.read.query import Query
from app.store.read.releases import Release
from app.web.parameters import repeated_parameter

T = TypeVar("T")
RELEASED = RESOURCES.keys() | {"", "search", "v1", "embed", "badge"}
"""First path segments that accept `release`: the API, the first page, search, record pages and embeds."""


class ReleaseReads:
    """Reads from a release; the response headers then name the release and its revision."""

    def __init__(self, request: Request, name: str) -> None:
        self.request = request
        self.name = name

    async def fetch(  # as Reads
        self,
        work: Callable[[Connection], T],
        *,
        short: bool = False,  # noqa: ARG002  # a release is always read off the event loop
        shape: Hashable = None,
    ) -> T:
        """Run a read; NotFound for an unknown release, Unavailable for one whose file is missing or altered."""
        release_reader = await self.request.app.state.releases.take(self.name)
        answered_from(self.request, release_reader.release)
        self.request.scope["marks"] = release_reader.followed
        found: T = await release_reader.fetch(work, shape=shape)
        return found

    async def refuse_later_fields(self, query: Query) -> None:
        """InvalidParameter for a filter, sort key or facet on a field that the release was made before.

        None of its records has a value there, which an empty list would not say.
        """
        release_reader = await self.request.app.state.releases.take(self.name)
        later = release_reader.later_columns.get(query.resource.plural, frozenset())
        used = [(name, name.removesuffix("_gte").removesuffix("_lte")) for name in query.filters]
        used += [("sort", key.removeprefix("-")) for key in query.sort] + [("facet", name) for name in query.facets]
        for parameter, name in used:
            if name in later:
                detail = f"release {self.name!r} was made before there was {name}, so that none of its records has it"
                raise InvalidParameter(f"{parameter}: {detail}.", errors=[{"parameter": parameter, "detail": detail}])


def answered_from(request: Request, release: Release) -> None:
    """Set the `Dataset-Revision` and `Dataset-Release` headers of the response."""
    request.scope["revision"] = release.revision
    request.scope["dataset"] |= {"Dataset-Revision": str(release.revision), "Dataset-Release": release.name}


def database_of(request: Request) -> Database | ReleaseReads:
    """The source of reads of this request: the live database, or the release that it names."""
    name = release_of(request)
    if name is not None:
        return ReleaseReads(request, name)
    database: Database = request.app.state.database
    return database


def release_of(request: Request) -> str | None:
    """The `release` parameter of a read of records, or None; other pages ignore it. InvalidParameter when repeated."""
    is_read = request.url.path.split("/")[1] in RELEASED
    names = request.query_params.getlist("release") if is_read else []
    if len(names) > 1:
        raise repeated_parameter("release")
    return names[0] or None if names else None
