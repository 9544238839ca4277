"""The places of an answer in their order, from any position on; names are sorted within a bounded window."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select

from app.db.tables import ENTRY
from app.search.index_entries import RANGE_BITS
from app.search.interpretation import Step
from app.search.result_set import ResultSet
from app.search.tokens import tokens

WINDOW = 200
"""How many of the things whose names match are put in order; any further ones follow as they come."""


class Position(NamedTuple):
    """Where an answer goes on: the step, how much of its window was given, and the last place beyond the window."""

    step: int = 0
    given: int = 0
    place: int = 0


class RankedHit(NamedTuple):
    """A record that was found: its place, in which way, and where the answer goes on after it."""

    place: int
    match: str
    following: Position


def found_from(
    matches: ResultSet,
    start: Position,
    *,
    identified: Sequence[int],
    todo: Sequence[Step],
    asked: Sequence[str],
    chunk: int,
) -> Iterator[RankedHit]:
    """The records from a position on: step 0 are those that were named by an identifier, they come once only."""
    if start.step == 0:
        for number, place in enumerate(identified[start.given :], start=start.given + 1):
            yield RankedHit(place, "identifier", Position(0, number))
    for number, step in enumerate(todo, start=1):
        if number >= start.step:
            begin = start if number == start.step else Position(number)
            yield from (one for one in _of_step(matches, step, begin, asked, chunk) if one.place not in identified)


def _of_step(matches: ResultSet, step: Step, begin: Position, asked: Sequence[str], chunk: int) -> Iterator[RankedHit]:
    last = max(step.after, begin.place)
    if step.is_ranked:
        window = _window(matches, step, asked)
        for given, place in enumerate(window[begin.given :], start=begin.given + 1):
            yield RankedHit(place, step.match, Position(begin.step, given))
        if len(window) < WINDOW:
            return
        last = max(last, *window)
    while some := matches.places(step.expression, after=last, beyond=step.beyond, most=chunk):
        for place in some:
            yield RankedHit(place, step.match, Position(begin.step, WINDOW, place))
        if len(some) < chunk:
            return
        last = some[-1]


def _window(matches: ResultSet, step: Step, asked: Sequence[str]) -> list[int]:
    """The first places of a step, sorted: kind by kind, names that begin as was asked first, then the shorter ones."""
    some = matches.places(step.expression, after=step.after, beyond=step.beyond, most=WINDOW)
    if len(some) < 2:  # one is in order
        return list(some)
    titles = dict(matches.connection.execute(select(ENTRY.c.place, ENTRY.c.title).where(ENTRY.c.place.in_(some))).all())

    def key(place: int) -> tuple[int, bool, int, int]:
        words = tokens(titles[place])
        begins = words[: len(asked)] == list(asked) or words[:1] == list(asked[:1])
        return place >> RANGE_BITS, not begins, len(words), place

    return sorted(some, key=key)
