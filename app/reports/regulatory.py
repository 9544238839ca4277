"""The regulatory status of a treatment for a condition, in a jurisdiction on a day, from the approval records."""

from typing import Any

from pydantic import BaseModel, Field, create_model
from pydantic_core import from_json, to_json
from sqlalchemy import Connection

from app import DISCLAIMER
from app.evidence.regulatory_status import LabelStatus, RegulatoryStanding, decision_of, standing
from app.models.approvals import Approval
from app.models.conditions import Condition
from app.models.jurisdictions import UNION, UNION_LAW
from app.models.partial_dates import period
from app.models.treatments import Treatment
from app.models.types import Day, PartialDate, Slug
from app.store.read.lists import list_rows
from app.store.read.query import MOST_ROWS, Query
from app.store.read.records import fetch
from app.store.read.schemas import WHOLE, public_model

_APPROVALS: Any = list[public_model(Approval)]  # type: ignore[misc]  # made at run time

RegulatoryStatus: type[BaseModel] = create_model(
    "RegulatoryStatus",
    __config__=WHOLE,
    __doc__="Whether a treatment was approved for a condition somewhere on a day; it follows from `approvals`.",
    treatment=(Slug, Field(..., description="The treatment that was asked for.")),
    condition=(Slug, Field(..., description="The condition that was asked for.")),
    jurisdiction=(str, Field(..., description="Where: ISO 3166-1 alpha-2, or `EU`.")),
    on=(PartialDate, Field(..., description="The day that was asked for, as it was asked for.")),
    status=(LabelStatus, Field(..., description="`unknown` where no record decides: that is not off-label.")),
    reason=(str, Field(..., description="Why, in plain words: which decision, which day, what is missing.")),
    approvals=(
        _APPROVALS,
        Field(..., description="The records that decide; where a missing date leaves it open, those it depends on."),
    ),
    last_checked=(
        Day | None,
        Field(..., description="The newest `as_of` of all records looked at; null where there is none."),
    ),
    stale_days=(
        int | None,
        Field(..., description="Days from the newest check of the deciding records to a later asked day, else 0."),
    ),
    depends_on_missing_date=(
        bool,
        Field(..., description="Whether it is unknown only because a date is missing, or a part of one."),
    ),
    disclaimer=(str, Field(..., description="What this is not.")),
)


def read_status(connection: Connection, treatment: str, condition: str, jurisdiction: str, on: str) -> bytes:
    """The regulatory status as JSON (`RegulatoryStatus`); NotFound for an unknown treatment or condition."""
    fetch(connection, Treatment, treatment)
    fetch(connection, Condition, condition)
    jurisdictions = [jurisdiction, UNION] if jurisdiction in UNION_LAW else [jurisdiction]
    filters = {"treatment": [treatment], "condition": [condition], "jurisdiction": jurisdictions}
    page = list_rows(connection, Query(Approval, filters, sort=("-as_of",), limit=MOST_ROWS))
    approvals = [from_json(document) for document in page.documents]
    question = {"treatment": treatment, "condition": condition, "jurisdiction": jurisdiction, "on": on}
    return to_json(question | answer_from(approvals, jurisdiction, on))


def answer_from(approvals: list[dict[str, Any]], jurisdiction: str, on: str) -> dict[str, Any]:
    """The status that follows from the approvals of one treatment and condition, sorted by `as_of` descending."""
    found: RegulatoryStanding = standing([decision_of(approval) for approval in approvals], jurisdiction, on)
    by_id = {approval["id"]: approval for approval in approvals}
    return {
        "status": found.status,
        "reason": found.reason,
        "approvals": [by_id[decision.id] for decision in found.decisions],
        "last_checked": max((approval["as_of"] for approval in approvals), default=None),
        "stale_days": found.stale_days(period(on).last),
        "depends_on_missing_date": found.depends_on_missing_date,
        "disclaimer": DISCLAIMER,
    }
