"""Reads the records behind a card: one record, its approvals, and the few related records that the card shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from app.errors import NotFound, nearest
from app.json_codec import from_json
from app.models.approvals import Approval
from app.models.base import Row
from app.models.claims import Claim
from app.models.dosing_intervals import DosingInterval
from app.models.indications import Indication
from app.models.side_effects import SideEffect
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.models.warnings import Warning as LabelWarning
from app.reports.dossier import classes_above
from app.reports.record_page import Facts, FactsPlan, Found, PageList, Record, facts_of
from app.store.read.lists import list_rows
from app.store.read.query import MOST_ROWS, Query
from app.store.read.releases import list_releases

EMBEDDED: Mapping[str, type[Row]] = {row.plural: row for row in (Treatment, Indication, Claim, StudyResult)}
"""Resources whose records can be embedded in other websites, by plural."""
SYNTHESES = "syntheses"
"""The path segment of syntheses, which can be embedded although they are not a resource."""
EMBEDDABLE = (*EMBEDDED, SYNTHESES)
APPROVALS = PageList(Approval, 100)
WARNINGS = PageList(LabelWarning, 3)
DOSES = PageList(DosingInterval, 12)
MOST_RELEASES = 20
RESULTS = PageList(StudyResult, 100)
"""Enough to find the results with a GRADE certainty; the record's page shows the others."""


def embedded(plural: str) -> type[Row]:
    """The embeddable resource with this plural; NotFound, with the nearest name, for any other."""
    if plural not in EMBEDDED:
        close = nearest(plural, EMBEDDABLE)
        known = ", ".join(EMBEDDABLE)
        hint = f" Did you mean {close!r}?" if close else ""
        raise NotFound(f"There are no cards of {plural!r}; there are cards of {known}.{hint}")
    return EMBEDDED[plural]


def read_card(connection: Connection, resource: type[Row], record_id: str) -> Facts:
    """The facts of a card; NotFound, Gone or Moved when there is no such record."""

    def plan(record: Record, found: Found) -> FactsPlan:
        treatment = record if resource is Treatment else found.get(Treatment.plural, {}).get(record["treatment"] or "")
        classes = [] if treatment is None else classes_above(connection, treatment)
        about = _about(resource, record)
        lists = _parts(resource, about, None if treatment is None else treatment["id"])
        return FactsPlan(lists, classes, about if resource in (Treatment, Indication) else None)

    return facts_of(connection, resource, record_id, plan)


def _about(resource: type[Row], record: Record) -> dict[str, list[str]]:
    """Filters for records on the same treatment and condition; empty when the record names no such pair."""
    if resource is Treatment:
        return {"treatment": [record["id"]]}
    conditions = record["conditions"] if resource is Claim else [record["condition"]]
    if not record["treatment"] or conditions in ([], [None]):
        return {}
    return {"treatment": [record["treatment"]], "condition": conditions}


def _parts(
    resource: type[Row], about: dict[str, list[str]], treatment: str | None
) -> Iterator[tuple[PageList, dict[str, list[str]]]]:
    """The lists of a card, each with its filters; every card about a treatment has the boxed warnings that apply."""
    if about:
        yield APPROVALS, about
    if resource is Treatment:
        yield PageList(StudyResult, 1), about
        yield PageList(SideEffect, 1), about
    if resource is Indication:
        yield RESULTS, about
        yield DOSES, about | {"basis": ["label"]}
    if treatment is not None:
        yield WARNINGS, {"treatment": [treatment], "kind": ["boxed-warning"]}


def newer_release(connection: Connection, release: str) -> str | None:
    """The name of the newest release; None when it is `release`."""
    newest = list_releases(connection, 1)
    return newest[0].name if newest and newest[0].name != release else None


@dataclass(frozen=True)
class EmbedChoices:
    """The options of the embed builder page: treatments by id and name, and releases."""

    first: str
    """The id of the record that is preselected; empty when there is none."""
    treatments: list[tuple[str, str]]
    releases: list[str]


def read_choices(connection: Connection, plural: str, treatment: str | None) -> EmbedChoices:
    """The options of the embed builder; with `treatment`, the preselected record is one of that treatment."""
    named = []
    if plural in EMBEDDED:
        row = EMBEDDED[plural]
        filters = {"id" if row is Treatment else "treatment": [treatment]} if treatment else {}
        named = _named(connection, Query(row, filters, ("name",) if row is Treatment else (), 1))
    return EmbedChoices(
        first=named[0][0] if named else "",
        treatments=_named(connection, Query(Treatment, {}, ("name",), MOST_ROWS)),
        releases=[release.name for release in list_releases(connection, MOST_RELEASES)],
    )


def _named(connection: Connection, query: Query) -> list[tuple[str, str]]:
    records = [from_json(document) for document in list_rows(connection, query).documents]
    return [(record["id"], record.get("name") or "") for record in records]
