"""Words as they are compared: folded, cut into tokens, spelled in other ways, and near to one another."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff"
"""Soft hyphens, joiners and marks of direction, as they come along with copied text: nobody sees them in a word."""
WORD = re.compile(rf"(?:[^\W_]|[\u0300-\u036f{UNSEEN}])+")
LONGEST_TOKEN = 40
"""Characters of a token; what is longer is cut, in records and in questions alike."""
WITHOUT_DECOMPOSITION = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"}
)
"""Latin letters that Unicode does not take apart into a letter and a mark."""
SHORTEST_HALF = 3
_STOP_WORDS = """
a about an and any are as at be been by can could do does for from get had has have help helps how i if in into is it
its me my of on or s should t take than that the their them there they this to use used using versus vs was we were what
when where which while who why will with work works would you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""Words that say nothing by themselves: left out of a question that has others."""
SPELLINGS = (("ae", "e"), ("oe", "e"), ("ae", "a"), ("oe", "o"), ("ue", "u"))
"""British as American (`oedema`, `haemorrhage`), and umlauts written out (`goebel`)."""


class Placed(NamedTuple):
    """A word of a text, as it is compared, and where it stands in the text."""

    token: str
    start: int
    end: int


@lru_cache(maxsize=50_000)
def _folded(word: str) -> tuple[str, ...]:
    """One word of a text as its tokens: mostly one, two for what takes itself apart (`½`), none for marks alone."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).casefold())
    plain = "".join(one for one in apart if not unicodedata.combining(one) and unicodedata.category(one) != "Cf")
    return tuple(token[:LONGEST_TOKEN] for token in WORD.findall(plain.translate(WITHOUT_DECOMPOSITION)))


def placed(text: str) -> Iterator[Placed]:
    """The tokens of a text in order: without case, diacritics and compatibility forms (Unicode Annex 15, NFKD).

    `Göbel` is `gobel`, `Straße` is `strasse`, `SF-36` is `sf` and `36`.
    """
    for found in WORD.finditer(text):
        for token in _folded(found[0]):
            yield Placed(token, found.start(), found.end())


def tokens(text: str) -> list[str]:
    """The tokens of a text, without their places."""
    return [token for found in WORD.findall(text) for token in _folded(found)]


def variants(token: str) -> tuple[str, ...]:
    """A token and the other ways in which a record may have it: singular or plural, and as in `SPELLINGS`."""
    found = [token]
    if len(token) > 3 and token.isalpha():
        found.append(token[:-1] if token.endswith("s") and not token.endswith("ss") else f"{token}s")
        found += [token.replace(long, short) for long, short in SPELLINGS if long in token]
    return tuple(dict.fromkeys(found))


def halves(token: str) -> list[tuple[str, str]]:
    """The ways in which a token may be two words written together: `backpain`, `sf36`.

    Each has three letters at least, or ends where digits begin or end; digits stay together.
    """
    if token.isdigit():
        return []
    places = range(1, len(token))
    borders = [at for at in places if token[at - 1].isdigit() != token[at].isdigit()]
    inside = [at for at in places if SHORTEST_HALF <= at <= len(token) - SHORTEST_HALF and token.isalpha()]
    return [(token[:at], token[at:]) for at in borders or inside]


def grams(token: str) -> set[str]:
    """The three-letter pieces of a token, its ends marked: `^bo`, `bot`, `oto`, `tox`, `ox$`."""
    marked = f"^{token}$"
    return {marked[start : start + 3] for start in range(len(marked) - 2)}


def slips_allowed(token: str) -> int:
    """How many slips a mistyped word of that length may hold."""
    return 0 if len(token) < 4 else 1 if len(token) < 6 else 2


def distance(one: str, other: str) -> int:
    """How many letters were left out, added, changed or swapped with their neighbour.

    The optimal string alignment distance (Damerau 1964; each place is edited once at most).
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for number, letter in enumerate(one, start=1):
        following = [number]
        for place, (was, wanted) in enumerate(zip(row, other, strict=False), start=1):
            cost = min(was + (letter != wanted), row[place] + 1, following[-1] + 1)
            if number > 1 and place > 1 and letter == other[place - 2] and one[number - 2] == wanted:
                cost = min(cost, before[place - 2] + 1)
            following.append(cost)
        before, row = row, following
    return row[-1]


def word_starts(label: str) -> Iterator[str]:
    """A folded label, and what is left of it from each further word on: what a person may begin to type."""
    words = tokens(label)
    for start in range(len(words)):
        yield " ".join(words[start:])
