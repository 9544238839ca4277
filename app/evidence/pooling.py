"""Results sorted out and joined: which count under a measure, what speaks against joining them, what they come to."""

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
"""Measures of means that are joined over different scales."""
FEWEST_FOR_KNAPP_HARTUNG = 3


@dataclass(frozen=True)
class PoolingChoices:
    """How to join; None leaves a choice to the results."""

    measure: EvidenceMeasure | None = None
    model: Model | None = None
    method: Method = "inverse-variance"
    estimator: EstimatorName = "reml"
    interval: IntervalName | None = None
    level: float = 95.0
    window_days: float = 0.0
    also: frozenset[Also] = frozenset()
    subgroup: SubgroupBy | None = None
    """What the results are split by."""


@dataclass(frozen=True)
class Sorted:
    """Results under a measure: those that count with their numbers, the others with the reason, what is against it."""

    measure: EvidenceMeasure
    counted: Sequence[tuple[Reported, Usable]]
    excluded: Sequence[tuple[Reported, Unusable]]
    conflicts: Sequence[ComparabilityConflict]

    @property
    def results(self) -> list[Reported]:
        """The results that count."""
        return [one for one, _ in self.counted]


def sort_out(found: Sequence[Reported], choices: PoolingChoices) -> Sorted:
    """The results under the measure that was chosen, or that fits them best."""
    measure = choices.measure or usual_measure(found)
    taken = [(one, extract_numbers(one, measure, only_arms=choices.method != "inverse-variance")) for one in found]
    counted = [(one, numbers) for one, numbers in taken if isinstance(numbers, Usable)]
    against = conflicts(
        [one for one, _ in counted],
        is_standardised=measure in WITHOUT_UNIT,
        window_days=choices.window_days,
        has_comparator=measure not in PROPORTIONS,
    )
    excluded = [(one, numbers) for one, numbers in taken if isinstance(numbers, Unusable)]
    return Sorted(measure, counted, excluded, against)


def pooling_plan(choices: PoolingChoices, results: Sorted) -> Plan:
    """The plan, everything spelled out.

    An interval that nobody chose is Knapp and Hartung's for three or more studies whose τ² is above 0, else Wald's, as
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
    is_free = choices.interval is None and plan.model == "random-effects" and plan.method == "inverse-variance"
    if is_free and len(results.counted) >= FEWEST_FOR_KNAPP_HARTUNG:
        effects = effects_of(measure_named(results.measure), [numbers.row for _, numbers in results.counted])
        sample = Sample([effect.estimate for effect in effects], [effect.variance for effect in effects])
        if tau2_of(sample, plan) > 0:
            return replace(plan, interval="knapp-hartung")
    return plan


def meta_analysis_of(results: Sorted, plan: Plan, choices: PoolingChoices) -> MetaAnalysis:
    """The question to the arithmetic."""
    rows = [numbers.row for _, numbers in results.counted]
    also, names = choices.also, []
    if choices.subgroup is not None:
        also |= {"subgroups"}
        names = [result.subgroup(choices.subgroup) for result in results.results]
    return MetaAnalysis(measure=measure_named(results.measure), plan=plan, rows=rows, subgroups=names, also=also)


def contradicting(results: Sorted, plan: Plan, choices: PoolingChoices) -> list[Fault]:
    """Choices that do not go together, by the name of the choice."""
    return list(contradictions(meta_analysis_of(results, plan, choices)))


def pool_results(results: Sorted, plan: Plan, choices: PoolingChoices) -> Analysis | None:
    """What the results come to; None where none counts. One alone is given back as it is.

    Undefined where the numbers have no answer.
    """
    if not results.counted:
        return None
    if len(results.counted) == 1:
        plan = replace(plan, interval="wald")
    return analyse(meta_analysis_of(results, plan, choices))
