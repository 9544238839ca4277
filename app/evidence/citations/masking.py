"""Text masking: every character that is not quoted is replaced, where only quotes may be redistributed."""

from collections.abc import Iterable, Iterator
from typing import Any

MASK = "□"


def mask_text(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with every character outside the spans replaced; spans count characters from 0, the end excluded.

    The length is unchanged, so that spans into the text remain valid.
    """
    parts, place = [], 0
    for start, end in sorted(spans):
        first = max(start, place)
        if first < end:
            parts += [MASK * (first - place), text[first:end]]
            place = end
    return ("".join(parts) + MASK * (len(text) - place))[: len(text)]


def spans_in(content: Any, source: str) -> Iterator[tuple[int, int]]:
    """Every span that a document quotes from a source, at any depth."""
    if isinstance(content, dict):
        if content.get("source") == source and content.get("span"):
            yield content["span"]["start"], content["span"]["end"]
        for value in content.values():
            yield from spans_in(value, source)
    elif isinstance(content, list):
        for value in content:
            yield from spans_in(value, source)
