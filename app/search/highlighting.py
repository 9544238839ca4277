"""Search snippets: the best matching field of a record, and an excerpt of it in segments with the matches marked.

Segments, not HTML: the client decides how a match is shown, and no text of a record can become markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from app.search.tokens import Placed, tokens_with_spans

LONGEST = 240
"""Approximate length of a snippet, in characters."""
BEFORE = 60
"""Characters shown before the first match, where the text is longer than a snippet."""
CUT = "…"


class Segment(BaseModel):
    """A segment of a search snippet."""

    text: str = Field(description="Its text; `…` where text of the record was left out.")
    is_match: bool = Field(description="Whether the segment matches the query.")


@dataclass(frozen=True)
class Wanted:
    """The query terms to highlight: whole words, prefixes, phrases, and synonyms (`names`) as a whole."""

    words: frozenset[str]
    prefixes: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    names: tuple[tuple[str, ...], ...] = ()

    def among(self, text: str) -> tuple[int, list[Placed]]:
        """The score of a text, and the tokens to mark, in order.

        A distinct query word scores 2, also within a phrase; a synonym scores 1; each counts once.
        """
        placed_words = list(tokens_with_spans(text))
        starts = self.prefixes
        found = {
            word for word in placed_words if word.token in self.words or (starts and word.token.startswith(starts))
        }
        score = 2 * len({word.token for word in found})
        text_tokens = [word.token for word in placed_words]
        for sequence, points in [
            *((phrase, 2 * len(phrase)) for phrase in self.phrases),
            *((name, 1) for name in self.names),
        ]:
            size = len(sequence)
            begins = [at for at in range(len(text_tokens)) if tuple(text_tokens[at : at + size]) == sequence]
            score += points * bool(begins)
            found |= {placed_words[at + offset] for at in begins for offset in range(size)}
        return score, sorted(found, key=lambda word: word.start)


def best_text(texts: Iterable[tuple[str, str]], wanted: Wanted) -> tuple[str, str, list[Placed]] | None:
    """The text with the highest score, the first among equals: field, text and tokens to mark; None if all are 0."""
    best: tuple[str, str, list[Placed]] | None = None
    most = 0
    for field, text in texts:
        score, found = wanted.among(text)
        if score > most:
            best, most = (field, text, found), score
    return best


def snippet(text: str, found: Sequence[Placed]) -> list[Segment]:
    """The excerpt around the first marked token, as segments; `…` where text was left out."""
    start, end = _window(text, found)
    segments = [Segment(text=CUT, is_match=False)] if start else []
    at = start
    for word in found:
        if word.start < at or word.end > end:
            continue
        if word.start > at:
            segments.append(Segment(text=text[at : word.start], is_match=False))
        segments.append(Segment(text=text[word.start : word.end], is_match=True))
        at = word.end
    if at < end:
        segments.append(Segment(text=text[at:end], is_match=False))
    return [*segments, *([Segment(text=CUT, is_match=False)] if end < len(text) else [])]


def _window(text: str, found: Sequence[Placed]) -> tuple[int, int]:
    """Start and end of the excerpt in the text, in characters; at spaces where there are any."""
    if len(text) <= LONGEST:
        return 0, len(text)
    start = max(0, (found[0].start if found else 0) - BEFORE)
    if start:
        space = text.find(" ", start, found[0].start)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + LONGEST)
    if end < len(text):
        space = text.rfind(" ", max(start + LONGEST // 2, found[0].end if found else 0), end)
        end = space if space > start else end
    return start, end
