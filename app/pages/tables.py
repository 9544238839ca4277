"""View models of table rows: approvals, label warnings, and dosing intervals with bars on a timeline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from app.evidence.sentences import capital
from app.models.conditions import Condition
from app.models.dose_sentences import dose_words, maximum_words, sentence, timing_words
from app.models.indications import Indication
from app.models.treatments import Treatment
from app.pages.context import Link, Note, PageContext, Record
from app.pages.wording import STATUS_TONES, Tone, day_words, place_name, spaced, span, titled, why_absent

BASES = {"label": "Label", "trial": "Trial", "guideline": "Guideline", "claim": "A document's claim"}
WEEK = 7.0


@dataclass(frozen=True)
class ApprovalLine:
    """A row of the table of approvals."""

    id: str
    treatment: Link
    condition: Link
    indication: str
    place: str
    status: str
    tone: Tone
    since: str
    until: str
    authority: str
    scope: str
    checked: str
    first: bool
    notes: tuple[Note, ...]


def approval_lines(approvals: Iterable[Record], context: PageContext) -> list[ApprovalLine]:
    """Rows for approvals, by condition, treatment and place, then the newest first."""
    lines = [
        _approval(approval, context)
        for approval in sorted(approvals, key=lambda approval: str(approval["valid_from"]), reverse=True)
    ]
    return sorted(lines, key=lambda line: (line.condition.text, line.treatment.text, line.place))


def _approval(approval: Record, context: PageContext) -> ApprovalLine:
    return ApprovalLine(
        id=approval["id"],
        treatment=context.link(Treatment, approval["treatment"]),
        condition=context.link(Condition, approval["condition"]),
        indication=context.page(Indication.plural, approval["indication"]),
        place=place_name(approval["jurisdiction"]),
        status=titled(approval["status"]),
        tone=STATUS_TONES.get(approval["status"], "plain"),
        since=day_words(approval["valid_from"], 3) or why_absent(approval, "valid_from"),
        until=day_words(approval["valid_to"], 3),
        authority=approval["authority"] or why_absent(approval, "authority"),
        scope=approval["scope"] or "",
        checked=day_words(approval["as_of"], 3),
        first=bool(approval["first_approval"]),
        notes=context.cited(approval),
    )


@dataclass(frozen=True)
class WarningLine:
    """A label warning."""

    id: str
    kind: str
    is_boxed: bool
    place: str
    statement: str
    about: Link | None
    """Link to the treatment (a class) that it is about; None where that is the treatment of the page."""
    notes: tuple[Note, ...]


def warning_lines(warnings: Iterable[Record], context: PageContext, treatment: str | None) -> list[WarningLine]:
    """The view of label warnings, boxed warnings first; `treatment` is the id of the page's own treatment."""
    lines = [
        WarningLine(
            id=warning["id"],
            kind=titled(warning["kind"]),
            is_boxed=warning["kind"] == "boxed-warning",
            place=place_name(warning["jurisdiction"]),
            statement=warning["statement"],
            about=None if warning["treatment"] == treatment else context.link(Treatment, warning["treatment"]),
            notes=context.cited(warning),
        )
        for warning in warnings
    ]
    return sorted(lines, key=lambda line: not line.is_boxed)


@dataclass(frozen=True)
class DoseBar:
    """The bar of a dosing interval, in percent of the timeline's width."""

    start: float
    width: float
    is_open: bool
    """Whether the bar runs to the end of the timeline, because no longest interval is given."""


@dataclass(frozen=True)
class DoseLine:
    """A row of the table of doses."""

    id: str
    treatment: Link
    condition: Link | None
    basis: str
    is_claim: bool
    place: str
    dose: str
    sentence: str
    """The whole dose in words."""
    interval: str
    bar: DoseBar | None
    lasting: str
    population: str
    note: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class DoseTable:
    """The table of doses, whose bars share one timeline."""

    lines: list[DoseLine]
    weeks: int
    """Length of the timeline in weeks."""


def dose_table(dosing: Sequence[Record], context: PageContext) -> DoseTable:
    """The table of doses by condition; within one by basis, labels first, and claims of documents last.

    The timeline is at least 16 weeks, and a multiple of 4.
    """
    ends = [dosing_interval["interval_days_max"] or dosing_interval["interval_days"] for dosing_interval in dosing]
    weeks = max(16, 4 * ceil(max((end / WEEK for end in ends if end), default=0) * 1.08 / 4))
    order = list(BASES)
    ordered = sorted(
        dosing,
        key=lambda dosing_interval: (
            order.index(dosing_interval["basis"]),
            place_name(dosing_interval["jurisdiction"]),
        ),
    )
    lines = sorted(
        (_dose_line(dosing_interval, context, weeks) for dosing_interval in ordered),
        key=lambda line: line.condition.text if line.condition else "",
    )
    return DoseTable(lines, weeks)


def _dose_line(dosing: Record, context: PageContext, weeks: int) -> DoseLine:
    return DoseLine(
        id=dosing["id"],
        treatment=context.link(Treatment, dosing["treatment"]),
        condition=context.link(Condition, dosing["condition"]) if dosing["condition"] else None,
        basis=BASES[dosing["basis"]],
        is_claim=dosing["basis"] == "claim",
        place=place_name(dosing["jurisdiction"]),
        dose=_amount(dosing, context),
        sentence=capital(sentence(dosing, dose_label(dosing, context)) or ""),
        interval=capital(_how_often(dosing)) or _missing_interval(dosing),
        bar=_bar(dosing, weeks),
        lasting=_onset_and_duration(dosing),
        population=dosing["population"] or "",
        note=dosing["note"] or "",
        notes=context.cited(dosing),
    )


def _missing_interval(dosing: Record) -> str:
    reason = (
        why_absent(dosing, "interval_min") or why_absent(dosing, "interval_max") or why_absent(dosing, "interval_unit")
    )
    return f"Interval {reason}" if reason else ""


def _how_often(dosing: Record) -> str:
    """How often, and whether as needed; of a titration its steps are in the sentence."""
    return " ".join(part for part in (timing_words(dosing), "as needed" if dosing.get("as_needed") else "") if part)


def dose_label(dosing: Record, context: PageContext) -> str:
    """The product's own unit in words."""
    treatment = context.record(Treatment.plural, dosing["treatment"])
    return str(treatment["dose_unit"]["label"]) if treatment and treatment["dose_unit"] else spaced(dosing["dose_unit"])


def _amount(dosing: Record, context: PageContext) -> str:
    """The dose in the product's own unit, per what, the number of sites, and the maximum dose in a period."""
    unit = dose_label(dosing, context)
    sites = span(dosing["sites_min"], dosing["sites_max"], "sites")
    parts = (dose_words(dosing, unit), f"in {sites}" if sites else "", maximum_words(dosing, unit))
    return "; ".join(part for part in parts if part)


def _unit(unit: str | None) -> str:
    return {"min": "minutes", "h": "hours", "d": "days", "wk": "weeks", "mo": "months", "a": "years"}.get(
        unit or "", ""
    )


def _bar(dosing: Record, weeks: int) -> DoseBar | None:
    low, high = dosing["interval_days"], dosing["interval_days_max"]
    if low is None:
        return None
    start = 0.0 if dosing["interval_min"] is None else min(100.0, 100 * low / WEEK / weeks)
    end = 100.0 if high is None else min(100.0, 100 * high / WEEK / weeks)
    return DoseBar(round(start, 1), round(max(end - start, 2.0), 1), high is None)


def _onset_and_duration(dosing: Record) -> str:
    parts = []
    for name, verb in (("onset", "begins after"), ("duration", "lasts")):
        text = span(dosing[f"{name}_min"], dosing[f"{name}_max"], _unit(dosing[f"{name}_unit"]))
        parts += [f"{verb} {text}"] if text else []
    return capital("; ".join(parts))
