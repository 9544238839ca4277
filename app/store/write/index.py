"""The index of search, kept by the writer in the record's own transaction, and built anew from the documents."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Table, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from app.db.tables import ENTRY, FACET, FACET_SIZE, GRAM, NAME, SEARCH_INDEX
from app.models import RESOURCES
from app.models.base import Key
from app.search.engine import every_place
from app.search.expressions import about, tsvector
from app.search.index_counts import NONE, facet_keys, gram_keys, name_keys
from app.search.index_entries import IndexEntry, index_entry, is_entity, kinds_in_order, place_range
from app.store.write.documents import Progress
from app.store.write.loaded import CHUNK, LoadedRecords, chunks

COUNTED = (NAME, GRAM, FACET)
Tally = Counter[tuple[Any, ...]]
Upsert = postgresql.Insert | sqlite.Insert


@dataclass
class Tallies:
    """What is to be added to the tables that are counted up, and taken away from them."""

    by_table: dict[str, Tally] = field(default_factory=lambda: {table.name: Counter() for table in COUNTED})

    def count(self, kind: str, record_id: str, entry: Mapping[str, Any], sign: int) -> None:
        """Count an entry's row in (1) or out (-1)."""
        labels = from_json(entry["labels"])
        keys: dict[str, Iterable[tuple[Any, ...]]] = {
            NAME.name: name_keys(kind, record_id, labels),
            GRAM.name: gram_keys(labels),
            FACET.name: facet_keys(kind, from_json(entry["scopes"]), from_json(entry["field_values"])),
        }
        for name, found in keys.items():
            tally = self.by_table[name]
            for key in found:
                tally[key] += sign


def index_records(connection: Connection, shelf: LoadedRecords, keys: Iterable[Key]) -> None:
    """Bring the entries of written records, and of those that are about a thing whose names changed, up to date."""
    tallies = Tallies()
    renamed = [key for some in chunks(sorted(keys)) for key in _index_some(connection, shelf, some, tallies)]
    if renamed:
        _flush(connection, tallies)
        tallies = Tallies()
        for some in chunks(sorted(_about(connection, renamed))):
            shelf.fetch_ahead(some)
            _index_some(connection, shelf, some, tallies)
    _flush(connection, tallies)


def add_rows(connection: Connection, rows: Mapping[Key, Mapping[str, Any] | None]) -> None:
    """Put entries of new records into the index."""
    tallies = Tallies()
    _write(connection, {}, rows, tallies)
    _flush(connection, tallies)


def forget_record(connection: Connection, key: Key) -> None:
    """Take the entry of a record away: its id is no more."""
    tallies = Tallies()
    _write(connection, _held(connection, [key]), {key: None}, tallies)
    _flush(connection, tallies)


def _index_some(connection: Connection, shelf: LoadedRecords, keys: Sequence[Key], tallies: Tallies) -> list[Key]:
    """Index some records; returns the things among them whose names changed."""
    shelf.fetch_ahead(keys)
    rows = {key: row_of(key, index_entry(key[0], shelf.known(*key), shelf.known)) for key in keys}
    held = _held(connection, keys)
    _write(connection, held, rows, tallies)
    return [
        key for key in held if is_entity(key[0]) and (rows[key] or {}).get("labels") not in (None, held[key]["labels"])
    ]


def _about(connection: Connection, things: Iterable[Key]) -> set[Key]:
    """The records that are about one of the things."""
    places = {place for thing in things for place in every_place(connection, about(*thing))}
    found: set[Key] = set()
    for some in chunks(sorted(places)):
        found |= {(row.kind, row.id) for row in connection.execute(select(ENTRY).where(ENTRY.c.place.in_(some)))}
    return found - set(things)


def row_of(key: Key, entry: IndexEntry | None) -> dict[str, Any] | None:
    """An entry as its row, without the place."""
    if entry is None:
        return None
    listed = {"labels": entry.labels, "scopes": entry.scopes, "field_values": entry.values}
    own = {"kind": key[0], "id": key[1], "title": entry.title, "words": entry.words}
    return own | {name: to_json(value).decode() for name, value in listed.items()}


def _held(connection: Connection, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
    found: dict[Key, Mapping[str, Any]] = {}
    for kind in {kind for kind, _ in keys}:
        ids = [record_id for one, record_id in keys if one == kind]
        query = select(ENTRY).where(ENTRY.c.kind == kind, ENTRY.c.id.in_(ids))
        found |= {(row["kind"], row["id"]): dict(row) for row in connection.execute(query).mappings()}
    return found


def _write(
    connection: Connection,
    held: Mapping[Key, Mapping[str, Any]],
    rows: Mapping[Key, Mapping[str, Any] | None],
    tallies: Tallies,
) -> None:
    """Put rows in the place of those that are held, and count both."""
    next_place = _next_places(connection)
    gone: list[Mapping[str, Any]] = []
    new: list[dict[str, Any]] = []
    for key, row in rows.items():
        was = held.get(key)
        if was is not None and row == {name: value for name, value in was.items() if name != "place"}:
            continue
        if was is not None:
            gone.append(was)
            tallies.count(*key, was, -1)
        if row is not None:
            new.append({"place": was["place"] if was is not None else next_place(key[0]), **row})
            tallies.count(*key, row, 1)
    if gone:
        _drop_words(connection, gone)
        connection.execute(delete(ENTRY).where(ENTRY.c.place.in_([row["place"] for row in gone])))
    if new:
        connection.execute(insert(ENTRY), new)
        _put_words(connection, new)


def _next_places(connection: Connection) -> Callable[[str], int]:
    """Gives the next free place of a kind."""
    last: dict[str, int] = {}

    def following(kind: str) -> int:
        if kind not in last:
            low, high = place_range(kind)
            query = select(func.max(ENTRY.c.place)).where(ENTRY.c.place >= low, ENTRY.c.place < high)
            last[kind] = connection.execute(query).scalar() or low
        last[kind] += 1
        return last[kind]

    return following


# The full text of either engine


def _put_words(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if connection.dialect.name == "sqlite":
        words = [{"place": row["place"], "words": row["words"]} for row in rows]
        connection.execute(text("INSERT INTO search_words (rowid, words) VALUES (:place, :words)"), words)
        return
    vectors = [{"place": row["place"], "vector": tsvector(row["words"])} for row in rows]
    connection.execute(
        text("INSERT INTO search_vector (place, vector) VALUES (:place, CAST(:vector AS tsvector))"), vectors
    )


def _drop_words(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """FTS5 must be told the text that it forgets: the table of entries holds it until then."""
    words = [{"place": row["place"], "words": row["words"]} for row in rows]
    if connection.dialect.name == "sqlite":
        statement = "INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', :place, :words)"
    else:
        statement = "DELETE FROM search_vector WHERE place = :place"
    connection.execute(text(statement), words)


def refill(connection: Connection) -> None:
    """Build the full text of a SQLite file from its entries, as they were copied there."""
    connection.execute(text("INSERT INTO search_words (search_words) VALUES ('rebuild')"))


# What is counted up


def _flush(connection: Connection, tallies: Tallies) -> None:
    for table in COUNTED:
        _add(connection, table, tallies.by_table[table.name])


def _add(connection: Connection, table: Table, tally: Tally) -> None:
    """Add to the counts of a table, and let go of what nobody has any more."""
    names = [column.name for column in table.columns if column.name != "n"]
    primary = [column.name for column in table.primary_key.columns]
    rows = [dict(zip(names, key, strict=True)) | {"n": n} for key, n in sorted(tally.items()) if n]
    if not rows:
        return
    upsert = _adding(table, connection.dialect.name)
    if table is FACET:
        _add(connection, FACET_SIZE, _add_values(connection, upsert, rows))
    else:
        connection.execute(upsert, rows)
    fewer = [{name: row[name] for name in primary} for row in rows if row["n"] < 0]
    if fewer:
        same = " AND ".join(f"{name} = :{name}" for name in primary)
        connection.execute(text(f"DELETE FROM {table.name} WHERE {same} AND n <= 0"), fewer)  # noqa: S608  # our own names


def _add_values(connection: Connection, upsert: Upsert, rows: Sequence[Mapping[str, Any]]) -> Tally:
    """Add to the counts of values; returns how many more values each field has, of which some record has them."""
    sizes: Tally = Counter()
    for some in chunks(rows):
        added = {(row["kind"], row["scope"], row["field"], row["value"]): row["n"] for row in some}
        for *field_of, value, n in connection.execute(upsert.returning(*FACET.columns), some):
            if value != NONE:
                was = n - added[(*field_of, value)]
                sizes[tuple(field_of)] += (n > 0) - (was > 0)
    return sizes


@cache
def _adding(table: Table, dialect: str) -> Upsert:
    """Inserts counts, or adds them to those that are there."""
    adding: Upsert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return adding.on_conflict_do_update(
        index_elements=table.primary_key.columns, set_={"n": table.c.n + adding.excluded.n}
    )


# The whole index anew


def build_index(connection: Connection, progress: Progress = lambda _count: None) -> None:
    """Build the whole index from the documents."""
    _empty(connection)
    shelf = LoadedRecords(connection)
    tallies = Tallies()
    for key_rows in every_row(connection, shelf):
        _write(connection, {}, key_rows, tallies)
        progress(len(key_rows))
    _flush(connection, tallies)
    if connection.dialect.name == "sqlite":  # one piece instead of many, each of which every word would be looked up in
        connection.execute(text("INSERT INTO search_words (search_words) VALUES ('optimize')"))


def every_row(connection: Connection, shelf: LoadedRecords) -> Iterator[dict[Key, dict[str, Any] | None]]:
    """The rows that the documents of all records ask for, in pieces, kind by kind."""
    for kind in kinds_in_order():
        table = RESOURCES[kind].table()
        last = ""
        while found := connection.execute(
            select(table.c.id, table.c.document).where(table.c.id > last).order_by(table.c.id).limit(CHUNK)
        ).all():
            documents = {record_id: from_json(document) for record_id, document in found}
            yield {
                (kind, record_id): row_of((kind, record_id), index_entry(kind, document, shelf.known))
                for record_id, document in documents.items()
            }
            last = found[-1][0]


def _empty(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO search_words (search_words) VALUES ('delete-all')"))
    else:
        connection.execute(text("DELETE FROM search_vector"))
    for table in SEARCH_INDEX:
        connection.execute(delete(table))
