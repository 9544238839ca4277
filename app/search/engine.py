"""Which records match an expression: FTS5 on SQLite and tsvector on PostgreSQL, behind the same functions.

Both give places in their order and stop when enough are found, so that a word that half of all records hold costs no
more than a rare one.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import sqrt
from typing import Any

from sqlalchemy import Connection, String, TextClause, bindparam, text

from app.db.failures import refuse_late
from app.search.expressions import Expression, fts5, tsquery
from app.search.index_entries import RANGE_BITS, kind_at, place_range

SELECT = {
    "sqlite": "SELECT rowid AS place FROM search_words WHERE search_words MATCH :asked AND rowid > {} AND rowid < {}",
    "postgresql": "SELECT place FROM search_vector "
    "WHERE vector @@ CAST(:asked AS tsquery) AND place > {} AND place < {}",
}
HIGHEST = 2**62
CHUNK = 1000
MOST_GATHERED = 1600
"""Up to so many matches, times the root of how many are wanted, PostgreSQL gathers all from its index and sorts them.

A GIN index knows no order. The other way is to walk all records in theirs: that finds what is frequent soon, and looks
at every record before a word that stands in the last kinds alone, which no statistics tell. Gathering takes as long as
there are matches, walking as they are few and many are wanted: hence the root.
"""
GATHERED = """WITH found AS MATERIALIZED (
    SELECT place FROM search_vector WHERE vector @@ CAST(:asked AS tsquery) AND place > :after AND place < :beyond
)"""


def places(
    connection: Connection, expression: Expression, *, after: int = 0, beyond: int = HIGHEST, most: int
) -> Sequence[int]:
    """The first places that match, in their order, between two places that are not among them themselves."""
    dialect, asked = connection.dialect.name, _asked(connection, expression)
    statement = _gathered() if most > 1 and _is_gathered(connection, asked, most) else _places(dialect)
    return connection.scalars(statement, {"after": after, "beyond": beyond, "most": most} | asked).all()


def first_and_counts(connection: Connection, expression: Expression, most: int) -> tuple[Sequence[int], dict[str, int]]:
    """The first places that match, and how many of each kind do, both up to `most`: each match is found once."""
    asked = _asked(connection, expression)
    bounds = {"after": 0, "beyond": HIGHEST, "most": most} | asked
    if _is_gathered(connection, asked, most):
        rows = connection.execute(_gathered_and_counted(), bounds).all()
        some = sorted(place for place, n in rows if n is None)
        return some, {kind_at(place): min(n, most) for place, n in rows if n is not None}
    first = connection.scalars(_places(connection.dialect.name), bounds).all()
    return first, {kind: min(n, most) for kind, n in _count_by_kind(connection, asked, first, most).items()}


def _count_by_kind(
    connection: Connection, asked: Mapping[str, Any], first: Sequence[int], most: int
) -> Mapping[str, int]:
    """How many of each kind match, counted up to `most` at least, when the first `most` are known.

    In one pass, which leaps over what is beyond that.
    """
    statement = _counts(connection.dialect.name)
    counts = Counter(map(kind_at, first))
    seen, last = len(first), first[-1] if first else 0
    while seen >= most:
        refuse_late(connection)
        kind = kind_at(last)
        after = place_range(kind)[1] - 1 if counts[kind] >= most else last
        found = sorted(connection.execute(statement, {"after": after, "most": most, **asked}).all())
        for _, n, last in found:
            counts[kind_at(last)] += n
        seen = sum(n for _, n, _ in found)
    return counts


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


def _is_gathered(connection: Connection, asked: Mapping[str, Any], most: int) -> bool:
    """Whether PostgreSQL takes the matches for so few that all of them are gathered; it counts no record for that."""
    if connection.dialect.name == "sqlite":
        return False
    plan: Any = connection.execute(_estimate(), asked).scalar_one()
    return bool(plan[0]["Plan"]["Plan Rows"] <= MOST_GATHERED * sqrt(most))


@cache
def _estimate() -> TextClause:
    some = "SELECT FROM search_vector WHERE vector @@ CAST(:asked AS tsquery)"
    return _statement("postgresql", f"EXPLAIN (FORMAT JSON) {some}")


@cache
def _gathered() -> TextClause:
    return _statement("postgresql", f"{GATHERED} SELECT place FROM found ORDER BY place LIMIT :most")  # noqa: S608  # our own names


@cache
def _gathered_and_counted() -> TextClause:
    """The first places, and for each kind its highest one with the number of its matches."""
    first = "SELECT place, NULL AS n FROM (SELECT place FROM found ORDER BY place LIMIT :most) AS first"
    counts = f"SELECT max(place), count(*) FROM found GROUP BY place >> {RANGE_BITS}"  # noqa: S608  # our own names
    return _statement("postgresql", f"{GATHERED} {first} UNION ALL {counts}")


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
