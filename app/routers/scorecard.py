"""Verification of the dataset: counts of records by verification level and by curator checks."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from app.errors import Gone, InvalidParameter, NotAcceptable, NotFound
from app.json_codec import to_json
from app.models.types import Slug
from app.reports.scorecard import Scorecard, read_scorecard
from app.store.read.query import MOST_VALUES, ReadParameters
from app.web import etags
from app.web.late_routes import LateRouter
from app.web.negotiation import accepted, choose
from app.web.openapi.responses import HEADERS, MOVED, problem_responses
from app.web.read_source import database_of
from app.web.responses import JSON

router = LateRouter(prefix="/v1", tags=["Trust"])


class ScorecardParams(ReadParameters):
    """The query parameters of the scorecard."""

    treatment: Annotated[list[Slug], Field(max_length=MOST_VALUES)] | None = Field(
        None,
        description="Only these treatments, under `treatments`. Repeat it for several.",
        examples=[["onabotulinumtoxina"]],
    )


@router.get(
    "/scorecard",
    operation_id="get_scorecard",
    summary="Count records by level of verification",
    response_model=Scorecard,
    responses={
        200: {"description": "The counts.", "headers": HEADERS},
        **MOVED,
        **problem_responses(NotFound, Gone, NotAcceptable, InvalidParameter),
    },
)
async def get_scorecard(request: Request, params: Annotated[ScorecardParams, Parameters()]) -> Response:
    """Per resource and per treatment: how many records have each verification level, how many were checked, and when.

    The levels: `recorded` (the record names its source) < `quote-found` (a quote of it stands in the source's
    stored text) < `number-in-quote` (each of its numbers is in such a quote). `min_verification=` narrows a list to a
    level and those above it.
    """
    choose(accepted(request), [JSON])
    today = datetime.now(UTC).date()
    content = await database_of(request).fetch(
        lambda connection: read_scorecard(connection, params.treatment or [], today)
    )
    return etags.response_with_etag(request, to_json(content, by_alias=True), JSON)
