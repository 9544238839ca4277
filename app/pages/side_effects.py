"""View models of side effects: frequency bars on one logarithmic scale, with counts and the basis of each figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from app.models.studies import Study
from app.pages.context import IndicationLinks, Link, Note, PageContext, Record, first_of, grouped
from app.pages.wording import format_number, percent, percent_of_arm, spaced, titled

LOWEST = 0.01
"""The percentage at which the logarithmic scale of the bars begins, so that rare effects show beside common ones."""
BASES = {
    "label": "label",
    "trial": "trial",
    "post-marketing": "reported after approval",
    "claim": "a document's claim",
    "observational": "observational study",
}
PERSON_TIME = {
    "min": "person-minutes",
    "h": "person-hours",
    "d": "person-days",
    "wk": "person-weeks",
    "mo": "person-months",
    "a": "person-years",
}


@dataclass(frozen=True)
class EffectLine:
    """One side effect: the width of its bar (0–100), its figures and their basis."""

    id: str
    term: str
    detail: str
    """Grade or severity, dose, time frame and reporting threshold."""
    is_serious: bool
    percent: str
    counts: str
    """`18 of 716 people`, `15 events in 120 person-years`; empty where the source gives no numbers."""
    width: float | None
    against: str
    """The figures of the other arms: comparators, and all where several were exposed or no role is known."""
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
        group.sort(key=lambda effect: (highest(effect) is None, -(highest(effect) or 0), effect["term"]))
        shown, more = first_of(group, condition, uses, "side effects")
        lines = [effect_line(effect, context) for effect in shown]
        unnumbered = [line for line in lines if not (line.percent or line.counts or line.frequency or line.against)]
        groups.append(EffectGroup(link, [line for line in lines if line not in unnumbered], unnumbered, more))
    return groups


def effect_line(effect: Record, context: PageContext) -> EffectLine:
    """The view of one side effect."""
    exposed = exposed_arm(effect)
    others = [arm for arm in effect["arms"] if arm is not exposed]
    return EffectLine(
        id=effect["id"],
        term=effect["term"],
        detail=_detail(effect, exposed),
        is_serious=bool(effect["serious"]),
        percent=figure_words(effect),
        counts=counts(exposed) if exposed else people(effect["affected"], effect["at_risk"]),
        width=bar_width(highest(effect)),
        against="; ".join(_arm(arm) for arm in others),
        frequency="" if effect["frequency"] == "not-known" else titled(effect["frequency"]),
        origin=_origin(effect, context),
        is_observed=effect["attribution"] == "observed",
        notes=context.cited(effect),
    )


def exposed_arm(effect: Record) -> Record | None:
    """The arm that received the treatment, when there is exactly one; arms are never summed."""
    exposed = [arm for arm in effect["arms"] if arm["role"] == "exposed"]
    return exposed[0] if len(exposed) == 1 else None


def figure_words(effect: Record) -> str:
    """The percentage of a side effect as it is known: `2.5 %`, `< 1 %`, `3–5 %`; empty for none."""
    exposed = exposed_arm(effect)
    return percent(effect["percent"]) if exposed is None else percent_of_arm(exposed)


def highest(effect: Record) -> float | None:
    """The percentage by which effects are sorted and drawn: of a bound the bound, of a range its upper end."""
    ends = (effect["percent"], effect.get("percent_max"), effect.get("percent_min"))
    return next((end for end in ends if end is not None), None)


def counts(arm: Record) -> str:
    """The numbers of an arm: people, and events with their person-time: `15 events in 120 person-years`."""
    time = arm.get("person_time")
    followed = "" if time is None else f" in {format_number(time)} {PERSON_TIME[arm['person_time_unit']]}"
    events = f"{format_number(arm['event_count'])} events{followed}" if arm["event_count"] is not None else ""
    rate = ""
    if arm.get("rate") is not None:
        per = f"{format_number(arm['rate_per'])} {PERSON_TIME[arm['person_time_unit']]}"
        rate = f"{format_number(arm['rate'])} events per {per}"
    return "; ".join(part for part in (people(arm["affected"], arm["at_risk"]), events, rate) if part)


def _detail(effect: Record, exposed: Record | None) -> str:
    """What tells a figure from others of the same term; empty for a document of 0.3.0, which says none of it."""
    low, high = effect.get("grade_min"), effect.get("grade_max")
    grades = f"{low}" if low == high else f"{low} or higher" if high is None else f"{low or 1} to {high}"
    threshold = effect.get("reporting_threshold")
    parts = (
        spaced(effect.get("severity")),
        "" if low is None and high is None else f"grade {grades}",
        (exposed or {}).get("dose") or "",
        effect.get("time_frame") or "",
        "" if threshold is None else f"reported from {percent(threshold)}",
    )
    return ", ".join(part for part in parts if part)


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
    counted, rate = counts(arm), percent_of_arm(arm)
    return " ".join(part for part in (arm["arm"] + ":", rate, f"({counted})" if counted else "") if part)


def _origin(effect: Record, context: PageContext) -> str:
    study = context.record(Study.plural, effect["study"])
    acronym = f" {context.name(Study, effect['study'])}" if study and study["acronym"] else ""
    return f"{BASES[effect['basis']]}{acronym}"
