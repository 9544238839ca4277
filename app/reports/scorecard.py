"""The provenance scorecard: counts of records by verification level and source status, and the age of their checks."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Connection, func, select

from app import DISCLAIMER
from app.evidence.citations.verification import LADDER
from app.fields import is_cited, uses
from app.models import RESOURCES
from app.models.base import Row
from app.models.treatments import Treatment
from app.store.read.missing import absent

MOST_TREATMENTS = 200
STANDINGS = ("corrected", "concern", "retracted")


class Rungs(BaseModel):
    """Counts of records by verification level."""

    recorded: int = Field(description="Records whose place in a source was written down.")
    quote_found: int = Field(
        alias="quote-found", description="Records with a quote that is in the stored text of the source."
    )
    number_in_quote: int = Field(
        alias="number-in-quote", description="Records whose numbers are all in such a quote or in a structured source."
    )


class Standing(BaseModel):
    """Counts of records that rest on a source which is no longer current."""

    corrected: int = Field(description="Records that rest on a corrected source.")
    concern: int = Field(description="Records that rest on a source under an expression of concern.")
    retracted: int = Field(description="Records that rest on a retracted source.")


class Score(BaseModel):
    """The counts of one group of records."""

    total: int = Field(description="Published records.")
    uncited: int = Field(description="Records without a citation, where the resource does not need one.")
    rungs: Rungs = Field(description="Records with a citation, by verification level.")
    curator_checked: int = Field(description="Records that a curator compared with their sources.")
    standing: Standing = Field(description="Records that rest on a source which is no longer current, by its status.")
    needs_review: int = Field(description="Records that a curator must look at; their `review_reasons` say why.")
    last_checked: str | None = Field(description="The newest day on which one of them was compared with its sources.")
    oldest_check: str | None = Field(description="The oldest of their last checks.")
    never_checked: int = Field(description="Records without a day of a check.")
    last_check_age_days: int | None = Field(description="Days from `last_checked` to `as_of`.")
    oldest_check_age_days: int | None = Field(description="Days from `oldest_check` to `as_of`.")


class _OfResource(BaseModel):
    resource: str = Field(description="The plural, as in the URL.")


class ResourceScore(Score, _OfResource):
    """The counts of one resource."""


class _OfTreatment(BaseModel):
    treatment: str = Field(description="The treatment's id.")
    name: str = Field(description="Its name.")


class TreatmentScore(Score, _OfTreatment):
    """The counts of one treatment's records in all resources."""

    resources: list[ResourceScore] = Field(
        description="The counts by resource, without resources that have no records."
    )


class Scorecard(BaseModel):
    """How far the dataset's numbers can be traced to sources, and how recently they were checked."""

    as_of: str = Field(description="The day (UTC) from which ages are counted.")
    resources: list[ResourceScore] = Field(description="Every resource whose records have citations.")
    treatments: list[TreatmentScore] = Field(
        description=f"The treatments that were asked for, or the first {MOST_TREATMENTS} by id."
    )
    disclaimer: str = Field(description="What this is not.")


def read_scorecard(connection: Connection, treatments: Sequence[str], today: date) -> Scorecard:
    """The scorecard on a day (UTC); Moved, Gone or NotFound for a treatment that is not published."""
    names = _names(connection, treatments)
    cited = {plural: row for plural, row in RESOURCES.items() if is_cited(row)}
    by_treatment: dict[str, dict[str, Any]] = {treatment: {} for treatment in names}
    for plural, row in cited.items():
        if "treatment" in uses(row):
            for treatment, counts in _count_records(connection, row, list(names)):
                by_treatment[treatment][plural] = counts
    return Scorecard(
        as_of=today.isoformat(),
        resources=[
            ResourceScore(resource=plural, **_score([counts], today))
            for plural, row in cited.items()
            for _, counts in _count_records(connection, row, None)
        ],
        treatments=[
            TreatmentScore(
                treatment=treatment,
                name=names[treatment],
                resources=[
                    ResourceScore(resource=plural, **_score([counts], today)) for plural, counts in found.items()
                ],
                **_score(found.values(), today),
            )
            for treatment, found in by_treatment.items()
        ],
        disclaimer=DISCLAIMER,
    )


def _names(connection: Connection, treatments: Sequence[str]) -> dict[str, str]:
    """Names of treatments by id, in order of id; all published ones when `treatments` is empty, up to the limit."""
    table = Treatment.table()
    query = select(table.c.id, table.c.name).where(table.c.state == "published").order_by(table.c.id)
    if treatments:
        query = query.where(table.c.id.in_(treatments))
    found = {row.id: row.name for row in connection.execute(query.limit(MOST_TREATMENTS))}
    for treatment in treatments:
        if treatment not in found:
            raise absent(connection, Treatment, treatment)
    return found


def _count_records(
    connection: Connection, row: type[Row], treatments: Sequence[str] | None
) -> Iterable[tuple[str, dict[str, Any]]]:
    """Raw counts of a resource's published records: by treatment, or for all of them under an empty id."""
    table = row.table()
    columns: dict[str, ColumnElement[Any]] = {
        "total": func.count(),
        "curator_checked": func.count(table.c.curator_checked),
        "dated": func.count(table.c.checked_on),
        "last_checked": func.max(table.c.checked_on),
        "oldest_check": func.min(table.c.checked_on),
        "needs_review": _count_if(table.c.needs_review.is_(True)),
        **{rung: _count_if(table.c.verification == rung) for rung in LADDER},
        **{standing: _count_if(table.c.source_status == standing) for standing in STANDINGS},
    }
    query = select(*(column.label(name) for name, column in columns.items())).where(table.c.state == "published")
    if treatments is None:
        yield "", dict(connection.execute(query).mappings().one())
        return
    narrowed = query.add_columns(table.c.treatment).where(table.c.treatment.in_(treatments)).group_by(table.c.treatment)
    for counts in connection.execute(narrowed).mappings():
        yield counts["treatment"], dict(counts)


def _count_if(condition: ColumnElement[bool]) -> Any:
    return func.count().filter(condition)


def _score(groups: Iterable[dict[str, Any]], today: date) -> dict[str, Any]:
    """The fields of a `Score`, summed from the raw counts of one or several groups."""
    counts = list(groups)

    def total(name: str) -> int:
        return sum(group[name] for group in counts)

    newest = max((group["last_checked"] for group in counts if group["last_checked"]), default=None)
    oldest = min((group["oldest_check"] for group in counts if group["oldest_check"]), default=None)
    return {
        "total": total("total"),
        "uncited": total("total") - sum(total(rung) for rung in LADDER),
        "rungs": {rung: total(rung) for rung in LADDER},
        "curator_checked": total("curator_checked"),
        "standing": {standing: total(standing) for standing in STANDINGS},
        "needs_review": total("needs_review"),
        "last_checked": newest,
        "oldest_check": oldest,
        "never_checked": total("total") - total("dated"),
        "last_check_age_days": _age(newest, today),
        "oldest_check_age_days": _age(oldest, today),
    }


def _age(day: str | None, today: date) -> int | None:
    return None if day is None else (today - date.fromisoformat(day)).days
