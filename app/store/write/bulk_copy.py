"""Bulk insert of similar records for tests of scale: the first is saved as usual, the others are copies of its row."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from app.db.database import Database
from app.db.tables import RECORD_VERSION, REFERENCE, REGISTRY
from app.json_codec import from_json, to_json
from app.models import RESOURCES, plural_of
from app.models.base import Key, Record
from app.search.index_entries import index_entry
from app.search.text_fields import Mention, contents
from app.store.write.index import add_rows, row_of
from app.store.write.transaction import Write, writing

Values = Mapping[str, Any]


def fill(database: Database, first: Record, others: Sequence[Values], *, author: str) -> None:
    """Save a record and copies of it with other values: `id`, and the JSON of any field, also derived ones.

    The copies are not validated: the caller made them up. They are rendered, indexed and get their references as if
    they had been saved one by one, except that their digests are of the whole document.
    """
    plural = plural_of(first)
    with writing(database, author, "made up") as write:
        write.save({(plural, first.id): first}, lambda _count: None)
        write.finish()
        _insert_copies(write, plural, first.id, others)


def _insert_copies(write: Write, plural: str, first: str, others: Iterable[Values]) -> None:
    table = RESOURCES[plural].table()
    base = dict(write.connection.execute(select(table).where(table.c.id == first)).mappings().one())
    base_document = from_json(base["document"])
    rows: list[dict[str, Any]] = []
    reference_rows: list[dict[str, Any]] = []
    entries: dict[Key, dict[str, Any] | None] = {}
    for values in others:
        document = {
            name: _merged(value, values[name]) if name in values else value for name, value in base_document.items()
        }
        text = to_json(document).decode()
        digest = sha256(text.encode()).hexdigest()
        columns = {name: document[name] for name in values if name in table.c}
        rows.append(base | columns | {"document": text, "digest": digest})
        key = (plural, document["id"])
        entries[key] = row_of(key, index_entry(plural, document, write.loaded.known))
        reference_rows += [
            {"from_kind": plural, "from_id": key[1], "path": to.path, "to_kind": to.plural, "to_id": to.id}
            for to in contents(plural, document)
            if isinstance(to, Mention) and to.path.split(".")[0] in RESOURCES[plural].record_class().model_fields
        ]
    if rows:
        written = [(position, row["id"], row["document"]) for position, row in enumerate(rows, start=2)]
        same = {"revision": write.revision, "kind": plural, "version": 1}
        write.insert(REGISTRY, [{"kind": plural, "id": row["id"]} for row in rows])
        write.insert(table, rows)
        write.insert(
            RECORD_VERSION,
            [{**same, "position": at, "id": record_id, "document": text} for at, record_id, text in written],
        )
        write.insert(REFERENCE, reference_rows)
        add_rows(write.connection, entries)


def _merged(base: Any, value: Any) -> Any:
    """A value merged into the first record's: fields that a nested object leaves out keep their values."""
    if isinstance(base, dict) and isinstance(value, dict):
        return base | value
    if isinstance(value, list) and base and isinstance(base[0], dict):
        return [_merged(base[min(place, len(base) - 1)], item) for place, item in enumerate(value)]
    return value
