"""The completeness report of a treatment: fields and resources that are known, missing with a reason, or unsearched."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import JSON, ColumnElement, Connection, Integer, Table, Text, and_, case, cast, func, null, select

from app import DISCLAIMER
from app.db.json_text import member_text
from app.json_codec import from_json, to_json
from app.models.base import Row, given
from app.models.claims import Claim
from app.models.conditions import Condition
from app.models.treatments import Treatment
from app.models.vocabulary import AbsenceReason, FieldKnowledge, ResourceKnowledge
from app.reports.dossier import concerning, parts
from app.store.read.filters import narrowed
from app.store.read.query import MOST_ROWS, Query
from app.store.read.records import fetch, fetch_named

NO_FACTS = frozenset({"id", "missing", "searches", "numbers", "curator_checked"})
"""Fields about the record itself, not about the treatment."""


class FieldStanding(BaseModel):
    """The state of one field of the treatment's own record."""

    field: str = Field(description="The field.")
    core: bool = Field(description="Whether it must have a value or a reason.")
    state: FieldKnowledge = Field(description="A value, a reason for having none, or neither: nobody has looked yet.")
    reason: AbsenceReason | None = Field(description="Why there is no value, for `missing`.")


class FieldTally(BaseModel):
    """Counts of records on the treatment by the state of one field: known, missing, or never looked for."""

    field: str = Field(description="The field.")
    core: bool = Field(description="Whether it must have a value or a reason in every record.")
    known: int = Field(description="Records with a value.")
    missing: dict[str, int] = Field(description="Records without a value, by the reason that they give.")
    never_looked: int = Field(description="Records with neither: nobody has looked yet.")


class ResourceStanding(BaseModel):
    """The state of one resource: whether there are records on the treatment, and how complete they are."""

    resource: str = Field(description="The resource, as in the URL.")
    state: ResourceKnowledge = Field(
        description="Whether there are records; if not, whether a search found none or nobody has looked yet."
    )
    total: int = Field(description="How many records concern the treatment.")
    searched_on: str | None = Field(
        description="The day of the last search that covers the requested condition; null without one."
    )
    fields: list[FieldTally] = Field(description="Every field that its records have, in their order.")


class RecordStanding(BaseModel):
    """The state of the treatment's own record."""

    fields: list[FieldStanding] = Field(description="Every field of the record, in its order.")


class SearchMade(BaseModel):
    """A search for records on the treatment: for all records of a resource, or for evidence that decides a claim."""

    resource: str | None = Field(description="The resource that was searched for; null for the search of a claim.")
    claim: str | None = Field(description="The claim that the search could not decide; null for a whole resource.")
    conditions: list[str] = Field(description="The conditions that the search was limited to; empty for all.")
    looked_for: str = Field(description="What was searched, and where.")
    on: str = Field(description="The day of the search.")


class Completeness(BaseModel):
    """What is known about a treatment, what is missing and why, and what nobody has looked for."""

    treatment: str = Field(description="The id of the treatment.")
    condition: str | None = Field(description="The id of the condition that the report is limited to; null for all.")
    record: RecordStanding = Field(description="The treatment's own record.")
    resources: list[ResourceStanding] = Field(description="Every resource whose records can be about a treatment.")
    searches: list[SearchMade] = Field(
        description=f"The searches that were made, the latest first; of those for claims at most {MOST_ROWS}."
    )
    disclaimer: str = Field(description="What this is not.")


def read_completeness(connection: Connection, treatment: str, condition: str | None) -> bytes:
    """The report as JSON; NotFound for an unknown treatment, InvalidParameter for an unknown condition."""
    record: dict[str, Any] = from_json(fetch(connection, Treatment, treatment)[0])
    if condition is not None:
        fetch_named(connection, "condition", Condition, condition)
    filters = concerning(treatment, condition)
    covering = [search for search in record["searches"] if _covers(search, condition)]
    resources = [
        _resource(
            connection, Query(row, filters), [search["on"] for search in covering if search["resource"] == row.plural]
        )
        for row in parts().values()
    ]
    shown_searches = covering if condition is not None else record["searches"]
    searches = [*map(_resource_search, shown_searches), *_claim_searches(connection, Query(Claim, filters))]
    return to_json(
        Completeness(
            treatment=treatment,
            condition=condition,
            record=RecordStanding(fields=_fields(record)),
            resources=resources,
            searches=sorted(searches, key=lambda search: search.on, reverse=True),
            disclaimer=DISCLAIMER,
        )
    )


def facts(row: type[Row]) -> list[str]:
    """The fields of a resource that hold facts, without those that describe the record or that the server adds."""
    return [name for name in row.record_class().model_fields if name not in NO_FACTS]


def _fields(record: Mapping[str, Any]) -> list[FieldStanding]:
    core = Treatment.record_class().core
    found: list[FieldStanding] = []
    for name in facts(Treatment):
        reason = record["missing"].get(name)
        state: FieldKnowledge = "known" if given(record[name]) else "never-looked" if reason is None else "missing"
        found.append(FieldStanding(field=name, core=name in core, state=state, reason=reason))
    return found


def _resource(connection: Connection, query: Query, searched: Sequence[str]) -> ResourceStanding:
    """Field counts of one resource, by one SQL query grouped by the `missing` reasons of its records.

    A field with a reason has no value (the model refuses both), so a field that is neither known nor missing was never
    looked for.
    """
    table = query.resource.table()
    names = facts(query.resource)
    reasons = cast(table.c.missing, Text)
    values = [func.sum(case((_has_value(table, name), 1), else_=0), type_=Integer) for name in names]
    statement = select(reasons, func.count(), *values).where(*narrowed(query)).group_by(reasons)
    total, known, missing = 0, Counter[str](), {name: Counter[str]() for name in names}
    for given_reasons, count, *counts in connection.execute(statement):
        total += count
        known.update(dict(zip(names, counts, strict=True)))
        for name, reason in from_json(given_reasons).items():
            missing[name][reason] += count
    core = query.resource.record_class().core
    state: ResourceKnowledge = "known" if total else "searched-none-found" if searched else "never-looked"
    tallies = [
        FieldTally(
            field=name,
            core=name in core,
            known=known[name],
            missing=dict(sorted(missing[name].items())),
            never_looked=total - known[name] - missing[name].total(),
        )
        for name in names
    ]
    plural = query.resource.plural
    return ResourceStanding(
        resource=plural, state=state, total=total, searched_on=max(searched, default=None), fields=tallies
    )


def _has_value(table: Table, name: str) -> ColumnElement[bool]:
    """The SQL condition for `given`: the value is not null and not an empty list."""
    column = table.c.get(name)
    if column is None:
        text = member_text(table.c.document, name)
        return and_(text.is_not(None), text != "[]")
    is_present: ColumnElement[bool] = column.is_not(null())
    return and_(is_present, cast(column, Text) != "[]") if isinstance(column.type, JSON) else is_present


def _covers(search: Mapping[str, Any], condition: str | None) -> bool:
    """Whether a search covers the condition of the report; one that was narrowed to a condition covers no other."""
    return search["condition"] in (None, condition)


def _resource_search(search: Mapping[str, Any]) -> SearchMade:
    conditions = [] if search["condition"] is None else [search["condition"]]
    return SearchMade(
        resource=search["resource"], claim=None, conditions=conditions, looked_for=search["looked_for"], on=search["on"]
    )


def _claim_searches(connection: Connection, query: Query) -> list[SearchMade]:
    """The searches of claims about the treatment that stayed undecided."""
    table = query.resource.table()
    statement = select(table.c.id, table.c.conditions, table.c.searched).where(
        *narrowed(query), table.c.searched.is_not(null())
    )
    return [
        SearchMade(resource=None, claim=claim, conditions=conditions, **searched)
        for claim, conditions, searched in connection.execute(statement.order_by(table.c.id).limit(MOST_ROWS))
    ]
