"""Sentences made from fields: the same fields always give the same words, and every number says where it is from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
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
        return f"{_capital(subject)} may {plain_verb} {rest}"
    if certainty == "moderate":
        return f"{_capital(subject)} probably {verb} {rest}"
    if certainty == "high":
        return f"{_capital(subject)} {verb} {rest}"
    return f"In what was studied, {subject} {verb} {rest}"


def certainty_sentence(certainty: str | None, by: str | None, pointer: str, records: Sequence[str]) -> Sentence:
    """How sure one can be, by GRADE, and who says so."""
    if certainty is None:
        return Sentence("How certain this evidence is (GRADE) has not been rated.")
    rated = Sentence("The certainty of this evidence (GRADE) is ").give(RATED[certainty], pointer, records)
    return rated.say(f", rated by {by}." if by else ".")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def figure(value: float) -> str:
    """A number as sentences hold it: three significant digits, a real minus sign."""
    text = f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"
    return "−" + text[1:] if text.startswith("-") else text


def per_thousand(risk: float) -> str:
    """A risk as people out of 1,000; one digit more below ten of them."""
    people = 1000 * risk
    return f"{people:,.0f}" if people >= 9.95 or people == 0 else f"{people:.1f}"
