"""Tokenisation: case folding, spelling variants, compound splitting, trigrams and edit distance."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
"""Invisible characters in copied text: soft hyphens, joiners and marks of direction."""
WORD = re.compile(rf"(?:[^\W_]|[\u0300-\u036f{UNSEEN}])+")
LONGEST_TOKEN = 40
"""Characters of a token; longer ones are cut, in records and in queries alike."""
WITHOUT_DECOMPOSITION = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)
"""Latin letters that Unicode does not decompose into a letter and a mark."""
SHORTEST_HALF = 3
_STOP_WORDS = """
a about an and any are as at be been by can could do does for from get had has have help helps how i if in into is it
its me my of on or s should t take than that the their them there they this to use used using versus vs was we were what
when where which while who why will with work works would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that carry no meaning for a search: left out of a query that has others."""
SPELLINGS = (("ae", "e"), ("oe", "e"), ("ae", "a"), ("oe", "o"), ("ue", "u"))
"""British as American (`oedema`, `haemorrhage`), and umlauts written out (`goebel`)."""


class Placed(NamedTuple):
    """A token, and the characters of its word in the text (`end` excluded)."""

    token: str
    start: int
    end: int


@lru_cache(maxsize=50_000)
def _folded(word: str) -> tuple[str, ...]:
    """The tokens of a word: mostly one, two where NFKD splits it (`½`), none for combining marks alone."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    plain = "".join(char for char in apart if not unicodedata.combining(char) and unicodedata.category(char) != "Cf")
    return tuple(token[:LONGEST_TOKEN] for token in WORD.findall(plain.translate(WITHOUT_DECOMPOSITION)))


def tokens_with_spans(text: str) -> Iterator[Placed]:
    """The tokens of a text in order, each with its start and end; case, diacritics and compatibility forms are folded.

    NFKD of Unicode Annex 15, without combining marks, then casefolded: `Göbel` is `gobel`, `Straße` is `strasse`,
    `SF-36` is `sf` and `36`.
    """
    for found in WORD.finditer(text):
        for token in _folded(found[0]):
            yield Placed(token, found.start(), found.end())


def tokens(text: str) -> list[str]:
    """The tokens of a text, without their positions."""
    return [token for found in WORD.findall(text) for token in _folded(found)]


def variants(token: str) -> tuple[str, ...]:
    """A token and its variants: singular or plural, and the other spellings of `SPELLINGS`."""
    found = [token]
    if len(token) > 3 and token.isalpha():
        found.append(token[:-1] if token.endswith("s") and not token.endswith("ss") else f"{token}s")
        found += [token.replace(long, short) for long, short in SPELLINGS if long in token]
    return tuple(dict.fromkeys(found))


def halves(token: str) -> list[tuple[str, str]]:
    """The ways to split a token that may be two words written together: `backpain`, `sf36`.

    Each half has three letters at least, or the split is between a letter and a digit; digits stay together.
    """
    if token.isdigit():
        return []
    places = range(1, len(token))
    borders = [at for at in places if token[at - 1].isdigit() != token[at].isdigit()]
    inside = [at for at in places if SHORTEST_HALF <= at <= len(token) - SHORTEST_HALF and token.isalpha()]
    return [(token[:at], token[at:]) for at in borders or inside]


def grams(token: str) -> set[str]:
    """The trigrams of a token, its ends marked: `^bo`, `bot`, `oto`, `tox`, `ox$`."""
    marked = f"^{token}$"
    return {marked[start : start + 3] for start in range(len(marked) - 2)}


def slips_allowed(token: str) -> int:
    """The largest edit distance at which a word of that length counts as misspelled."""
    return 0 if len(token) < 4 else 1 if len(token) < 6 else 2


def distance(word: str, other: str) -> int:
    """The optimal string alignment distance: letters left out, added, changed or swapped with their neighbour.

    Damerau 1964; each position is edited once at most.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for number, letter in enumerate(word, start=1):
        following = [number]
        for place, (previous, wanted) in enumerate(zip(row, other, strict=False), start=1):
            cost = min(previous + (letter != wanted), row[place] + 1, following[-1] + 1)
            if number > 1 and place > 1 and letter == other[place - 2] and word[number - 2] == wanted:
                cost = min(cost, before[place - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1]


def word_starts(label: str) -> Iterator[str]:
    """A folded label from each of its words on: the texts that a completion may match as a prefix."""
    words = tokens(label)
    for start in range(len(words)):
        yield " ".join(words[start:])
