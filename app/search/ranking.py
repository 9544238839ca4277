"""Ranking: the hits of a search in order, from any cursor position on; names are sorted within a bounded window."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select

from app.db.tables import ENTRY
from app.search.index_entries import RANGE_BITS
from app.search.interpretation import Tier
from app.search.result_set import ResultSet
from app.search.tokens import tokens

WINDOW = 200
"""Entities with matching names that are sorted; any further ones follow in the order of their places."""


class Position(NamedTuple):
    """A cursor position: the tier, the hits of its window already returned, and the last place after the window."""

    tier: int = 0
    given: int = 0
    place: int = 0


class RankedHit(NamedTuple):
    """A hit: its place, its match type, and the cursor position after it."""

    place: int
    match: str
    following: Position


def found_from(
    matches: ResultSet,
    start: Position,
    *,
    identified: Sequence[int],
    tiers: Sequence[Tier],
    query_words: Sequence[str],
    chunk: int,
) -> Iterator[RankedHit]:
    """The hits from a position on. Tier 0 is the records matched by identifier, which the later tiers leave out."""
    if start.tier == 0:
        for number, place in enumerate(identified[start.given :], start=start.given + 1):
            yield RankedHit(place, "identifier", Position(0, number))
    for number, tier in enumerate(tiers, start=1):
        if number >= start.tier:
            begin = start if number == start.tier else Position(number)
            hits = _hits_of_tier(matches, tier, begin, query_words, chunk)
            yield from (hit for hit in hits if hit.place not in identified)


def _hits_of_tier(
    matches: ResultSet, tier: Tier, begin: Position, query_words: Sequence[str], chunk: int
) -> Iterator[RankedHit]:
    last = max(tier.after, begin.place)
    if tier.is_ranked:
        window = _window(matches, tier, query_words)
        for given, place in enumerate(window[begin.given :], start=begin.given + 1):
            yield RankedHit(place, tier.match, Position(begin.tier, given))
        if len(window) < WINDOW:
            return
        last = max(last, *window)
    while places := matches.places(tier.expression, after=last, beyond=tier.beyond, most=chunk):
        for place in places:
            yield RankedHit(place, tier.match, Position(begin.tier, WINDOW, place))
        if len(places) < chunk:
            return
        last = places[-1]


def _window(matches: ResultSet, tier: Tier, query_words: Sequence[str]) -> list[int]:
    """The first places of a tier, sorted by kind, then names that begin with the query, then the number of words."""
    places = matches.places(tier.expression, after=tier.after, beyond=tier.beyond, most=WINDOW)
    if len(places) < 2:  # nothing to sort
        return list(places)
    query = select(ENTRY.c.place, ENTRY.c.title).where(ENTRY.c.place.in_(places))
    titles = dict(matches.connection.execute(query).all())

    def key(place: int) -> tuple[int, bool, int, int]:
        words = tokens(titles[place])
        begins = words[: len(query_words)] == list(query_words) or words[:1] == list(query_words[:1])
        return place >> RANGE_BITS, not begins, len(words), place

    return sorted(places, key=key)
