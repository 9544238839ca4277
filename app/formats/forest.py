"""The forest plot: every study with its interval and weight, the pooled diamond, the prediction interval; as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, inf, log10, sqrt

from app.formats.svg import (
    ALL,
    LINE,
    MARGIN,
    MARK,
    RULE,
    WIDTH,
    Axis,
    are_narrow,
    axis_over,
    coordinate,
    cut,
    scale_below,
    svg_document,
    with_minus_sign,
    words,
)

TOP, ROW = 48, 31
HALF = 5.5
"""Half the height of a diamond and of the largest square."""
UNWEIGHTED = 3.0
"""Half the height of a square where there are no weights to show."""
MOST_LETTERS = 50
"""Of a line with a label and figures."""


@dataclass(frozen=True)
class PlottedInterval:
    """An estimate with its interval, on the scale that is shown; None stands for what no number holds."""

    label: str
    estimate: float | None
    low: float | None
    high: float | None
    weight: float | None = None
    """In percent."""


@dataclass(frozen=True)
class Forest:
    """All that a forest plot says."""

    title: str
    symbol: str
    """What is estimated, as a column is headed."""
    level: str
    studies: Sequence[PlottedInterval]
    pooled: PlottedInterval | None
    """None where studies stand beside each other and are not pooled."""
    prediction: PlottedInterval | None
    is_log: bool
    no_effect: float | None
    left: str = ""
    """What the left direction means, such as `Favours treatment`."""
    right: str = ""
    remarks: Sequence[str] = ()
    """Lines below: model, heterogeneity."""
    subtotals: Mapping[int, PlottedInterval] = field(default_factory=dict)
    """What a subgroup comes to, by how many studies stand above it."""


def forest_svg(plot: Forest) -> str:
    """The plot; its description says every figure in words."""
    figure = _Figures(plot)
    axis = _axis(plot)
    y = TOP
    shapes = [
        words(MARGIN, 38, "Study", kind="soft"),
        words(WIDTH - MARGIN, 38, _heading(plot), kind="soft", anchor="end"),
    ]
    largest = max((study.weight or 0 for study in plot.studies), default=0)
    for above, study in enumerate(plot.studies, 1):
        shapes += [*_labelled(study, y, figure), *_study(study, axis, y + 22, largest)]
        y += ROW
        if subtotal := plot.subtotals.get(above):
            shapes += [*_labelled(subtotal, y, figure), *_diamond(subtotal, axis, y + 22)]
            y += ROW
    if plot.pooled:
        shapes += [*_labelled(plot.pooled, y, figure, kind="strong"), *_diamond(plot.pooled, axis, y + 22)]
        y += ROW
    if plot.prediction:
        shapes += [*_labelled(plot.prediction, y, figure), *_bar(plot.prediction, axis, y + 22)]
        y += ROW
    if plot.no_effect is not None and axis.has(plot.no_effect):
        bands = "".join(
            f"M{coordinate(axis.at(plot.no_effect))} {coordinate(row + 15)}v14" for row in range(TOP, y, ROW)
        )
        shapes.insert(0, f'<path {RULE} d="{bands}"/>')
    shapes += scale_below(axis, y + 4, plot.left, plot.right)
    y += (40 if plot.left or plot.right else 24) + (0 if are_narrow(plot.left, plot.right) else LINE)
    for remark in plot.remarks:
        y += 16
        shapes.append(words(MARGIN, y, remark, kind="soft", widest=62))
    return svg_document(plot.title, " ".join(_spoken(plot, figure)), y + 12, shapes)


def _heading(plot: Forest) -> str:
    is_weighted = any(study.weight is not None for study in plot.studies)
    return f"{plot.symbol} [{plot.level} CI]" + (" · weight" if is_weighted else "")


def _intervals(plot: Forest) -> list[PlottedInterval]:
    return [*plot.studies, *([plot.pooled] if plot.pooled else [])]


def _axis(plot: Forest) -> Axis:
    points = [interval.estimate for interval in _intervals(plot) if interval.estimate is not None]
    points += [] if plot.no_effect is None else [plot.no_effect]
    ends = [end for one in _intervals(plot) for end in (one.low, one.high) if end is not None]
    points += ends if plot.pooled is None else []  # what is not pooled has no centre that deserves the room
    return axis_over(points, ends, is_log=plot.is_log)


class _Figures:
    """How numbers are written: ratios by their size, differences as fine as the last interval is wide, and one digit
    finer where another is ten times narrower.
    """

    def __init__(self, plot: Forest) -> None:
        decimals = [_decimals(interval) for interval in _intervals(plot)]
        self.decimals = min(max(decimals), decimals[-1] + 1)
        self.is_log = plot.is_log

    def of(self, value: float) -> str:
        if abs(value) >= 1e6:
            return with_minus_sign(f"{value:.3g}")
        if not self.is_log:
            return with_minus_sign(f"{value:.{self.decimals}f}")
        return f"{value:.2f}" if 0.095 <= value < 9.995 else f"{value:.2g}" if value < 1 else f"{value:.3g}"

    def low(self, one: PlottedInterval) -> str:
        """The lower end; None stands for a ratio that is too small for a number."""
        return "0" if one.low is None else self.of(one.low)

    def high(self, one: PlottedInterval) -> str:
        """The upper end; None stands for a ratio that is too large for a number."""
        return "∞" if one.high is None else self.of(one.high)

    def of_interval(self, one: PlottedInterval) -> str:
        if one.estimate is None and one.low is None:
            return "no effect of its own"
        ends = f"[{self.low(one)}, {self.high(one)}]"
        return ends if one.estimate is None else f"{self.of(one.estimate)} {ends}"


def _decimals(one: PlottedInterval) -> int:
    """How many decimals say two digits of an interval's width."""
    width = 1.0 if one.low is None or one.high is None or one.high <= one.low else one.high - one.low
    return max(0, min(6, 1 - floor(log10(width))))


def _labelled(one: PlottedInterval, y: float, figure: _Figures, *, kind: str = "") -> Iterator[str]:
    """The label on the left, as far as the figures on the right leave room for it."""
    figures = figure.of_interval(one) + ("" if one.weight is None else f" · {one.weight:.1f}%")
    yield words(MARGIN, y + 12, one.label, kind=kind, widest=max(6, MOST_LETTERS - len(figures)))
    yield words(WIDTH - MARGIN, y + 12, figures, kind=kind, anchor="end")


def _study(one: PlottedInterval, axis: Axis, y: float, largest: float) -> Iterator[str]:
    """The interval with arrows where it goes on beyond the axis, and a square whose area is the weight."""
    if one.estimate is None:
        return
    yield f'<path {MARK} d="{_reach(one, axis, y)}"/>'
    half = HALF * sqrt((one.weight or 0) / largest) if largest > 0 else UNWEIGHTED
    half = max(half, 1.2)
    x = axis.at(one.estimate)
    size = coordinate(2 * half)
    yield f'<rect {MARK} x="{coordinate(x - half)}" y="{coordinate(y - half)}" width="{size}" height="{size}"/>'


def _reach(one: PlottedInterval, axis: Axis, y: float) -> str:
    """The path of an interval."""
    low, high = -inf if one.low is None else one.low, inf if one.high is None else one.high
    left, right, level = coordinate(axis.at(low)), coordinate(axis.at(high)), coordinate(y)
    path = f"M{left} {level}H{right}"
    if low < axis.low:
        path += f"M{left} {level}l5 -3v6z"
    if high > axis.high:
        path += f"M{right} {level}l-5 -3v6z"
    return path


def _diamond(one: PlottedInterval, axis: Axis, y: float) -> Iterator[str]:
    if one.estimate is None:
        return
    low, high = -inf if one.low is None else one.low, inf if one.high is None else one.high
    left, middle, right = (coordinate(axis.at(value)) for value in (low, one.estimate, high))
    level, top, bottom = coordinate(y), coordinate(y - HALF), coordinate(y + HALF)
    yield f'<path {ALL} d="M{left} {level}L{middle} {top}L{right} {level}L{middle} {bottom}z"/>'


def _bar(one: PlottedInterval, axis: Axis, y: float) -> Iterator[str]:
    yield f'<path {ALL} stroke-width="3" d="{_reach(one, axis, y)}"/>'


def _spoken(plot: Forest, figure: _Figures) -> Iterator[str]:
    """Every figure as a sentence."""
    for above, one in enumerate(plot.studies, 1):
        weight = "" if one.weight is None else f", weight {one.weight:.1f}%"
        yield f"{cut(one.label, 80)}: {_said(one, plot, figure)}{weight}."
        if subtotal := plot.subtotals.get(above):
            yield f"{cut(subtotal.label, 80)}: {_said(subtotal, plot, figure)}."
    if plot.pooled:
        yield f"{plot.pooled.label}: {_said(plot.pooled, plot, figure)}."
    if plot.prediction:
        yield f"{plot.prediction.label}: {figure.low(plot.prediction)} to {figure.high(plot.prediction)}."
    yield from (f"{remark}." for remark in plot.remarks)
    for direction, meaning in (("left", plot.left), ("right", plot.right)):
        if meaning:
            yield f"To the {direction}: {meaning}."


def _said(one: PlottedInterval, plot: Forest, figure: _Figures) -> str:
    if one.estimate is None:
        return "no effect of its own"
    return f"{plot.symbol} {figure.of(one.estimate)}, {plot.level} CI {figure.low(one)} to {figure.high(one)}"
