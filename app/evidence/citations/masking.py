"""A text of which only the quoted characters may be passed on: the others become a sign of equal length."""

from collections.abc import Iterable, Iterator
from typing import Any

MASK = "□"


def mask_text(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with every character outside the spans replaced; characters from 0, the end not included.

    Its length stays, so that what points into the text still does.
    """
    kept, place = [], 0
    for start, end in sorted(spans):
        first = max(start, place)
        if first < end:
            kept += [MASK * (first - place), text[first:end]]
            place = end
    return ("".join(kept) + MASK * (len(text) - place))[: len(text)]


def spans_in(content: Any, source: str) -> Iterator[tuple[int, int]]:
    """Every span that a document, however deep, quotes from a source."""
    if isinstance(content, dict):
        if content.get("source") == source and content.get("span"):
            yield content["span"]["start"], content["span"]["end"]
        for value in content.values():
            yield from spans_in(value, source)
    elif isinstance(content, list):
        for value in content:
            yield from spans_in(value, source)
