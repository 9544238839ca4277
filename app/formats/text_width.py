"""Text widths for badges and cards: the character widths of Helvetica, which Arial shares.

From Adobe's font metrics of Helvetica (AFM 2.0), in thousandths of the font's size.
"""

from unicodedata import combining, east_asian_width

_ROWS = {
    191: "'",
    222: "ijl",
    260: "|",
    278: " !,./:;I[\\]ft·",
    333: "()-r`",
    334: "{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jckvxyzs",
    556: "#$0123456789?L_abdeghnopqu",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1000: "…",
    1015: "@",
}
WIDTHS = {character: width for width, characters in _ROWS.items() for character in characters}
OTHER, FULL = 722, 1000
"""Widths of a character that is not in the table, and of an East Asian wide character."""


def text_width(text: str, size: float) -> float:
    """The width of the text in units of the font's size."""
    return sum(_width(character) for character in text) * size / 1000


def fitted(text: str, size: float, widest: float) -> str:
    """The text, cut off with … where it is wider than `widest`, in units of the font's size."""
    if text_width(text, size) <= widest:
        return text
    while text and text_width(text + "…", size) > widest:
        text = text[:-1]
    return text.rstrip() + "…"


def _width(character: str) -> int:
    if combining(character):
        return 0
    return WIDTHS.get(character, FULL if east_asian_width(character) in "WF" else OTHER)
