"""What matches a question as a whole: counted by kind, and where it is little, all of it at hand with its lines.

An answer is put together from many parts of one question, each of which would read the index again to its end. So the
whole is looked for once. Of few records the lines are read, and the parts are found in these; of many, a part has
enough soon.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection, select

from app.ledger import ENTRY
from app.search.entries import places_of
from app.search.expressions import AllOf, Expression, holds, is_plain
from app.search.matching import HIGHEST, count_by_kind, places

MOST_COUNTED = 1000
"""How far the matches of one kind are counted, and how many are at hand at most."""
SOME = 500
"""Lines that are read with one statement."""
NOTHING = AllOf(())


@dataclass(frozen=True)
class Matches:
    """All that matches an expression."""

    connection: Connection
    expression: Expression = NOTHING
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many records of each kind match; one more than are counted means that there are more."""
    lines: Mapping[int, str] | None = field(default_factory=dict)
    """The lines of all of them by their places; None where there are many, or where the index is as soon."""

    def places(self, expression: Expression, *, after: int = 0, beyond: int = HIGHEST, most: int) -> Sequence[int]:
        """As `matching.places`, for an expression that nothing but these matches."""
        if self.lines is not None:
            held = (place for place, line in self.lines.items() if after < place < beyond and holds(line, expression))
            return list(islice(held, most))
        ends = [ends for kind in self.counts if (ends := places_of(kind))[0] < beyond and after < ends[1]]
        if not ends:
            return []
        last = min(beyond, max(high for _, high in ends))
        return places(self.connection, expression, after=after, beyond=last, most=most)

    def has(self, place: int) -> bool:
        """Whether the record at a place is one of them."""
        return bool(self.places(self.expression, after=place - 1, beyond=place + 1, most=1))


def matches_of(connection: Connection, expression: Expression) -> Matches:
    """All that matches, found and counted in one pass.

    Words alone are found in FTS5 as soon as in a few lines; PostgreSQL plans each part anew, and often badly.
    """
    first = places(connection, expression, most=MOST_COUNTED + 1)
    counts = count_by_kind(connection, expression, first, MOST_COUNTED + 1)
    is_soon = connection.dialect.name == "sqlite" and is_plain(expression)
    lines = None if is_soon or len(first) > MOST_COUNTED else lines_of(connection, first)
    return Matches(connection, expression, counts, lines)


def lines_of(connection: Connection, some: Sequence[int]) -> dict[int, str]:
    """The indexed lines at some places, in the order of the places."""
    held: dict[int, str] = {}
    for start in range(0, len(some), SOME):
        query = select(ENTRY.c.place, ENTRY.c.words).where(ENTRY.c.place.in_(some[start : start + SOME]))
        held |= dict(connection.execute(query.order_by(ENTRY.c.place)).all())
    return held
