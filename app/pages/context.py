"""The context of a page: links to other pages, names of the records it refers to, and its numbered sources."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.formats.citations import reference_of, short
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
from app.models.warnings import Warning as LabelWarning
from app.pages.wording import day_words, spaced

Record = Mapping[str, Any]
Included = Mapping[str, Mapping[str, dict[str, Any]]]
PAGED: tuple[type[Row], ...] = (Treatment, Condition, Indication, Claim, StudyResult, Source)
"""The resources whose records have a page of their own."""
SHOWN_ON: Mapping[str, tuple[type[Row], str]] = {
    Approval.plural: (Indication, "indication"),
    DosingInterval.plural: (Treatment, "treatment"),
    SideEffect.plural: (Treatment, "treatment"),
    LabelWarning.plural: (Treatment, "treatment"),
}
"""Resources without a page of their own: the resource whose page shows them, and the foreign key to it."""
PAGED_PLURALS = frozenset(row.plural for row in PAGED)
SOURCE_STATUS_MARKS = {
    "retracted": "retracted",
    "concern": "under an expression of concern",
    "corrected": "corrected since",
}


@dataclass(frozen=True)
class Link:
    """The text and target of a hyperlink."""

    text: str
    href: str


@dataclass(frozen=True)
class Note:
    """A citation mark: the number of a source in the page's reference list, and a warning about that source."""

    number: int
    mark: str


@dataclass(frozen=True)
class SourceLine:
    """One entry of the page's reference list."""

    number: int
    text: str
    page: str
    read: str | None
    """URL of the source itself: its address, else its DOI; None where it has neither."""
    mark: str


@dataclass(frozen=True)
class Mark:
    """A warning about the record, shown at the top of its page."""

    tone: str
    text: str
    link: Link | None = None


class PageContext:
    """Links, names and citations of one page; sources are numbered in the order in which the page cites them."""

    def __init__(self, included: Included, *, release: str | None, today: str) -> None:
        self.included = included
        self.release = release
        self.today = today
        self._numbers: dict[str, int] = {}

    def to(self, path: str, anchor: str = "", **parameters: str) -> str:
        """A URL path with query parameters, plus `release` when the page shows a release."""
        query = parameters | ({} if self.release is None else {"release": self.release})
        return path + (f"?{urlencode(query)}" if query else "") + (f"#{anchor}" if anchor else "")

    def page(self, plural: str, record_id: str) -> str:
        """The path of the page that shows a record; of its JSON where no page does."""
        if plural in PAGED_PLURALS:
            return self.to(f"/{plural}/{record_id}")
        record = self.record(plural, record_id)
        if plural in SHOWN_ON and record is not None:
            row, field = SHOWN_ON[plural]
            if record[field] is not None:
                return self.to(f"/{row.plural}/{record[field]}", record_id)
        return self.to(f"/v1/{plural}/{record_id}")

    def record(self, plural: str, record_id: str | None) -> dict[str, Any] | None:
        """A record that the page refers to; None when it is not included, because it was withdrawn."""
        return self.included.get(plural, {}).get(record_id or "")

    def name(self, resource: type[Row], record_id: str | None) -> str:
        """The name, acronym or title of a record; its id with spaces where the record is not included."""
        record = self.record(resource.plural, record_id) or {}
        return str(record.get("name") or record.get("acronym") or record.get("title") or spaced(record_id))

    def link(self, resource: type[Row], record_id: str) -> Link:
        """A link to a record's page, with its name as text."""
        return Link(self.name(resource, record_id), self.page(resource.plural, record_id))

    def cite(self, sources: Iterable[str]) -> tuple[Note, ...]:
        """The citation marks of the sources (ids), each once; sources that are new on the page get the next number."""
        return tuple(Note(self._number(source), self._mark(source)) for source in dict.fromkeys(sources))

    def cited(self, record: Record) -> tuple[Note, ...]:
        """The citation marks of the sources that a record cites."""
        return self.cite(citation["source"] for citation in record["citations"])

    def sources(self) -> list[SourceLine]:
        """The reference list: the sources cited so far, by number."""
        return [self._line(source, number) for source, number in self._numbers.items()]

    def _number(self, source: str) -> int:
        return self._numbers.setdefault(source, len(self._numbers) + 1)

    def _mark(self, source: str) -> str:
        record = self.record(Source.plural, source)
        if record is None or record["state"] == "withdrawn":
            return "withdrawn"
        return SOURCE_STATUS_MARKS.get(record["source_status"] or "", "")

    def _line(self, source: str, number: int) -> SourceLine:
        page, mark = self.page(Source.plural, source), self._mark(source)
        record = self.record(Source.plural, source)
        if record is None:
            return SourceLine(number, f"{spaced(source)} (no longer shown).", page, None, mark)
        return SourceLine(number, short(reference_of(record)), page, source_url(record), mark)


def source_url(source: Record) -> str | None:
    """The URL at which a source can be read: its address, else its DOI's; None where it has neither."""
    doi = source["doi"] and f"https://doi.org/{source['doi']}"
    return source["url"] or doi or None


IndicationLinks = Mapping[str, Link]
"""Links to the pages of a treatment's indications, by condition id."""
MOST_OF_A_USE = 6
"""How many side effects a treatment's page shows of an indication that has a page of its own. Results are never cut: a
choice among them could mislead."""


def grouped(
    records: Sequence[Record], context: PageContext, by: type[Row] = Condition
) -> list[tuple[Link | None, str | None, list[Record]]]:
    """The records grouped by condition (or treatment), sorted by its name; records without one last.

    Each group is the link to the condition's page, the condition's id, and the records.
    """
    groups: dict[str | None, list[Record]] = {}
    for record in records:
        groups.setdefault(record[str(by.__tablename__)], []).append(record)
    named = [(context.link(by, about) if about else None, about, group) for about, group in groups.items()]
    return sorted(named, key=lambda item: (item[0] is None, item[0].text if item[0] else ""))


def first_of(
    records: Sequence[Record], condition: str | None, uses: IndicationLinks | None, noun: str
) -> tuple[Sequence[Record], Link | None]:
    """The records, or the first `MOST_OF_A_USE` of them and a link to the indication's page, which shows them all."""
    use = (uses or {}).get(condition or "")
    if use is None or len(records) <= MOST_OF_A_USE + 1:
        return records, None
    return records[:MOST_OF_A_USE], Link(f"All {len(records)} {noun}: {use.text}", use.href)


def marks_of(record: Record, context: PageContext, plural: str) -> list[Mark]:
    """The warnings about a record, the gravest first: withdrawn, source status, superseded, review due, for review."""
    found: list[Mark] = []
    if record["state"] == "withdrawn":
        found.append(Mark("bad", "This record was withdrawn after the release was made."))
    if record["source_status"] == "retracted":
        found.append(Mark("bad", "A source that this rests on was retracted."))
    elif record["source_status"] == "concern":
        found.append(Mark("care", "A source that this rests on is under an expression of concern."))
    elif record["source_status"] == "corrected":
        found.append(Mark("care", "A source that this rests on was corrected after it was published."))
    if record["superseded_by"]:
        link = Link("the record that takes its place", context.page(plural, record["superseded_by"]))
        found.append(Mark("care", "This record has been superseded by", link))
    if record["review_due"] and record["review_due"] <= context.today:
        found.append(Mark("care", f"Its review has been due since {day_words(record['review_due'])}."))
    if record["needs_review"]:
        reasons = [reason["detail"] for reason in record.get("review_reasons", ())]  # releases of 0.3.0 give none
        found.append(
            Mark("care", "A curator must look at this record" + (f": {'; '.join(reasons)}." if reasons else "."))
        )
    return found
