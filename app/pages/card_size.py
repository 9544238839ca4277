"""Estimate the height of a card at a width, so that a page can reserve the space before the card has loaded."""

from math import ceil

from app.formats.text_width import text_width
from app.pages.cards import NO_DECISION, Card

PADDING = 34
"""Pixels left and right of the text, with the borders."""
NAME_WIDTH, WIDE = 130, 440
"""Pixels that the names of facts take in a wide card, and the width from which they are beside their facts."""
WIDEST_PICTURE = 460
SLACK = 1.2
"""Factor on the measured text width, since lines break earlier in a font wider than the one measured."""


def card_height(card: Card, width: int) -> int:
    """The height in pixels that fits the card in most fonts, rounded up to tens; `width` in pixels."""
    inner = max(200, width - PADDING)
    beside = NAME_WIDTH if width >= WIDE else 0
    height: float = 136 + _lines(card.title, inner, 19) * 25
    height += 34 if card.judgements else 0
    height += sum(18 + _lines(mark.text, inner - 24, 14) * 21 for mark in card.marks)
    height += 8 + _lines(card.summary, inner, 15) * 22.5 if card.summary else 0
    for fact in card.facts:
        height += 5 + _lines(fact.text, inner - beside, 15) * 22.5 + (0 if beside else 20)
    for place in card.places:
        height += 6 + _lines(place.place + place.status, inner - 50, 15) * 23 + _lines(place.detail, inner, 13) * 20
    height += sum(_lines(f"{source.text} {source.mark}", inner, 14) * 21 for source in card.sources)
    if card.picture:
        height += 10 + min(inner, WIDEST_PICTURE) * card.picture.height / card.picture.width
    height += 0 if card.places else 10 + _lines(NO_DECISION, inner, 13) * 20
    height += 20 * (bool(card.more_sources) + bool(card.more_places))
    height += 54 + _lines(f"{card.as_of}. {card.disclaimer}", inner, 13) * 20
    return ceil(height / 10) * 10


def _lines(text: str, width: float, size: float) -> int:
    return max(1, ceil(text_width(text, size) * SLACK / width))
