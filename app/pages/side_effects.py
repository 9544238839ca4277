"""Side effects as frequency bars: how many of how many people, on one scale, with what the number is based on."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from app.models.studies import Study
from app.pages.context import Link, Note, PageContext, Record, Uses, first_of, grouped
from app.pages.wording import format_number, percent, titled

LOWEST = 0.01
"""The percentage at which the bars begin: each tenfold is as long, so that rare effects are seen beside common ones."""
BASES = {
    "label": "label",
    "trial": "trial",
    "post-marketing": "reported after approval",
    "claim": "a document's claim",
}


@dataclass(frozen=True)
class EffectLine:
    """One effect: its bar (0–100), its figures and what they come from."""

    id: str
    term: str
    is_serious: bool
    percent: str
    counts: str
    """`18 of 716 people`; empty where the source gives no numbers of people."""
    width: float | None
    against: str
    """The same of the comparator."""
    frequency: str
    origin: str
    is_observed: bool
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class EffectGroup:
    """The effects that were seen where the treatment was given for one condition."""

    condition: Link | None
    lines: list[EffectLine]
    unnumbered: list[EffectLine]
    """Those for which the source gives neither a percentage nor a frequency nor people."""
    more: Link | None
    """Where all of them are, when only the first are shown."""


def effect_groups(effects: Sequence[Record], context: PageContext, uses: Uses | None = None) -> list[EffectGroup]:
    """The effects by condition; within one the most frequent first, those without a figure last.

    Where a use has a page of its own (`uses`), only the first effects are shown here.
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
    """One effect as a line."""
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
    """The length of a bar, 0–100, by the logarithm of the percentage; None without one."""
    if rate is None:
        return None
    return 0.0 if rate <= LOWEST else round(100 * (log10(rate) - log10(LOWEST)) / (2 - log10(LOWEST)), 1)


def people(affected: int | None, at_risk: int | None) -> str:
    """`18 of 716`, or what is known of it."""
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
