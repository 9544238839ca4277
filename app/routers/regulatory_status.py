"""Regulatory status of a use in a jurisdiction on a day: on-label, off-label, or unknown with the reason."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from app.errors import Gone, NotFound
from app.json_codec import to_json
from app.models.approvals import Approval
from app.models.jurisdictions import KnownJurisdiction
from app.models.types import PartialDate, Slug
from app.reports.regulatory import RegulatoryStatus, answer_from, read_status
from app.store.examples import example_of
from app.store.read.query import ReadParameters
from app.web.late_routes import LateRouter
from app.web.openapi.responses import documented
from app.web.read_context import json_read
from app.web.responses import JSON

router = LateRouter(prefix="/v1", tags=["Regulatory status"])

_APPROVAL = example_of(Approval)
_EXAMPLE_PARAMS = {name: _APPROVAL[name] for name in ("treatment", "condition", "jurisdiction")} | {
    "on": _APPROVAL["valid_from"]
}
_EXAMPLE = _EXAMPLE_PARAMS | answer_from([_APPROVAL], _EXAMPLE_PARAMS["jurisdiction"], _EXAMPLE_PARAMS["on"])


class StatusQuestion(ReadParameters):
    """The query parameters of a regulatory status."""

    treatment: Slug = Field(
        description="The treatment's id. Approvals of its class do not count.",
        examples=[_EXAMPLE_PARAMS["treatment"]],
    )
    condition: Slug = Field(
        description="The condition's id. Approvals for a broader condition do not count.",
        examples=[_EXAMPLE_PARAMS["condition"]],
    )
    jurisdiction: KnownJurisdiction = Field(
        description="Where: two letters of ISO 3166-1, or `EU`. In a member state the Union's approvals count too.",
        examples=[_EXAMPLE_PARAMS["jurisdiction"]],
    )
    on: PartialDate | None = Field(
        None, description="The day, or a month or year; without it today (UTC).", examples=[_EXAMPLE_PARAMS["on"]]
    )


@router.get(
    "/regulatory-status",
    operation_id="get_regulatory_status",
    summary="Get what was approved somewhere on a day",
    document=documented(
        RegulatoryStatus,
        "The status, and the approvals that it follows from.",
        NotFound,
        Gone,
        content=lambda: {JSON: {"example": to_json(_EXAMPLE).decode()}},
    ),
)
async def get_regulatory_status(request: Request, params: Annotated[StatusQuestion, Parameters()]) -> Response:
    """Whether a treatment was approved for a condition somewhere on a day, derived from the ledger of approvals.

    `off-label` needs a decision that says so: a refusal, a withdrawal, a check that found no approval, or a first
    approval that came later. Where nothing is recorded, or a partial date does not decide, the answer is `unknown`.
    Neither word says whether the treatment works.
    """
    read = json_read(request, StatusQuestion)
    on = params.on or datetime.now(UTC).date().isoformat()
    content = await read.fetch(
        lambda connection: read_status(
            connection, params.treatment, params.condition, params.jurisdiction, on, address=read.address
        )
    )
    return read.answer(content)
