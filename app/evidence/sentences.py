"""Sentences made from fields: the same fields always give the same words, and every number says where it is from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log10
from typing import Any, Self

RATED = {"high": "high", "moderate": "moderate", "low": "low", "very-low": "very low"}
"""GRADE's words for certainty."""


@dataclass
class Sentence:
    """A sentence that grows from left to right."""

    text: str = ""
    numbers: list[dict[str, Any]] = field(default_factory=list)

    def say(self, words: str) -> Self:
        """Add words that hold no number of a record."""
        self.text += words
        return self

    def give(self, number: str, pointer: str, records: Sequence[str]) -> Self:
        """Add a number, with its place in the answer and the records that it comes from."""
        start = len(self.text)
        self.text += number
        link = {"text": number, "start": start, "end": len(self.text), "pointer": pointer, "records": list(records)}
        self.numbers.append(link)
        return self

    def shown(self) -> dict[str, Any]:
        """The sentence as an answer holds it."""
        return {"text": self.text, "numbers": self.numbers}


def stated(subject: str, verb: str, plain_verb: str, rest: str, certainty: str | None) -> str:
    """An informative statement after GRADE guidelines 26 (Santesso 2020, doi:10.1016/j.jclinepi.2019.10.014).

    `verb` is of the third person (`increases`), `plain_verb` follows `may` (`increase`). Very low certainty states
    nothing but that. Without a rating the statement is about the studies alone.
    """
    if certainty == "very-low":
        return f"The evidence is very uncertain about the effect of {subject} on {rest}"
    if certainty == "low":
        return f"{capital(subject)} may {plain_verb} {rest}"
    if certainty == "moderate":
        return f"{capital(subject)} probably {verb} {rest}"
    if certainty == "high":
        return f"{capital(subject)} {verb} {rest}"
    return f"In what was studied, {subject} {verb} {rest}"


def certainty_sentence(certainty: str | None, by: str | None, pointer: str, records: Sequence[str]) -> Sentence:
    """How sure one can be, by GRADE, and who says so."""
    if certainty is None:
        return Sentence("How certain this evidence is (GRADE) has not been rated.")
    rated = Sentence("The certainty of this evidence (GRADE) is ").give(RATED[certainty], pointer, records)
    return rated.say(f", rated by {by}." if by else ".")


def capital(words: str) -> str:
    """The words with a capital letter at their beginning."""
    return words[:1].upper() + words[1:]


def figure(value: float | None) -> str:
    """A number as sentences hold it: three significant digits, a real minus sign; None is beyond any number."""
    if value is None:
        return "∞"
    text = f"{value:,.0f}" if 999.5 <= abs(value) < 1e9 else f"{value:.3g}"
    return "−" + text[1:] if text.startswith("-") else text


def out_of_1000(people: float) -> float:
    """People out of 1,000 to a tenth, for no trial knows more; to two digits where fewer than one has it or has it not.

    So it is 0 or 1,000 only when nobody or everybody has it.
    """
    least = min(abs(people), abs(1000 - people))
    digits = 1 if least >= 1 or least < 1e-9 else min(12, 1 - floor(log10(least)))
    return round(people, digits)


def per_thousand(risk: float) -> str:
    """A risk as people out of 1,000; one digit more below ten of them and above 990."""
    people = out_of_1000(1000 * risk)
    if people < 9.95 or people > 990.05:
        return f"{people:,.12f}".rstrip("0").rstrip(".")
    return f"{people:.0f}"


def have(people: str) -> str:
    """The verb after a number of people."""
    return "has" if people == "1" else "have"
