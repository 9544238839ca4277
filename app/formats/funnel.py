"""Funnel plots as SVG: each study's effect size against its standard error, with pseudo confidence limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp

from app.formats.svg import (
    MARGIN,
    RULE,
    WIDTH,
    Axis,
    axis_over,
    coordinate,
    cut,
    scale_below,
    svg_document,
    text_element,
    with_minus_sign,
)

TOP, BOTTOM = 50.0, 264.0
LEFT = 46.0


@dataclass(frozen=True)
class Dot:
    """One study; `estimate` and `se` are on the scale of the analysis."""

    label: str
    estimate: float
    se: float
    is_filled: bool = False
    """Whether trim and fill imputed the study; such dots are hollow."""


@dataclass(frozen=True)
class Funnel:
    """The content of a funnel plot."""

    title: str
    dots: Sequence[Dot]
    centre: float
    """The pooled estimate on the scale of the analysis."""
    quantile: float
    """Distance of the funnel's sides from its centre, in standard errors."""
    is_log: bool
    """Whether the estimates are logarithms of what the axis shows."""
    below: str
    """The label of the horizontal axis."""
    remarks: Sequence[str] = ()


def funnel_svg(plot: Funnel) -> str:
    """Render the plot as SVG; its `desc` element gives every figure as text."""
    deepest = 1.05 * max(dot.se for dot in plot.dots)
    corners = [plot.centre + side * plot.quantile * deepest for side in (-1, 1)]
    axis = axis_over(
        [_shown(value, plot) for value in (*corners, *_estimates(plot))], (), is_log=plot.is_log, left=LEFT
    )
    middle = coordinate(axis.at(_shown(plot.centre, plot)))
    left, right = (coordinate(axis.at(_shown(corner, plot))) for corner in corners)
    shapes = [
        text_element(MARGIN, 38, "Standard error", kind="soft"),
        f'<path {RULE} stroke-dasharray="2 2" d="M{left} {BOTTOM:g}L{middle} {TOP:g}L{right} {BOTTOM:g}'
        f'M{middle} {TOP:g}V{BOTTOM:g}"/>',
    ]
    for tick in Axis(0, deepest, is_log=False).ticks():
        shapes.append(text_element(LEFT - 6, _depth(tick, deepest) + 4, f"{tick:g}", kind="soft", anchor="end"))
    shapes += [_dot(dot, axis, deepest, plot) for dot in plot.dots]
    shapes += scale_below(axis, BOTTOM, "", "")
    shapes.append(text_element((LEFT + WIDTH - MARGIN) / 2, BOTTOM + 33, plot.below, kind="soft", anchor="middle"))
    y = BOTTOM + 36
    for remark in plot.remarks:
        y += 16
        shapes.append(text_element(MARGIN, y, remark, kind="soft", widest=62))
    return svg_document(plot.title, " ".join(_description(plot)), y + 12, shapes)


def _estimates(plot: Funnel) -> list[float]:
    return [dot.estimate for dot in plot.dots]


def _shown(value: float, plot: Funnel) -> float:
    return exp(value) if plot.is_log else value


def _depth(se: float, deepest: float) -> float:
    return TOP + (BOTTOM - TOP) * se / deepest


def _dot(dot: Dot, axis: Axis, deepest: float, plot: Funnel) -> str:
    colours = 'class="hollow" fill="none" stroke="#0b5cad"' if dot.is_filled else 'class="mark" fill="#0b5cad"'
    x, y = axis.at(_shown(dot.estimate, plot)), _depth(dot.se, deepest)
    return f'<circle {colours} cx="{coordinate(x)}" cy="{coordinate(y)}" r="3.5"/>'


def _description(plot: Funnel) -> Iterator[str]:
    """The text alternative: one sentence for each study and for the pooled estimate."""
    for dot in plot.dots:
        filled = ", filled in" if dot.is_filled else ""
        yield f"{cut(dot.label, 80)}: {_figure(dot.estimate, plot)}, standard error {dot.se:.3g}{filled}."
    yield f"Pooled: {_figure(plot.centre, plot)}. Across: {plot.below}."
    yield from (f"{remark}." for remark in plot.remarks)


def _figure(value: float, plot: Funnel) -> str:
    return with_minus_sign(f"{_shown(value, plot):.3g}")
