"""What a question comes to with what the index knows: slips corrected, names followed, and the tiers of its answer."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from sqlalchemy import Connection

from app.search.engine import places
from app.search.expressions import (
    ABOUT,
    NAMED,
    Expression,
    Token,
    Without,
    about,
    all_of,
    any_of,
    holding,
    phrase,
    signed_tokens,
    whole_name,
)
from app.search.highlighting import Wanted
from app.search.index_entries import is_thing, kinds_in_order, place_range
from app.search.name_index import labels_of, named_side_by_side, near_words, things_named, wider_than
from app.search.query_parser import ParsedQuery, Piece
from app.search.tokens import halves, tokens, variants

LONGEST_NAME = 6
"""Words of a name that is looked for within a question."""
MOST_NAMES = 8
"""Other names that one name of a question stands for."""


@dataclass(frozen=True)
class Group:
    """One thing that a record must hold, in any of its ways."""

    words: Expression
    """As it was asked for."""
    names: tuple[Expression, ...] = ()
    """Other names of the same thing."""
    things: tuple[Expression, ...] = ()
    """That a record is about a thing of that name, or holds for it as for all of its class."""

    @property
    def in_text(self) -> Expression:
        """In any of a record's texts."""
        return any_of([self.words, *self.names])

    @property
    def in_name(self) -> Expression:
        """In the names of a record."""
        return signed_tokens(self.in_text, NAMED)

    @property
    def about(self) -> Expression:
        """Among what a record is about."""
        return any_of([signed_tokens(self.words, ABOUT), *self.things])


@dataclass(frozen=True)
class Understood:
    """A question as the index can answer it."""

    groups: tuple[Group, ...]
    """What a record must hold, one by one."""
    wholes: tuple[tuple[str, ...], ...]
    """The names that the question as a whole may be."""
    wanted: Wanted
    corrected: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Words that no record holds, with those that they were taken for."""
    followed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names, with the other names of the same thing."""


@dataclass(frozen=True)
class Step:
    """One stretch of the answer: what matches in a range of places, and in which way."""

    match: str
    expression: Expression
    after: int
    beyond: int
    is_ranked: bool = False


def interpret(connection: Connection, question: ParsedQuery) -> Understood:
    """Correct what no record holds, and follow the names of things to their other names."""
    unknown = [piece for piece in question.pieces if not _is_known(connection, piece)]
    question, corrected = _parted(connection, question, unknown)
    forms: dict[Piece, tuple[str, ...]] = {}
    for piece in question.pieces:
        if piece.is_phrase or piece.is_prefix:
            continue
        forms[piece] = variants(piece.words[0])
        near = near_words(connection, piece.words[0]) if piece.words in {one.words for one in unknown} else ()
        if near:
            corrected[piece.words[0]] = near
            forms[piece] += tuple(form for word in near for form in variants(word))
    meant = tuple(corrected.get(word, [word])[0] for word in question.words)
    spans = _named_spans(connection, question, meant)
    groups: list[Group] = []
    followed: dict[str, Sequence[str]] = {}
    words = {form for one in forms.values() for form in one}
    phrases = tuple(piece.words for piece in question.pieces if piece.is_phrase)
    said = words | {word for together in phrases for word in together}
    names: list[tuple[str, ...]] = []
    taken: set[Piece] = set()
    for pieces, name, others, things in spans:
        taken |= set(pieces)
        followed[name] = others
        other_words = [tokens(other) for other in others]
        names += [tuple(one) for one in other_words if not said & set(one)]
        own = all_of(_written(piece, forms) for piece in pieces)
        groups.append(Group(own, tuple(map(phrase, other_words)), things))
    groups += [Group(_written(piece, forms)) for piece in question.pieces if piece not in taken]
    prefixes = tuple(piece.words[0] for piece in question.pieces if piece.is_prefix)
    wholes = dict.fromkeys([question.words, *((*meant[:-1], last) for last in variants(meant[-1]))] if meant else [])
    wanted = Wanted(frozenset(words), prefixes, phrases, tuple(names))
    return Understood(tuple(groups), tuple(wholes), wanted, corrected, followed)


def _is_known(connection: Connection, piece: Piece) -> bool:
    """Whether a record holds the word, or there is nothing to correct."""
    if piece.is_phrase or piece.is_prefix:
        return True
    either = [Token(sign + form) for form in variants(piece.words[0]) for sign in ("", ABOUT)]
    return bool(places(connection, any_of(either), most=1))


def _parted(
    connection: Connection, question: ParsedQuery, unknown: Iterable[Piece]
) -> tuple[ParsedQuery, dict[str, Sequence[str]]]:
    """The question with two words for each unknown one that is two in a name, and these.

    A number beside a word is looked for in any text: nobody writes down all that is counted.
    """
    ways = {piece: [way for form in variants(piece.words[0])[:2] for way in halves(form)] for piece in unknown}
    words = [piece for piece in ways if piece.words[0].isalpha()]
    known = named_side_by_side(connection, [way for piece in words for way in ways[piece]])
    parts: dict[int, tuple[str, str]] = {}
    said: dict[str, Sequence[str]] = {}
    for piece, some in ways.items():
        both = (way for way in some if way in known or (piece not in words and places(connection, phrase(way), most=2)))
        way = next(both, None)
        if way is not None:
            parts[piece.start], said[piece.words[0]] = way, [" ".join(way)]
    return question.parted(parts), said


def _written(piece: Piece, forms: Mapping[Piece, tuple[str, ...]]) -> Expression:
    if piece.is_phrase:
        return phrase(piece.words)
    if piece.is_prefix:
        return Token(piece.words[0], is_prefix=True)
    return any_of(Token(form) for form in forms[piece])


def _named_spans(
    connection: Connection, question: ParsedQuery, meant: Sequence[str]
) -> list[tuple[tuple[Piece, ...], str, list[str], tuple[Expression, ...]]]:
    """The names of things in a question, the longest first, none twice.

    Each with its pieces, itself, the other names, and what records about the things hold.
    """
    fixed = {
        piece.start + number
        for piece in question.pieces
        if piece.is_phrase or piece.is_prefix
        for number in range(len(piece.words))
    }
    spans = {
        (start, end): " ".join(meant[start:end])
        for start in range(len(meant))
        for end in range(start + 1, min(start + LONGEST_NAME, len(meant)) + 1)
        if not fixed & set(range(start, end))
    }
    named = things_named(connection, set(spans.values())) if spans else {}
    found: list[tuple[tuple[Piece, ...], str, list[str], tuple[Expression, ...]]] = []
    labels = labels_of(connection, {thing for things in named.values() for thing in things})
    free = set(range(len(meant)))
    for (start, end), name in sorted(spans.items(), key=lambda one: (one[0][0] - one[0][1], one[0])):
        pieces = tuple(piece for piece in question.pieces if start <= piece.start < end)
        if name in named and pieces and set(range(start, end)) <= free:
            free -= set(range(start, end))
            every = [label for thing in named[name] for label in labels.get(thing, ())]
            others = {folded: label for label in every if (folded := " ".join(tokens(label))) not in ("", name)}
            above = [holding(*thing) for thing in wider_than(connection, named[name])]
            things = (*(about(*thing) for thing in named[name]), *above)
            found.append((pieces, name, list(others.values())[:MOST_NAMES], things))
    return found


# The tiers of an answer


def quorum(groups: Sequence[Expression], needed: int) -> Expression:
    """At least so many of the groups."""
    return any_of(all_of(some) for some in combinations(groups, needed))


def anywhere(groups: Sequence[Group], needed: int) -> Expression:
    """That many of the groups, in any text or among what a record is about."""
    return quorum([any_of([group.in_text, group.about]) for group in groups], needed)


def steps(understood: Understood, needed: int, narrowing: Sequence[Expression], kinds: Sequence[str]) -> list[Step]:
    """The stretches of an answer, best first; a record is in the first that it matches.

    1. `name`: things of that very name; 2. `name`: things with the words in their names; 3. `name`: other records of
    that very name; 4. `about`: all the words in names or among what a record is about; 5. `text`: the rest.
    """
    groups = understood.groups
    exact = any_of(whole_name(words) for words in understood.wholes)
    named = quorum([group.in_name for group in groups], needed)
    near = quorum([any_of([group.in_name, group.about]) for group in groups], needed)
    every = anywhere(groups, needed)
    things = [kind for kind in kinds if is_thing(kind)]
    others = [kind for kind in kinds if not is_thing(kind)]
    tiers: list[tuple[str, Expression, Expression | None, Sequence[str], bool]] = [
        ("name", exact, None, things, True),
        ("name", named, exact, things, True),
        ("name", exact, None, others, False),
        ("about", near, any_of([named, exact]), things, False),
        ("about", near, exact, others, False),
        ("text", every, any_of([near, exact]), kinds, False),
    ]
    found: list[Step] = []
    for match, wanted, unwanted, some, is_ranked in tiers:
        narrowed = all_of([wanted, *narrowing])
        expression = narrowed if unwanted is None else Without(narrowed, unwanted)
        found += [Step(match, expression, *ends, is_ranked) for ends in ranges(some)]
    return found


def ranges(kinds: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places of the kinds as few ranges, each with the places beside it that are not in it."""
    chosen = [kind for kind in kinds_in_order() if kind in kinds]
    ends = [place_range(kind) for kind in chosen]
    for number, (low, high) in enumerate(ends):
        if number and ends[number - 1][1] == low:
            continue
        following = number
        while following + 1 < len(ends) and ends[following + 1][0] == ends[following][1]:
            following += 1
        yield low, ends[following][1] if following > number else high
