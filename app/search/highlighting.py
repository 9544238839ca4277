"""Where a record says what was asked: the field, and a stretch of its text in segments, some of them marked.

Segments, not HTML: whoever shows them decides how a mark looks, and no text of a record can become markup.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field

from app.search.tokens import Placed, placed

LONGEST = 240
"""Characters of a snippet, about."""
BEFORE = 60
"""Characters shown before the first match of a longer text."""
CUT = "…"


class Segment(BaseModel):
    """A stretch of a snippet."""

    text: str = Field(description="Its words; `…` where more of the text was left out.")
    is_match: bool = Field(description="Whether they are what was asked for.")


@dataclass(frozen=True)
class Wanted:
    """The words that are marked: whole ones, the beginnings of words, phrases and other names as a whole."""

    words: frozenset[str]
    prefixes: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    names: tuple[tuple[str, ...], ...] = ()

    def among(self, text: str) -> tuple[int, list[Placed]]:
        """How much of it stands in a text, and the places that are marked.

        A word that was asked for counts two, also in a phrase; another name for it counts one, each once.
        """
        every = list(placed(text))
        starts = self.prefixes
        found = {one for one in every if one.token in self.words or (starts and one.token.startswith(starts))}
        worth = 2 * len({one.token for one in found})
        line = [one.token for one in every]
        for together, each in [
            *((phrase, 2 * len(phrase)) for phrase in self.phrases),
            *((name, 1) for name in self.names),
        ]:
            begins = [at for at in range(len(line)) if tuple(line[at : at + len(together)]) == together]
            worth += each * bool(begins)
            found |= {every[at + step] for at in begins for step in range(len(together))}
        return worth, sorted(found, key=lambda one: one.start)


def best_text(texts: Iterable[tuple[str, str]], wanted: Wanted) -> tuple[str, str, list[Placed]] | None:
    """The text with most of what is wanted, the earlier one among equals: its field, itself and its marked places."""
    best: tuple[str, str, list[Placed]] | None = None
    most = 0
    for field, text in texts:
        worth, found = wanted.among(text)
        if worth > most:
            best, most = (field, text, found), worth
    return best


def snippet(text: str, found: Sequence[Placed]) -> list[Segment]:
    """A stretch of the text around its first marked place."""
    start, end = _window(text, found)
    segments = [Segment(text=CUT, is_match=False)] if start else []
    at = start
    for one in found:
        if one.start < at or one.end > end:
            continue
        if one.start > at:
            segments.append(Segment(text=text[at : one.start], is_match=False))
        segments.append(Segment(text=text[one.start : one.end], is_match=True))
        at = one.end
    if at < end:
        segments.append(Segment(text=text[at:end], is_match=False))
    return [*segments, *([Segment(text=CUT, is_match=False)] if end < len(text) else [])]


def _window(text: str, found: Sequence[Placed]) -> tuple[int, int]:
    """Where a snippet begins and ends: at spaces, where there are some."""
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
