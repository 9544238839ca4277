"""What studies found: each result as a line with its numbers, its finding and its certainty; and as forest plots."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from app.evidence.sentences import capital
from app.formats.forest import Forest, PlottedInterval, forest_svg
from app.formats.svg import cut, inline
from app.models.base import Row
from app.models.conditions import Condition
from app.models.outcomes import Outcome
from app.models.studies import Study
from app.models.study_results import COMPARATORS, StudyResult
from app.models.treatments import Treatment
from app.pages.context import Around, Link, Note, Record, grouped
from app.pages.wording import FINDINGS, MEASURES, RATIOS, Tone, format_number, percent, spaced, titled

MOST_PLOTS = 6
"""How many forest plots a page draws."""
LONGEST_TITLE = 44
"""How many letters of a plot's title have room."""
CERTAINTIES = {"high": 4, "moderate": 3, "low": 2, "very-low": 1}
"""GRADE's four levels, as filled dots out of four."""


@dataclass(frozen=True)
class CertaintyLine:
    """How sure one can be, after GRADE."""

    level: str
    dots: int
    by: str
    why: str


@dataclass(frozen=True)
class ResultLine:
    """One result."""

    id: str
    href: str
    outcome: str
    when: str
    condition: Link | None
    treatment: Link
    study: str
    kind: str
    """What it joins, where it joins trials: `4 trials, 122 people`; empty for a result of one study."""
    comparison: str
    arms: str
    effect: str
    p: str
    finding: str
    tone: Tone
    certainty: CertaintyLine | None
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class ResultGroup:
    """The results about one condition, or one treatment."""

    about: Link | None
    lines: list[ResultLine]


def result_groups(results: Sequence[Record], around: Around, by: type[Row] = Condition) -> list[ResultGroup]:
    """The results by condition or by treatment."""
    return [ResultGroup(link, result_lines(own, around)) for link, _, own in grouped(results, around, by)]


def _order(one: Record) -> tuple[bool, str, str]:
    return one["synthesis"] == "none", one["outcome_text"], one["id"]


def result_lines(results: Iterable[Record], around: Around) -> list[ResultLine]:
    """The results by outcome, reviews before single studies."""
    return [result_line(result, around) for result in sorted(results, key=_order)]


def result_line(one: Record, around: Around) -> ResultLine:
    """One result as a line."""
    finding, tone = FINDINGS[one["finding"]]
    return ResultLine(
        id=one["id"],
        href=around.page(StudyResult.plural, one["id"]),
        outcome=capital(one["outcome_text"]),
        when=one["time_frame_text"] or "",
        condition=around.link(Condition, one["condition"]) if one["condition"] else None,
        treatment=around.link(Treatment, one["treatment"]),
        study=study_name(one, around),
        kind=_kind(one),
        comparison=comparator_name(one, around),
        arms="; ".join(told for arm in one["arms"] if (told := arm_words(arm))),
        effect=effect_words(one),
        p=p_words(one),
        finding=finding,
        tone=tone,
        certainty=certainty_of(one),
        notes=around.cited(one),
    )


def study_name(one: Record, around: Around) -> str:
    """The short name of the study: its acronym, else its id as words (`Foster 2001`)."""
    study = around.record(Study.plural, one["study"])
    return str(study["acronym"]) if study and study["acronym"] else titled(one["study"])


def _kind(one: Record) -> str:
    if one["synthesis"] == "none":
        return ""
    parts = [
        f"{one['trial_count']} trials" if one["trial_count"] else "",
        f"{format_number(one['participant_count'])} people" if one["participant_count"] else "",
    ]
    told = ", ".join(part for part in parts if part)
    return told or "several trials"


def comparator_name(one: Record, around: Around) -> str:
    """What it was compared with; empty for a single group."""
    comparator = one["comparator"]
    if comparator is None:
        return ""
    return {"baseline": "the time before", "none": "no treatment"}.get(
        comparator, spaced(comparator) if comparator in COMPARATORS else around.name(Treatment, comparator)
    )


def arm_words(arm: Record) -> str:
    """An arm's own numbers: `saline: 4 of 16 (25 %)`, `toxin: mean 3.3, SD 2.2 (n = 15)`; empty where it has none."""
    n, events, rate = arm["n"], arm["events"], arm["percent"]
    told = ""
    if events is not None and n:
        told = (
            f"{format_number(events)} of {format_number(n)} ({percent(rate if rate is not None else 100 * events / n)})"
        )
    elif rate is not None:
        told = percent(rate) + (f" of {format_number(n)}" if n else "")
    else:
        named = (("mean", "mean"), ("sd", "SD"), ("se", "SE"), ("median", "median"), ("event_count", "events"))
        told = ", ".join(f"{word} {format_number(arm[name])}" for name, word in named if arm[name] is not None)
        told += f" (n = {format_number(n)})" if told and n else f"n = {format_number(n)}" if n else ""
    return f"{arm['arm']}: {told}" if told else ""


def effect_words(one: Record) -> str:
    """The estimate with its interval: `risk ratio 1.19 (95 % CI 1.03 to 1.36)`; empty without one."""
    if one["estimate"] is None:
        return ""
    told = f"{MEASURES[one['measure']]} {format_number(one['estimate'])}"
    if one["ci_low"] is None and one["ci_high"] is None:
        return told
    level = f"{format_number(one['ci_level'])}\u202f% " if one["ci_level"] else ""
    return f"{told} ({level}CI {format_number(one['ci_low']) or '?'} to {format_number(one['ci_high']) or '?'})"


def p_words(one: Record) -> str:
    """`P = 0.012`; empty without one."""
    return "" if one["p_value"] is None else f"P {one['p_modifier']} {one['p_value']:g}"


def certainty_of(one: Record) -> CertaintyLine | None:
    """GRADE certainty, where somebody rated it."""
    rated = one["certainty"]
    if rated is None:
        return None
    lowered = "lowered for " + ", ".join(map(spaced, rated["lowered_by"])) if rated["lowered_by"] else ""
    raised = "raised for " + ", ".join(map(spaced, rated["raised_by"])) if rated["raised_by"] else ""
    why = "; ".join(part for part in (lowered, raised) if part)
    return CertaintyLine(titled(rated["level"]), CERTAINTIES[rated["level"]], rated["by"] or "", why)


@dataclass(frozen=True)
class Plot:
    """A forest plot, and what it is about."""

    drawing: Markup
    about: str
    pool: str | None = None
    """Where a reader asks for the pooled answer; None where nobody could pool them."""


def forest_plots(results: Sequence[Record], around: Around, least: int = 1) -> list[Plot]:
    """One plot for each outcome, condition and measure with estimates and intervals of at least so many results.

    They are shown beside each other, never pooled.
    """
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for result in results:
        if result["estimate"] is not None and result["ci_low"] is not None and result["ci_high"] is not None:
            key = (
                result["condition"],
                result["outcome"] or result["outcome_text"],
                result["measure"],
                result["ci_level"],
            )
            groups.setdefault(key, []).append(result)
    largest = sorted((group for group in groups.values() if len(group) >= least), key=len, reverse=True)[:MOST_PLOTS]
    return [_plot(group, around) for group in largest]


def _plot(group: Sequence[Record], around: Around) -> Plot:
    drawing = Markup(inline(forest_svg(_forest(group, around))))  # noqa: S704  # every text is escaped in it
    condition, treatment = group[0]["condition"], around.name(Treatment, group[0]["treatment"])
    about = f"{treatment}, {around.name(Condition, condition)}" if condition else treatment
    return Plot(drawing, about, _pool(group, around))


def _pool(group: Sequence[Record], around: Around) -> str | None:
    """The address that asks for the synthesis of these results, whose measure and products the gate will look at."""
    first = group[0]
    if len(group) < 2 or not (first["condition"] and first["outcome"]):
        return None
    asked = [("treatment", one) for one in sorted({one["treatment"] for one in group})]
    asked += [("condition", first["condition"]), ("outcome", first["outcome"])]
    return "/syntheses?" + urlencode(asked + ([("release", around.release)] if around.release else []))


def _forest(group: Sequence[Record], around: Around) -> Forest:
    first = group[0]
    is_log = first["measure"] in RATIOS and all(one["ci_low"] > 0 for one in group)
    outcome = around.name(Outcome, first["outcome"]) if first["outcome"] else capital(first["outcome_text"])
    return Forest(
        title=cut(outcome, LONGEST_TITLE),
        symbol=capital(MEASURES[first["measure"]]),
        level=f"{format_number(first['ci_level'])}%" if first["ci_level"] else "interval",
        studies=[
            PlottedInterval(
                ", ".join(part for part in (study_name(one, around), one["time_frame_text"]) if part), *_ends(one)
            )
            for one in group
        ],
        pooled=None,
        prediction=None,
        is_log=is_log,
        no_effect=1.0 if first["measure"] in RATIOS else None if first["measure"] == "other" else 0.0,
        remarks=["Shown beside each other, not pooled"] if len(group) > 1 else [],
    )


def _ends(one: Record) -> tuple[float, float, float]:
    return one["estimate"], one["ci_low"], one["ci_high"]
