"""The gap report of a treatment: sets of records that do not fit together, sorted and paginated."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import Connection, func, or_, select

from app.evidence.gaps.approvals import ResultCounts, approval_gaps, benefit_gaps, claim_gaps, never_on_label
from app.evidence.gaps.base import Document, Gap, GapKind, GapParty, SideRole
from app.evidence.gaps.dose import dose_gaps
from app.evidence.gaps.interval import interval_gaps
from app.evidence.gaps.warning import warning_gaps
from app.json_codec import from_json, to_json
from app.models.approvals import Approval
from app.models.base import Citation, Row
from app.models.claims import Claim
from app.models.conditions import Condition
from app.models.dosing_intervals import DosingInterval
from app.models.side_effects import SideEffect
from app.models.sources import Source
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.models.types import Slug
from app.models.vocabulary import SourceStatus
from app.models.warnings import Warning as LabelWarning
from app.store.read.cursors import read_cursor, unreadable, write_cursor
from app.store.read.lists import export_chunk, list_rows
from app.store.read.query import Address, Query, default_scope
from app.store.read.records import fetch_named
from app.store.read.schemas import InheritedRecords
from app.store.read.scope import MOST_LAYERS, inherited

MOST_RESULTS = 20
"""Study results shown in a gap; its statement counts them all."""


class SideLink(BaseModel):
    """The record of a side."""

    kind: str = Field(description="The resource, as in the URL.")
    id: Slug = Field(description="The record's id.")
    url: str = Field(description="Where the record is.")


class GapSide(BaseModel):
    """One side of a gap: a record, or the absence of records in a list."""

    role: SideRole = Field(description="The role of the side; `absence` when a list has no matching record.")
    says: str = Field(description="What the record says, in short; for an absence, what was not found.")
    record: SideLink | None = Field(description="The record; null for an absence.")
    list_url: str | None = Field(description="For an absence: the URL of the list without matching records.")
    citations: list[Citation] = Field(description="The sources of the record, as it cites them.")
    source_status: SourceStatus | None = Field(description="The worst status of these sources.")


class GapEntry(BaseModel):
    """Two or more sides that do not fit together, such as records of ours. It describes and never advises."""

    id: str = Field(description="The gap's id; it is the same as long as the same records are compared.")
    kind: GapKind = Field(description="The kind of the gap.")
    treatment: Slug = Field(description="The treatment.")
    condition: Slug | None = Field(description="The condition, when the gap is about one.")
    statement: str = Field(description="What does not fit, in one plain sentence with the numbers of both sides.")
    sides: list[GapSide] = Field(description="The sides, at least two.", min_length=2)


class GapPage(BaseModel):
    """One page of a gap report."""

    items: list[GapEntry] = Field(description="The gaps, by kind and condition.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
    inherited: list[InheritedRecords] = Field(
        description="Lists of results that apply through a class or a broader condition; no gap counts them."
    )


@dataclass(frozen=True)
class GapQuery:
    """A validated query of the gap report."""

    treatment: str
    condition: str | None
    kinds: frozenset[GapKind]
    """Empty for all kinds."""
    limit: int
    cursor: str | None

    def fingerprint(self) -> str:
        """The hash that binds a cursor to its query."""
        return sha256(to_json([self.treatment, self.condition, sorted(self.kinds)])).hexdigest()[:12]

    def wants(self, gap: Gap) -> bool:
        """Whether the gap has a requested kind and the requested condition."""
        return (not self.kinds or gap.kind in self.kinds) and self.condition in (None, gap.condition)


def read_gaps(connection: Connection, query: GapQuery, today: str, address: Address) -> GapPage:
    """One page of a treatment's gaps.

    InvalidParameter for an unknown treatment or condition, BadCursor for a cursor of another query.
    """
    start = _place(query)
    treatment: dict[str, Any] = from_json(fetch_named(connection, "treatment", Treatment, query.treatment)[0])
    if query.condition is not None:
        fetch_named(connection, "condition", Condition, query.condition)
    matching = (gap for gap in all_gaps(connection, treatment, today) if query.wants(gap))
    after = sorted((gap for gap in matching if start is None or gap.place > start), key=lambda gap: gap.place)
    page = after[: query.limit]
    has_more = len(after) > query.limit
    return GapPage(
        items=[gap_content(gap, address) for gap in page],
        next=write_cursor(query.fingerprint(), page[-1].place) if has_more else None,
        inherited=[
            InheritedRecords.model_validate(entry)
            for entry in inherited(connection, Query(StudyResult, _subject(query)), address)
        ],
    )


def _subject(query: GapQuery) -> dict[str, list[str]]:
    """The filters for records on the treatment and condition of the report."""
    return {"treatment": [query.treatment]} | ({} if query.condition is None else {"condition": [query.condition]})


def _place(query: GapQuery) -> tuple[str, str, str] | None:
    """The sort key after which the page begins; None for the first page."""
    if query.cursor is None:
        return None
    place = read_cursor(query.cursor, query.fingerprint())
    if len(place) != 3 or not all(isinstance(part, str) for part in place):
        raise unreadable()
    return place[0], place[1], place[2]


def all_gaps(connection: Connection, treatment: dict[str, Any], today: str) -> Iterator[Gap]:
    """All disagreements between the records of a treatment (doses, approvals, claims, warnings), unordered.

    Warnings of the classes above the treatment count as its own; approvals are judged on the day `today`.
    """
    name = treatment["id"]
    kinds = ["approval", "dosing", "dosing-interval"]
    claims = list(_documents(connection, Claim, {"treatment": [name], "kind": kinds}))
    dosing = list(_documents(connection, DosingInterval, {"treatment": [name]}))
    yield from interval_gaps(name, dosing, claims)
    yield from dose_gaps(name, treatment["dose_unit"], dosing, claims)

    approvals: dict[str, list[Document]] = {}
    for approval in _documents(connection, Approval, {"treatment": [name]}):
        approvals.setdefault(approval["condition"], []).append(approval)
    counts = _result_counts(connection, name)
    yield from claim_gaps(name, claims, approvals, _issued(connection, claims), today)
    yield from approval_gaps(name, approvals, counts, today)
    unapproved = [
        condition
        for condition in never_on_label(approvals, today)
        if condition in counts and counts[condition].favouring
    ]
    favouring = {condition: _favouring(connection, name, condition) for condition in unapproved}
    yield from benefit_gaps(name, approvals, counts=counts, favouring=favouring, today=today)

    warnings = list(_documents(connection, LabelWarning, {"treatment": [name]}))
    yield from warning_gaps(name, warnings, _terms(connection, name))


def _documents(connection: Connection, resource: type[Row], filters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The records that match; of warnings, those that apply."""
    query: Query | None = Query(resource, filters, scope=default_scope(resource))
    while query is not None:
        documents, query = export_chunk(connection, query)
        yield from map(from_json, documents)


def _issued(connection: Connection, claims: Sequence[Document]) -> dict[str, str | None]:
    """The issue date of each source of an approval claim, by source id."""
    sources = sorted({claim["source"] for claim in claims if claim["kind"] == "approval"})
    found = _documents(connection, Source, {"id": sources}) if sources else ()
    return {source["id"]: source["issued"] for source in found}


def _result_counts(connection: Connection, treatment: str) -> dict[str, ResultCounts]:
    """Counts of study results by condition, without those of retracted sources."""
    row = StudyResult.table().c
    keys = (row.condition, row.finding, row.comparator, row.synthesis)
    statement = (
        select(*keys, func.count())
        .where(row.treatment == treatment, row.state == "published", row.condition.is_not(None))
        .where(or_(row.source_status.is_(None), row.source_status != "retracted"))
        .group_by(*keys)
    )
    counts: dict[str, ResultCounts] = {}
    for condition, finding, comparator, synthesis, count in connection.execute(statement):
        counted = counts.setdefault(condition, ResultCounts())
        counted.add(count, comparator, is_single=synthesis == "none", favours=finding == "favours-treatment")
    return counts


def _favouring(connection: Connection, treatment: str, condition: str) -> list[Document]:
    """The first `MOST_RESULTS` controlled results that favour the treatment, without those of retracted sources."""
    filters = {
        "treatment": [treatment],
        "condition": [condition],
        "finding": ["favours-treatment"],
        "is_controlled": [True],
        "source_status": ["current", "corrected", "concern", None],
    }
    page = list_rows(connection, Query(StudyResult, filters, limit=MOST_RESULTS))
    return [from_json(document) for document in page.documents]


def _terms(connection: Connection, treatment: str) -> Sequence[str]:
    """The terms of the treatment's side effects, and of its products' where it is a class."""
    row = SideEffect.table().c
    family = [treatment, *_products(connection, treatment)]
    statement = select(row.term).distinct().where(row.treatment.in_(family), row.state == "published")
    return connection.execute(statement).scalars().all()


def _products(connection: Connection, treatment: str) -> list[str]:
    """The treatments below a class, at any depth up to `MOST_LAYERS`; none for a product."""
    row = Treatment.table().c
    found: list[str] = []
    level: Sequence[str] = [treatment]
    for _ in range(MOST_LAYERS):
        below = select(row.id).where(row.part_of.in_(level), row.state == "published").order_by(row.id)
        level = connection.execute(below).scalars().all()
        found += level
    return found


def gap_content(gap: Gap, address: Address) -> GapEntry:
    """A gap as its response schema, with absolute URLs."""
    sides = [_side_shown(side, address) for side in gap.sides]
    own = {"kind": gap.kind, "treatment": gap.treatment, "condition": gap.condition, "statement": gap.statement}
    return GapEntry.model_validate({"id": gap.id, **own, "sides": sides})


def _side_shown(side: GapParty, address: Address) -> dict[str, Any]:
    record = None
    if side.record is not None:
        kind, record_id = side.record
        record = {"kind": kind, "id": record_id, "url": address(f"/v1/{kind}/{record_id}")}
    return {
        "role": side.role,
        "says": side.says,
        "record": record,
        "list_url": None if side.list_path is None else address(side.list_path),
        "citations": side.citations,
        "source_status": side.source_status,
    }
