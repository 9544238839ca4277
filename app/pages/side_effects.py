"""View models of side effects: frequency bars on one logarithmic scale, with counts and the basis of each figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from app.models.studies import Study
from app.pages.context import IndicationLinks, Link, Note, PageContext, Record, first_of, grouped
from app.pages.wording import format_number, percent, titled

LOWEST = 0.01
"""The percentage at which the logarithmic scale of the bars begins, so that rare effects show beside common ones."""
BASES = {
    "label": "label",
    "trial": "trial",
    "post-marketing": "reported after approval",
    "claim": "a document's claim",
}


@dataclass(frozen=True)
class EffectLine:
    """One side effect: the width of its bar (0–100), its figures and their basis."""

    id: str
    term: str
    is_serious: bool
    percent: str
    counts: str
    """`18 of 716 people`; empty where the source gives no numbers of people."""
    width: float | None
    against: str
    """The figures of the comparator arms."""
    frequency: str
    origin: str
    is_observed: bool
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class EffectGroup:
    """The side effects of a treatment in one condition; condition None: in no particular one."""

    condition: Link | None
    lines: list[EffectLine]
    unnumbered: list[EffectLine]
    """The effects for which the source gives neither a percentage nor a frequency nor counts."""
    more: Link | None
    """Link to the page with all effects, when only the first are shown; else None."""


def effect_groups(
    effects: Sequence[Record], context: PageContext, uses: IndicationLinks | None = None
) -> list[EffectGroup]:
    """The effects by condition; within one the most frequent first, those without a figure last.

    Of a condition whose indication has a page of its own (`uses`), only the first effects are shown.
    """
    groups = []
    for link, condition, group in grouped(effects, context):
        group.sort(key=lambda effect: (effect["percent"] is None, -(effect["percent"] or 0), effect["term"]))
        shown, more = first_of(group, condition, uses, "side effects")
        lines = [effect_line(effect, context) for effect in shown]
        unnumbered = [line for line in lines if not (line.percent or line.counts or line.frequency)]
        groups.append(EffectGroup(link, [line for line in lines if line not in unnumbered], unnumbered, more))
    return groups


def effect_line(effect: Record, context: PageContext) -> EffectLine:
    """The view of one side effect."""
    rate = effect["percent"]
    comparators = [arm for arm in effect["arms"] if arm["role"] == "comparator"]
    return EffectLine(
        id=effect["id"],
        term=effect["term"],
        is_serious=bool(effect["serious"]),
        percent=percent(rate),
        counts=people(effect["affected"], effect["at_risk"]),
        width=bar_width(rate),
        against="; ".join(_arm(arm) for arm in comparators),
        frequency="" if effect["frequency"] == "not-known" else titled(effect["frequency"]),
        origin=_origin(effect, context),
        is_observed=effect["attribution"] == "observed",
        notes=context.cited(effect),
    )


def bar_width(rate: float | None) -> float | None:
    """The width of a bar, 0–100, on the logarithmic scale from `LOWEST` to 100 %; None without a percentage."""
    if rate is None:
        return None
    return 0.0 if rate <= LOWEST else round(100 * (log10(rate) - log10(LOWEST)) / (2 - log10(LOWEST)), 1)


def people(affected: int | None, at_risk: int | None) -> str:
    """`18 of 716`; the one number that is known, else empty."""
    if affected is None:
        return "" if at_risk is None else f"of {format_number(at_risk)}"
    return format_number(affected) if at_risk is None else f"{format_number(affected)} of {format_number(at_risk)}"


def _arm(arm: Record) -> str:
    counted = people(arm["affected"], arm["at_risk"])
    exact = 100 * arm["affected"] / arm["at_risk"] if arm["affected"] is not None and arm["at_risk"] else arm["percent"]
    return " ".join(part for part in (arm["arm"] + ":", percent(exact), f"({counted})" if counted else "") if part)


def _origin(effect: Record, context: PageContext) -> str:
    study = context.record(Study.plural, effect["study"])
    acronym = f" {context.name(Study, effect['study'])}" if study and study["acronym"] else ""
    return f"{BASES[effect['basis']]}{acronym}"
