"""What matches a question as a whole: counted by kind, with the first of it at hand.

An answer is put together from many parts of one question, each of which would read the index again to its end. So the
whole is looked for once, and a part is looked for among the first matches, in their lines; in the index only where
these do not tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from app.db.tables import ENTRY
from app.search.engine import HIGHEST, first_and_counts, places
from app.search.expressions import AllOf, Expression, holds, is_plain
from app.search.index_entries import place_range

MOST_COUNTED = 1000
"""How far the matches of one kind are counted, and how many are at hand at most."""
SOME = 500
"""Lines that are read with one statement."""
MOST_TRIED = 200
"""How many lines are looked through where more match than are at hand; after these the index is there sooner."""
NOTHING = AllOf(())


@dataclass(frozen=True)
class ResultSet:
    """All that matches an expression."""

    connection: Connection
    expression: Expression = NOTHING
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many records of each kind match; one more than are counted means that there are more."""
    first: Sequence[int] = ()
    """The places of all of them; where they are more than are counted, of so many and one more, without a gap."""
    lines: dict[int, str] = field(default_factory=dict)
    """Of these, the lines that have been read."""

    def places(self, expression: Expression, *, after: int = 0, beyond: int = HIGHEST, most: int) -> Sequence[int]:
        """As `matching.places`, for an expression that nothing but these matches."""
        found = self._at_hand(expression, after, beyond, most)
        if found is not None:
            return found
        ends = [ends for kind in self.counts if (ends := place_range(kind))[0] < beyond and after < ends[1]]
        if not ends:
            return []
        last = min(beyond, max(high for _, high in ends))
        return places(self.connection, expression, after=after, beyond=last, most=most)

    def _at_hand(self, expression: Expression, after: int, beyond: int, most: int) -> list[int] | None:
        """The first places that match, as the lines at hand tell; None where they do not.

        Words alone are found in FTS5 as soon; PostgreSQL plans each part anew, and often badly.
        """
        dialect = self.connection.dialect.name
        if dialect == "sqlite" and is_plain(self.expression):
            return None
        some = [place for place in self.first if after < place < beyond]
        is_whole = len(self.first) <= MOST_COUNTED
        tried = some if is_whole else some[:MOST_TRIED]
        found: list[int] = []
        for start in range(0, len(tried), SOME):
            piece = tried[start : start + SOME]
            self.lines.update(indexed_lines(self.connection, [place for place in piece if place not in self.lines]))
            found += [place for place in piece if holds(self.lines[place], expression)]
            if len(found) >= most:
                return found[:most]
        is_all = is_whole or (len(tried) == len(some) and beyond <= self.first[-1])
        return found if is_all else None

    def has(self, place: int) -> bool:
        """Whether the record at a place is one of them."""
        return bool(self.places(self.expression, after=place - 1, beyond=place + 1, most=1))


def result_set_of(connection: Connection, expression: Expression) -> ResultSet:
    """All that matches, found and counted in one pass."""
    first, counts = first_and_counts(connection, expression, MOST_COUNTED + 1)
    return ResultSet(connection, expression, counts, first)


def indexed_lines(connection: Connection, some: Sequence[int]) -> dict[int, str]:
    """The indexed lines at some places, in the order of the places."""
    held: dict[int, str] = {}
    for start in range(0, len(some), SOME):
        query = select(ENTRY.c.place, ENTRY.c.words).where(ENTRY.c.place.in_(some[start : start + SOME]))
        held |= dict(connection.execute(query.order_by(ENTRY.c.place)).all())
    return held
