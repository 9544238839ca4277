"""What drawings share: a frame that is read aloud, light and dark colours, an axis with round numbers, short text."""

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
"""Units of every drawing's width; letters are 12 units high, so that they are read on a screen of 320 pixels."""
USUAL_PIXELS = 480
"""How wide a drawing is where nobody says so."""
MARGIN = 10
MOST_TITLE_LETTERS = 44
"""Of one line of a title, in the widest of the usual fonts; a longer one has two."""
CAPITALS = 4
"""How much wider a title may be for its capitals before its lines have fewer letters."""
LINE = 16
MOST_DIRECTION, BOTH_DIRECTIONS = 44, 43
"""Of the meaning of a direction, in letters; of both, where they stand in one line."""
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
"""What carries a colour: as a class for both schemes, and as attributes for pages whose policy forbids inline style."""


def svg_document(title: str, description: str, height: float, shapes: Sequence[str]) -> str:
    """The whole SVG under its title: named and described for screen readers, without script, scalable to any width.

    The identifiers are made from the content, so that two drawings in one page do not share them.
    """
    mark = sha256(f"{title}{description}".encode()).hexdigest()[:8]
    letters = min(MOST_TITLE_LETTERS, floor(MOST_TITLE_LETTERS * len(title) / max(1.0, breadth(title) - CAPITALS)))
    lines = wrap(title, max(8, letters), max_lines=2, placeholder="…") or [""]
    heading = [words(MARGIN, 20 + LINE * row, line, kind="strong") for row, line in enumerate(lines)]
    lower = LINE * (len(lines) - 1)
    below = f'<g transform="translate(0 {lower})">{"".join(shapes)}</g>' if lower else "".join(shapes)
    height += lower
    size = f'width="{USUAL_PIXELS}" height="{coordinate(height * USUAL_PIXELS / WIDTH)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {coordinate(height)}" {size} role="img" '
        f'aria-labelledby="t{mark} d{mark}"><title id="t{mark}">{escape(title)}</title>'
        f'<desc id="d{mark}">{escape(description)}</desc><style>{STYLE}</style>'
        f'<rect class="paper" width="{WIDTH}" height="{coordinate(height)}" fill="#fff"/>'
        f"{''.join(heading)}{below}</svg>"
    )


def inline(drawing: str) -> str:
    """A drawing without colours of its own, for a page whose style sheet holds the classes."""
    plain = drawing.replace(f"<style>{STYLE}</style>", "", 1)
    for coloured in (RULE, MARK, ALL):
        plain = plain.replace(coloured, coloured.split(" ", 1)[0])
    return plain


def size_of(drawing: str) -> tuple[int, int]:
    """Width and height of a drawing in pixels, as it says itself."""
    found = re.search(r'width="(\d+)" height="([\d.]+)" role="img"', drawing)
    return (int(found[1]), ceil(float(found[2]))) if found else (USUAL_PIXELS, USUAL_PIXELS)


def nothing_drawn(title: str, why: str) -> str:
    """A drawing that says why there is none."""
    lines = wrap(why, 56)
    shapes = [words(MARGIN, 42 + LINE * row, line, kind="soft") for row, line in enumerate(lines)]
    return svg_document(title, why, 42 + LINE * len(lines), shapes)


def words(x: float, y: float, content: str, *, kind: str = "", anchor: str = "start", widest: int = 200) -> str:
    """A line of text, cut off with … where it is as wide as so many usual letters."""
    named = f' class="{kind}"' if kind else ""
    placed = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{coordinate(x)}" y="{coordinate(y)}"{named}{placed}>{escape(fit(content, widest))}</text>'


def breadth(content: str) -> float:
    """How many usual letters a text is as wide as."""
    return sum(map(_breadth, content))


def _breadth(letter: str) -> float:
    """A capital is wider than a letter, a sign of East Asia (Unicode Annex 11) nearly twice as wide."""
    if east_asian_width(letter) in "WF":
        return 1.8
    return 1.7 if letter in "WM" else 1.15 if letter.isupper() else 0 if combining(letter) else 1


def fit(content: str, widest: int) -> str:
    """The text, or its beginning with … when it is wider than so many usual letters."""
    if breadth(content) <= widest:
        return content
    return cut(content, sum(width <= widest for width in accumulate(map(_breadth, content))))


def cut(content: str, widest: int) -> str:
    """The text, or its beginning with … when it is longer."""
    return content if len(content) <= widest else content[: widest - 1].rstrip() + "…"


def coordinate(value: float) -> str:
    """A coordinate: a tenth of a unit is finer than any screen."""
    return f"{value:.1f}".removesuffix(".0")


def with_minus_sign(text: str) -> str:
    """A formatted number with a real minus sign, which is as wide as a plus."""
    return "−" + text[1:] if text.startswith("-") else text


@dataclass(frozen=True)
class Axis:
    """A horizontal axis; what lies beyond its ends is drawn at them."""

    low: float
    high: float
    is_log: bool
    left: float = MARGIN
    right: float = WIDTH - MARGIN

    def at(self, value: float) -> float:
        """The position of a value."""
        low, high, value = self._place(self.low), self._place(self.high), self._place(value)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, (value - low) / (high - low)))

    def has(self, value: float) -> bool:
        """Whether the value lies on the axis."""
        return self.low <= value <= self.high

    def ticks(self) -> list[float]:
        """Three to seven round numbers."""
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
    """An axis with all points on it, and the ends of intervals unless they lie far beyond the points.

    Far is more than six tenths of what the points span; when they span nothing, a factor of e¹⁰ on a logarithmic axis.
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
    """Whether the meanings of both directions find room in one line."""
    return breadth(left) + breadth(right) <= BOTH_DIRECTIONS


def scale_below(axis: Axis, y: float, left: str, right: str) -> list[str]:
    """The axis with its numbers, and below it what its two directions mean, in one line or two."""
    shapes = [f'<path {RULE} d="M{coordinate(axis.left)} {coordinate(y)}H{coordinate(axis.right)}"/>']
    for tick in axis.ticks():
        x = axis.at(tick)
        shapes.append(f'<path {RULE} d="M{coordinate(x)} {coordinate(y)}v4"/>')
        shapes.append(words(x, y + 16, with_minus_sign(f"{tick:g}"), kind="soft", anchor="middle"))
    if left:
        shapes.append(words(MARGIN, y + 33, f"← {fit(left, MOST_DIRECTION)}", kind="soft"))
    if right:
        lower = 0 if are_narrow(left, right) else LINE
        shapes.append(
            words(WIDTH - MARGIN, y + 33 + lower, f"{fit(right, MOST_DIRECTION)} →", kind="soft", anchor="end")
        )
    return shapes
