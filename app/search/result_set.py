"""Result set of a search: all matches counted by kind, with the first of them in memory.

A response is assembled from many sub-queries of one search, each of which would read the index to its end. So the whole
query runs once, and a sub-query is evaluated on the indexed texts of the first matches; the index is queried again only
where these are not sufficient.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from app.db.tables import ENTRY
from app.search.engine import HIGHEST, first_and_counts, places
from app.search.expressions import AllOf, Expression, holds, is_plain
from app.search.index_entries import place_range

MOST_COUNTED = 1000
"""Limit of the count of matches of one kind, and of the places in memory."""
LINES_PER_QUERY = 500
"""Indexed texts that one statement reads."""
MOST_TRIED = 200
"""Above this many rows, asking the index again is faster than scanning those in memory."""
NOTHING = AllOf(())


@dataclass(frozen=True)
class ResultSet:
    """The matches of an expression."""

    connection: Connection
    expression: Expression = NOTHING
    counts: Mapping[str, int] = field(default_factory=dict)
    """Matches by kind; `MOST_COUNTED + 1` means that there are more than `MOST_COUNTED`."""
    first: Sequence[int] = ()
    """The places of all matches, ascending; of the first `MOST_COUNTED + 1` where there are more."""
    lines: dict[int, str] = field(default_factory=dict)
    """Cache: the indexed texts that have been read, by place."""

    def places(self, expression: Expression, *, after: int = 0, beyond: int = HIGHEST, most: int) -> Sequence[int]:
        """Like `engine.places`, but the expression must be a subset of this result set."""
        found = self._in_memory(expression, after, beyond, most)
        if found is not None:
            return found
        ends = [ends for kind in self.counts if (ends := place_range(kind))[0] < beyond and after < ends[1]]
        if not ends:
            return []
        last = min(beyond, max(high for _, high in ends))
        return places(self.connection, expression, after=after, beyond=last, most=most)

    def _in_memory(self, expression: Expression, after: int, beyond: int, most: int) -> list[int] | None:
        """The first places that match, from the texts in memory; None where the index must be queried.

        FTS5 finds a plain expression equally fast; PostgreSQL plans each sub-query anew, and often badly.
        """
        dialect = self.connection.dialect.name
        if dialect == "sqlite" and is_plain(self.expression):
            return None
        candidates = [place for place in self.first if after < place < beyond]
        is_whole = len(self.first) <= MOST_COUNTED
        tried = candidates if is_whole else candidates[:MOST_TRIED]
        found: list[int] = []
        for start in range(0, len(tried), LINES_PER_QUERY):
            batch = tried[start : start + LINES_PER_QUERY]
            self.lines.update(indexed_lines(self.connection, [place for place in batch if place not in self.lines]))
            found += [place for place in batch if holds(self.lines[place], expression)]
            if len(found) >= most:
                return found[:most]
        is_all = is_whole or (len(tried) == len(candidates) and beyond <= self.first[-1])
        return found if is_all else None

    def has(self, place: int) -> bool:
        """Whether the record at a place matches."""
        return bool(self.places(self.expression, after=place - 1, beyond=place + 1, most=1))


def result_set_of(connection: Connection, expression: Expression) -> ResultSet:
    """The result set of an expression, found and counted in one pass."""
    first, counts = first_and_counts(connection, expression, MOST_COUNTED + 1)
    return ResultSet(connection, expression, counts, first)


def indexed_lines(connection: Connection, places: Sequence[int]) -> dict[int, str]:
    """The indexed texts by place, in the order of the places within each batch."""
    lines: dict[int, str] = {}
    for start in range(0, len(places), LINES_PER_QUERY):
        batch = places[start : start + LINES_PER_QUERY]
        query = select(ENTRY.c.place, ENTRY.c.words).where(ENTRY.c.place.in_(batch))
        lines |= dict(connection.execute(query.order_by(ENTRY.c.place)).all())
    return lines
