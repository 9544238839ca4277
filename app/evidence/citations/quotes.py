"""Does a quote stand in its source, and where?"""

import unicodedata

LOOK_ALIKES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


def mismatch(text: str, quote: str, start: int | None, end: int | None) -> str | None:
    """What is wrong with a quote and its span in a text (characters from 0, end not included); None when it holds.

    Without a span the quote must occur somewhere. A quote that differs only by typographic marks is named as such,
    with the place of the first difference.
    """
    if start is None or end is None:
        return None if quote in text else _nearly(text, quote) or "the quote does not occur in the stored text"
    if end > len(text):
        return f"the span {start}–{end} reaches beyond the text, which has {len(text)} characters"
    held = text[start:end]
    if held == quote:
        return None
    place = next(
        (index for index, (a, b) in enumerate(zip(held, quote, strict=False)) if a != b), min(len(held), len(quote))
    )
    if _fold(held) == _fold(quote):
        return f"the quote differs from the text by a typographic mark at character {start + place}"
    return f"the quote differs from the text at character {start + place}: the text has {held[place : place + 20]!r}"


def _fold(value: str) -> str:
    return unicodedata.normalize("NFKC", value).translate(LOOK_ALIKES)


def _nearly(text: str, quote: str) -> str | None:
    place = _fold(text).find(_fold(quote))
    if place < 0:
        return None
    return f"the quote differs from the text only by typographic marks, near character {place}"
