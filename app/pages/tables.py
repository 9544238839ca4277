"""Records of the ledger and of dosing as lines of a table: approvals, warnings, dosing intervals with their bars."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from app.evidence.sentences import capital
from app.formats.schema_org import frequency
from app.models.conditions import Condition
from app.models.indications import Indication
from app.models.treatments import Treatment
from app.pages.context import Around, Link, Note, Record
from app.pages.wording import STATUS_TONES, Tone, day_words, place_name, spaced, span, titled, why_absent

BASES = {"label": "Label", "trial": "Trial", "guideline": "Guideline", "claim": "A document's claim"}
WEEK = 7.0


@dataclass(frozen=True)
class ApprovalLine:
    """One row of the table of approvals."""

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


def approval_lines(approvals: Iterable[Record], around: Around) -> list[ApprovalLine]:
    """The approvals by condition and treatment, then by place, the newest first."""
    lines = [_approval(one, around) for one in sorted(approvals, key=lambda one: str(one["valid_from"]), reverse=True)]
    return sorted(lines, key=lambda line: (line.condition.text, line.treatment.text, line.place))


def _approval(one: Record, around: Around) -> ApprovalLine:
    return ApprovalLine(
        id=one["id"],
        treatment=around.link(Treatment, one["treatment"]),
        condition=around.link(Condition, one["condition"]),
        indication=around.page(Indication.plural, one["indication"]),
        place=place_name(one["jurisdiction"]),
        status=titled(one["status"]),
        tone=STATUS_TONES.get(one["status"], "plain"),
        since=day_words(one["valid_from"], 3) or why_absent(one, "valid_from"),
        until=day_words(one["valid_to"], 3),
        authority=one["authority"] or why_absent(one, "authority"),
        scope=one["scope"] or "",
        checked=day_words(one["as_of"], 3),
        first=bool(one["first_approval"]),
        notes=around.cited(one),
    )


@dataclass(frozen=True)
class WarningLine:
    """One warning."""

    id: str
    kind: str
    is_boxed: bool
    place: str
    statement: str
    about: Link | None
    """The class that it is about, where that is not the treatment of the page."""
    notes: tuple[Note, ...]


def warning_lines(warnings: Iterable[Record], around: Around, treatment: str | None) -> list[WarningLine]:
    """The warnings, boxed ones first."""
    lines = [
        WarningLine(
            id=warning["id"],
            kind=titled(warning["kind"]),
            is_boxed=warning["kind"] == "boxed-warning",
            place=place_name(warning["jurisdiction"]),
            statement=warning["statement"],
            about=None if warning["treatment"] == treatment else around.link(Treatment, warning["treatment"]),
            notes=around.cited(warning),
        )
        for warning in warnings
    ]
    return sorted(lines, key=lambda line: not line.is_boxed)


@dataclass(frozen=True)
class DoseBar:
    """An interval between doses on the timeline, in percent of its width."""

    start: float
    width: float
    is_open: bool
    """Whether it goes on beyond the end: no longest interval is given."""


@dataclass(frozen=True)
class DoseLine:
    """One row of the table of doses."""

    id: str
    treatment: Link
    condition: Link | None
    basis: str
    is_claim: bool
    place: str
    dose: str
    interval: str
    bar: DoseBar | None
    lasting: str
    population: str
    note: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class DoseTable:
    """The doses on one timeline."""

    lines: list[DoseLine]
    weeks: int
    """How many weeks the timeline is long."""


def dose_table(dosing: Sequence[Record], around: Around) -> DoseTable:
    """The doses by condition; within one labels come first and claims, which are only what a document says, last."""
    ends = [one["interval_days_max"] or one["interval_days"] for one in dosing]
    weeks = max(16, 4 * ceil(max((end / WEEK for end in ends if end), default=0) * 1.08 / 4))
    order = list(BASES)
    ordered = sorted(dosing, key=lambda one: (order.index(one["basis"]), place_name(one["jurisdiction"])))
    lines = sorted(
        (_dose(one, around, weeks) for one in ordered), key=lambda line: line.condition.text if line.condition else ""
    )
    return DoseTable(lines, weeks)


def _dose(one: Record, around: Around, weeks: int) -> DoseLine:
    return DoseLine(
        id=one["id"],
        treatment=around.link(Treatment, one["treatment"]),
        condition=around.link(Condition, one["condition"]) if one["condition"] else None,
        basis=BASES[one["basis"]],
        is_claim=one["basis"] == "claim",
        place=place_name(one["jurisdiction"]),
        dose=_amount(one, around),
        interval=capital(frequency(one) or "") or _absent(one),
        bar=_bar(one, weeks),
        lasting=_lasting(one),
        population=one["population"] or "",
        note=one["note"] or "",
        notes=around.cited(one),
    )


def _absent(one: Record) -> str:
    why = why_absent(one, "interval_min") or why_absent(one, "interval_max") or why_absent(one, "interval_unit")
    return f"Interval {why}" if why else ""


def _amount(one: Record, around: Around) -> str:
    """The dose with the product's own unit, what it counts for, the sites, and the most in a period."""
    treatment = around.record(Treatment.plural, one["treatment"])
    unit = treatment["dose_unit"]["label"] if treatment and treatment["dose_unit"] else spaced(one["dose_unit"])
    dose = span(one["dose_min"], one["dose_max"], unit)
    if dose and one["dose_per"]:
        dose += f" per {' and '.join(one['dose_per'])}"
    if dose and one["dose_statistic"] == "iqr":
        dose += " (middle half of people)"
    sites = span(one["sites_min"], one["sites_max"], "sites")
    most = span(None, one["max_dose"], unit)
    if most:
        most += f" in {span(one['max_dose_period'], one['max_dose_period'], _unit(one['max_dose_period_unit']))}"
    return "; ".join(part for part in (dose, f"in {sites}" if sites else "", most) if part)


def _unit(unit: str | None) -> str:
    return {"h": "hours", "d": "days", "wk": "weeks", "mo": "months", "a": "years"}.get(unit or "", "")


def _bar(one: Record, weeks: int) -> DoseBar | None:
    low, high = one["interval_days"], one["interval_days_max"]
    if low is None:
        return None
    start = 0.0 if one["interval_min"] is None else min(100.0, 100 * low / WEEK / weeks)
    end = 100.0 if high is None else min(100.0, 100 * high / WEEK / weeks)
    return DoseBar(round(start, 1), round(max(end - start, 2.0), 1), high is None)


def _lasting(one: Record) -> str:
    parts = []
    for name, said in (("onset", "begins after"), ("duration", "lasts")):
        told = span(one[f"{name}_min"], one[f"{name}_max"], _unit(one[f"{name}_unit"]))
        parts += [f"{said} {told}"] if told else []
    return capital("; ".join(parts))
