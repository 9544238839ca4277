"""View models of study results: effect size, arms, finding and GRADE certainty of each; and forest plots."""

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
from app.models.effects import is_controlled
from app.models.outcomes import Outcome
from app.models.studies import Study
from app.models.study_results import COMPARATORS, StudyResult
from app.models.treatments import Treatment
from app.pages.context import Link, Note, PageContext, Record, grouped
from app.pages.wording import MEASURES, RATIOS, Tone, finding_words, format_number, percent, spaced, titled, why_absent

MOST_PLOTS = 6
"""How many forest plots a page draws."""
LONGEST_TITLE = 44
"""Characters of a plot's title; a longer one is cut."""
CERTAINTIES = {"high": 4, "moderate": 3, "low": 2, "very-low": 1}
"""GRADE's four levels, as filled dots out of four."""


@dataclass(frozen=True)
class CertaintyLine:
    """The certainty of evidence (GRADE): its level, filled dots out of four, who rated it, and why."""

    level: str
    dots: int
    by: str
    why: str


@dataclass(frozen=True)
class ResultLine:
    """A row of a table of results."""

    id: str
    href: str
    outcome: str
    when: str
    condition: Link | None
    treatment: Link
    study: str
    kind: str
    """Size of a pooled result: `4 trials, 122 people`; empty for a result of one study."""
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


def result_groups(results: Sequence[Record], context: PageContext, by: type[Row] = Condition) -> list[ResultGroup]:
    """The results by condition or by treatment."""
    return [ResultGroup(link, result_lines(group, context)) for link, _, group in grouped(results, context, by)]


def _order(result: Record) -> tuple[bool, str, str]:
    return result["synthesis"] == "none", result["outcome_text"], result["id"]


def result_lines(results: Iterable[Record], context: PageContext) -> list[ResultLine]:
    """Rows for the results by outcome, pooled results before those of single studies."""
    return [result_line(result, context) for result in sorted(results, key=_order)]


def result_line(result: Record, context: PageContext) -> ResultLine:
    """The row of one result."""
    finding, tone = finding_words(result)
    return ResultLine(
        id=result["id"],
        href=context.page(StudyResult.plural, result["id"]),
        outcome=capital(result["outcome_text"]),
        when=result["time_frame_text"] or "",
        condition=context.link(Condition, result["condition"]) if result["condition"] else None,
        treatment=context.link(Treatment, result["treatment"]),
        study=study_name(result, context),
        kind=_kind(result),
        comparison=comparator_name(result, context),
        arms="; ".join(text for arm in result["arms"] if (text := arm_words(arm))),
        effect=effect_words(result),
        p=p_words(result),
        finding=finding,
        tone=tone,
        certainty=certainty_of(result),
        notes=context.cited(result),
    )


def study_name(result: Record, context: PageContext) -> str:
    """The short name of the study: its acronym, else its id as words (`Foster 2001`)."""
    study = context.record(Study.plural, result["study"])
    return str(study["acronym"]) if study and study["acronym"] else titled(result["study"])


def _kind(result: Record) -> str:
    if result["synthesis"] == "none":
        return ""
    parts = [
        f"{result['trial_count']} trials" if result["trial_count"] else "",
        f"{format_number(result['participant_count'])} people" if result["participant_count"] else "",
    ]
    text = ", ".join(part for part in parts if part)
    return text or "several trials"


def comparator_name(result: Record, context: PageContext) -> str:
    """The comparator of a result; empty for a single group."""
    comparator = result["comparator"]
    if comparator in (None, "none"):
        return ""
    return {"baseline": "the time before"}.get(
        comparator, spaced(comparator) if comparator in COMPARATORS else context.name(Treatment, comparator)
    )


def arm_words(arm: Record) -> str:
    """An arm's own numbers: `saline: 4 of 16 (25 %)`, `toxin: mean 3.3, SD 2.2 (n = 15)`; empty where it has none.

    `toxin: 12 of 30 eyes`; `drug: median 26.3 (95 % CI 18.3 to not reached)`; `drug: 3.1 events per 100 patient-years`.
    """
    n, events, rate = arm["n"], arm["events"], arm["percent"]
    text = ""
    if events is not None and n:
        text = (
            f"{format_number(events)} of {format_number(n)} ({percent(rate if rate is not None else 100 * events / n)})"
        )
    elif rate is not None:
        text = percent(rate) + (f" of {format_number(n)}" if n else "")
    else:
        named = (("mean", "mean"), ("sd", "SD"), ("se", "SE"), ("median", "median"), ("event_count", "events"))
        parts = [f"{word} {format_number(arm[name])}" for name, word in named if arm[name] is not None]
        text = ", ".join([*parts, *_other_numbers(arm)])
        text += _interval_words(arm)
        text += f" (n = {format_number(n)})" if text and n else f"n = {format_number(n)}" if n else ""
    return f"{arm['arm']}: {text}" if text else ""


def _other_numbers(arm: Record) -> list[str]:
    """An arm's units that are no people, and its value with its own unit; a release of 0.3.0 has neither."""
    units = arm.get("denominator_unit") or "units"
    counted = [format_number(arm.get(name)) for name in ("numerator", "denominator")]
    texts = [" of ".join(count for count in counted if count) + f" {units}"] if any(counted) else []
    value, unit = arm.get("value"), arm.get("unit")
    return [*texts, f"{format_number(value)} {unit or ''}".strip()] if value is not None else texts


def _interval_words(arm: Record) -> str:
    """An arm's own interval: ` (95 % CI 18.3 to not reached)`; empty without one."""
    low, high = arm.get("ci_low"), arm.get("ci_high")
    if low is None and high is None:
        return ""
    ends = [format_number(arm[name]) or why_absent(arm, name) or "?" for name in ("ci_low", "ci_high")]
    level = f"{format_number(arm['ci_level'])}\u202f% " if arm["ci_level"] else ""
    return f" ({level}CI {ends[0]} to {ends[1]})"


def effect_words(result: Record) -> str:
    """The effect size with its confidence interval: `risk ratio 1.19 (95 % CI 1.03 to 1.36)`; empty without one."""
    if result["estimate"] is None:
        return ""
    name = result.get("measure_text") if result["measure"] == "other" else None
    text = f"{name or MEASURES[result['measure']]} {format_number(result['estimate'])}"
    if result["ci_low"] is None and result["ci_high"] is None:
        return text
    level = f"{format_number(result['ci_level'])}\u202f% " if result["ci_level"] else ""
    ends = [format_number(result[name]) or why_absent(result, name) or "?" for name in ("ci_low", "ci_high")]
    return f"{text} ({level}CI {ends[0]} to {ends[1]})"


def p_words(result: Record) -> str:
    """The P value: `P = 0.012`, or as it is printed where that is no number; empty without one."""
    if result["p_value"] is None:
        return f"P {result['p_text']}" if result.get("p_text") else ""
    return f"P {result['p_modifier']} {result['p_value']:g}"


def certainty_of(record: Record) -> CertaintyLine | None:
    """The GRADE certainty of a result; None where it was not rated."""
    rated = record["certainty"]
    if rated is None:
        return None
    lowered = "lowered for " + ", ".join(map(spaced, rated["lowered_by"])) if rated["lowered_by"] else ""
    raised = "raised for " + ", ".join(map(spaced, rated["raised_by"])) if rated["raised_by"] else ""
    why = "; ".join(part for part in (lowered, raised) if part)
    return CertaintyLine(titled(rated["level"]), CERTAINTIES[rated["level"]], rated["by"] or "", why)


@dataclass(frozen=True)
class Plot:
    """A forest plot as inline SVG, with its treatment and condition as a caption."""

    drawing: Markup
    about: str
    pool: str | None = None
    """Path of the page that pools these results; None where they cannot be pooled."""


def forest_plots(results: Sequence[Record], context: PageContext, least: int = 1) -> list[Plot]:
    """One plot for each condition, outcome, measure and level with at least `least` estimates with intervals.

    Estimates without a control group, and those that are printed the other way round, have plots of their own.
    The largest `MOST_PLOTS` groups are drawn. The results are shown beside each other, never pooled.
    """
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for result in results:
        if result["estimate"] is not None and result["ci_low"] is not None and result["ci_high"] is not None:
            key = (
                result["condition"],
                result["outcome"] or result["outcome_text"],
                result["measure"],
                result["ci_level"],
                is_controlled(result["comparator"]),
                result.get("estimate_direction"),
            )
            groups.setdefault(key, []).append(result)
    largest = sorted((group for group in groups.values() if len(group) >= least), key=len, reverse=True)[:MOST_PLOTS]
    return [_plot(group, context) for group in largest]


def _plot(group: Sequence[Record], context: PageContext) -> Plot:
    drawing = Markup(inline(forest_svg(_forest(group, context))))  # noqa: S704  # every text is escaped in it
    condition, treatment = group[0]["condition"], context.name(Treatment, group[0]["treatment"])
    about = f"{treatment}, {context.name(Condition, condition)}" if condition else treatment
    return Plot(drawing, about, _synthesis_path(group, context))


def _synthesis_path(group: Sequence[Record], context: PageContext) -> str | None:
    """Path of the synthesis page for these results, which checks their measures and products for comparability.

    None for one result, or for results without a condition or an outcome.
    """
    first = group[0]
    if len(group) < 2 or not (first["condition"] and first["outcome"]):
        return None
    params = [("treatment", result) for result in sorted({result["treatment"] for result in group})]
    params += [("condition", first["condition"]), ("outcome", first["outcome"])]
    return "/syntheses?" + urlencode(params + ([("release", context.release)] if context.release else []))


def _forest(group: Sequence[Record], context: PageContext) -> Forest:
    first = group[0]
    is_log = first["measure"] in RATIOS and all(result["ci_low"] > 0 for result in group)
    outcome = context.name(Outcome, first["outcome"]) if first["outcome"] else capital(first["outcome_text"])
    return Forest(
        title=cut(outcome, LONGEST_TITLE),
        symbol=capital(MEASURES[first["measure"]]),
        level=f"{format_number(first['ci_level'])}%" if first["ci_level"] else "interval",
        studies=[
            PlottedInterval(
                ", ".join(part for part in (study_name(result, context), result["time_frame_text"]) if part),
                *_estimate_and_interval(result),
            )
            for result in group
        ],
        pooled=None,
        prediction=None,
        is_log=is_log,
        no_effect=1.0 if first["measure"] in RATIOS else None if first["measure"] == "other" else 0.0,
        remarks=["Shown beside each other, not pooled"] if len(group) > 1 else [],
    )


def _estimate_and_interval(result: Record) -> tuple[float, float, float]:
    return result["estimate"], result["ci_low"], result["ci_high"]
