"""Gaps and contradictions between claims, labels, approvals, results and warnings."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from app.errors import EXAMPLE_ADDRESS, BadCursor, Gone, NotFound
from app.evidence.gaps.base import GapKind
from app.evidence.gaps.interval import interval_gaps
from app.json_codec import to_json
from app.models.claims import Claim
from app.models.dosing_intervals import DosingInterval
from app.models.types import Slug
from app.reports.gaps import GapPage, GapQuery, gap_content, read_gaps
from app.store.examples import rows_of
from app.store.read.query import MOST_ROWS, MOST_VALUES, ReadParameters
from app.web.late_routes import LateRouter
from app.web.openapi.responses import documented
from app.web.read_context import json_read
from app.web.responses import JSON

router = LateRouter(prefix="/v1", tags=["Gaps"])

TREATMENT = "onabotulinumtoxina"


def _example() -> str:
    """A page with the seed's first gap between dosing intervals, for the OpenAPI document."""
    server_fields = {"source_status": "current"}  # derived by the server; every source of the seed is current
    dosing, claims = (
        [row | server_fields for row in rows_of(kind) if row["treatment"] == TREATMENT]
        for kind in (DosingInterval, Claim)
    )
    first = min(interval_gaps(TREATMENT, dosing, claims), key=lambda gap: gap.place)
    return to_json(GapPage(items=[gap_content(first, EXAMPLE_ADDRESS.__add__)], next=None, inherited=[])).decode()


class GapQuestion(ReadParameters):
    """The query parameters of a gap report."""

    treatment: Slug = Field(description="The treatment whose records are compared.", examples=[TREATMENT])
    condition: Slug | None = Field(
        None, description="Only gaps about this condition.", examples=["chronic-low-back-pain"]
    )
    kind: Annotated[list[GapKind], Field(max_length=MOST_VALUES)] | None = Field(
        None, description="Only gaps of this kind. Repeat it for any of several."
    )
    limit: int = Field(MOST_ROWS, ge=1, le=MOST_ROWS, description=f"How many, 1–{MOST_ROWS}.")
    cursor: str | None = Field(
        None, max_length=4000, description="Where to go on: the `next` of the page before, with the same filters."
    )


@router.get(
    "/gaps",
    operation_id="list_gaps",
    summary="List where the records of one treatment do not fit together",
    document=documented(
        GapPage,
        "The gaps, by kind and condition.",
        BadCursor,
        NotFound,
        Gone,
        content=lambda: {JSON: {"example": _example()}},
    ),
)
async def list_gaps(request: Request, params: Annotated[GapQuestion, Parameters()]) -> Response:
    """Where two of our records about a treatment do not fit together; each gap names its sides and their sources.

    - `interval-below-label`: a claim, a trial or a guideline gives a shorter interval than the product's labels.
    - `dose-outside-label`: a claimed or trial dose outside a label of the same product, in the product's own unit.
    - `claim-contradicts-ledger`: a claim of an approval that was none on the day of its source.
    - `benefit-without-approval`: results favour the treatment, and it is off-label somewhere and on-label nowhere.
    - `approval-without-result`: it is on-label somewhere, and there is no study result for that condition.
    - `warning-without-side-effect`: a warning names a term that no side effect of the treatment has.

    A gap describes what is recorded here and advises nothing. Doses of different products are never compared.
    """
    read = json_read(request, GapQuestion)
    today = datetime.now(UTC).date().isoformat()
    query = GapQuery(
        treatment=params.treatment,
        condition=params.condition,
        kinds=frozenset(params.kind or ()),
        limit=params.limit,
        cursor=params.cursor or None,
    )
    page = await read.fetch(lambda connection: read_gaps(connection, query, today, read.address))
    return read.answer(page, following=page.next)
