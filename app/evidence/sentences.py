"""Plain-language sentences from fields: the same fields always give the same text, and each number has its source."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log10
from typing import Any, Self

RATED = {"high": "high", "moderate": "moderate", "low": "low", "very-low": "very low"}
"""GRADE's words for certainty."""


@dataclass
class Sentence:
    """A sentence under construction, with links from its numbers to their places and records."""

    text: str = ""
    numbers: list[dict[str, Any]] = field(default_factory=list)

    def say(self, text: str) -> Self:
        """Append text without a number of a record; returns the sentence."""
        self.text += text
        return self

    def give(self, number: str, pointer: str, records: Sequence[str]) -> Self:
        """Append a number with its JSON pointer in the response and the records behind it; returns the sentence."""
        start = len(self.text)
        self.text += number
        link = {"text": number, "start": start, "end": len(self.text), "pointer": pointer, "records": list(records)}
        self.numbers.append(link)
        return self

    def shown(self) -> dict[str, Any]:
        """The sentence as JSON: `text` and `numbers`."""
        return {"text": self.text, "numbers": self.numbers}


def stated(subject: str, verb: str, plain_verb: str, object_phrase: str, certainty: str | None) -> str:
    """An informative statement after GRADE guidelines 26 (Santesso 2020, doi:10.1016/j.jclinepi.2019.10.014).

    `verb` is in the third person (`increases`), `plain_verb` is the infinitive after `may` (`increase`). With very low
    certainty the sentence states only that. Without a rating it is limited to the studies.
    """
    if certainty == "very-low":
        return f"The evidence is very uncertain about the effect of {subject} on {object_phrase}"
    if certainty == "low":
        return f"{capital(subject)} may {plain_verb} {object_phrase}"
    if certainty == "moderate":
        return f"{capital(subject)} probably {verb} {object_phrase}"
    if certainty == "high":
        return f"{capital(subject)} {verb} {object_phrase}"
    return f"In what was studied, {subject} {verb} {object_phrase}"


def certainty_sentence(certainty: str | None, by: str | None, pointer: str, records: Sequence[str]) -> Sentence:
    """The GRADE certainty of the evidence, and who rated it."""
    if certainty is None:
        return Sentence("How certain this evidence is (GRADE) has not been rated.")
    rated = Sentence("The certainty of this evidence (GRADE) is ").give(RATED[certainty], pointer, records)
    return rated.say(f", rated by {by}." if by else ".")


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def figure(value: float | None) -> str:
    """A number for a sentence: three significant digits, a thousands separator, U+2212 as minus; None is infinity."""
    if value is None:
        return "∞"
    text = f"{value:,.0f}" if 999.5 <= abs(value) < 1e9 else f"{value:.3g}"
    return "−" + text[1:] if text.startswith("-") else text


def out_of_1000(people: float) -> float:
    """People out of 1,000, rounded to a tenth, as precise as any trial; two significant digits within 1 of 0 or 1,000.

    So it is 0 or 1,000 only when nobody or everybody has the event.
    """
    least = min(abs(people), abs(1000 - people))
    digits = 1 if least >= 1 or least < 1e-9 else min(12, 1 - floor(log10(least)))
    return round(people, digits)


def per_thousand(risk: float) -> str:
    """A risk as people out of 1,000, without decimals; with decimals below 10 and above 990."""
    people = out_of_1000(1000 * risk)
    if people < 9.95 or people > 990.05:
        return f"{people:,.12f}".rstrip("0").rstrip(".")
    return f"{people:.0f}"


def have(people: str) -> str:
    """The verb after a number of people: `has` after 1, else `have`."""
    return "has" if people == "1" else "have"
