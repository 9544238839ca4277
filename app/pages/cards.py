"""The card of a record: a summary in a few lines, for the iframe, the custom element, the badge and oEmbed."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from app import DISCLAIMER, LICENCE
from app.evidence.sentences import capital
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
from app.pages.approvals import PlaceLine, place_lines
from app.pages.claims import evidence_lines, verdict_of
from app.pages.context import PageContext, marks_of, source_url
from app.pages.layout import PageSettings, as_of_words
from app.pages.study_results import CERTAINTIES, certainty_of, effect_words, p_words, result_line
from app.pages.tables import DoseLine, dose_table
from app.pages.templates import report_address
from app.pages.wording import Tone, finding_words, format_number, spaced, titled
from app.reports.record_page import Facts, Record

MOST_FACTS = 5
MOST_PLACES = 6
MOST_SOURCES = 3
NO_DECISION = "None on this use is on record here, which says nothing of what regulators decided."
LONGEST = 320
"""Characters of one text; a longer one is cut, since a card is read at a glance and its page has all."""

BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def without_bidi_controls(text: str) -> str:
    """The text without bidirectional control characters (UAX 9, section 2), which would reorder the card's words."""
    return BIDI_CONTROLS.sub("", text)


PlainText = Annotated[str, AfterValidator(without_bidi_controls)]
ToneWord = Annotated[
    Tone, Field(description="The colour: `good`, `bad`, `care` or `plain`. The text means the same without it.")
]


class CardWord(BaseModel):
    """A verdict, finding or certainty in a word or two."""

    text: PlainText = Field(description="The verdict, finding or certainty.")
    tone: ToneWord


class CardLink(BaseModel):
    """A hyperlink."""

    text: PlainText = Field(description="The text of the link.")
    href: str = Field(description="Its target: an absolute URL.")


class CardMark(BaseModel):
    """A warning about the record: retracted, superseded, review due, withdrawn, a newer release."""

    text: PlainText = Field(description="The warning as a sentence.")
    tone: ToneWord
    href: str | None = Field(description="URL of the page to read instead; null when there is none.")


class CardFact(BaseModel):
    """One fact, with its numbers."""

    name: PlainText = Field(description="The name of the fact.")
    text: PlainText = Field(description="The fact as text.")


class CardPlace(BaseModel):
    """Regulatory status in one place."""

    code: str = Field(description="ISO 3166-1 alpha-2, or `EU`.")
    place: PlainText = Field(description="The country or union.")
    status: PlainText = Field(description="The regulatory status today.")
    tone: ToneWord
    conditions: list[PlainText] = Field(description="The names of the conditions that have this status.")
    detail: PlainText = Field(
        description="Authority, start and day of the last check; for several conditions, their names."
    )


class CardSource(CardLink):
    """A source and its URL."""

    mark: str = Field(description="`retracted`, `withdrawn`, …; empty for a source in good standing.")


class CardPicture(BaseModel):
    """A forest plot."""

    src: str = Field(description="The absolute URL of the SVG.")
    alt: PlainText = Field(description="The alternative text, a sentence.")
    width: int = Field(description="Its width in pixels; it may be scaled to any.")
    height: int = Field(description="Its height at that width.")


class Card(BaseModel):
    """A summary of one record in a few lines of plain text, to be shown in another page."""

    kind: str = Field(description="The kind of record: `Claim`, `Study result`.")
    title: PlainText = Field(description="The title of the record, or the quote of a claim.")
    is_quote: bool = Field(description="Whether the title is a verbatim quote from a document.")
    judgements: list[CardWord] = Field(description="Verdict, finding and certainty, where the record has them.")
    marks: list[CardMark] = Field(description="Warnings about the record, the gravest first.")
    summary: PlainText = Field(description="The record in a sentence or two; empty when the facts say it all.")
    facts: list[CardFact] = Field(description="The facts with their numbers.")
    picture: CardPicture | None = Field(None, description="The forest plot of a synthesis; null for anything else.")
    places: list[CardPlace] = Field(description="Regulatory status by jurisdiction, where it is on record.")
    places_note: str = Field(description="What an empty list of places means; empty when there are some.")
    more_places: int = Field(description="How many more jurisdictions the record's page shows.")
    source_label: str = Field(description="The heading of the sources: `Source`, `Sources`, of a claim `Claimed in`.")
    sources: list[CardSource] = Field(description="The first sources that the record cites.")
    more_sources: int = Field(description="How many more sources the record cites.")
    as_of: str = Field(description="The dataset revision or release, and its day.")
    page: str = Field(description="The URL of the record's page.")
    data: str = Field(description="The URL of the record as JSON.")
    report: str | None = Field(
        description="The URL for reporting an error in this version of the record; null when not configured."
    )
    licence: CardLink = Field(description="The licence of the record.")
    disclaimer: str = Field(description="The disclaimer, to be shown with the card.")


class CardContent(BaseModel):
    """The part of a card that depends on the kind of record."""

    title: str
    is_quote: bool = False
    judgements: list[CardWord] = []
    summary: PlainText = ""
    facts: list[tuple[str, str]] = []
    places: list[PlaceLine] = []


def card_of(facts: Facts, settings: PageSettings, newer: str | None = None) -> Card:
    """The card of a record; `newer` names a release that was made after the requested one."""
    context = PageContext(facts.included, release=settings.release, today=settings.today)
    plural, record_id = facts.resource.plural, facts.record["id"]
    content = KINDS[facts.resource](facts, context)
    sources = _sources(facts, context, settings)
    return Card(
        kind=titled(plural).removesuffix("s"),
        title=content.title,
        is_quote=content.is_quote,
        judgements=content.judgements,
        marks=_marks(facts, context, settings, newer),
        summary=shortened(content.summary),
        facts=[CardFact(name=name, text=shortened(text)) for name, text in content.facts if text][:MOST_FACTS],
        places=card_places(content.places),
        places_note="" if content.places else NO_DECISION,
        more_places=max(0, len(content.places) - MOST_PLACES),
        source_label="Claimed in" if facts.resource is Claim else "Source" if len(sources) == 1 else "Sources",
        sources=sources[:MOST_SOURCES],
        more_sources=max(0, len(sources) - MOST_SOURCES),
        as_of=as_of_words(facts.as_of, settings.release),
        page=settings.public_url + context.to(f"/{plural}/{record_id}"),
        data=settings.public_url + context.to(f"/v1/{plural}/{record_id}"),
        report=report_address(settings.contact_url, plural, record_id, facts.version),
        licence=CardLink(text="CC BY 4.0", href=LICENCE),
        disclaimer=DISCLAIMER,
    )


def shortened(text: str) -> str:
    """The text, cut at the end of a word with `…` when it is longer than `LONGEST`."""
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;:. ") + "…"


def _marks(facts: Facts, context: PageContext, settings: PageSettings, newer: str | None) -> list[CardMark]:
    marks = [
        CardMark(
            text=f"{mark.text} {mark.link.text}." if mark.link else mark.text,
            tone=mark.tone,
            href=settings.public_url + mark.link.href if mark.link else None,
        )
        for mark in marks_of(facts.record, context, facts.resource.plural)
    ]
    if newer is not None:
        path = f"/{facts.resource.plural}/{facts.record['id']}?release={newer}"
        text = f"This is release {settings.release}. A newer one exists: {newer}."
        marks.append(CardMark(text=text, tone="plain", href=settings.public_url + path))
    if facts.record.get("safety_flag"):
        marks.append(CardMark(text="Following this statement could do harm.", tone="bad", href=None))
    boxed_warnings = facts.items(LabelWarning)
    if boxed_warnings:
        text = f"Boxed warning: {shortened(boxed_warnings[0]['statement'])}"
        marks.append(CardMark(text=text, tone="bad", href=None))
    return marks


def card_places(lines: Sequence[PlaceLine]) -> list[CardPlace]:
    """The first `MOST_PLACES` lines of regulatory status."""
    return [
        CardPlace(
            code=line.code,
            place=line.place,
            status=line.status,
            tone=line.tone,
            conditions=list(line.about),
            detail=shortened(line.detail),
        )
        for line in lines[:MOST_PLACES]
    ]


def _sources(facts: Facts, context: PageContext, settings: PageSettings) -> list[CardSource]:
    """The sources that the record cites; of treatments and indications also those of the regulators' decisions."""
    record = facts.record
    cited = [record["source"]] if facts.resource is Claim else [citation["source"] for citation in record["citations"]]
    decision_sources = [citation["source"] for approval in facts.items(Approval) for citation in approval["citations"]]
    return card_sources(
        cited if facts.resource in (Claim, StudyResult) else [*cited, *decision_sources], context, settings
    )


def card_sources(source_ids: Sequence[str], context: PageContext, settings: PageSettings) -> list[CardSource]:
    """The sources of these ids, each once, with their URL and status; ids that are not included are left out."""
    sources = []
    for source_id in dict.fromkeys(source_ids):
        source = context.record(Source.plural, source_id)
        if source is not None:
            page = settings.public_url + context.page(Source.plural, source_id)
            note = context.cite([source_id])[0]
            sources.append(CardSource(text=source["title"], href=web_url(source_url(source)) or page, mark=note.mark))
    return sources


def web_url(address: str | None) -> str | None:
    """The URL if its scheme is http or https, so that a card never links to another scheme; else None."""
    return address if address and address.startswith(("https://", "http://")) else None


def _treatment(facts: Facts, context: PageContext) -> CardContent:
    record = facts.record
    unit = record["dose_unit"]
    totals = {row: listed.total for row, listed in facts.lists.items()}
    return CardContent(
        title=record["name"],
        summary=record["definition"] or f"{titled(record['kind'])}.",
        facts=[
            ("Brand names", ", ".join(record["brand_names"])),
            ("Measured in", f"{unit['label']}, not comparable with the units of other products" if unit else ""),
            ("On record", _on_record(totals)),
            ("Certainty", "Rated for each study result, never for a treatment" if totals.get(StudyResult) else ""),
            ("Claims checked", _verdicts(facts.verdicts)),
        ],
        places=place_lines(facts.items(Approval), context),
    )


def _on_record(totals: Mapping[type[Row], int]) -> str:
    named = ((StudyResult, "study results"), (SideEffect, "side-effect figures"))
    return ", ".join(f"{format_number(totals[row])} {noun}" for row, noun in named if totals.get(row))


def _verdicts(verdicts: Mapping[str, int]) -> str:
    return ", ".join(f"{total} {spaced(word)}" for word, total in verdicts.items() if total)


def _indication(facts: Facts, context: PageContext) -> CardContent:
    record = facts.record
    treatment, condition = context.name(Treatment, record["treatment"]), context.name(Condition, record["condition"])
    doses = [line for line in dose_table(facts.items(DosingInterval), context).lines if line.dose]
    results = facts.items(StudyResult)
    rated = sorted((result for result in results if result["certainty"]), key=_by_certainty)
    return CardContent(
        title=f"{treatment} for {condition}",
        summary=", ".join(part for part in (titled(record["purpose"]), record["population"] or "") if part),
        facts=[
            *((_label(line), _dose(line)) for line in doses[:2]),
            *((capital(result["outcome_text"]), _result_line(result, context)) for result in rated[:2]),
            ("Study results", _counted(results, len(rated), facts.lists[StudyResult].total)),
            ("Claims checked", _verdicts(facts.verdicts)),
        ],
        places=place_lines(facts.items(Approval), context),
    )


def _label(line: DoseLine) -> str:
    return f"Label, {line.place}" if line.place else "Label"


def _dose(line: DoseLine) -> str:
    """The dose and interval of a label."""
    return ", ".join(part for part in (line.dose, line.interval.lower()) if part)


def _by_certainty(result: Record) -> tuple[int, str]:
    """Sort key: the most certain result first, so that no result is chosen for its finding."""
    return -CERTAINTIES[result["certainty"]["level"]], result["id"]


def _counted(results: Sequence[Record], rated: int, total: int) -> str:
    """The number of results, and how many of them have a certainty rating."""
    if not total:
        return ""
    among = "" if total == len(results) else f" of the first {format_number(len(results))}"
    return f"{format_number(total)}, certainty rated for {format_number(rated) if rated else 'none'}{among}"


def _result_line(result: Record, context: PageContext) -> str:
    """A result in a line: finding, comparator, numbers, certainty, study."""
    line = result_line(result, context)
    certainty = f"{line.certainty.level.lower()} certainty" if line.certainty else "certainty not rated"
    against = f"compared with {line.comparison}" if line.comparison else ""
    parts = (line.finding, against, line.effect or line.arms, certainty, line.study)
    return "; ".join(part for part in parts if part)


def _claim(facts: Facts, context: PageContext) -> CardContent:
    record = facts.record
    verdict = verdict_of(record["verdict"])
    evidence = evidence_lines(record["evidence"], context)
    searched = record["searched"]
    return CardContent(
        title=record["quote"],
        is_quote=True,
        judgements=[CardWord(text=verdict.text, tone=verdict.tone), *_certainties(record, context)],
        summary=record["rationale"],
        facts=[
            *((line.kind, line.says) for line in evidence[:3]),
            ("Searched", searched["looked_for"] if searched else ""),
        ],
        places=place_lines(facts.items(Approval), context),
    )


def _certainties(claim: Record, context: PageContext) -> list[CardWord]:
    """The certainty of the first rated result among a claim's evidence; empty without one."""
    results = [
        context.record(StudyResult.plural, reference["id"])
        for reference in claim["evidence"]
        if reference["kind"] == StudyResult.plural
    ]
    rated = [certainty for result in results if result and (certainty := certainty_of(result))]
    return [CardWord(text=f"{rated[0].level} certainty", tone="plain")] if rated else []


def _result(facts: Facts, context: PageContext) -> CardContent:
    record = facts.record
    finding, tone = finding_words(record)
    line = result_line(record, context)
    rated = f"{line.certainty.level} certainty" if line.certainty else "Certainty not rated"
    treatment = context.name(Treatment, record["treatment"])
    about = f" for {context.name(Condition, record['condition'])}" if record["condition"] else ""
    against = f", compared with {line.comparison}" if line.comparison else ", without a comparison"
    return CardContent(
        title=f"{capital(record['outcome_text'])}: {line.study}",
        judgements=[CardWord(text=finding, tone=tone), CardWord(text=rated, tone="plain")],
        summary=f"{treatment}{about}{against}" + (f"; {line.kind}." if line.kind else "."),
        facts=[
            ("Effect", "; ".join(part for part in (effect_words(record), p_words(record)) if part)),
            ("Groups", line.arms),
            ("When", line.when),
            ("Why this certainty", line.certainty.why if line.certainty else ""),
            ("Note", record["note"] or ""),
        ],
        places=place_lines(facts.items(Approval), context),
    )


KINDS: Mapping[type[Row], Callable[[Facts, PageContext], CardContent]] = {
    Treatment: _treatment,
    Indication: _indication,
    Claim: _claim,
    StudyResult: _result,
}
