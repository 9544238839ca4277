"""The search page: an HTML form with the results."""

from typing import Annotated

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from app.models.types import Slug
from app.pages.search import blank_values, found_values
from app.reports.search.counts import NARROWING
from app.reports.search.page import query_of, read_found
from app.routers.search import LONGEST, Kind
from app.web.html import BLANK, PageParameters, page_answer, page_settings
from app.web.late_routes import LateRouter
from app.web.negotiation import HTML, accepted, choose
from app.web.read_source import database_of

router = LateRouter(tags=["Pages"])


class SearchPageParams(PageParameters):
    """The query parameters of the search page."""

    q: str = Field("", max_length=LONGEST)
    kind: Annotated[Kind | None, BLANK] = None
    treatment: Annotated[Slug | None, BLANK] = None
    condition: Annotated[Slug | None, BLANK] = None
    cursor: Annotated[Annotated[str, Field(max_length=4000)] | None, BLANK] = None


@router.get("/search", include_in_schema=False)
async def search_page(request: Request, params: Annotated[SearchPageParams, Parameters()]) -> Response:
    """The form with its results; without a query, the form with hints."""
    choose(accepted(request), [HTML])
    where = page_settings(request)
    if not params.q.strip():
        return await page_answer(request, "search.html", blank_values(where))
    filters = params.model_dump(include={"kind", *NARROWING}, exclude_none=True)
    query = query_of(params.q, filters, params.cursor, where.release)
    found = await database_of(request).fetch(lambda connection: read_found(connection, query))
    values = found_values(found, params.q, filters, where, is_later=params.cursor is not None)
    return await page_answer(request, "search.html", values)
