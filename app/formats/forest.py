"""Forest plots as SVG: each study with confidence interval and weight, pooled estimate, prediction interval."""

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
    text_element,
    with_minus_sign,
)

TOP, ROW = 48, 31
HALF = 5.5
"""Half the height of a diamond and of the largest square."""
UNWEIGHTED = 3.0
"""Half the height of a study's square where studies have no weights."""
MOST_LETTERS = 50
"""Most characters of a label and its figures together."""


@dataclass(frozen=True)
class PlottedInterval:
    """An estimate with its confidence interval, on the scale of the axis; None where no float can represent a value."""

    label: str
    estimate: float | None
    low: float | None
    high: float | None
    weight: float | None = None
    """In percent."""


@dataclass(frozen=True)
class Forest:
    """The content of a forest plot."""

    title: str
    symbol: str
    """The effect measure's symbol, which heads the column of figures."""
    level: str
    studies: Sequence[PlottedInterval]
    pooled: PlottedInterval | None
    """The pooled estimate; None where the studies are shown without pooling."""
    prediction: PlottedInterval | None
    is_log: bool
    no_effect: float | None
    left: str = ""
    """The meaning of the left direction, such as `Favours treatment`."""
    right: str = ""
    remarks: Sequence[str] = ()
    """Lines below the axis: model, heterogeneity."""
    subtotals: Mapping[int, PlottedInterval] = field(default_factory=dict)
    """Pooled estimates of subgroups, keyed by the number of studies drawn above each."""


def forest_svg(plot: Forest) -> str:
    """Render the plot as SVG; its `desc` element gives every figure as text."""
    figure = _Figures(plot)
    axis = _axis(plot)
    y = TOP
    shapes = [
        text_element(MARGIN, 38, "Study", kind="soft"),
        text_element(WIDTH - MARGIN, 38, _heading(plot), kind="soft", anchor="end"),
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
        shapes.append(text_element(MARGIN, y, remark, kind="soft", widest=62))
    return svg_document(plot.title, " ".join(_description(plot, figure)), y + 12, shapes)


def _heading(plot: Forest) -> str:
    is_weighted = any(study.weight is not None for study in plot.studies)
    return f"{plot.symbol} [{plot.level} CI]" + (" · weight" if is_weighted else "")


def _intervals(plot: Forest) -> list[PlottedInterval]:
    return [*plot.studies, *([plot.pooled] if plot.pooled else [])]


def _axis(plot: Forest) -> Axis:
    points = [interval.estimate for interval in _intervals(plot) if interval.estimate is not None]
    points += [] if plot.no_effect is None else [plot.no_effect]
    ends = [end for interval in _intervals(plot) for end in (interval.low, interval.high) if end is not None]
    points += ends if plot.pooled is None else []  # without a pooled estimate there is no centre to give the room to
    return axis_over(points, ends, is_log=plot.is_log)


class _Figures:
    """Number formats of a plot: ratios have decimals by their size, differences as many as the last interval's width
    needs, and one more where another interval is ten times narrower.
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

    def low(self, interval: PlottedInterval) -> str:
        """The lower end; `0` for None, a ratio too small for a float."""
        return "0" if interval.low is None else self.of(interval.low)

    def high(self, interval: PlottedInterval) -> str:
        """The upper end; `∞` for None, a ratio too large for a float."""
        return "∞" if interval.high is None else self.of(interval.high)

    def of_interval(self, interval: PlottedInterval) -> str:
        if interval.estimate is None and interval.low is None:
            return "no effect of its own"
        ends = f"[{self.low(interval)}, {self.high(interval)}]"
        return ends if interval.estimate is None else f"{self.of(interval.estimate)} {ends}"


def _decimals(interval: PlottedInterval) -> int:
    """The number of decimals that shows two digits of an interval's width, 0 to 6."""
    width = (
        1.0
        if interval.low is None or interval.high is None or interval.high <= interval.low
        else interval.high - interval.low
    )
    return max(0, min(6, 1 - floor(log10(width))))


def _labelled(interval: PlottedInterval, y: float, figure: _Figures, *, kind: str = "") -> Iterator[str]:
    """The label on the left, cut off where the figures on the right need the room, and the figures."""
    figures = figure.of_interval(interval) + ("" if interval.weight is None else f" · {interval.weight:.1f}%")
    yield text_element(MARGIN, y + 12, interval.label, kind=kind, widest=max(6, MOST_LETTERS - len(figures)))
    yield text_element(WIDTH - MARGIN, y + 12, figures, kind=kind, anchor="end")


def _study(interval: PlottedInterval, axis: Axis, y: float, largest: float) -> Iterator[str]:
    """The interval with arrows where it goes on beyond the axis, and a square whose area is the weight."""
    if interval.estimate is None:
        return
    yield f'<path {MARK} d="{_reach(interval, axis, y)}"/>'
    half = HALF * sqrt((interval.weight or 0) / largest) if largest > 0 else UNWEIGHTED
    half = max(half, 1.2)
    x = axis.at(interval.estimate)
    size = coordinate(2 * half)
    yield f'<rect {MARK} x="{coordinate(x - half)}" y="{coordinate(y - half)}" width="{size}" height="{size}"/>'


def _reach(interval: PlottedInterval, axis: Axis, y: float) -> str:
    """The SVG path of an interval, with an arrow where it runs beyond the axis."""
    low, high = -inf if interval.low is None else interval.low, inf if interval.high is None else interval.high
    left, right, level = coordinate(axis.at(low)), coordinate(axis.at(high)), coordinate(y)
    path = f"M{left} {level}H{right}"
    if low < axis.low:
        path += f"M{left} {level}l5 -3v6z"
    if high > axis.high:
        path += f"M{right} {level}l-5 -3v6z"
    return path


def _diamond(interval: PlottedInterval, axis: Axis, y: float) -> Iterator[str]:
    if interval.estimate is None:
        return
    low, high = -inf if interval.low is None else interval.low, inf if interval.high is None else interval.high
    left, middle, right = (coordinate(axis.at(value)) for value in (low, interval.estimate, high))
    level, top, bottom = coordinate(y), coordinate(y - HALF), coordinate(y + HALF)
    yield f'<path {ALL} d="M{left} {level}L{middle} {top}L{right} {level}L{middle} {bottom}z"/>'


def _bar(interval: PlottedInterval, axis: Axis, y: float) -> Iterator[str]:
    yield f'<path {ALL} stroke-width="3" d="{_reach(interval, axis, y)}"/>'


def _description(plot: Forest, figure: _Figures) -> Iterator[str]:
    """The text alternative: one sentence for each figure."""
    for above, study in enumerate(plot.studies, 1):
        weight = "" if study.weight is None else f", weight {study.weight:.1f}%"
        yield f"{cut(study.label, 80)}: {_interval_text(study, plot, figure)}{weight}."
        if subtotal := plot.subtotals.get(above):
            yield f"{cut(subtotal.label, 80)}: {_interval_text(subtotal, plot, figure)}."
    if plot.pooled:
        yield f"{plot.pooled.label}: {_interval_text(plot.pooled, plot, figure)}."
    if plot.prediction:
        yield f"{plot.prediction.label}: {figure.low(plot.prediction)} to {figure.high(plot.prediction)}."
    yield from (f"{remark}." for remark in plot.remarks)
    for direction, meaning in (("left", plot.left), ("right", plot.right)):
        if meaning:
            yield f"To the {direction}: {meaning}."


def _interval_text(interval: PlottedInterval, plot: Forest, figure: _Figures) -> str:
    if interval.estimate is None:
        return "no effect of its own"
    low, high = figure.low(interval), figure.high(interval)
    return f"{plot.symbol} {figure.of(interval.estimate)}, {plot.level} CI {low} to {high}"
