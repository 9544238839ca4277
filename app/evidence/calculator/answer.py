"""The response of the calculator: the analysis as response model and as CSV."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from math import sqrt
from typing import Any

from app.errors import invalid, pointer
from app.evidence.calculator.request import Captions, SynthesisRequest, parse_question
from app.evidence.calculator.schemas import (
    Synthesis,
    SynthesisDisplay,
    SynthesisEgger,
    SynthesisFilled,
    SynthesisPart,
    SynthesisResult,
    SynthesisShown,
    SynthesisStudyResult,
    SynthesisSubgroups,
    SynthesisTrimAndFill,
)
from app.evidence.statistics.analysis import Analysis, analyse
from app.evidence.statistics.distributions import normal_quantile
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.measures import Measure
from app.evidence.statistics.pooling import Pooled, StudyEffect
from app.evidence.statistics.sensitivity import Attempt
from app.formats.csv_ndjson import csv_header, csv_lines
from app.json_codec import to_json

COLUMNS = (
    "row",
    "label",
    "subgroup",
    "k",
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "weight",
    "p_value",
    "tau2",
    "i2",
    "h2",
    "q",
    "q_df",
    "q_p",
    "prediction_low",
    "prediction_high",
    "shown_estimate",
    "shown_ci_low",
    "shown_ci_high",
)
"""Columns of the CSV: one row a study, then the pooled result and its parts; `shown_` are the fields of `display`."""


def analysis_of(request_body: SynthesisRequest) -> Analysis:
    """The analysis of a request body; InvalidBody where it is contradictory, or the studies have no result."""
    question = parse_question(request_body)
    try:
        return analyse(question)
    except Undefined as fault:
        steps = [step for step in (fault.study, fault.field) if step is not None]
        raise invalid([{"pointer": pointer("studies", *steps), "detail": fault.message}]) from fault


def synthesis_of(captions: Captions, analysis: Analysis) -> Synthesis:
    """The response model of an analysis."""
    plan, measure, labels = analysis.question.plan, analysis.measure, captions.labels
    is_estimated = plan.model == "random-effects" and len(analysis.studies) > 1
    return Synthesis(
        **_numbers(measure, analysis.pooled, analysis.studies),
        measure=plan.measure,
        model=plan.model,
        method=plan.method,
        estimator=plan.estimator if is_estimated else None,
        interval=plan.interval,
        level=plan.level,
        shown_as=measure.words,
        studies=list(_studies(captions, analysis)),
        leave_one_out=_parts(measure, zip(labels, analysis.leave_one_out or (), strict=False)) or None,
        cumulative=_parts(measure, zip(labels, analysis.cumulative or (), strict=False)) or None,
        subgroups=_subgroups(analysis),
        egger=None if analysis.egger is None else SynthesisEgger(**asdict(analysis.egger)),
        trim_and_fill=_trim_and_fill(analysis),
        notes=analysis.notes,
    )


def _numbers(measure: Measure, pooled: Pooled, studies: Sequence[StudyEffect]) -> dict[str, Any]:
    """The fields of `SynthesisResult` for a pooled estimate."""
    own = {name: getattr(pooled, name) for name in SynthesisResult.model_fields if hasattr(pooled, name)}
    shown = SynthesisDisplay(**_shown(SynthesisDisplay, measure, own, studies))
    return own | pooled.heterogeneity._asdict() | {"display": shown}


def _shown(
    model: type[SynthesisShown], measure: Measure, values: dict[str, Any], studies: Sequence[StudyEffect]
) -> dict[str, float | None]:
    """The fields of a display model, converted to the display scale."""
    rows = [study.row for study in studies]
    found = {name: values.get(name) for name in model.model_fields}
    return {name: None if value is None else measure.shown(value, rows) for name, value in found.items()}


def _studies(captions: Captions, analysis: Analysis) -> Iterator[SynthesisStudyResult]:
    quantile = -normal_quantile(analysis.question.plan.tail)
    entries = zip(captions.labels, captions.subgroups, analysis.studies, analysis.pooled.weights, strict=True)
    for label, subgroup, study, weight in entries:
        values: dict[str, Any] = dict.fromkeys(("estimate", "se", "ci_low", "ci_high"))
        if study.effect is not None:
            estimate, se = study.effect.estimate, sqrt(study.effect.variance)
            half_width = quantile * se
            interval = {"ci_low": estimate - half_width, "ci_high": estimate + half_width}
            values = {"estimate": estimate, "se": se, **interval}
        yield SynthesisStudyResult(
            label=label,
            subgroup=subgroup,
            **values,
            weight=weight,
            is_adjusted=study.effect is not None and study.effect.is_adjusted,
            display=SynthesisShown(**_shown(SynthesisShown, analysis.measure, values, [study])),
        )


def _parts(measure: Measure, named: Iterable[tuple[str, Attempt]]) -> list[SynthesisPart]:
    return [
        SynthesisPart(
            label=label,
            result=None if pooled is None else SynthesisResult(**_numbers(measure, pooled, studies)),
            reason=reason,
        )
        for label, (studies, pooled, reason) in named
    ]


def _subgroups(analysis: Analysis) -> SynthesisSubgroups | None:
    found = analysis.subgroups
    if found is None:
        return None
    groups = _parts(analysis.measure, found.groups.items())
    return SynthesisSubgroups(groups=groups, q=found.q, q_df=found.q_df, q_p=found.q_p)


def _trim_and_fill(analysis: Analysis) -> SynthesisTrimAndFill | None:
    found = analysis.trim_and_fill
    if found is None:
        return None
    filled = [SynthesisFilled(estimate=effect.estimate, se=sqrt(effect.variance)) for effect in found.filled]
    result = SynthesisResult(**_numbers(analysis.measure, found.pooled, analysis.studies))
    return SynthesisTrimAndFill(side=found.side, filled=filled, result=result)


def csv_of(synthesis: Synthesis) -> str:
    """The response as CSV."""
    return csv_header(COLUMNS) + csv_lines((to_json(line).decode() for line in table_rows(synthesis)), COLUMNS)


def table_rows(synthesis: Synthesis) -> Iterator[dict[str, Any]]:
    """The rows of the CSV as dictionaries by column, the studies first."""
    for study in synthesis.studies:
        yield _line("study", study.label, study)
    yield _line("pooled", synthesis.shown_as, synthesis)
    parts = {"leave-one-out": synthesis.leave_one_out, "cumulative": synthesis.cumulative}
    parts["subgroup"] = synthesis.subgroups.groups if synthesis.subgroups else None
    for row, results in parts.items():
        for part in results or ():
            yield _line(row, part.label, part.result)
    if synthesis.trim_and_fill:
        yield _line("trim-and-fill", synthesis.trim_and_fill.side, synthesis.trim_and_fill.result)


def _line(row: str, label: str, result: SynthesisResult | SynthesisStudyResult | None) -> dict[str, Any]:
    if result is None:
        return {"row": row, "label": label}
    values = result.model_dump(mode="json")
    shown = {f"shown_{name}": value for name, value in values["display"].items()}
    return values | shown | {"row": row, "label": label}
