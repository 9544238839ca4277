"""The query parser: words, "phrases" in quotation marks, and prefixes with a star (`begin*`)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.search.tokens import STOP_WORDS, tokens

MOST_PIECES = 12
"""Words and phrases of a query that are used; further ones are ignored."""
MOST_WORDS = 40
SHORTEST_PREFIX = 2
QUOTES = '"“”„«»'
POINTED = re.compile(r"[0-9]\.[0-9]")
"""A point between digits: a number or a code (`0.5`, `G43.7`), whose parts are searched as a phrase."""
PARTS = re.compile(rf"[{QUOTES}]([^{QUOTES}]*)[{QUOTES}]|([^\s{QUOTES}]+)")


@dataclass(frozen=True)
class Piece:
    """One term of a query: a word, a phrase or a prefix."""

    words: tuple[str, ...]
    start: int
    """The index of its first word among all words of the query."""
    is_phrase: bool = False
    is_prefix: bool = False


@dataclass(frozen=True)
class ParsedQuery:
    """A parsed query: its pieces without stop words, and all its words in order."""

    pieces: tuple[Piece, ...]
    words: tuple[str, ...]

    def parted(self, parts: Mapping[int, Sequence[str]]) -> "ParsedQuery":
        """The query with the words at some indexes replaced by several words each."""
        words = tuple(part for at, word in enumerate(self.words) for part in parts.get(at, [word]))
        pieces: list[Piece] = []
        for piece in self.pieces:
            start = piece.start + sum(len(more) - 1 for at, more in parts.items() if at < piece.start)
            more = parts.get(piece.start, ())
            pieces += [Piece((word,), start + number) for number, word in enumerate(more)]
            pieces += [] if more else [replace(piece, start=start)]
        return ParsedQuery(tuple(pieces), words)


def parse_query(text: str) -> ParsedQuery:
    """Parse the text of a search. No text is an error: one without any word gives an empty query.

    An unpaired quotation mark is ignored, and so is a star without two letters before it.
    """
    pieces: list[Piece] = []
    all_words: list[str] = []
    for quoted, plain in PARTS.findall(text):
        words = tokens(quoted or plain)
        if not words:
            continue
        start = len(all_words)
        all_words += words
        if quoted:
            pieces.append(Piece(tuple(words), start, is_phrase=True))
            continue
        *before, last = words
        is_prefix = plain.rstrip(".,;:!?)").endswith("*") and len(last) >= SHORTEST_PREFIX
        if before and not is_prefix and POINTED.search(plain):
            pieces.append(Piece(tuple(words), start, is_phrase=True))
            continue
        pieces += [Piece((word,), start + number) for number, word in enumerate(before)]
        pieces.append(Piece((last,), start + len(before), is_prefix=is_prefix))
    meaningful = [piece for piece in pieces if piece.is_phrase or piece.is_prefix or piece.words[0] not in STOP_WORDS]
    distinct = {(piece.words, piece.is_phrase, piece.is_prefix): piece for piece in reversed(meaningful or pieces)}
    ordered = sorted(distinct.values(), key=lambda piece: piece.start)
    return ParsedQuery(tuple(ordered[:MOST_PIECES]), tuple(all_words[:MOST_WORDS]))
