"""Pooled absolute effects per 1,000 people, for each outcome and comparator with several comparable study results."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from app.evidence.absolute_effects import Baseline, Subject, control_of, result_subjects
from app.evidence.comparability import WINDOW_DAYS
from app.evidence.extraction import measure_named
from app.evidence.pooling import PoolingChoices, SortedResults, pool_results, pooling_plan, sort_results
from app.evidence.results import Document, Reported
from app.evidence.statistics.absolute import ABSOLUTE_MEASURES, at_baseline
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.pooling import Pooled
from app.models.study_results import StudyResult
from app.models.types import plain_number
from app.reports.benefit_harm.rows import baseline_entry, people_entry, record_link
from app.store.read.query import Address

CHOICES = PoolingChoices(window_days=WINDOW_DAYS)
"""The default pooling options of `GET /v1/syntheses`."""


def pooled_entries(
    found: Sequence[Reported], outcomes: Sequence[str], baselines: Mapping[str, Baseline], address: Address
) -> tuple[list[dict[str, Any]], list[str]]:
    """The pooled entries, one for each outcome and comparator, and notes on why others could not be pooled.

    `baselines` is keyed by outcome. Outcomes without a direction, measures without an absolute effect and groups with
    fewer than two counted results have neither.
    """
    groups: dict[tuple[str, str], list[Reported]] = {}
    for reported in found:
        outcome, comparator = str(reported.outcome["id"]), reported.result["comparator"]
        if reported.is_controlled and (not outcomes or outcome in outcomes):
            groups.setdefault((outcome, str(comparator)), []).append(reported)
    entries, notes = [], []
    for (outcome, _), group in sorted(groups.items()):
        subject, results = result_subjects(group[0], StudyResult.plural)[0], sort_results(group, CHOICES)
        has_absolute_effect = subject.more_is is not None and results.measure in ABSOLUTE_MEASURES
        if not has_absolute_effect or len(results.counted) < 2:
            continue
        try:
            entries.append(_entry(subject, results, baselines.get(outcome), address))
        except Undefined as fault:
            notes.append(
                f"{subject.name}: {len(results.counted)} study results are not told together: {fault.message}."
            )
    return entries, notes


def _entry(subject: Subject, results: SortedResults, named: Baseline | None, address: Address) -> dict[str, Any]:
    """A pooled entry; Undefined when the results conflict, have no pooled effect or no baseline."""
    if results.conflicts:
        raise Undefined(results.conflicts[0].detail)
    pooled, effect = _pooled(results)
    baseline = named or _weightiest(results, pooled)
    risks = at_baseline(results.measure, *effect, baseline=baseline.risk)
    first = results.results[0].result
    return {
        "about": subject.about,
        "name": subject.name,
        "is_harm": subject.is_harm,
        "comparator": first["comparator"],
        "records": [record_link(StudyResult.plural, result.result, address) for result in results.results],
        "synthesis": address(f"/v1/syntheses?{urlencode(_question(first, results.measure))}"),
        "measure": results.measure,
        "effect": {name: plain_number(value) for name, value in effect._asdict().items()},
        "i2": pooled.heterogeneity.i2,
        "baseline": baseline_entry(baseline, "named-record" if named else "weightiest-comparator-arm", address),
        **people_entry(risks, subject.more_is or "harm", None),
    }


class PooledEstimate(NamedTuple):
    """A pooled effect and its confidence interval on the displayed scale (a ratio, not its logarithm)."""

    estimate: float
    ci_low: float
    ci_high: float


def _pooled(results: SortedResults) -> tuple[Pooled, PooledEstimate]:
    """The pooled estimate, and its effect on the displayed scale; Undefined when there is none or it is not finite."""
    analysis = pool_results(results, pooling_plan(CHOICES, results), CHOICES)
    if analysis is None:
        raise Undefined("no result counts")
    pooled, rows = analysis.pooled, [study.row for study in analysis.studies]
    estimate, low, high = (
        measure_named(results.measure).shown(value, rows) for value in (pooled.estimate, pooled.ci_low, pooled.ci_high)
    )
    if estimate is None or low is None or high is None:
        raise Undefined("the effect is beyond what a number holds")
    return pooled, PooledEstimate(estimate, low, high)


def _weightiest(results: SortedResults, pooled: Pooled) -> Baseline:
    """The comparator arm of the weightiest single study whose risk is neither 0 nor 1; Undefined if there is none."""
    weighed = zip(pooled.weights, results.results, strict=True)
    arms = [
        (weight, control_of(StudyResult.plural, reported.result))
        for weight, reported in weighed
        if not reported.is_review
    ]
    known = [(weight, arm) for weight, arm in arms if arm is not None and 0 < arm.risk < 1]
    if not known:
        raise Undefined("no comparator arm says what the risk is without the treatment")
    return max(known, key=lambda pair: pair[0])[1]


def _question(result: Document, measure: str) -> dict[str, str]:
    """Query parameters of the synthesis that shows how these results were pooled."""
    names = ("treatment", "condition", "outcome", "comparator")
    return {name: str(result[name]) for name in names} | {"measure": measure}
