"""Full-text queries: FTS5 on SQLite and tsvector on PostgreSQL, behind the same functions.

A match is a `place`: the integer key of an index entry, whose high bits are the rank of the record's kind. Both engines
return places in ascending order and stop at a limit, so that a word in half of all records costs no more than a rare
one.
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
PLACES_PER_READ = 1000
MOST_GATHERED = 1600
"""Up to this many matches, times the square root of the limit, PostgreSQL reads all matches from its index and sorts.

A GIN index has no order. The alternative is to scan the records in the order of their places: fast for a frequent word,
but a word that occurs only in the last kinds makes it read every record before them, and no statistics predict that.
Gathering costs in proportion to the number of matches; scanning costs more the fewer the matches and the higher the
limit: hence the square root.
"""
GATHERED = """WITH found AS MATERIALIZED (
    SELECT place FROM search_vector WHERE vector @@ CAST(:asked AS tsquery) AND place > :after AND place < :beyond
)"""


def places(
    connection: Connection, expression: Expression, *, after: int = 0, beyond: int = HIGHEST, most: int
) -> Sequence[int]:
    """The first `most` places that match, ascending, between `after` and `beyond` (both excluded)."""
    dialect, query = connection.dialect.name, _bound_query(connection, expression)
    statement = _gathered() if most > 1 and _is_gathered(connection, query, most) else _places(dialect)
    return connection.scalars(statement, {"after": after, "beyond": beyond, "most": most} | query).all()


def first_and_counts(connection: Connection, expression: Expression, most: int) -> tuple[Sequence[int], dict[str, int]]:
    """The first places that match, and the matches by kind, both up to `most`; one pass over the matches."""
    query = _bound_query(connection, expression)
    bounds = {"after": 0, "beyond": HIGHEST, "most": most} | query
    if _is_gathered(connection, query, most):
        rows = connection.execute(_gathered_and_counted(), bounds).all()
        first_places = sorted(place for place, n in rows if n is None)
        return first_places, {kind_at(place): min(n, most) for place, n in rows if n is not None}
    first = connection.scalars(_places(connection.dialect.name), bounds).all()
    return first, {kind: min(n, most) for kind, n in _count_by_kind(connection, query, first, most).items()}


def _count_by_kind(
    connection: Connection, query: Mapping[str, Any], first: Sequence[int], most: int
) -> Mapping[str, int]:
    """The number of matches by kind, exact up to `most`, given the `first` places.

    One pass over the matches, which skips the rest of a kind once `most` of it are counted.
    """
    statement = _counts(connection.dialect.name)
    counts = Counter(map(kind_at, first))
    seen, last = len(first), first[-1] if first else 0
    while seen >= most:
        refuse_late(connection)
        kind = kind_at(last)
        after = place_range(kind)[1] - 1 if counts[kind] >= most else last
        found = sorted(connection.execute(statement, {"after": after, "most": most, **query}).all())
        for _, n, last in found:
            counts[kind_at(last)] += n
        seen = sum(n for _, n, _ in found)
    return counts


def every_place(connection: Connection, expression: Expression) -> Iterator[int]:
    """All places that match, ascending, read in batches of `PLACES_PER_READ`."""
    last = 0
    while found := places(connection, expression, after=last, most=PLACES_PER_READ):
        yield from found
        last = found[-1]


def _bound_query(connection: Connection, expression: Expression) -> dict[str, Any]:
    """The bind parameter that holds the query in the engine's syntax; Unavailable after the read's time limit.

    The limit is checked here because FTS5 checks no timeout between matches, and PostgreSQL has one for each statement.
    """
    refuse_late(connection)
    return {"asked": fts5(expression) if connection.dialect.name == "sqlite" else tsquery(expression)}


def _is_gathered(connection: Connection, query: Mapping[str, Any], most: int) -> bool:
    """Whether PostgreSQL's planner estimates few enough matches to gather them all; EXPLAIN alone, no row is read."""
    if connection.dialect.name == "sqlite":
        return False
    plan: Any = connection.execute(_estimate(), query).scalar_one()
    return bool(plan[0]["Plan"]["Plan Rows"] <= MOST_GATHERED * sqrt(most))


@cache
def _estimate() -> TextClause:
    matching = "SELECT FROM search_vector WHERE vector @@ CAST(:asked AS tsquery)"
    return _statement("postgresql", f"EXPLAIN (FORMAT JSON) {matching}")


@cache
def _gathered() -> TextClause:
    return _statement("postgresql", f"{GATHERED} SELECT place FROM found ORDER BY place LIMIT :most")  # noqa: S608  # our own names


@cache
def _gathered_and_counted() -> TextClause:
    """Rows of the first places (`n` is NULL), then for each kind its highest place with the number of its matches."""
    first = "SELECT place, NULL AS n FROM (SELECT place FROM found ORDER BY place LIMIT :most) AS first"
    counts = f"SELECT max(place), count(*) FROM found GROUP BY place >> {RANGE_BITS}"  # noqa: S608  # our own names
    return _statement("postgresql", f"{GATHERED} {first} UNION ALL {counts}")


@cache
def _places(dialect: str) -> TextClause:
    return _statement(dialect, f"{SELECT[dialect].format(':after', ':beyond')} ORDER BY place LIMIT :most")


@cache
def _counts(dialect: str) -> TextClause:
    matching = f"{SELECT[dialect].format(':after', HIGHEST)} ORDER BY place LIMIT :most"
    by_rank = f"SELECT place >> {RANGE_BITS} AS rank, count(*), max(place) FROM ({matching}) AS found GROUP BY rank"  # noqa: S608  # our own names
    return _statement(dialect, by_rank)  # holds no text of a caller


def _statement(dialect: str, sql: str) -> TextClause:
    """The statement; PostgreSQL gets the query as a literal, so that it plans for these words and not for any."""
    statement = text(sql)
    if dialect == "sqlite":
        return statement
    return statement.bindparams(bindparam("asked", type_=String(), literal_execute=True))
