"""Reads the facts of an HTML page: one record, the records about it, and the records that these reference."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

from sqlalchemy import Connection, select

from app.db.tables import REVISION
from app.errors import NotFound
from app.fields import includable, reference_filters, singular, uses
from app.json_codec import from_json, to_json
from app.models import RESOURCES
from app.models.approvals import Approval
from app.models.base import Row
from app.models.claims import Claim
from app.models.conditions import Condition
from app.models.dosing_intervals import DosingInterval
from app.models.indications import Indication
from app.models.side_effects import SideEffect
from app.models.sources import Source
from app.models.study_results import StudyResult
from app.models.treatments import Treatment
from app.models.vocabulary import Verdict
from app.models.warnings import Warning as LabelWarning
from app.reports.annotated import AnnotatedText, read_annotated
from app.reports.dossier import classes_above
from app.store.read.included import included, parsed
from app.store.read.lists import list_rows
from app.store.read.query import MOST_ROWS, Query, default_scope
from app.store.read.records import fetch, totals

Record = dict[str, Any]
Found = dict[str, dict[str, Record]]
STEPS_TOO_FAR = {"evidence", "includes", "overlaps", "treatments", "conditions"}
"""References of listed records that a page does not resolve."""
LIST_ROWS = 30
"""Records on one page of a list."""
VERDICTS: tuple[str, ...] = get_args(Verdict.__value__)


@dataclass(frozen=True)
class PageList:
    """A list of records of one resource on a page: at most `most`, in the order of `sort`."""

    resource: type[Row]
    most: int
    sort: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listed:
    """The records shown in a list, and the total count."""

    items: list[Record]
    total: int


@dataclass(frozen=True)
class AsOf:
    """The revision of the dataset that was read, 0 when empty, and its timestamp (RFC 3339)."""

    revision: int
    at: str | None


@dataclass(frozen=True)
class Facts:
    """The content of the page of one record."""

    resource: type[Row]
    record: Record
    version: int
    lists: Mapping[type[Row], Listed]
    included: Found
    verdicts: Mapping[str, int]
    """How many claims about the record got each verdict."""
    classes: list[Record]
    """The classes above a treatment, the nearest first."""
    annotated: AnnotatedText | None
    as_of: AsOf

    def items(self, resource: type[Row]) -> list[Record]:
        """The records of one list of the page."""
        return self.lists[resource].items if resource in self.lists else []


CLAIMS = PageList(Claim, 8, ("-safety_flag", "verdict", "id"))
BOXED = PageList(LabelWarning, 30)
"""The boxed warnings of a condition's treatments, on the page of the condition."""
USES = (
    PageList(Approval, 100),
    PageList(DosingInterval, 60),
    PageList(SideEffect, 80, ("-percent", "id")),
    PageList(StudyResult, 40, ("synthesis", "id")),
    PageList(LabelWarning, 30),
    CLAIMS,
)
PARTS: Mapping[type[Row], tuple[PageList, ...]] = {
    Treatment: (PageList(Indication, 100), *USES),
    Condition: (
        PageList(Indication, 100),
        PageList(Approval, 100),
        PageList(StudyResult, 60, ("synthesis", "id")),
        CLAIMS,
    ),
    Indication: USES,
    StudyResult: (PageList(StudyResult, 30),),
    Source: (
        *(PageList(row, 12) for row in RESOURCES.values() if row is not Claim and "source" in reference_filters(row)),
        PageList(Claim, 100, ("id",)),
    ),
    Claim: (),
}


class FactsPlan(NamedTuple):
    """What to read beside a record, once the record itself is known."""

    lists: Iterable[tuple[PageList, Mapping[str, Any]]]
    """Lists of related records, each with its filters."""
    classes: list[Record]
    """The classes above the treatment."""
    counted: Mapping[str, Any] | None
    """Filters of the claims whose verdicts are counted; None for no count."""


def read_facts(connection: Connection, resource: type[Row], record_id: str) -> Facts:
    """The facts of a record's page; NotFound, Gone or Moved when there is no such record."""

    def plan(record: Record, _: Found) -> FactsPlan:
        classes = classes_above(connection, record) if resource is Treatment else []
        filters, parts = _about(resource, record), PARTS[resource]
        lists = [(part, filters) for part in parts]
        if resource is Condition:
            lists.append((BOXED, _boxed_warnings_for(connection, record)))
        return FactsPlan(lists, classes, filters if any(part.resource is Claim for part in parts) else None)

    facts = facts_of(connection, resource, record_id, plan)
    return replace(facts, annotated=_annotated(connection, record_id)) if resource is Source else facts


def facts_of(
    connection: Connection, resource: type[Row], record_id: str, plan: Callable[[Record, Found], FactsPlan]
) -> Facts:
    """A record and what the plan reads beside it; NotFound, Gone or Moved when there is no such record."""
    document, version = fetch(connection, resource, record_id)
    record: Record = from_json(document)
    found = dict(included(connection, resource, [document], tuple(includable(resource))))
    planned = plan(record, found)
    lists = {part.resource: listed(connection, part, filters, found) for part, filters in planned.lists}
    for reference in record.get("evidence", ()):
        name_of_what(connection, reference["kind"], reference["id"], found)
    return Facts(
        resource=resource,
        record=record,
        version=version,
        lists=lists,
        included=found,
        verdicts={} if planned.counted is None else count_verdicts(connection, planned.counted),
        classes=planned.classes,
        annotated=None,
        as_of=read_as_of(connection),
    )


def read_as_of(connection: Connection) -> AsOf:
    """The revision of the dataset that the connection reads."""
    newest = select(REVISION.c.number, REVISION.c.at).order_by(REVISION.c.number.desc()).limit(1)
    found = connection.execute(newest).one_or_none()
    return AsOf(0, None) if found is None else AsOf(found[0], found[1])


def _about(resource: type[Row], record: Record) -> dict[str, Any]:
    """The filters for records about this record."""
    if resource is Indication:
        return {"treatment": [record["treatment"]], "condition": [record["condition"]]}
    if resource is StudyResult:
        return {"study": [record["study"]]}
    return {singular(resource.plural): [record["id"]]}


def _boxed_warnings_for(connection: Connection, condition: Record) -> dict[str, Any]:
    """The filters for the boxed warnings of the treatments that are given for a condition."""
    uses = list_rows(connection, Query(Indication, {"condition": [condition["id"]]}, limit=MOST_ROWS))
    treatments = dict.fromkeys(from_json(document)["treatment"] for document in uses.documents)
    return {"treatment": list(treatments), "condition": [condition["id"]], "kind": ["boxed-warning"]}


def listed(connection: Connection, part: PageList, filters: Mapping[str, Any], found: Found) -> Listed:
    """Read the records of one list; the records that they reference are added to `found`.

    The list holds what the API's list of that resource does by default: of warnings, all that apply.
    """
    include = tuple(name for name in includable(part.resource) if name not in STEPS_TOO_FAR)
    scope = default_scope(part.resource)
    query = Query(part.resource, filters, part.sort, part.most, include=include, count=True, scope=scope)
    page = list_rows(connection, query)
    for plural, records in parsed(page.included or {}).items():
        found.setdefault(plural, {}).update(records)
    return Listed([from_json(document) for document in page.documents], page.total or 0)


def name_of_what(connection: Connection, plural: str, record_id: str, found: Found) -> None:
    """Add to `found` the treatment, condition and study of a record that decides a claim, so that it can be named."""
    record = found.get(plural, {}).get(record_id)
    names = tuple(name for name in ("treatment", "condition", "study") if name in uses(RESOURCES[plural]))
    if record is not None and names:
        for other, records in included(connection, RESOURCES[plural], [to_json(record).decode()], names).items():
            found.setdefault(other, {}).update(records)


def count_verdicts(connection: Connection, filters: Mapping[str, Any]) -> dict[str, int]:
    """How many claims that match got each verdict."""
    counts = {}
    for verdict in VERDICTS:
        query = Query(Claim, {**filters, "verdict": [verdict]}, limit=1, count=True)
        counts[verdict] = list_rows(connection, query).total or 0
    return counts


def _annotated(connection: Connection, source: str) -> AnnotatedText | None:
    try:
        return AnnotatedText.model_validate_json(read_annotated(connection, source))
    except NotFound:
        return None


@dataclass(frozen=True)
class FoundList:
    """One page of a list, with the options of its filters."""

    items: list[Record]
    total: int
    next: str | None
    is_later: bool
    """Whether it is not the first page."""
    choices: dict[str, list[Record]]
    """The treatments and the conditions, by plural: the first two hundred of each, by name."""
    included: Found
    as_of: AsOf


def read_list(connection: Connection, resource: type[Row], filters: Mapping[str, Any], cursor: str | None) -> FoundList:
    """One page of a list; BadCursor when the cursor belongs to other filters."""
    lists = {name: value if isinstance(value, list) else [value] for name, value in filters.items()}
    sort = ("name",) if resource is Treatment else ()
    page = list_rows(connection, Query(resource, lists, sort, LIST_ROWS, cursor, count=True))
    choices = {
        row.plural: [
            from_json(document) for document in list_rows(connection, Query(row, {}, ("name",), MOST_ROWS)).documents
        ]
        for row in (Treatment, Condition)
    }
    return FoundList(
        items=[from_json(document) for document in page.documents],
        total=page.total or 0,
        next=page.next,
        is_later=cursor is not None,
        choices=choices,
        included={plural: {record["id"]: record for record in records} for plural, records in choices.items()},
        as_of=read_as_of(connection),
    )


@dataclass(frozen=True)
class Landing:
    """The content of the home page: treatments, conditions, record counts by resource, claim counts by verdict."""

    treatments: list[Record]
    conditions: list[Record]
    totals: dict[str, int]
    verdicts: dict[str, int]
    as_of: AsOf


def read_landing(connection: Connection) -> Landing:
    """The content of the home page, over the whole dataset."""
    named = {
        row: [from_json(document) for document in list_rows(connection, Query(row, {}, ("name",), LIST_ROWS)).documents]
        for row in (Treatment, Condition)
    }
    verdicts = count_verdicts(connection, {})
    return Landing(named[Treatment], named[Condition], totals(connection), verdicts, read_as_of(connection))
