"""The regulatory status of a treatment for a condition, in a jurisdiction on a day, from the approval records."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, create_model
from sqlalchemy import Connection

from app import DISCLAIMER
from app.evidence.regulatory_status import LabelStatus, RegulatoryStanding, decision_of, standing
from app.json_codec import from_json, to_json
from app.models.approvals import Approval
from app.models.conditions import Condition
from app.models.jurisdictions import UNION, UNION_LAW
from app.models.partial_dates import period
from app.models.treatments import Treatment
from app.models.types import Day, PartialDate, Slug
from app.store.read.lists import list_rows
from app.store.read.query import MOST_ROWS, Address, Query
from app.store.read.records import fetch_named
from app.store.read.schemas import WHOLE, InheritedRecords, public_model
from app.store.read.scope import inherited

_APPROVALS: Any = list[public_model(Approval)]  # type: ignore[misc]  # made at run time

RegulatoryStatus: type[BaseModel] = create_model(
    "RegulatoryStatus",
    __config__=WHOLE,
    __doc__="The regulatory status of a treatment for a condition on a day; it follows from `approvals`.",
    treatment=(Slug, Field(..., description="The treatment's id.")),
    condition=(Slug, Field(..., description="The condition's id.")),
    jurisdiction=(str, Field(..., description="Where: ISO 3166-1 alpha-2, or `EU`.")),
    on=(PartialDate, Field(..., description="The requested day, as in the query parameter.")),
    status=(
        LabelStatus,
        Field(..., description="The status; `unknown` when no record decides, which does not mean off-label."),
    ),
    reason=(str, Field(..., description="The reason in a sentence: the decision, its day, or what is missing.")),
    approvals=(
        _APPROVALS,
        Field(
            ..., description="The deciding approvals; when a missing date leaves the status open, those it depends on."
        ),
    ),
    last_checked=(
        Day | None,
        Field(..., description="The newest `as_of` of all approvals that were considered; null without any."),
    ),
    stale_days=(
        int | None,
        Field(
            ...,
            description="Days from the newest check of the deciding approvals to a later requested day, else 0.",
        ),
    ),
    depends_on_missing_date=(
        bool,
        Field(..., description="Whether the status is unknown only because a date is missing or incomplete."),
    ),
    inherited=(
        list[InheritedRecords],
        Field(
            ...,
            description="Lists of records that apply through a class or a broader condition; none counts here.",
        ),
    ),
    disclaimer=(str, Field(..., description="What this is not.")),
)


def read_status(
    connection: Connection, treatment: str, condition: str, jurisdiction: str, on: str, *, address: Address
) -> bytes:
    """The regulatory status as JSON (`RegulatoryStatus`); InvalidParameter for an unknown treatment or condition."""
    fetch_named(connection, "treatment", Treatment, treatment)
    fetch_named(connection, "condition", Condition, condition)
    jurisdictions = [jurisdiction, UNION] if jurisdiction in UNION_LAW else [jurisdiction]
    filters = {"treatment": [treatment], "condition": [condition], "jurisdiction": jurisdictions}
    page = list_rows(connection, Query(Approval, filters, sort=("-as_of",), limit=MOST_ROWS))
    approvals = [from_json(document) for document in page.documents]
    question = {"treatment": treatment, "condition": condition, "jurisdiction": jurisdiction, "on": on}
    beside = inherited(connection, Query(Approval, filters), address)
    return to_json(question | answer_from(approvals, jurisdiction, on, beside))


def answer_from(
    approvals: list[dict[str, Any]], jurisdiction: str, on: str, beside: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The status that follows from the approvals of one treatment and condition, sorted by `as_of` descending.

    `beside` lists approvals that apply through a class or a broader condition; they decide nothing.
    """
    found: RegulatoryStanding = standing([decision_of(approval) for approval in approvals], jurisdiction, on)
    by_id = {approval["id"]: approval for approval in approvals}
    return {
        "status": found.status,
        "reason": found.reason,
        "approvals": [by_id[decision.id] for decision in found.decisions],
        "last_checked": max((approval["as_of"] for approval in approvals), default=None),
        "stale_days": found.stale_days(period(on).last),
        "depends_on_missing_date": found.depends_on_missing_date,
        "inherited": list(beside),
        "disclaimer": DISCLAIMER,
    }
