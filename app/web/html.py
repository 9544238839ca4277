"""HTML pages: their query parameters, negotiation between HTML and JSON-LD, and their responses."""

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
from app.web.negotiation import HTML, accepted, choose
from app.web.read_source import ReleaseReads, release_of


def _blank_is_none(value: Any) -> Any:
    """None for an empty form field."""
    return None if value == "" else value


BLANK = BeforeValidator(_blank_is_none)


class PageParameters(BaseModel):
    """The query parameters of a page; unknown ones (`utm_source`) are ignored."""

    model_config = ConfigDict(extra="ignore")
    release: Annotated[ReleaseName | None, BLANK] = None


def page_settings(request: Request) -> PageSettings:
    """The context of a page: public and contact URL, release, and today's date."""
    settings = request.app.state.settings
    return PageSettings(settings.public_url, settings.contact_url, release_of(request), now()[:10])


def site_of(request: Request) -> Site:
    """The values of the page layout."""
    return Site(request.app.state.settings.contact_url, release_of(request))


def form_of(request: Request) -> str:
    """The media type by content negotiation between HTML and JSON-LD; NotAcceptable when Accept allows neither."""
    return choose(accepted(request), [HTML, LINKED_DATA])


async def page_answer(
    request: Request, template: str, values: Mapping[str, Any], links: tuple[str, ...] = ()
) -> Response:
    """An HTML response with ETag; the template is rendered in a worker thread."""
    content = await to_thread.run_sync(partial(page, template, values, site_of(request)))
    return etags.response_with_etag(request, content, HTML, links=links)


async def read_kept_synthesis(request: Request, digest: str) -> tuple[SynthesisFacts, str | None]:
    """An archived synthesis with related facts of its release, and the name of a newer release or None."""
    database: Database = request.app.state.database

    def read(connection: Connection) -> tuple[SynthesisFacts, str | None]:
        facts = read_synthesis(connection, digest)
        return facts, newer_release(connection, facts.kept.release)

    facts, newer = await database.fetch(read)
    reads = ReleaseReads(request, facts.kept.release)
    return await reads.fetch(lambda connection: with_surroundings(connection, facts)), newer


def prefers_linked_data(request: Request) -> bool:
    """Whether Accept prefers JSON-LD to HTML; False when it allows neither."""
    try:
        return form_of(request) == LINKED_DATA
    except NotAcceptable:
        return False
