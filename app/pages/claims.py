"""View models of claims: quote, verdict and evidence; and a source's text annotated with its claims."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.evidence.sentences import capital
from app.models.approvals import Approval
from app.models.claims import Claim
from app.models.conditions import Condition
from app.models.dose_sentences import timing_words
from app.models.dosing_intervals import DosingInterval
from app.models.side_effects import SideEffect
from app.models.studies import Study
from app.models.study_results import StudyResult
from app.models.warnings import Warning as LabelWarning
from app.pages.context import Link, PageContext, Record
from app.pages.side_effects import figure_words, people
from app.pages.study_results import effect_words, study_name
from app.pages.wording import (
    VERDICT_TONES,
    Tone,
    day_words,
    finding_words,
    format_number,
    place_name,
    spaced,
    titled,
)
from app.reports.annotated import AnnotatedClaim, AnnotatedText

VERDICT_ORDER = {"supported": 2, "partly-supported": 1, "unverifiable": 3, "contradicted": 0}
"""Sort order of verdicts on a page: contradicted claims first."""


@dataclass(frozen=True)
class Verdict:
    """The text of a verdict and the colour of its badge."""

    text: str
    tone: Tone


@dataclass(frozen=True)
class ClaimLine:
    """A row of a list of claims."""

    id: str
    href: str
    quote: str
    verdict: Verdict
    kind: str
    is_unsafe: bool


@dataclass(frozen=True)
class ClaimCount:
    """The number of claims with a verdict, and the link to their list."""

    verdict: Verdict
    total: int
    href: str


@dataclass(frozen=True)
class EvidenceLine:
    """A record that is evidence for a verdict: its kind, a sentence, its page, and whether its source was retracted."""

    kind: str
    says: str
    href: str
    mark: str


@dataclass(frozen=True)
class Stretch:
    """A segment of the annotated text, linked to its gravest claim; with text None, a gap of `length` characters."""

    text: str | None
    length: int
    href: str | None
    tone: Tone
    ends: list[Link]
    """Links to the claims that end here, with their verdicts as text."""


def verdict_of(word: str) -> Verdict:
    """The view of a verdict of the vocabulary."""
    return Verdict(titled(word), VERDICT_TONES[word])


def claim_lines(claims: Iterable[Record], context: PageContext) -> list[ClaimLine]:
    """Rows for a list of claims, in the order given."""
    return [
        ClaimLine(
            id=claim["id"],
            href=context.page(Claim.plural, claim["id"]),
            quote=claim["quote"],
            verdict=verdict_of(claim["verdict"]),
            kind=titled(claim["kind"]),
            is_unsafe=claim["safety_flag"],
        )
        for claim in claims
    ]


def claim_counts(totals: Mapping[str, int], context: PageContext, **filters: str) -> list[ClaimCount]:
    """The number of claims by verdict, without zeros, each with a link to the list that `filters` narrow."""
    path = f"/{Claim.plural}"
    return [
        ClaimCount(verdict_of(word), totals[word], context.to(path, verdict=word, **filters))
        for word in sorted(totals, key=lambda verdict: VERDICT_ORDER[verdict])
        if totals[word]
    ]


def evidence_lines(evidence: Iterable[Record], context: PageContext) -> list[EvidenceLine]:
    """The evidence of a claim, each record in a sentence."""
    lines = []
    for reference in evidence:
        record = context.record(reference["kind"], reference["id"])
        says = record_says(reference["kind"], record, context) if record else "This record was withdrawn."
        retracted = record is not None and record["source_status"] == "retracted"
        kind = titled(reference["kind"]).removesuffix("s") if reference["kind"] != Study.plural else "Study"
        lines.append(
            EvidenceLine(kind, says, context.page(reference["kind"], reference["id"]), "retracted" if retracted else "")
        )
    return lines


def record_says(plural: str, record: Record, context: PageContext) -> str:
    """A sentence that summarises a record with its numbers; the title, name or id for resources without a sentence."""
    if plural == Approval.plural:
        since = f" since {day_words(record['valid_from'])}" if record["valid_from"] else ""
        about = context.name(Condition, record["condition"])
        by = f" ({record['authority']})" if record["authority"] else ""
        return f"{about}, {place_name(record['jurisdiction'])}{by}: {spaced(record['status'])}{since}"
    if plural == StudyResult.plural:
        finding = finding_words(record)[0].lower()
        parts = [record["outcome_text"], record["time_frame_text"] or "", effect_words(record)]
        return f"{study_name(record, context)}: {', '.join(part for part in parts if part)}; {finding}"
    if plural == SideEffect.plural:
        counted = people(record["affected"], record["at_risk"])
        rate = " ".join(part for part in (figure_words(record), f"({counted})" if counted else "") if part)
        return f"{capital(record['term'])}: {rate or spaced(record['frequency']) or 'named without a number'}"
    if plural == DosingInterval.plural:
        about = context.name(Condition, record["condition"]) if record["condition"] else "all uses"
        says = record.get("sentence") or timing_words(record) or record["note"] or "see the record"
        return f"{titled(record['basis'])} for {about}: {says}"
    if plural == LabelWarning.plural:
        return f"{titled(record['kind'])}: {record['statement']}"
    return str(record.get("title") or record.get("name") or record["id"])


def stretches(annotated: AnnotatedText, context: PageContext) -> list[Stretch]:
    """The segments of an annotated text, in order.

    Where claims overlap, the gravest gives the colour and the link: first a claim that could do harm, then by verdict.
    """
    by_id = {claim.id: claim for claim in annotated.claims}
    parts = []
    for segment in annotated.segments:
        owners = sorted((by_id[claim_id] for claim_id in segment.claims), key=_reading_order)
        ending = [owner for owner in owners if owner.end == segment.end]
        parts.append(
            Stretch(
                text=segment.text,
                length=segment.end - segment.start,
                href=context.page(Claim.plural, owners[0].id) if owners else None,
                tone=VERDICT_TONES[owners[0].verdict] if owners else "",
                ends=[Link(spaced(claim.verdict), context.page(Claim.plural, claim.id)) for claim in ending],
            )
        )
    return parts


def _reading_order(claim: AnnotatedClaim) -> tuple[bool, int, int]:
    return not claim.safety_flag, VERDICT_ORDER[claim.verdict], claim.start


def asserted(claim: Record) -> list[tuple[str, str, str]]:
    """The values that a claim asserts: name, value with its unit, and the part of the quote that states it."""
    quoted = {
        binding["field"].split("/")[2]: claim["quote"][binding["span"]["start"] : binding["span"]["end"]]
        for binding in claim["numbers"]
        if binding["span"] and binding["field"].startswith("/values/")
    }
    rows = []
    for index, value in enumerate(claim["values"]):
        unit = {
            "min": "minutes",
            "h": "hours",
            "d": "days",
            "wk": "weeks",
            "mo": "months",
            "a": "years",
            "percent": "%",
        }.get(value["unit"] or "", value["unit"] or "")
        text = value["text"] if value["number"] is None else f"{format_number(value['number'])} {unit}".strip()
        rows.append((capital(value["name"].replace("_", " ")), text, quoted.get(str(index), "")))
    return rows
