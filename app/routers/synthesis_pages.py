"""HTML pages of archived syntheses, the same as JSON-LD, and the redirect from a question to its page."""

from typing import Annotated

from anyio import to_thread
from fastapi import Path, Request
from fastapi import Query as Parameters
from pydantic import ConfigDict
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from app.db.database import Database
from app.errors import NotComparable, NotFound
from app.formats.registry import LINKED_DATA
from app.pages.synthesis_page import synthesis_document, synthesis_values, undecided_values
from app.reports.cards import SYNTHESES
from app.reports.synthesis.question import EvidenceQuestion
from app.routers.syntheses import archive_answer
from app.store.read.releases import list_releases
from app.web import etags
from app.web.html import form_of, page_answer, page_settings, read_kept_synthesis
from app.web.late_routes import LateRouter
from app.web.negotiation import HTML, accepted, choose

router = LateRouter(tags=["Pages"])


class SynthesisPageParams(EvidenceQuestion):
    """The query parameters of a synthesis page; unknown ones are ignored (`utm_source`)."""

    model_config = ConfigDict(extra="ignore")


@router.get(f"/{SYNTHESES}/{{hash}}", include_in_schema=False)
async def synthesis_page(request: Request, hash: Annotated[str, Path(max_length=500)]) -> Response:
    """An archived synthesis with included and excluded results and reasons; NotFound for an unknown hash."""
    form = form_of(request)
    facts, newer = await read_kept_synthesis(request, hash)
    where = page_settings(request)
    if form == LINKED_DATA:
        return etags.response_with_etag(request, synthesis_document(facts, where).encode(), LINKED_DATA)
    values = await to_thread.run_sync(synthesis_values, facts, where, newer)
    links = (f'<{where.public_url}/v1/{SYNTHESES}/{facts.hash}>; rel="alternate"; type="application/json"',)
    return await page_answer(request, "synthesis.html", values, links)


@router.get(f"/{SYNTHESES}", include_in_schema=False)
async def redirect_to_synthesis(request: Request, params: Annotated[SynthesisPageParams, Parameters()]) -> Response:
    """Redirect to the page of the synthesis over the given release, else the newest.

    Where results must not be pooled, a form with the reasons, in which the reader may accept them.
    """
    choose(accepted(request), [HTML])
    release = params.release or await _newest(request)
    try:
        digest = await archive_answer(request, params, release)
    except NotComparable as refused:
        return await page_answer(request, "undecided.html", undecided_values(refused.errors, params, release))
    home = request.app.state.settings.public_url
    return RedirectResponse(f"{home}/{SYNTHESES}/{digest}", status_code=303, headers={"Cache-Control": "no-store"})


async def _newest(request: Request) -> str:
    database: Database = request.app.state.database

    def read(connection: Connection) -> str | None:
        return next((release.name for release in list_releases(connection, 1)), None)

    name = await database.fetch(read, short=True)
    if name is None:
        raise NotFound("Syntheses have pages on releases, and there is no release yet.")
    return name
