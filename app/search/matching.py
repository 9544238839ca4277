"""Which records match an expression: FTS5 on SQLite and tsvector on PostgreSQL, behind the same functions.

Both give places in their order and stop when enough are found, so that a word that half of all records hold costs no
more than a rare one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, bindparam, text

from app.search.expressions import Expression, fts5, tsquery

FTS5 = """SELECT rowid FROM search_words
WHERE search_words MATCH :asked AND rowid > :after AND rowid < :beyond ORDER BY rowid LIMIT :most"""
TSVECTOR = """SELECT place FROM search_vector
WHERE vector @@ CAST(:asked AS tsquery) AND place > :after AND place < :beyond ORDER BY place LIMIT :most"""
COUNT = "SELECT count(*) FROM ({}) AS found"
HIGHEST = 2**62
CHUNK = 1000


def places(
    connection: Connection, expression: Expression, *, after: int = 0, beyond: int = HIGHEST, most: int
) -> Sequence[int]:
    """The first places that match, in their order, between two places that are not among them themselves."""
    return _ask(connection, expression, "{}", after=after, beyond=beyond, most=most).scalars().all()


def count_places(connection: Connection, expression: Expression, *, after: int, beyond: int, most: int) -> int:
    """How many match between two places; no more than `most` are counted."""
    return int(_ask(connection, expression, COUNT, after=after, beyond=beyond, most=most).scalar_one())


def _ask(
    connection: Connection, expression: Expression, around: str, *, after: int, beyond: int, most: int
) -> CursorResult[Any]:
    asked = {"after": after, "beyond": beyond, "most": most}
    if connection.dialect.name == "sqlite":
        return connection.execute(text(around.format(FTS5)), asked | {"asked": fts5(expression)})
    # written into the statement, so that PostgreSQL plans for these words and not for any
    statement = text(around.format(TSVECTOR)).bindparams(bindparam("asked", literal_execute=True))
    return connection.execute(statement, asked | {"asked": tsquery(expression)})


def every_place(connection: Connection, expression: Expression) -> Iterator[int]:
    """All places that match, however many."""
    last = 0
    while found := places(connection, expression, after=last, most=CHUNK):
        yield from found
        last = found[-1]
