"""The search index, updated in the transaction of each write, and rebuilt from the documents."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, delete, func, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from app.db.tables import ENTRY, FACET, FACET_SIZE, GRAM, NAME, SEARCH_INDEX
from app.json_codec import from_json, to_json
from app.models import RESOURCES
from app.models.base import Key
from app.search.engine import every_place
from app.search.expressions import about, tsvector
from app.search.index_counts import NONE, facet_keys, gram_keys, name_keys
from app.search.index_entries import IndexEntry, index_entry, is_entity, kinds_in_order, place_range
from app.store.write.documents import Progress
from app.store.write.loaded import IDS_PER_STATEMENT, LoadedRecords, chunks

COUNTED = (NAME, GRAM, FACET)
Tally = Counter[tuple[Any, ...]]
Upsert = postgresql.Insert | sqlite.Insert


@dataclass
class Tallies:
    """Pending increments and decrements of the tables with counts."""

    by_table: dict[str, Tally] = field(default_factory=lambda: {table.name: Counter() for table in COUNTED})

    def count(self, kind: str, record_id: str, entry: Mapping[str, Any], sign: int) -> None:
        """Add (1) or subtract (-1) the counts of an index entry."""
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


def index_records(connection: Connection, loaded: LoadedRecords, keys: Iterable[Key]) -> None:
    """Update the index entries of written records, and of the records about a renamed thing."""
    tallies = Tallies()
    renamed = [key for chunk in chunks(sorted(keys)) for key in _index_chunk(connection, loaded, chunk, tallies)]
    if renamed:
        _flush(connection, tallies)
        tallies = Tallies()
        for chunk in chunks(sorted(_records_about(connection, renamed))):
            loaded.fetch_ahead(chunk)
            _index_chunk(connection, loaded, chunk, tallies)
    _flush(connection, tallies)


def add_rows(connection: Connection, rows: Mapping[Key, Mapping[str, Any] | None]) -> None:
    """Insert the index entries of new records."""
    tallies = Tallies()
    _write(connection, {}, rows, tallies)
    _flush(connection, tallies)


def forget_record(connection: Connection, key: Key) -> None:
    """Delete the index entry of a record whose id ceases to exist."""
    tallies = Tallies()
    _write(connection, _existing_entries(connection, [key]), {key: None}, tallies)
    _flush(connection, tallies)


def _index_chunk(connection: Connection, loaded: LoadedRecords, keys: Sequence[Key], tallies: Tallies) -> list[Key]:
    """Index records, at most a chunk; returns the entities among them whose names changed."""
    loaded.fetch_ahead(keys)
    rows = {key: row_of(key, index_entry(key[0], loaded.known(*key), loaded.known)) for key in keys}
    existing = _existing_entries(connection, keys)
    _write(connection, existing, rows, tallies)
    return [
        key
        for key in existing
        if is_entity(key[0]) and (rows[key] or {}).get("labels") not in (None, existing[key]["labels"])
    ]


def _records_about(connection: Connection, entities: Iterable[Key]) -> set[Key]:
    """The records about one of the entities, without the entities."""
    places = {place for entity in entities for place in every_place(connection, about(*entity))}
    found: set[Key] = set()
    for chunk in chunks(sorted(places)):
        found |= {(row.kind, row.id) for row in connection.execute(select(ENTRY).where(ENTRY.c.place.in_(chunk)))}
    return found - set(entities)


def row_of(key: Key, entry: IndexEntry | None) -> dict[str, Any] | None:
    """The row of an index entry, without `place`; None without an entry."""
    if entry is None:
        return None
    listed = {"labels": entry.labels, "scopes": entry.scopes, "field_values": entry.values}
    own = {"kind": key[0], "id": key[1], "title": entry.title, "words": entry.words}
    return own | {name: to_json(value).decode() for name, value in listed.items()}


def _existing_entries(connection: Connection, keys: Sequence[Key]) -> dict[Key, Mapping[str, Any]]:
    found: dict[Key, Mapping[str, Any]] = {}
    for kind in {kind for kind, _ in keys}:
        ids = [record_id for key_kind, record_id in keys if key_kind == kind]
        query = select(ENTRY).where(ENTRY.c.kind == kind, ENTRY.c.id.in_(ids))
        found |= {(row["kind"], row["id"]): dict(row) for row in connection.execute(query).mappings()}
    return found


def _write(
    connection: Connection,
    existing: Mapping[Key, Mapping[str, Any]],
    rows: Mapping[Key, Mapping[str, Any] | None],
    tallies: Tallies,
) -> None:
    """Replace the existing rows that changed, and tally both."""
    next_place = _next_places(connection)
    gone: list[Mapping[str, Any]] = []
    new: list[dict[str, Any]] = []
    for key, row in rows.items():
        previous = existing.get(key)
        if previous is not None and row == {name: value for name, value in previous.items() if name != "place"}:
            continue
        if previous is not None:
            gone.append(previous)
            tallies.count(*key, previous, -1)
        if row is not None:
            new.append({"place": previous["place"] if previous is not None else next_place(key[0]), **row})
            tallies.count(*key, row, 1)
    if gone:
        _delete_words(connection, gone)
        connection.execute(delete(ENTRY).where(ENTRY.c.place.in_([row["place"] for row in gone])))
    if new:
        connection.execute(insert(ENTRY), new)
        _insert_words(connection, new)


def _next_places(connection: Connection) -> Callable[[str], int]:
    """A function that returns the next free place of a kind."""
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


def _insert_words(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if connection.dialect.name == "sqlite":
        words = [{"place": row["place"], "words": row["words"]} for row in rows]
        connection.execute(text("INSERT INTO search_words (rowid, words) VALUES (:place, :words)"), words)
        return
    vectors = [{"place": row["place"], "vector": tsvector(row["words"])} for row in rows]
    connection.execute(
        text("INSERT INTO search_vector (place, vector) VALUES (:place, CAST(:vector AS tsvector))"), vectors
    )


def _delete_words(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Delete words from the full-text index; FTS5 needs the old text, so that the entry must still exist."""
    words = [{"place": row["place"], "words": row["words"]} for row in rows]
    if connection.dialect.name == "sqlite":
        statement = "INSERT INTO search_words (search_words, rowid, words) VALUES ('delete', :place, :words)"
    else:
        statement = "DELETE FROM search_vector WHERE place = :place"
    connection.execute(text(statement), words)


def refill(connection: Connection) -> None:
    """Rebuild the FTS5 index of a SQLite file from its copied index entries."""
    connection.execute(text("INSERT INTO search_words (search_words) VALUES ('rebuild')"))


# Counts


def _flush(connection: Connection, tallies: Tallies) -> None:
    for table in COUNTED:
        _add(connection, table, tallies.by_table[table.name])


def _add(connection: Connection, table: Table, tally: Tally) -> None:
    """Add to the counts of a table, and delete rows that reach zero."""
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
    """Add to the counts of facet values; returns the change of the number of distinct values of each field."""
    sizes: Tally = Counter()
    for chunk in chunks(rows):
        added = {(row["kind"], row["scope"], row["field"], row["value"]): row["n"] for row in chunk}
        for *field_of, value, n in connection.execute(upsert.returning(*FACET.columns), chunk):
            if value != NONE:
                before = n - added[(*field_of, value)]
                sizes[tuple(field_of)] += (n > 0) - (before > 0)
    return sizes


@cache
def _adding(table: Table, dialect: str) -> Upsert:
    """The upsert that inserts counts, or adds them to existing ones."""
    adding: Upsert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return adding.on_conflict_do_update(
        index_elements=table.primary_key.columns, set_={"n": table.c.n + adding.excluded.n}
    )


# Rebuilding the index


def build_index(connection: Connection, progress: Progress = lambda _count: None) -> None:
    """Rebuild the whole index from the documents."""
    _empty(connection)
    loaded = LoadedRecords(connection)
    tallies = Tallies()
    for key_rows in every_row(connection, loaded):
        _write(connection, {}, key_rows, tallies)
        progress(len(key_rows))
    _flush(connection, tallies)
    if connection.dialect.name == "sqlite":  # one segment: each would cost a lookup of every word
        connection.execute(text("INSERT INTO search_words (search_words) VALUES ('optimize')"))


def every_row(connection: Connection, loaded: LoadedRecords) -> Iterator[dict[Key, dict[str, Any] | None]]:
    """The index rows of all records, in chunks, kind by kind."""
    for kind in kinds_in_order():
        table = RESOURCES[kind].table()
        last = ""
        while found := connection.execute(
            select(table.c.id, table.c.document).where(table.c.id > last).order_by(table.c.id).limit(IDS_PER_STATEMENT)
        ).all():
            documents = {record_id: from_json(document) for record_id, document in found}
            yield {
                (kind, record_id): row_of((kind, record_id), index_entry(kind, document, loaded.known))
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
