"""Quotes compared with the stored text of their source."""

import unicodedata

LOOK_ALIKES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


def mismatch(text: str, quote: str, start: int | None, end: int | None) -> str | None:
    """The error of a quote and its span in a text (characters from 0, end excluded); None if they match.

    Without a span the quote must occur anywhere. The message says where the first difference is, and whether only
    typographic marks differ.
    """
    if start is None or end is None:
        return (
            None
            if quote in text
            else _typographic_difference(text, quote) or "the quote does not occur in the stored text"
        )
    if end > len(text):
        return f"the span {start}–{end} reaches beyond the text, which has {len(text)} characters"
    quoted = text[start:end]
    if quoted == quote:
        return None
    place = next(
        (index for index, (a, b) in enumerate(zip(quoted, quote, strict=False)) if a != b), min(len(quoted), len(quote))
    )
    if _fold(quoted) == _fold(quote):
        return f"the quote differs from the text by a typographic mark at character {start + place}"
    return f"the quote differs from the text at character {start + place}: the text has {quoted[place : place + 20]!r}"


def _fold(value: str) -> str:
    return unicodedata.normalize("NFKC", value).translate(LOOK_ALIKES)


def _typographic_difference(text: str, quote: str) -> str | None:
    place = _fold(text).find(_fold(quote))
    if place < 0:
        return None
    return f"the quote differs from the text only by typographic marks, near character {place}"
