"""The web side of pages for people: what they may be asked, which form they take, and how they are answered."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Request
from pydantic import BaseModel, BeforeValidator, ConfigDict
from sqlalchemy import Connection
from starlette.responses import Response

from app.clock import now
from app.db.database import Database
from app.errors import NotAcceptable
from app.formats.registry import LINKED_DATA
from app.models.types import ReleaseName
from app.pages.layout import PageSettings
from app.pages.templates import Site, page
from app.reports.cards import newer_release
from app.reports.synthesis.page import SynthesisFacts, read_synthesis, with_surroundings
from app.web import etags
from app.web.negotiation import accepted, choose
from app.web.read_source import ReleaseReads, release_of

HTML = "text/html; charset=utf-8"


def _blank_is_none(value: Any) -> Any:
    """A field of a form that was left empty says nothing."""
    return None if value == "" else value


BLANK = BeforeValidator(_blank_is_none)


class PageAsked(BaseModel):
    """The query parameters of a page; those that it does not know (`utm_source`) are passed over."""

    model_config = ConfigDict(extra="ignore")
    release: Annotated[ReleaseName | None, BLANK] = None


def where_of(request: Request) -> PageSettings:
    """Where the page is asked for."""
    settings = request.app.state.settings
    return PageSettings(settings.public_url, settings.contact_url, release_of(request), now()[:10])


def site_of(request: Request) -> Site:
    """What the layout needs to know."""
    return Site(request.app.state.settings.contact_url, release_of(request))


def form_of(request: Request) -> str:
    """HTML or JSON-LD, as the reader likes best."""
    return choose(accepted(request), [HTML, LINKED_DATA])


async def page_answer(
    request: Request, template: str, values: Mapping[str, Any], links: tuple[str, ...] = ()
) -> Response:
    """A page, rendered off the event loop."""
    content = await to_thread.run_sync(partial(page, template, values, site_of(request)))
    return etags.response_with_etag(request, content, HTML, links=links)


async def read_kept_synthesis(request: Request, digest: str) -> tuple[SynthesisFacts, str | None]:
    """A kept synthesis with what surrounds it in its release, and a newer release where there is one."""
    database: Database = request.app.state.database

    def read(connection: Connection) -> tuple[SynthesisFacts, str | None]:
        found = read_synthesis(connection, digest)
        return found, newer_release(connection, found.kept.release)

    facts, newer = await database.fetch(read)
    reads = ReleaseReads(request, facts.kept.release)
    return await reads.fetch(lambda connection: with_surroundings(connection, facts)), newer


def prefers_linked_data(request: Request) -> bool:
    """Whether the reader likes JSON-LD better than a page; whoever accepts neither gets the page."""
    try:
        return form_of(request) == LINKED_DATA
    except NotAcceptable:
        return False
