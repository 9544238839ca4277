"""Forest plot and funnel plot of a synthesis."""

from app.evidence.calculator.request import Captions
from app.evidence.calculator.schemas import Synthesis, SynthesisResult, SynthesisStudyResult
from app.evidence.statistics.analysis import Analysis
from app.evidence.statistics.distributions import normal_quantile
from app.evidence.statistics.measures import Measure
from app.formats.forest import Forest, PlottedInterval, forest_svg
from app.formats.funnel import Dot, Funnel, funnel_svg
from app.formats.svg import with_minus_sign

WIDEST_LOGARITHM = 100.0
"""Largest logarithm on an axis of ratios; larger effects are drawn as logarithms."""
MODELS = {"common-effect": "Common effect", "random-effects": "Random effects"}
METHODS = {"inverse-variance": "inverse variance", "mantel-haenszel": "Mantel–Haenszel", "peto": "Peto"}
INTERVALS = {"wald": "Wald", "knapp-hartung": "Knapp–Hartung"}


def forest_of(captions: Captions, analysis: Analysis, synthesis: Synthesis) -> str:
    """The forest plot as SVG."""
    measure = analysis.measure
    is_shown = _is_shown(synthesis)
    no_effect = measure.no_effect
    left, right = directions(captions, measure)
    prediction = None
    if synthesis.prediction_low is not None:
        ends = synthesis.display if is_shown else synthesis
        prediction = PlottedInterval("Prediction interval", None, ends.prediction_low, ends.prediction_high)
    studies, subtotals = _by_subgroup(synthesis, is_shown)
    return forest_svg(
        Forest(
            title=captions.title or f"{_capital(measure.words)}, {_count(synthesis.k)}",
            symbol=measure.symbol if is_shown else f"log {measure.symbol}",
            level=f"{synthesis.level:g}%",
            studies=[_interval(study.label, study, is_shown, study.weight) for study in studies],
            subtotals=subtotals,
            pooled=_interval("Pooled" if synthesis.k > 1 else "Not pooled", synthesis, is_shown),
            prediction=prediction,
            is_log=measure.is_ratio and is_shown,
            no_effect=None if no_effect is None else 1.0 if measure.is_ratio and is_shown else 0.0,
            left=left,
            right=right,
            remarks=_remarks(synthesis),
        )
    )


def _by_subgroup(synthesis: Synthesis, is_shown: bool) -> tuple[list[SynthesisStudyResult], dict[int, PlottedInterval]]:
    """Studies ordered by subgroup, and each subgroup's pooled row keyed by the number of studies drawn above it."""
    if synthesis.subgroups is None:
        return synthesis.studies, {}
    studies: list[SynthesisStudyResult] = []
    subtotals: dict[int, PlottedInterval] = {}
    for group in synthesis.subgroups.groups:
        members = [study for study in synthesis.studies if study.subgroup == group.label]
        studies += members
        if group.result:
            label = f"{group.label}, {_count(len(members))}"
            subtotals[len(studies)] = _interval(label, group.result, is_shown)
    return studies, subtotals


def funnel_of(captions: Captions, analysis: Analysis, synthesis: Synthesis) -> str:
    """The funnel plot as SVG, with the studies that trim and fill added."""
    measure = analysis.measure
    dots = [
        Dot(study.label, study.estimate, study.se)
        for study in synthesis.studies
        if study.estimate is not None and study.se is not None
    ]
    filled = synthesis.trim_and_fill.filled if synthesis.trim_and_fill else []
    dots += [
        Dot(f"Filled {number}", study.estimate, study.se, is_filled=True) for number, study in enumerate(filled, 1)
    ]
    quantile = -normal_quantile(analysis.question.plan.tail)
    widest = max(
        abs(dot.estimate - synthesis.estimate) + abs(synthesis.estimate) + 2 * quantile * dot.se for dot in dots
    )
    is_log = measure.is_ratio and widest <= WIDEST_LOGARITHM
    egger = synthesis.egger
    remarks = []
    if egger and egger.statistic is not None:
        remarks.append(
            f"Egger's test: t = {with_minus_sign(f'{egger.statistic:.2f}')}, df {egger.df}, p {_p(egger.p_value)}"
        )
    if synthesis.trim_and_fill:
        remarks.append(f"Trim and fill added {_count(len(filled))} on the {synthesis.trim_and_fill.side} (hollow)")
    return funnel_svg(
        Funnel(
            title=captions.title or f"Funnel plot, {_count(synthesis.k)}",
            dots=dots,
            centre=synthesis.estimate,
            quantile=quantile,
            is_log=is_log,
            below=measure.words if is_log or not _is_transformed(synthesis) else f"{measure.words}, as analysed",
            remarks=remarks,
        )
    )


def _is_shown(synthesis: Synthesis) -> bool:
    """Whether the values of the display scale can be drawn; otherwise those of the analysis are."""
    values = [synthesis.estimate, *(study.estimate for study in synthesis.studies if study.estimate is not None)]
    return not _is_transformed(synthesis) or max(map(abs, values)) <= WIDEST_LOGARITHM


def _is_transformed(synthesis: Synthesis) -> bool:
    return synthesis.display.estimate != synthesis.estimate


def _interval(
    label: str, result: SynthesisResult | SynthesisStudyResult, is_shown: bool, weight: float | None = None
) -> PlottedInterval:
    values = result.display if is_shown else result
    return PlottedInterval(label, values.estimate, values.ci_low, values.ci_high, weight)


def directions(captions: Captions, measure: Measure) -> tuple[str, str]:
    """Labels of the left and right side: arm 1 has less of the outcome on the left; empty without two arms."""
    if measure.no_effect is None or measure.name == "fisher-z":
        return "", ""
    if captions.direction == "lower-is-better":
        return f"Favours {captions.arm1}", f"Favours {captions.arm2}"
    if captions.direction == "higher-is-better":
        return f"Favours {captions.arm2}", f"Favours {captions.arm1}"
    return f"Less with {captions.arm1}", f"More with {captions.arm1}"


def _remarks(synthesis: Synthesis) -> list[str]:
    if synthesis.k == 1:
        return ["One study is shown, not pooled"]
    how = METHODS[synthesis.method] if synthesis.estimator is None else synthesis.estimator.upper()
    remarks = [f"{MODELS[synthesis.model]} ({how}), interval: {INTERVALS[synthesis.interval]}"]
    spread = f"I² = {synthesis.i2 or 0:.0f}%"
    if synthesis.estimator is not None:
        spread = f"τ² = {synthesis.tau2 or 0:.3g}, {spread}"
    remarks.append(f"{spread}, Q = {synthesis.q:.2f} (df {synthesis.q_df}), p {_p(synthesis.q_p)}")
    between = synthesis.subgroups
    if between is not None and between.q is not None:
        remarks.append(f"Between subgroups: Q = {between.q:.2f} (df {between.q_df}), p {_p(between.q_p)}")
    return remarks


def _p(value: float | None) -> str:
    if value is None:
        return "not defined"
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _count(studies: int) -> str:
    return "1 study" if studies == 1 else f"{studies} studies"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
