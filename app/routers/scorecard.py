"""Verification of the dataset: counts of records by verification level and by curator checks."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from app.errors import Gone, NotFound
from app.models.types import Slug
from app.reports.scorecard import Scorecard, read_scorecard
from app.store.read.query import MOST_VALUES, ReadParameters
from app.web.late_routes import LateRouter
from app.web.openapi.responses import documented
from app.web.read_context import json_read

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
    document=documented(Scorecard, "The counts.", NotFound, Gone),
)
async def get_scorecard(request: Request, params: Annotated[ScorecardParams, Parameters()]) -> Response:
    """Per resource and per treatment: how many records have each verification level, how many were checked, and when.

    The levels: `recorded` (the record names its source) < `quote-found` (a quote of it stands in the source's
    stored text) < `number-in-quote` (each of its numbers is in such a quote). `min_verification=` narrows a list to a
    level and those above it.
    """
    read = json_read(request, ScorecardParams)
    today = datetime.now(UTC).date()
    content = await read.fetch(lambda connection: read_scorecard(connection, params.treatment or [], today))
    return read.answer(content)
