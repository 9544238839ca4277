"""Identity map of a write or an audit: stored records, texts, references and former ids, each read once."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, Table, bindparam, select

from app.db.tables import ALIAS, REFERENCE, REGISTRY, SOURCE_TEXT
from app.errors import nearest
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Key, Record
from app.store.write.documents import ExistingRecord

T = TypeVar("T")
IDS_PER_STATEMENT = 400
"""Rows per statement: below the parameter limits of both engines."""


MOST_ALIKE = 500
"""Maximum number of ids that are compared to find the nearest one."""


class LoadedRecords:
    """Cache of the documents and texts read on one connection; writes update it with `remember`."""

    def __init__(self, connection: Connection, texts: Mapping[str, str] | None = None) -> None:
        self.connection = connection
        self._texts: dict[str, str | None] = dict(texts or {})
        self._documents: dict[Key, Mapping[str, Any]] = {}
        self._existing: dict[Key, ExistingRecord | None] = {}
        self._former: dict[Key, str | None] = {}

    def read_ahead(self, keys: Collection[Key]) -> None:
        """Prefetch the stored records and the present ids of many keys, for single lookups later."""
        wanted = [key for key in keys if key[0] in RESOURCES]
        self._existing = dict.fromkeys(wanted) | self.existing(wanted)
        self._former = dict.fromkeys(wanted) | self.former(wanted)

    def existing(self, keys: Iterable[Key]) -> dict[Key, ExistingRecord]:
        """The stored columns of each record that exists."""
        found: dict[Key, ExistingRecord] = {}
        wanted = []
        for key in keys:
            existing = self._existing.get(key)
            if existing is not None:
                found[key] = existing
            elif key not in self._existing:
                wanted.append(key)
        for plural, same_kind in groupby(sorted(wanted), key=itemgetter(0)):
            query = _existing_query(RESOURCES[plural].table())
            for ids in chunks([record_id for _, record_id in same_kind]):
                for record_id, *columns in self.connection.execute(query, {"ids": ids}):
                    found[plural, record_id] = ExistingRecord(*columns)
        return found

    def known(self, plural: str, record_id: str) -> Mapping[str, Any]:
        """The document of an existing record."""
        key = (plural, record_id)
        if key not in self._documents:
            self._documents[key] = from_json(self.existing([key])[key].document)
        return self._documents[key]

    def fetch_ahead(self, keys: Iterable[Key]) -> None:
        """Prefetch many documents for single lookups later."""
        wanted = [key for key in keys if key not in self._documents]
        self._documents |= {key: from_json(existing.document) for key, existing in self.existing(wanted).items()}

    def remember(self, key: Key, document: str) -> None:
        """Replace the cached document of a record by one that was just written."""
        self._documents[key] = from_json(document)
        self._existing.pop(key, None)

    def forget(self) -> None:
        """Clear the cache: to bound its memory in a long run, and after a rollback."""
        self._documents.clear()
        self._existing.clear()
        self._former.clear()

    def text_of(self, source: str) -> str | None:
        """The stored text of a source, or None."""
        if source not in self._texts:
            query = select(SOURCE_TEXT.c.text).where(SOURCE_TEXT.c.source == source)
            self._texts[source] = self.connection.execute(query).scalar()
        return self._texts[source]

    def present(self, keys: Iterable[Key]) -> set[Key]:
        """The keys that belong to an existing record."""
        wanted = set(keys)
        known = wanted & self._existing.keys()
        found = {key for key in known if self._existing[key] is not None}
        return found | {(row.kind, row.id) for row in self._rows_with_keys(REGISTRY, ("kind", "id"), wanted - known)}

    def referencing(self, keys: Iterable[Key]) -> set[Key]:
        """The records that reference one of the given records."""
        return {(row.from_kind, row.from_id) for row in self._rows_with_keys(REFERENCE, ("to_kind", "to_id"), keys)}

    def references_from(self, keys: Iterable[Key]) -> dict[Key, set[Key]]:
        """The references of the given records, transitively: targets by referencing record."""
        found: dict[Key, set[Key]] = {}
        frontier = set(keys)
        while frontier:
            found |= {key: set() for key in frontier}
            for row in self._rows_with_keys(REFERENCE, ("from_kind", "from_id"), frontier):
                found[row.from_kind, row.from_id].add((row.to_kind, row.to_id))
            frontier = {target for key in frontier for target in found[key]} - found.keys()
        return found

    def former(self, keys: Iterable[Key]) -> dict[Key, str]:
        """The present id of each key that is a former id."""
        wanted = set(keys)
        known = wanted & self._former.keys()
        found = {key: present for key in known if (present := self._former[key]) is not None}
        return found | {
            (row.kind, row.id): row.to_id for row in self._rows_with_keys(ALIAS, ("kind", "id"), wanted - known)
        }

    def near(self, key: Key) -> str | None:
        """The nearest existing id to an unknown one, among `MOST_ALIKE` ids that begin with the same three letters."""
        plural, record_id = key
        start = record_id[:3]
        candidates = select(REGISTRY.c.id).where(REGISTRY.c.kind == plural, REGISTRY.c.id.between(start, start + "~"))
        return nearest(record_id, self.connection.scalars(candidates.limit(MOST_ALIKE)))

    def _rows_with_keys(self, table: Any, names: tuple[str, str], keys: Iterable[Key]) -> Iterator[Any]:
        """The rows whose two columns equal a key; one query a kind, as SQLite uses no index for a list of pairs."""
        query = _pairs_query(table, names)
        for plural, same_kind in groupby(sorted(keys), key=itemgetter(0)):
            for ids in chunks([record_id for _, record_id in same_kind]):
                yield from self.connection.execute(query, {"plural": plural, "ids": ids})


@cache
def _existing_query(table: Table) -> Select[Any]:
    """The query for the stored columns of records; cached, since each write uses it."""
    columns = [table.c[name] for name in ("id", *ExistingRecord._fields)]
    return select(*columns).where(table.c.id.in_(bindparam("ids", expanding=True)))


@cache
def _pairs_query(table: Table, names: tuple[str, str]) -> Select[Any]:
    kind, record_id = (table.c[name] for name in names)
    return select(table).where(kind == bindparam("plural"), record_id.in_(bindparam("ids", expanding=True)))


def record_from(plural: str, document: str | Mapping[str, Any]) -> Record:
    """The record of a stored document, without derived fields."""
    values = from_json(document) if isinstance(document, str) else document
    return RESOURCES[plural].record_class().model_validate(values)


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in chunks of at most `IDS_PER_STATEMENT`, the limit of one statement."""
    for start in range(0, len(values), IDS_PER_STATEMENT):
        yield values[start : start + IDS_PER_STATEMENT]
