"""The meta-analysis: pooled estimate, sensitivity analyses, small-study tests, and notes for the reader."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from app.evidence.statistics import sensitivity
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.measures import PETO, Measure, effect_of, effects_of
from app.evidence.statistics.pooling import Plan, Pooled, StudyEffect, pool
from app.evidence.statistics.sensitivity import Attempt, Egger, Subgroups, TrimAndFill
from app.evidence.statistics.study_data import Counts, Fault, Rates, Row
from app.evidence.statistics.two_by_two import MANTEL_HAENSZEL_MEASURES

Also = Literal["leave-one-out", "cumulative", "subgroups", "egger", "trim-and-fill"]
MOST_REPEATED = 200
"""Limit of studies for leave-one-out and cumulative analyses: quadratic in their number, below half a second."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class MetaAnalysis:
    """The input of a meta-analysis: rows of one shape, and the plan."""

    measure: Measure
    plan: Plan
    rows: Sequence[Row]
    subgroups: Sequence[str] = ()
    """The subgroup name of each study, or empty."""
    also: frozenset[Also] = frozenset()


@dataclass(slots=True)
class Analysis:
    """The result of a meta-analysis; parts that are not requested, or not defined for these studies, are None."""

    question: MetaAnalysis
    measure: Measure
    studies: Sequence[StudyEffect]
    pooled: Pooled
    leave_one_out: Sequence[Attempt] | None = None
    cumulative: Sequence[Attempt] | None = None
    subgroups: Subgroups | None = None
    egger: Egger | None = None
    trim_and_fill: TrimAndFill | None = None
    notes: list[str] = field(default_factory=list)
    """Sentences with what a reader must know to interpret the numbers."""


def contradictions(question: MetaAnalysis) -> Iterator[Fault]:
    """Choices that exclude each other, each with the name of the choice and what is wrong."""
    plan = question.plan
    if plan.method != "inverse-variance":
        known = MANTEL_HAENSZEL_MEASURES if plan.method == "mantel-haenszel" else ("odds-ratio",)
        if plan.measure not in known:
            yield "method", f"{plan.method} pools {', '.join(known)}; for {plan.measure} use inverse-variance"
        if plan.model != "common-effect":
            yield "model", f"{plan.method} is a common-effect method; use model common-effect or inverse-variance"
        if "trim-and-fill" in question.also:
            yield "also", "trim-and-fill needs method inverse-variance"
    if plan.interval == "knapp-hartung" and plan.model != "random-effects":
        yield "interval", "knapp-hartung belongs to model random-effects; use wald"
    if {"leave-one-out", "cumulative"} & question.also and len(question.rows) > MOST_REPEATED:
        yield "also", f"leave-one-out and cumulative take at most {MOST_REPEATED} studies"
    if "subgroups" in question.also and not question.subgroups:
        yield "also", "subgroups needs a subgroup for every study"


def analyse(question: MetaAnalysis) -> Analysis:
    """Run a meta-analysis whose rows have no faults and whose choices no contradictions; Undefined without a result."""
    measure = PETO if question.plan.method == "peto" else question.measure
    studies = _studies(measure, question)
    plan = question.plan
    analysis = Analysis(question, measure, studies, pool(studies, plan))
    analysis.notes += _notes(analysis)
    effects = [study.effect for study in studies if study.effect is not None]

    def requested(name: Also, compute: Callable[[], T]) -> T | None:
        if name not in question.also:
            return None
        try:
            return compute()
        except Undefined as fault:
            analysis.notes.append(f"{name}: {fault.message}.")
            return None

    analysis.leave_one_out = requested("leave-one-out", lambda: sensitivity.leave_one_out(studies, plan))
    analysis.cumulative = requested("cumulative", lambda: sensitivity.cumulative(studies, plan))
    analysis.subgroups = requested("subgroups", lambda: sensitivity.subgroups(studies, question.subgroups, plan))
    analysis.notes += _notes_on_parts(analysis)
    analysis.egger = requested("egger", lambda: sensitivity.egger(effects, plan.tail))
    analysis.trim_and_fill = requested("trim-and-fill", lambda: sensitivity.trim_and_fill(studies, plan))
    return analysis


def _studies(measure: Measure, question: MetaAnalysis) -> list[StudyEffect]:
    """The studies with their effects; None under Mantel–Haenszel and Peto for a study without variation, and only there
    (metafor's `drop00=TRUE` of `rma.mh` and `rma.peto`).
    """
    if question.plan.method == "inverse-variance":
        effects = effects_of(measure, question.rows)
        return [StudyEffect(row, effect) for row, effect in zip(question.rows, effects, strict=True)]
    return [
        StudyEffect(row, effect_of(measure, row, index) if _varies(row) else None)
        for index, row in enumerate(question.rows)
    ]


def _varies(row: Row) -> bool:
    if isinstance(row, Counts):
        return 0 < row.events1 + row.events2 < row.n1 + row.n2
    return not isinstance(row, Rates) or row.events1 + row.events2 > 0


def _notes(analysis: Analysis) -> Iterator[str]:
    plan, studies = analysis.question.plan, analysis.studies
    if len(studies) == 1:
        yield "One study is shown, not pooled."
    adjusted = sum(study.effect is not None and study.effect.is_adjusted for study in studies)
    if adjusted:
        where = "" if plan.method == "inverse-variance" else " for its own estimate; the pooled one uses the raw counts"
        yield f"½ was added to every cell of {_count(adjusted)} with an empty cell{where}."
    without_effect = sum(study.effect is None for study in studies)
    if without_effect:
        yield f"{_count(without_effect)} in which nobody or everybody had the event has no effect of its own."
    if plan.interval == "knapp-hartung":
        wald = pool(studies, replace(plan, interval="wald"), with_interval_of_tau2=False)
        if analysis.pooled.ci_high - analysis.pooled.ci_low < wald.ci_high - wald.ci_low:
            yield (
                "Knapp and Hartung's interval is narrower here than Wald's, because the studies agree more than chance "
                f"lets expect; Wald's is {wald.ci_low:.6g} to {wald.ci_high:.6g} on the scale of the analysis."
            )


def _notes_on_parts(analysis: Analysis) -> Iterator[str]:
    """Notes on the leave-one-out, cumulative and subgroup results."""
    groups = analysis.subgroups.groups.values() if analysis.subgroups else ()
    parts = [*(analysis.leave_one_out or ()), *(analysis.cumulative or ()), *groups]
    has_single_study = any(len(part.studies) == 1 for part in parts)
    if has_single_study and analysis.question.plan.interval == "knapp-hartung":
        yield "Where a study stands alone, its own interval is shown: Knapp and Hartung's needs two."


def _count(studies: int) -> str:
    return "1 study" if studies == 1 else f"each of {studies} studies"
