"""Numbers in text: digits and number words, with their positions and values."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.models.vocabulary import Transformation

SCALES = {"hundred": 100, "thousand": 1000}
SINGLE = {"single": 1.0, "once": 1.0, "twice": 2.0, "thrice": 3.0, "half": 0.5, "dozen": 12.0}
"""Number words that do not combine with others."""
CARDINALS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip

DIGITS = re.compile(r"(?<![\w.,])(?P<sign>(?<![\w)%])[-−])?(?P<body>\d+(?:[.,'’\u00a0\u202f\u2009 ]\d+)*|\.\d+)")
WORDS = re.compile(rf"(?<!\w)(?:{'|'.join([*CARDINALS, *SCALES, *SINGLE, 'and'])})(?![\w])", re.IGNORECASE)
GROUPED = re.compile(r"\d{1,3}([.,'’\u00a0\u202f\u2009 ])\d{3}(?:\1\d{3})*(?:[.,]\d+)?")
AFTER = re.compile(r"\s*(?:%|[^\W\d_]+)?\s*")
"""The text that may follow a number in its span: a unit of one word, or `%`."""


class TextNumber(NamedTuple):
    """A number in a text: its span (characters from 0, the end excluded), its value, and how it is read."""

    start: int
    end: int
    value: float
    transformation: Transformation


def readings(text: str) -> Iterator[TextNumber]:
    """Every number of a text in every possible reading, in order of position.

    `1,384` gives two: with a decimal comma, and with its digits in groups of three (ISO 80000-1, 7.3.1 knows both
    marks). A sign counts unless a word or digit precedes it, so that `3-4` is a range and not a negative number.
    """
    found = [*_in_digits(text), *_in_words(text)]
    yield from sorted(found)


def bound_value(text: str, start: int, end: int, transformation: Transformation) -> float:
    """The value of the number in the span from `start` to `end`, read by `transformation`; ValueError if there is none.

    The span must have exactly one whole number, and after it at most its unit (`155`, `75%`, `155 units`).
    """
    if end > len(text):
        raise ValueError(f"the span {start}–{end} reaches beyond the quote, which has {len(text)} characters")
    spanned = text[start:end]
    inside = [reading for reading in readings(text) if start <= reading.start and reading.end <= end]
    places = {(reading.start, reading.end) for reading in inside}
    if not places:
        raise ValueError(f"{spanned!r} at {start}–{end} is no whole number of the quote")
    if len(places) > 1:
        raise ValueError(f"{spanned!r} at {start}–{end} holds {len(places)} numbers; bind one")
    first, last = next(iter(places))
    if first != start or not AFTER.fullmatch(text[last:end]):
        raise ValueError(f"{spanned!r} at {start}–{end} is more than the number {text[first:last]!r} and its unit")
    known = {reading.transformation: reading.value for reading in inside}
    if transformation not in known:
        others = " or ".join(f"{name} ({value:g})" for name, value in known.items())
        raise ValueError(f"{text[first:last]!r} cannot be read {transformation}; it can be read {others}")
    return known[transformation]


def _in_digits(text: str) -> Iterator[TextNumber]:
    for match in DIGITS.finditer(text):
        sign = -1.0 if match["sign"] else 1.0
        for start, body in _split(match["body"]):
            place = match.start("body") + start
            begin = match.start() if start == 0 else place
            for value, transformation in _values(body):
                yield TextNumber(begin, place + len(body), (sign if start == 0 else 1.0) * value, transformation)


def _split(body: str) -> Iterator[tuple[int, str]]:
    """The numbers in a run of digits, with their offsets: one where the groups are of three, else one for each part."""
    if GROUPED.fullmatch(body) or re.fullmatch(r"\d+[.,]\d+|\d+|\.\d+", body):
        yield 0, body
        return
    for part in re.finditer(r"\d+(?:[.,]\d+)?", body):
        yield part.start(), part[0]


def _values(body: str) -> Iterator[tuple[float, Transformation]]:
    if re.fullmatch(r"\d+(\.\d+)?|\.\d+", body):
        yield float(body), "as-written"
    if re.fullmatch(r"\d+,\d+", body):
        yield float(body.replace(",", ".")), "decimal-comma"
    grouped = GROUPED.fullmatch(body)
    if grouped:
        whole, mark = body, grouped[1]
        tail = re.search(r"[.,]\d+$", body)
        if tail and tail[0][0] != mark:
            whole, fraction = body[: tail.start()], "." + tail[0][1:]
        else:
            fraction = ""
        yield float(whole.replace(mark, "") + fraction), "digit-groups"


def _in_words(text: str) -> Iterator[TextNumber]:
    """Numbers in words: `three`, `twenty-five`, `one hundred and fifty-five`."""
    run: list[re.Match[str]] = []
    for match in [*WORDS.finditer(text), None]:
        joined = match is not None and run and re.fullmatch(r"[\s-]+", text[run[-1].end() : match.start()])
        if run and not joined:
            yield from _of_run(run)
            run = []
        if match is not None:
            run.append(match)


def _of_run(run: list[re.Match[str]]) -> Iterator[TextNumber]:
    """The numbers in a run of adjacent number words: `two three` are two numbers, `twenty-five` is one."""
    start, end, total, current, last = None, 0, 0.0, 0.0, 0.0
    for match in run:
        word = match[0].lower()
        if word == "and":
            continue
        is_single = word in SINGLE
        value = SINGLE[word] if is_single else float(CARDINALS.get(word, SCALES.get(word, 0)))
        continues = start is not None and not is_single and _continues(word, value, last)
        if start is not None and not continues:
            yield TextNumber(start, end, total + current, "number-word")
            start = None
        if start is None:
            start, total, current = match.start(), 0.0, value
        elif word == "hundred":
            current *= 100
        elif word == "thousand":
            total, current = (total + current) * 1000, 0.0
        else:
            current += value
        end, last = match.end(), 0.0 if is_single else value
    if start is not None:
        yield TextNumber(start, end, total + current, "number-word")


def _continues(word: str, value: float, last: float) -> bool:
    """Whether a word continues the number before it: `hundred` after `one`, `five` after `twenty` or `hundred`."""
    if last == 0:
        return False
    if word in SCALES:
        return last < value
    return last in SCALES.values() or (20 <= last < 100 and last % 10 == 0 and 0 < value < 10)
