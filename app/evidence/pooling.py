"""Pooling of study results: which are included under a measure, what conflicts, and the meta-analysis of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.evidence.comparability import ComparabilityConflict, conflicts
from app.evidence.extraction import (
    PROPORTIONS,
    EvidenceMeasure,
    Unusable,
    Usable,
    extract_numbers,
    measure_named,
    usual_measure,
)
from app.evidence.results import Reported, SubgroupBy
from app.evidence.statistics.analysis import Also, Analysis, MetaAnalysis, analyse, contradictions
from app.evidence.statistics.measures import effects_of
from app.evidence.statistics.pooling import EstimatorName, IntervalName, Method, Model, Plan, tau2_of
from app.evidence.statistics.study_data import Fault
from app.evidence.statistics.weights import Sample

WITHOUT_UNIT = ("standardized-mean-difference", "ratio-of-means")
"""Measures of means without a unit, which may be pooled over different scales."""
FEWEST_FOR_KNAPP_HARTUNG = 3


@dataclass(frozen=True)
class PoolingChoices:
    """How to pool; None is replaced by a default that depends on the results."""

    measure: EvidenceMeasure | None = None
    model: Model | None = None
    method: Method = "inverse-variance"
    estimator: EstimatorName = "reml"
    interval: IntervalName | None = None
    level: float = 95.0
    window_days: float = 0.0
    also: frozenset[Also] = frozenset()
    subgroup: SubgroupBy | None = None
    """The field that defines the subgroups."""


@dataclass(frozen=True)
class SortedResults:
    """Results under a measure: the included with their numbers, the excluded with the reason, and the conflicts."""

    measure: EvidenceMeasure
    counted: Sequence[tuple[Reported, Usable]]
    excluded: Sequence[tuple[Reported, Unusable]]
    conflicts: Sequence[ComparabilityConflict]

    @property
    def results(self) -> list[Reported]:
        """The included results."""
        return [result for result, _ in self.counted]


def sort_results(found: Sequence[Reported], choices: PoolingChoices) -> SortedResults:
    """Sort results into included and excluded under the chosen measure, else the one that fits most of them."""
    measure = choices.measure or usual_measure(found)
    only_arms = choices.method != "inverse-variance"
    extracted = [(result, extract_numbers(result, measure, only_arms=only_arms)) for result in found]
    counted = [(result, numbers) for result, numbers in extracted if isinstance(numbers, Usable)]
    found_conflicts = conflicts(
        [result for result, _ in counted],
        is_standardised=measure in WITHOUT_UNIT,
        window_days=choices.window_days,
        has_comparator=measure not in PROPORTIONS,
    )
    excluded = [(result, reason) for result, reason in extracted if isinstance(reason, Unusable)]
    return SortedResults(measure, counted, excluded, found_conflicts)


def pooling_plan(choices: PoolingChoices, results: SortedResults) -> Plan:
    """The plan, with defaults in place of what was not chosen.

    The default interval is Knapp and Hartung's for three or more studies whose τ² is above 0, else Wald's, as
    the Cochrane Handbook advises (chapter 10).
    """
    usual_model: Model = "random-effects" if choices.method == "inverse-variance" else "common-effect"
    plan = Plan(
        measure=measure_named(results.measure).name,
        model=choices.model or usual_model,
        method=choices.method,
        estimator=choices.estimator,
        interval=choices.interval or "wald",
        level=choices.level,
    )
    is_default_interval = (
        choices.interval is None and plan.model == "random-effects" and plan.method == "inverse-variance"
    )
    if is_default_interval and len(results.counted) >= FEWEST_FOR_KNAPP_HARTUNG:
        effects = effects_of(measure_named(results.measure), [numbers.row for _, numbers in results.counted])
        sample = Sample([effect.estimate for effect in effects], [effect.variance for effect in effects])
        if tau2_of(sample, plan) > 0:
            return replace(plan, interval="knapp-hartung")
    return plan


def meta_analysis_of(results: SortedResults, plan: Plan, choices: PoolingChoices) -> MetaAnalysis:
    """The input of the meta-analysis: rows of numbers, plan and subgroups."""
    rows = [numbers.row for _, numbers in results.counted]
    also, names = choices.also, []
    if choices.subgroup is not None:
        also |= {"subgroups"}
        names = [result.subgroup(choices.subgroup) for result in results.results]
    return MetaAnalysis(measure=measure_named(results.measure), plan=plan, rows=rows, subgroups=names, also=also)


def contradicting(results: SortedResults, plan: Plan, choices: PoolingChoices) -> list[Fault]:
    """Choices that exclude each other, each with the name of the choice and what is wrong."""
    return list(contradictions(meta_analysis_of(results, plan, choices)))


def pool_results(results: SortedResults, plan: Plan, choices: PoolingChoices) -> Analysis | None:
    """The meta-analysis of the included results; None where there are none. A single result is returned unpooled.

    Raises Undefined where the numbers have no pooled estimate.
    """
    if not results.counted:
        return None
    if len(results.counted) == 1:
        plan = replace(plan, interval="wald")
    return analyse(meta_analysis_of(results, plan, choices))
