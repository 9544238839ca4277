"""Which records match an expression: FTS5 on SQLite and tsvector on PostgreSQL, behind the same functions.

Both give places in their order and stop when enough are found, so that a word that half of all records hold costs no
more than a rare one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, String, TextClause, bindparam, text

from app.db import refuse_late
from app.search.entries import RANGE_BITS, kind_at, places_of
from app.search.expressions import Expression, fts5, tsquery

SELECT = {
    "sqlite": "SELECT rowid AS place FROM search_words WHERE search_words MATCH :asked AND rowid > {} AND rowid < {}",
    "postgresql": "SELECT place FROM search_vector "
    "WHERE vector @@ CAST(:asked AS tsquery) AND place > {} AND place < {}",
}
HIGHEST = 2**62
CHUNK = 1000


def places(
    connection: Connection, expression: Expression, *, after: int = 0, beyond: int = HIGHEST, most: int
) -> Sequence[int]:
    """The first places that match, in their order, between two places that are not among them themselves."""
    bounds = {"after": after, "beyond": beyond, "most": most}
    return connection.scalars(_places(connection.dialect.name), bounds | _asked(connection, expression)).all()


def count_by_kind(connection: Connection, expression: Expression, first: Sequence[int], most: int) -> dict[str, int]:
    """How many of each kind match, counted up to `most`, when the first `most` are known.

    In one pass, which leaps over what is beyond that.
    """
    statement, asked = _counts(connection.dialect.name), {"most": most} | _asked(connection, expression)
    counts = Counter(map(kind_at, first))
    seen, last = len(first), first[-1] if first else 0
    while seen >= most:
        kind = kind_at(last)
        after = places_of(kind)[1] - 1 if counts[kind] >= most else last
        found = sorted(connection.execute(statement, {"after": after} | asked).all())
        for _, n, last in found:
            counts[kind_at(last)] += n
        seen = sum(n for _, n, _ in found)
    return {kind: min(n, most) for kind, n in counts.items()}


def every_place(connection: Connection, expression: Expression) -> Iterator[int]:
    """All places that match, however many."""
    last = 0
    while found := places(connection, expression, after=last, most=CHUNK):
        yield from found
        last = found[-1]


def _asked(connection: Connection, expression: Expression) -> dict[str, Any]:
    """What is looked for as the engine writes it; Unavailable when the read has taken too long already.

    FTS5 looks at no clock while it goes from one match to the next, and PostgreSQL at one for each statement.
    """
    refuse_late(connection)
    return {"asked": fts5(expression) if connection.dialect.name == "sqlite" else tsquery(expression)}


@cache
def _places(dialect: str) -> TextClause:
    return _statement(dialect, f"{SELECT[dialect].format(':after', ':beyond')} ORDER BY place LIMIT :most")


@cache
def _counts(dialect: str) -> TextClause:
    some = f"{SELECT[dialect].format(':after', HIGHEST)} ORDER BY place LIMIT :most"
    by_rank = f"SELECT place >> {RANGE_BITS} AS rank, count(*), max(place) FROM ({some}) AS found GROUP BY rank"  # noqa: S608  # our own names
    return _statement(dialect, by_rank)  # numbers of ours alone


def _statement(dialect: str, words: str) -> TextClause:
    """PostgreSQL gets what is asked written into the statement: it then plans for these words and not for any."""
    statement = text(words)
    if dialect == "sqlite":
        return statement
    return statement.bindparams(bindparam("asked", type_=String(), literal_execute=True))
