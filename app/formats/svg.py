"""Shared parts of SVG plots: document with text alternatives, light and dark colours, axis with round ticks, text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from math import ceil, exp, floor, inf, log, log10
from textwrap import wrap
from unicodedata import combining, east_asian_width

from markupsafe import escape

WIDTH = 360
"""Width of every plot in SVG units; text is 12 units high, so that it is readable on a screen of 320 pixels."""
USUAL_PIXELS = 480
"""Default width of a plot in CSS pixels."""
MARGIN = 10
MOST_TITLE_LETTERS = 44
"""Most letters of one line of a title, in the widest of the usual fonts; a longer title has two lines."""
CAPITALS = 4
"""Letters by which capitals may widen a title before its lines get fewer letters."""
LINE = 16
MOST_DIRECTION, BOTH_DIRECTIONS = 44, 43
"""Most letters of the label of one direction of the axis, and of both labels where they share a line."""
STYLE = (
    "text{font:12px system-ui,sans-serif;font-variant-numeric:tabular-nums;fill:#1b1f24}"
    ".soft{fill:#57606a}.strong{font-weight:600}.paper{fill:#fff}.mark{fill:#0b5cad;stroke:#0b5cad}"
    ".rule{stroke:#8c959f;fill:none}.hollow{stroke:#0b5cad;fill:none}.all{fill:#8a4b00;stroke:#8a4b00}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#a5afba}.paper{fill:#0d1117}"
    ".mark{fill:#6cb2ff;stroke:#6cb2ff}.hollow{stroke:#6cb2ff}.rule{stroke:#8b949e}.all{fill:#ffb366;stroke:#ffb366}}"
)

RULE = 'class="rule" fill="none" stroke="#8c959f"'
MARK = 'class="mark" fill="#0b5cad" stroke="#0b5cad"'
ALL = 'class="all" fill="#8a4b00" stroke="#8a4b00"'
"""Colours: as a class for both colour schemes, and as attributes for pages whose Content-Security-Policy forbids
inline style."""


def svg_document(title: str, description: str, height: float, shapes: Sequence[str]) -> str:
    """The SVG document: title, `title` and `desc` elements for screen readers, no script, scalable to any width.

    The element ids are hashes of the content, so that two plots in one page do not share them.
    """
    suffix = sha256(f"{title}{description}".encode()).hexdigest()[:8]
    letters = min(MOST_TITLE_LETTERS, floor(MOST_TITLE_LETTERS * len(title) / max(1.0, breadth(title) - CAPITALS)))
    lines = wrap(title, max(8, letters), max_lines=2, placeholder="…") or [""]
    heading = [text_element(MARGIN, 20 + LINE * row, line, kind="strong") for row, line in enumerate(lines)]
    lower = LINE * (len(lines) - 1)
    below = f'<g transform="translate(0 {lower})">{"".join(shapes)}</g>' if lower else "".join(shapes)
    height += lower
    size = f'width="{USUAL_PIXELS}" height="{coordinate(height * USUAL_PIXELS / WIDTH)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {coordinate(height)}" {size} role="img" '
        f'aria-labelledby="t{suffix} d{suffix}"><title id="t{suffix}">{escape(title)}</title>'
        f'<desc id="d{suffix}">{escape(description)}</desc><style>{STYLE}</style>'
        f'<rect class="paper" width="{WIDTH}" height="{coordinate(height)}" fill="#fff"/>'
        f"{''.join(heading)}{below}</svg>"
    )


def inline(drawing: str) -> str:
    """The SVG without its own colours, for a page whose style sheet defines the classes."""
    plain = drawing.replace(f"<style>{STYLE}</style>", "", 1)
    for coloured in (RULE, MARK, ALL):
        plain = plain.replace(coloured, coloured.split(" ", 1)[0])
    return plain


def size_of(drawing: str) -> tuple[int, int]:
    """Width and height of an SVG in pixels, from its attributes."""
    found = re.search(r'width="(\d+)" height="([\d.]+)" role="img"', drawing)
    return (int(found[1]), ceil(float(found[2]))) if found else (USUAL_PIXELS, USUAL_PIXELS)


def nothing_drawn(title: str, why: str) -> str:
    """An SVG that gives the reason why there is no plot."""
    lines = wrap(why, 56)
    shapes = [text_element(MARGIN, 42 + LINE * row, line, kind="soft") for row, line in enumerate(lines)]
    return svg_document(title, why, 42 + LINE * len(lines), shapes)


def text_element(x: float, y: float, content: str, *, kind: str = "", anchor: str = "start", widest: int = 200) -> str:
    """A `text` element, cut off with … beyond the width of `widest` ordinary letters."""
    class_attribute = f' class="{kind}"' if kind else ""
    anchor_attribute = f' text-anchor="{anchor}"' if anchor != "start" else ""
    attributes = f'x="{coordinate(x)}" y="{coordinate(y)}"{class_attribute}{anchor_attribute}'
    return f"<text {attributes}>{escape(fit(content, widest))}</text>"


def breadth(content: str) -> float:
    """The width of a text in ordinary letters."""
    return sum(map(_breadth, content))


def _breadth(letter: str) -> float:
    """The width of a character in ordinary letters; East Asian wide characters after Unicode Annex 11."""
    if east_asian_width(letter) in "WF":
        return 1.8
    return 1.7 if letter in "WM" else 1.15 if letter.isupper() else 0 if combining(letter) else 1


def fit(content: str, widest: int) -> str:
    """The text, cut off with … where it is wider than `widest` ordinary letters."""
    if breadth(content) <= widest:
        return content
    return cut(content, sum(width <= widest for width in accumulate(map(_breadth, content))))


def cut(content: str, widest: int) -> str:
    """The text, cut off with … where it has more than `widest` characters."""
    return content if len(content) <= widest else content[: widest - 1].rstrip() + "…"


def coordinate(value: float) -> str:
    """A coordinate with one decimal, which is finer than any screen."""
    return f"{value:.1f}".removesuffix(".0")


def with_minus_sign(text: str) -> str:
    """A formatted number with a real minus sign, which is as wide as a plus."""
    return "−" + text[1:] if text.startswith("-") else text


@dataclass(frozen=True)
class Axis:
    """A horizontal axis, linear or logarithmic; values beyond its ends are drawn at the ends."""

    low: float
    high: float
    is_log: bool
    left: float = MARGIN
    right: float = WIDTH - MARGIN

    def at(self, value: float) -> float:
        """The x coordinate of a value."""
        low, high, value = self._place(self.low), self._place(self.high), self._place(value)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, (value - low) / (high - low)))

    def has(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high

    def ticks(self) -> list[float]:
        """The values of the ticks: three to seven round numbers."""
        if not self.is_log:
            return _round_steps(self.low, self.high)
        decades = range(floor(log10(self.low)), ceil(log10(self.high)) + 1)
        for parts in ((1, 2, 5), (1, 3), (1,)):
            found = [value for decade in decades for part in parts if self.has(value := part * 10.0**decade)]
            if 3 <= len(found) <= 7:
                return found
        if len(found) < 3:
            return _round_steps(self.low, self.high)
        return found[:: ceil(len(found) / 6)]

    def _place(self, value: float) -> float:
        if not self.is_log:
            return value
        return log(value) if value > 0 else -inf


def axis_over(points: Sequence[float], ends: Sequence[float], *, is_log: bool, left: float = MARGIN) -> Axis:
    """An axis that covers all points, and the ends of intervals unless they lie far beyond the points.

    Far is more than six tenths of the range of the points; when all points are equal, a factor of e¹⁰ on a logarithmic
    axis.
    """
    places = [log(point) if is_log else point for point in points]
    near = places + [log(end) if is_log else end for end in ends if end > 0 or not is_log]
    low, high = min(places), max(places)
    reach = 0.6 * (high - low) or (10.0 if is_log else inf)
    low, high = max(low - reach, min(near)), min(high + reach, max(near))
    pad = max(0.03 * (high - low), 1e-9 * abs(low), 1e-9 * abs(high)) or 1.0
    low, high = low - pad, high + pad
    return Axis(exp(low), exp(high), True, left) if is_log else Axis(low, high, False, left)


def _round_steps(low: float, high: float) -> list[float]:
    rough = (high - low) / 7
    power = 10.0 ** floor(log10(rough))
    step = next(part * power for part in (1, 2, 5, 10) if part * power >= rough)
    return [round(index * step, 12) for index in range(ceil(low / step), floor(high / step) + 1)]


def are_narrow(left: str, right: str) -> bool:
    """Whether the labels of both directions fit in one line."""
    return breadth(left) + breadth(right) <= BOTH_DIRECTIONS


def scale_below(axis: Axis, y: float, left: str, right: str) -> list[str]:
    """The axis with its tick labels, and below it the labels of its two directions, in one line or two."""
    shapes = [f'<path {RULE} d="M{coordinate(axis.left)} {coordinate(y)}H{coordinate(axis.right)}"/>']
    for tick in axis.ticks():
        x = axis.at(tick)
        shapes.append(f'<path {RULE} d="M{coordinate(x)} {coordinate(y)}v4"/>')
        shapes.append(text_element(x, y + 16, with_minus_sign(f"{tick:g}"), kind="soft", anchor="middle"))
    if left:
        shapes.append(text_element(MARGIN, y + 33, f"← {fit(left, MOST_DIRECTION)}", kind="soft"))
    if right:
        lower = 0 if are_narrow(left, right) else LINE
        shapes.append(
            text_element(WIDTH - MARGIN, y + 33 + lower, f"{fit(right, MOST_DIRECTION)} →", kind="soft", anchor="end")
        )
    return shapes
