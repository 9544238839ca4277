"""Which records match an expression: FTS5 on SQLite and tsvector on PostgreSQL, behind the same functions.

Both give places in their order and stop when enough are found, so that a word that half of all records hold costs no
more than a rare one.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, String, TextClause, bindparam, text

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


def count_places(
    connection: Connection, expression: Expression, ranges: Sequence[tuple[int, int]], most: int
) -> list[int]:
    """How many match in each range of places, counted up to `most`."""
    statement = _counts(connection.dialect.name, tuple(ranges))
    return list(connection.execute(statement, {"most": most} | _asked(connection, expression)).one())


def every_place(connection: Connection, expression: Expression) -> Iterator[int]:
    """All places that match, however many."""
    last = 0
    while found := places(connection, expression, after=last, most=CHUNK):
        yield from found
        last = found[-1]


def _asked(connection: Connection, expression: Expression) -> dict[str, Any]:
    return {"asked": fts5(expression) if connection.dialect.name == "sqlite" else tsquery(expression)}


@cache
def _places(dialect: str) -> TextClause:
    return _statement(dialect, f"{SELECT[dialect].format(':after', ':beyond')} ORDER BY place LIMIT :most")


@cache
def _counts(dialect: str, ranges: tuple[tuple[int, int], ...]) -> TextClause:
    bounded = (f"{SELECT[dialect].format(low, high)} ORDER BY place LIMIT :most" for low, high in ranges)
    counts = (f"(SELECT count(*) FROM ({one}) AS found_{number})" for number, one in enumerate(bounded))  # noqa: S608
    return _statement(dialect, f"SELECT {', '.join(counts)}")  # numbers of ours alone


def _statement(dialect: str, words: str) -> TextClause:
    """PostgreSQL gets what is asked written into the statement: it then plans for these words and not for any."""
    statement = text(words)
    if dialect == "sqlite":
        return statement
    return statement.bindparams(bindparam("asked", type_=String(), literal_execute=True))
