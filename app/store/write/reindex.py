"""Rebuild the search index and compare it with the previous one."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, Table, select, text
from sqlalchemy.exc import DatabaseError, DBAPIError

from app.db.database import Database
from app.db.failures import unavailable
from app.db.tables import ENTRY, SEARCH_INDEX
from app.json_codec import to_json
from app.store.write.documents import Progress
from app.store.write.index import build_index

MOST_TOLD = 20
"""Maximum number of differences that are listed for one table."""
WORDS_DIFFER = """SELECT o.kind, o.id FROM old_search_entry o
LEFT JOIN old_search_vector ov ON ov.place = o.place
JOIN search_entry n ON n.kind = o.kind AND n.id = o.id JOIN search_vector nv ON nv.place = n.place
WHERE ov.vector IS DISTINCT FROM nv.vector ORDER BY o.kind, o.id"""


@dataclass(frozen=True)
class Reindexed:
    """The result of a rebuild: digests before and after, number of indexed records, and the differences."""

    before: str
    after: str
    records: int
    differences: list[str]


def reindex(database: Database, progress: Progress = lambda _count: None) -> Reindexed:
    """Rebuild the index in one transaction, and list where it differed from what the records require."""
    try:
        with database.write() as connection:
            before = digest_of_index(connection)
            differences = list(_fts_damage(connection))
            _copy_index(connection)
            build_index(connection, progress)
            differences += [difference for table in SEARCH_INDEX for difference in _differences(connection, table)]
            differences += _differing_words(connection)
            _drop_copies(connection)
            records = connection.execute(text("SELECT count(*) FROM search_entry")).scalar_one()
            return Reindexed(before, digest_of_index(connection), records, differences)
    except DBAPIError as failure:
        raise unavailable(failure) from failure


def index_again(database: Database, progress: Progress = lambda _count: None) -> None:
    """Rebuild the search index without a comparison."""
    try:
        with database.write() as connection:
            build_index(connection, progress)
    except DBAPIError as failure:
        raise unavailable(failure) from failure


def digest_of_index(connection: Connection) -> str:
    """SHA-256 of the content of the index, independent of the order in which records were indexed."""
    digest = sha256()
    for table in SEARCH_INDEX:
        columns = [column for column in table.columns if column.name != "place"]
        key = [table.c.kind, table.c.id] if table is ENTRY else list(table.primary_key.columns)
        found = connection.execute(select(*columns).order_by(*key), execution_options={"yield_per": 1000})
        for row in found:
            digest.update(to_json([table.name, *row]))
    return digest.hexdigest()


def _names(table: Table) -> str:
    return ", ".join(column.name for column in table.columns if column.name != "place")


def _copy_index(connection: Connection) -> None:
    """Copy the index to temporary tables for the comparison."""
    vectors = [] if connection.dialect.name == "sqlite" else ["search_vector"]
    for name in (*(table.name for table in SEARCH_INDEX), *vectors):
        connection.execute(text(f"CREATE TEMPORARY TABLE old_{name} AS SELECT * FROM {name}"))  # noqa: S608  # ours


def _drop_copies(connection: Connection) -> None:
    vectors = [] if connection.dialect.name == "sqlite" else ["search_vector"]
    for name in (*(table.name for table in SEARCH_INDEX), *vectors):
        connection.execute(text(f"DROP TABLE old_{name}"))


def _differences(connection: Connection, table: Table) -> Iterator[str]:
    """Rows that only the old index or only the new one has."""
    columns = _names(table)
    old, new = f"SELECT {columns} FROM old_{table.name}", f"SELECT {columns} FROM {table.name}"  # noqa: S608  # ours
    for difference, statement in (("was wrong", f"{old} EXCEPT {new}"), ("was not there", f"{new} EXCEPT {old}")):
        for row in connection.execute(text(f"{statement} ORDER BY 1, 2 LIMIT {MOST_TOLD}")):
            yield f"{table.name} {' '.join(str(value)[:60] for value in row[:4])}: {difference}"


def _fts_damage(connection: Connection) -> Iterator[str]:
    """The error if the FTS5 index of a SQLite file does not match its index entries."""
    if connection.dialect.name != "sqlite":
        return
    try:
        with connection.begin_nested():
            connection.execute(text("INSERT INTO search_words (search_words, rank) VALUES ('integrity-check', 1)"))
    except DatabaseError as failure:
        yield f"search_words: {failure.orig}"


def _differing_words(connection: Connection) -> list[str]:
    """The index entries whose tsvector on PostgreSQL was wrong."""
    if connection.dialect.name == "sqlite":
        return []
    found = connection.execute(text(f"{WORDS_DIFFER} LIMIT {MOST_TOLD}"))
    return [f"search_vector {kind} {record_id}: was wrong" for kind, record_id in found]
