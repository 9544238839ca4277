"""Where a request reads: the database, or the release that it names."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from fastapi import Request
from sqlalchemy import Connection

from app.db.database import Database
from app.models import RESOURCES
from app.store.read.releases import Release
from app.web.parameters import repeated_parameter

T = TypeVar("T")
RELEASED = RESOURCES.keys() | {"", "search", "v1", "embed", "badge"}
"""Where the addresses begin whose answers are read from records: the API, the first page, search, pages, embeds."""


class ReleaseReads:
    """Reads from the release that a request names; the headers of the answer will say so."""

    def __init__(self, request: Request, name: str) -> None:
        self.request = request
        self.name = name

    async def fetch(  # as Reads
        self,
        work: Callable[[Connection], T],
        *,
        short: bool = False,  # noqa: ARG002  # a file of records is no less a read of its own
        shape: Hashable = None,
    ) -> T:
        """Run a read; NotFound for an unknown release, Unavailable for one whose file is missing or altered."""
        frozen = await self.request.app.state.releases.take(self.name)
        answered_from(self.request, frozen.release)
        self.request.scope["marks"] = frozen.followed
        found: T = await frozen.fetch(work, shape=shape)
        return found


def answered_from(request: Request, release: Release) -> None:
    """Let the answer say that it comes from a release."""
    request.scope["revision"] = release.revision
    request.scope["dataset"] |= {"Dataset-Revision": str(release.revision), "Dataset-Release": release.name}


def database_of(request: Request) -> Database | ReleaseReads:
    """Where this request reads: from the application's database, or from the release that it names."""
    name = release_of(request)
    if name is not None:
        return ReleaseReads(request, name)
    database: Database = request.app.state.database
    return database


def release_of(request: Request) -> str | None:
    """The release that a read of records names; the other pages pass over what they do not know."""
    reads = request.url.path.split("/")[1] in RELEASED
    named = request.query_params.getlist("release") if reads else []
    if len(named) > 1:
        raise repeated_parameter("release")
    return named[0] or None if named else None
