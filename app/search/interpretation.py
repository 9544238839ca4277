"""Query interpretation: spelling correction, synonym expansion, and the ranked tiers of the search results."""

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
from app.search.index_entries import is_entity, kinds_in_order, place_range
from app.search.name_index import entities_named, labels_of, named_side_by_side, near_words, wider_than
from app.search.query_parser import ParsedQuery, Piece
from app.search.tokens import halves, tokens, variants

LONGEST_NAME = 6
"""Words of the longest name that is looked up within a query."""
MOST_NAMES = 8
"""Synonyms that one name of a query is expanded to."""


@dataclass(frozen=True)
class Group:
    """One term of a query, with its alternatives; a record must match one of them."""

    words: Expression
    """The term as it was typed, with its spelling variants."""
    names: tuple[Expression, ...] = ()
    """Synonyms: the other names of the same entity."""
    entities: tuple[Expression, ...] = ()
    """Matches the records about an entity of that name, or about a wider one where they apply to all of its parts."""

    @property
    def in_text(self) -> Expression:
        """Matches the term in any text of a record."""
        return any_of([self.words, *self.names])

    @property
    def in_name(self) -> Expression:
        """Matches the term in the names of a record."""
        return signed_tokens(self.in_text, NAMED)

    @property
    def about(self) -> Expression:
        """Matches the term in the subject of a record."""
        return any_of([signed_tokens(self.words, ABOUT), *self.entities])


@dataclass(frozen=True)
class InterpretedQuery:
    """An interpreted query."""

    groups: tuple[Group, ...]
    """The terms of the query."""
    wholes: tuple[tuple[str, ...], ...]
    """The names that the query as a whole may equal, each as its words."""
    wanted: Wanted
    corrected: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Words that are in no record, with their corrections."""
    followed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names in the query, with their synonyms."""


@dataclass(frozen=True)
class Tier:
    """A tier of the results within one range of places: the expression, and the `match` type of its hits."""

    match: str
    expression: Expression
    after: int
    beyond: int
    is_ranked: bool = False


def interpret(connection: Connection, question: ParsedQuery) -> InterpretedQuery:
    """Correct words that are in no record, and expand the names of entities by their synonyms."""
    unknown = [piece for piece in question.pieces if not _is_known(connection, piece)]
    question, corrected = _split_compounds(connection, question, unknown)
    forms: dict[Piece, tuple[str, ...]] = {}
    for piece in question.pieces:
        if piece.is_phrase or piece.is_prefix:
            continue
        forms[piece] = variants(piece.words[0])
        near = near_words(connection, piece.words[0]) if piece.words in {missing.words for missing in unknown} else ()
        if near:
            corrected[piece.words[0]] = near
            forms[piece] += tuple(form for word in near for form in variants(word))
    corrected_words = tuple(corrected.get(word, [word])[0] for word in question.words)
    spans = _named_spans(connection, question, corrected_words)
    groups: list[Group] = []
    followed: dict[str, Sequence[str]] = {}
    words = {form for variant_forms in forms.values() for form in variant_forms}
    phrases = tuple(piece.words for piece in question.pieces if piece.is_phrase)
    query_words = words | {word for phrase_words in phrases for word in phrase_words}
    names: list[tuple[str, ...]] = []
    taken: set[Piece] = set()
    for pieces, name, others, about_entities in spans:
        taken |= set(pieces)
        followed[name] = others
        other_words = [tokens(other) for other in others]
        names += [tuple(synonym) for synonym in other_words if not query_words & set(synonym)]
        own = all_of(_expression_of(piece, forms) for piece in pieces)
        groups.append(Group(own, tuple(map(phrase, other_words)), about_entities))
    groups += [Group(_expression_of(piece, forms)) for piece in question.pieces if piece not in taken]
    prefixes = tuple(piece.words[0] for piece in question.pieces if piece.is_prefix)
    wholes = dict.fromkeys(
        [question.words, *((*corrected_words[:-1], last) for last in variants(corrected_words[-1]))]
        if corrected_words
        else []
    )
    wanted = Wanted(frozenset(words), prefixes, phrases, tuple(names))
    return InterpretedQuery(tuple(groups), tuple(wholes), wanted, corrected, followed)


def _is_known(connection: Connection, piece: Piece) -> bool:
    """Whether the word is in a record, or is a phrase or prefix, which are not corrected."""
    if piece.is_phrase or piece.is_prefix:
        return True
    alternatives = [Token(sign + form) for form in variants(piece.words[0]) for sign in ("", ABOUT)]
    return bool(places(connection, any_of(alternatives), most=1))


def _split_compounds(
    connection: Connection, question: ParsedQuery, unknown: Iterable[Piece]
) -> tuple[ParsedQuery, dict[str, Sequence[str]]]:
    """The query with each unknown word split in two where a name has both side by side; and the splits by word.

    A split with a number (`sf36`) is looked up in all texts, because names cannot list everything that is counted.
    """
    ways = {piece: [way for form in variants(piece.words[0])[:2] for way in halves(form)] for piece in unknown}
    words = [piece for piece in ways if piece.words[0].isalpha()]
    known = named_side_by_side(connection, [way for piece in words for way in ways[piece]])
    parts: dict[int, tuple[str, str]] = {}
    corrected: dict[str, Sequence[str]] = {}
    for piece, splits in ways.items():
        is_word = piece in words
        found = (way for way in splits if way in known or (not is_word and places(connection, phrase(way), most=2)))
        way = next(found, None)
        if way is not None:
            parts[piece.start], corrected[piece.words[0]] = way, [" ".join(way)]
    return question.parted(parts), corrected


def _expression_of(piece: Piece, forms: Mapping[Piece, tuple[str, ...]]) -> Expression:
    if piece.is_phrase:
        return phrase(piece.words)
    if piece.is_prefix:
        return Token(piece.words[0], is_prefix=True)
    return any_of(Token(form) for form in forms[piece])


def _named_spans(
    connection: Connection, question: ParsedQuery, corrected_words: Sequence[str]
) -> list[tuple[tuple[Piece, ...], str, list[str], tuple[Expression, ...]]]:
    """The names of entities in a query, the longest first, none overlapping.

    Each with its pieces, the name, its synonyms, and the expressions that match records about the entities.
    """
    fixed = {
        piece.start + number
        for piece in question.pieces
        if piece.is_phrase or piece.is_prefix
        for number in range(len(piece.words))
    }
    spans = {
        (start, end): " ".join(corrected_words[start:end])
        for start in range(len(corrected_words))
        for end in range(start + 1, min(start + LONGEST_NAME, len(corrected_words)) + 1)
        if not fixed & set(range(start, end))
    }
    named = entities_named(connection, set(spans.values())) if spans else {}
    found: list[tuple[tuple[Piece, ...], str, list[str], tuple[Expression, ...]]] = []
    labels = labels_of(connection, {entity for entities in named.values() for entity in entities})
    free = set(range(len(corrected_words)))
    for (start, end), name in sorted(spans.items(), key=lambda span: (span[0][0] - span[0][1], span[0])):
        pieces = tuple(piece for piece in question.pieces if start <= piece.start < end)
        if name in named and pieces and set(range(start, end)) <= free:
            free -= set(range(start, end))
            entity_labels = [label for entity in named[name] for label in labels.get(entity, ())]
            others = {folded: label for label in entity_labels if (folded := " ".join(tokens(label))) not in ("", name)}
            above = [holding(*entity) for entity in wider_than(connection, named[name])]
            about_entities = (*(about(*entity) for entity in named[name]), *above)
            found.append((pieces, name, list(others.values())[:MOST_NAMES], about_entities))
    return found


# The tiers of the results


def quorum(groups: Sequence[Expression], needed: int) -> Expression:
    """Matches at least `needed` of the groups."""
    return any_of(all_of(combination) for combination in combinations(groups, needed))


def anywhere(groups: Sequence[Group], needed: int) -> Expression:
    """Matches at least `needed` of the groups, each in any text or in the subject of a record."""
    return quorum([any_of([group.in_text, group.about]) for group in groups], needed)


def tiers(query: InterpretedQuery, needed: int, narrowing: Sequence[Expression], kinds: Sequence[str]) -> list[Tier]:
    """The tiers of the results, best first, split by ranges of places; a record is in the first tier that it matches.

    1. `name`: entities with exactly that name; 2. `name`: entities with the words in their names; 3. `name`: other
    records with exactly that name; 4. `about`: all words in the names or the subject of a record; 5. `text`: all words
    in any text.
    """
    groups = query.groups
    exact = any_of(whole_name(words) for words in query.wholes)
    named = quorum([group.in_name for group in groups], needed)
    near = quorum([any_of([group.in_name, group.about]) for group in groups], needed)
    in_any_text = anywhere(groups, needed)
    entities = [kind for kind in kinds if is_entity(kind)]
    others = [kind for kind in kinds if not is_entity(kind)]
    definitions: list[tuple[str, Expression, Expression | None, Sequence[str], bool]] = [
        ("name", exact, None, entities, True),
        ("name", named, exact, entities, True),
        ("name", exact, None, others, False),
        ("about", near, any_of([named, exact]), entities, False),
        ("about", near, exact, others, False),
        ("text", in_any_text, any_of([near, exact]), kinds, False),
    ]
    found: list[Tier] = []
    for match, wanted, unwanted, tier_kinds, is_ranked in definitions:
        narrowed = all_of([wanted, *narrowing])
        expression = narrowed if unwanted is None else Without(narrowed, unwanted)
        found += [Tier(match, expression, *ends, is_ranked) for ends in ranges(tier_kinds)]
    return found


def ranges(kinds: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places of the kinds as the fewest ranges, each as its lowest place and the first place after it."""
    chosen = [kind for kind in kinds_in_order() if kind in kinds]
    ends = [place_range(kind) for kind in chosen]
    for number, (low, high) in enumerate(ends):
        if number and ends[number - 1][1] == low:
            continue
        following = number
        while following + 1 < len(ends) and ends[following + 1][0] == ends[following][1]:
            following += 1
        yield low, ends[following][1] if following > number else high
