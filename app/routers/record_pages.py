"""HTML pages of records, and of lists of treatments and claims with filters."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi import Query as Parameters
from pydantic import Field
from starlette.responses import Response

from app.errors import Unavailable
from app.formats.registry import LINKED_DATA
from app.models.base import Row
from app.models.claims import Claim
from app.models.treatments import Treatment
from app.models.types import Slug
from app.models.vocabulary import ClaimKind, TreatmentKind, Verdict
from app.pages.layout import linked_document
from app.pages.lists import claim_list, treatment_list
from app.pages.records import VIEWS, page_values
from app.reports.gaps import all_gaps
from app.reports.record_page import read_facts, read_list
from app.web import etags
from app.web.addresses import absolute_url
from app.web.html import BLANK, PageParameters, form_of, page_answer, page_settings
from app.web.late_routes import LateRouter
from app.web.negotiation import HTML, accepted, choose
from app.web.read_source import database_of

MOST_GAPS = 5
router = LateRouter(tags=["Pages"])
Endpoint = Callable[..., Awaitable[Response]]


class ListParams(PageParameters):
    """The query parameters of a page with a list."""

    cursor: Annotated[Annotated[str, Field(max_length=4000)] | None, BLANK] = None


class TreatmentsParams(ListParams):
    """The filters of the list of treatments."""

    kind: Annotated[TreatmentKind | None, BLANK] = None
    part_of: Annotated[Slug | None, BLANK] = None


class ClaimsParams(ListParams):
    """The filters of the list of claims."""

    verdict: Annotated[Verdict | None, BLANK] = None
    kind: Annotated[ClaimKind | None, BLANK] = None
    treatment: Annotated[Slug | None, BLANK] = None
    condition: Annotated[Slug | None, BLANK] = None
    source: Annotated[Slug | None, BLANK] = None
    safety_flag: Annotated[bool | None, BLANK] = None


def _record_endpoint(row: type[Row]) -> Endpoint:
    async def endpoint(
        request: Request,
        id: Annotated[str, Path(max_length=500)],  # the path says {id}
        params: Annotated[PageParameters, Parameters()],  # noqa: ARG001  # refuses a release that has no name
    ) -> Response:
        form = form_of(request)
        facts = await database_of(request).fetch(lambda connection: read_facts(connection, row, id))
        where = page_settings(request)
        if form == LINKED_DATA:
            content = linked_document(facts, where.public_url).encode()
            return etags.response_with_etag(request, content, LINKED_DATA, version=facts.version)
        values = page_values(facts, where)
        if row is Treatment:
            values |= await _gaps(request, facts.record, where.today)
        data = absolute_url(request, f"/v1/{row.plural}/{id}")
        links = (f'<{data}>; rel="alternate"; type="application/json"',)
        return await page_answer(request, f"{row.plural.removesuffix('s')}.html", values, links)

    return endpoint


for _row in VIEWS:
    router.get(f"/{_row.plural}/{{id}}", include_in_schema=False)(_record_endpoint(_row))


async def _gaps(request: Request, treatment: dict[str, Any], today: str) -> Mapping[str, Any]:
    """Template values of the gap report; no gaps where the database is too slow, so that the page is still served."""
    try:
        found = await database_of(request).fetch(
            lambda connection: sorted(all_gaps(connection, treatment, today), key=lambda gap: gap.place)
        )
    except Unavailable:
        found = []
    return {
        "gaps": [gap.statement for gap in found[:MOST_GAPS]],
        "gap_total": len(found),
        "gap_list": absolute_url(request, f"/v1/gaps?treatment={treatment['id']}"),
    }


@router.get("/treatments", include_in_schema=False)
async def treatments(request: Request, params: Annotated[TreatmentsParams, Parameters()]) -> Response:
    """The list of treatments, filtered by kind or class."""
    return await _list(request, Treatment, params, treatment_list)


@router.get("/claims", include_in_schema=False)
async def claims(request: Request, params: Annotated[ClaimsParams, Parameters()]) -> Response:
    """The list of claims with their verdicts, filtered by subject."""
    return await _list(request, Claim, params, claim_list)


async def _list(request: Request, row: type[Row], params: ListParams, view: Callable[..., dict[str, Any]]) -> Response:
    choose(accepted(request), [HTML])
    filters = params.model_dump(mode="json", exclude={"release", "cursor"}, exclude_none=True)
    found = await database_of(request).fetch(lambda connection: read_list(connection, row, filters, params.cursor))
    return await page_answer(request, f"{row.plural}.html", view(found, filters, page_settings(request)))
