"""How often, in the words of a quote: `twice daily`, `every 4–6 hours`, `every other day`, `b.i.d.`."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from app.evidence.citations.text_numbers import CARDINALS, TextNumber
from app.models.dosing_intervals import DAYS

UNITS = {"min": "minute", "h": "hour", "d": "day", "wk": "week", "mo": "month", "a": "year"}
ADVERBS = {
    "hourly": (1, "h"),
    "daily": (1, "d"),
    "nightly": (1, "d"),
    "weekly": (1, "wk"),
    "fortnightly": (2, "wk"),
    "monthly": (1, "mo"),
    "yearly": (1, "a"),
    "annually": (1, "a"),
}
"""Adverbs with the period that they mean; `biweekly` has two meanings and is left out."""
LATIN = {"qd": 1, "od": 1, "bid": 2, "bd": 2, "tid": 3, "tds": 3, "qid": 4, "qds": 4}
"""Abbreviations of prescriptions, with the times a day that they mean."""
COUNTS = {"once": 1, "twice": 2, "thrice": 3}
ORDINALS = {"other": 2, "second": 2, "third": 3, "fourth": 4}
_NUMBER = rf"\d+(?:\.\d+)?|{'|'.join(CARDINALS)}"
_PERIOD = "|".join(f"{name}s?" for name in UNITS.values())
_TIMES = re.compile(
    rf"\b(?:(?P<word>once|twice|thrice)|(?P<low>{_NUMBER})(?:\s*(?:-|–|to|or)\s*(?P<high>{_NUMBER}))?\s*(?:times|x))\s+"
    rf"(?:(?P<adverb>{'|'.join(ADVERBS)})|(?:an?|per|each|every)\s+(?:(?P<per>{_NUMBER})\s+)?(?P<unit>{_PERIOD}))\b",
    re.IGNORECASE,
)
_EVERY = re.compile(
    rf"\b(?:every|each)\s+(?:(?P<nth>{'|'.join(ORDINALS)})\s+|(?P<low>{_NUMBER})(?:\s*(?:-|–|to|or)\s*(?P<high>{_NUMBER}))?"
    rf"[\s-]+)?(?P<unit>{_PERIOD})\b",
    re.IGNORECASE,
)
_HOURLY = re.compile(rf"\b(?P<low>{_NUMBER})(?:\s*(?:-|–|to)\s*(?P<high>{_NUMBER}))?[\s-]*hourly\b", re.IGNORECASE)
_EVERY_H = re.compile(r"\bq\.?\s?(?P<low>\d+)(?:-(?P<high>\d+))?\s?h\b", re.IGNORECASE)
_ADVERB = re.compile(rf"\b(?:{'|'.join(ADVERBS)})\b", re.IGNORECASE)
_DOTTED = "|".join(r"\.?".join(word) for word in LATIN)
_LATIN = re.compile(rf"\b(?:{_DOTTED})\b", re.IGNORECASE)
NEARLY = 0.001
"""How far, as a part, an interval may differ from one in words, both in days."""


class Timing(NamedTuple):
    """How often, in words: its place in the quote, and the shortest and longest time from one dose to the next."""

    start: int
    end: int
    shortest: float
    """In days."""
    longest: float


def timings(quote: str) -> list[Timing]:
    """Every timing in a quote, in order; of overlapping ones the longest: `twice daily` is not `daily`."""
    found: list[Timing] = []
    for timing in sorted(_all(quote), key=lambda one: (one.start - one.end, one.start)):
        if all(timing.end <= other.start or other.end <= timing.start for other in found):
            found.append(timing)
    return sorted(found)


def follows(dose: Any, name: str, found: Sequence[Timing]) -> bool:
    """Whether a number of a dose (`interval_min`, `times`, `period`, …) is what one of the timings says."""
    if name in ("interval_min", "interval_max"):
        amount, unit = getattr(dose, name), dose.interval_unit
        days = None if unit is None else amount * DAYS[unit]
    else:
        times = dose.times_max if name == "times_max" or dose.times is None else dose.times
        days = None if dose.period is None or not times else dose.period * DAYS[dose.period_unit] / times
    return days is not None and any(
        abs(days - end) <= NEARLY * end for timing in found for end in (timing.shortest, timing.longest)
    )


def is_within(reading: TextNumber, found: Sequence[Timing]) -> bool:
    """Whether a number is a word of a timing: `twice` of `twice daily` is no 2 days."""
    return any(timing.start <= reading.start and reading.end <= timing.end for timing in found)


def _all(quote: str) -> Iterator[Timing]:
    for match in _TIMES.finditer(quote):
        low = COUNTS[match["word"].lower()] if match["word"] else _value(match["low"])
        high = _value(match["high"]) if match["high"] else low
        amount, unit = (
            ADVERBS[match["adverb"].lower()]
            if match["adverb"]
            else (_value(match["per"] or "one"), _unit(match["unit"]))
        )
        if low and high:
            yield Timing(*match.span(), amount * DAYS[unit] / high, amount * DAYS[unit] / low)
    for match in _EVERY.finditer(quote):
        low = ORDINALS[match["nth"].lower()] if match["nth"] else _value(match["low"] or "one")
        high = _value(match["high"]) if match["high"] else low
        yield Timing(*match.span(), low * DAYS[_unit(match["unit"])], high * DAYS[_unit(match["unit"])])
    for pattern in (_HOURLY, _EVERY_H):
        for match in pattern.finditer(quote):
            low = _value(match["low"])
            yield Timing(*match.span(), low * DAYS["h"], (_value(match["high"]) if match["high"] else low) * DAYS["h"])
    for match in _ADVERB.finditer(quote):
        amount, unit = ADVERBS[match[0].lower()]
        yield Timing(*match.span(), amount * DAYS[unit], amount * DAYS[unit])
    for match in _LATIN.finditer(quote):
        days = 1 / LATIN[match[0].lower().replace(".", "")]
        yield Timing(*match.span(), days, days)


def _value(words: str) -> float:
    return float(CARDINALS[words.lower()]) if words.lower() in CARDINALS else float(words)


def _unit(word: str) -> str:
    return next(code for code, name in UNITS.items() if word.lower().removesuffix("s") == name)
