"""What the database already holds, as a write or a check needs it: documents, texts, who points to whom, former ids."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from pydantic_core import from_json
from sqlalchemy import Connection, Select, Table, bindparam, select

from app.db.tables import ALIAS, REFERENCE, REGISTRY, SOURCE_TEXT
from app.errors import nearest
from app.models import RESOURCES
from app.models.base import Key, Record
from app.store.write.documents import ExistingRecord

T = TypeVar("T")
CHUNK = 400
"""Rows per statement: below the parameter limits of both engines."""


MOST_ALIKE = 500
"""How many ids are looked at for the nearest one."""


class LoadedRecords:
    """Reads records on one connection, each document and text once, whoever writes there meanwhile through `put`."""

    def __init__(self, connection: Connection, texts: Mapping[str, str] | None = None) -> None:
        self.connection = connection
        self._texts: dict[str, str | None] = dict(texts or {})
        self._documents: dict[Key, Mapping[str, Any]] = {}
        self._held: dict[Key, ExistingRecord | None] = {}
        self._former: dict[Key, str | None] = {}

    def read_ahead(self, keys: Collection[Key]) -> None:
        """Read at once what will be asked of records one by one: what is held of each, and its present id."""
        wanted = [key for key in keys if key[0] in RESOURCES]
        self._held = dict.fromkeys(wanted) | self.held(wanted)
        self._former = dict.fromkeys(wanted) | self.former(wanted)

    def held(self, keys: Iterable[Key]) -> dict[Key, ExistingRecord]:
        """What the database holds of each record; without those that it does not know."""
        found: dict[Key, ExistingRecord] = {}
        wanted = []
        for key in keys:
            was = self._held.get(key)
            if was is not None:
                found[key] = was
            elif key not in self._held:
                wanted.append(key)
        for plural, alike in groupby(sorted(wanted), key=itemgetter(0)):
            query = _held(RESOURCES[plural].table())
            for ids in chunks([record_id for _, record_id in alike]):
                for record_id, *rest in self.connection.execute(query, {"ids": ids}):
                    found[plural, record_id] = ExistingRecord(*rest)
        return found

    def known(self, plural: str, record_id: str) -> Mapping[str, Any]:
        """The document of a record that is there."""
        key = (plural, record_id)
        if key not in self._documents:
            self._documents[key] = from_json(self.held([key])[key].document)
        return self._documents[key]

    def fetch_ahead(self, keys: Iterable[Key]) -> None:
        """Read many documents at once that will be asked for one by one."""
        wanted = [key for key in keys if key not in self._documents]
        self._documents |= {key: from_json(held.document) for key, held in self.held(wanted).items()}

    def put(self, key: Key, document: str) -> None:
        """Take a document that was just written for the one that is there."""
        self._documents[key] = from_json(document)
        self._held.pop(key, None)

    def forget(self) -> None:
        """Let go of all that was read, as a long run cannot hold it all, and what was undone is not so."""
        self._documents.clear()
        self._held.clear()
        self._former.clear()

    def text_of(self, source: str) -> str | None:
        """The stored text of a source, or None."""
        if source not in self._texts:
            query = select(SOURCE_TEXT.c.text).where(SOURCE_TEXT.c.source == source)
            self._texts[source] = self.connection.execute(query).scalar()
        return self._texts[source]

    def there(self, keys: Iterable[Key]) -> set[Key]:
        """Those of the keys that belong to a record."""
        wanted = set(keys)
        known = wanted & self._held.keys()
        found = {key for key in known if self._held[key] is not None}
        return found | {(row.kind, row.id) for row in self._among(REGISTRY, ("kind", "id"), wanted - known)}

    def referencing(self, keys: Iterable[Key]) -> set[Key]:
        """The records that mention one of the given ones."""
        return {(row.from_kind, row.from_id) for row in self._among(REFERENCE, ("to_kind", "to_id"), keys)}

    def references_from(self, keys: Iterable[Key]) -> dict[Key, set[Key]]:
        """Whom the given records mention, and whom those mention, and so on."""
        found: dict[Key, set[Key]] = {}
        frontier = set(keys)
        while frontier:
            found |= {key: set() for key in frontier}
            for row in self._among(REFERENCE, ("from_kind", "from_id"), frontier):
                found[row.from_kind, row.from_id].add((row.to_kind, row.to_id))
            frontier = {target for key in frontier for target in found[key]} - found.keys()
        return found

    def former(self, keys: Iterable[Key]) -> dict[Key, str]:
        """Those of the keys that are former ids, with the present one."""
        wanted = set(keys)
        known = wanted & self._former.keys()
        found = {key: present for key in known if (present := self._former[key]) is not None}
        return found | {(row.kind, row.id): row.to_id for row in self._among(ALIAS, ("kind", "id"), wanted - known)}

    def near(self, key: Key) -> str | None:
        """The id that is nearest to one that there is not, among those that begin alike (a bounded look)."""
        plural, record_id = key
        start = record_id[:3]
        alike = select(REGISTRY.c.id).where(REGISTRY.c.kind == plural, REGISTRY.c.id.between(start, start + "~"))
        return nearest(record_id, self.connection.scalars(alike.limit(MOST_ALIKE)))

    def _among(self, table: Any, names: tuple[str, str], keys: Iterable[Key]) -> Iterator[Any]:
        """The rows whose two columns are one of the keys; kind by kind, as SQLite has no index for a list of pairs."""
        query = _those(table, names)
        for plural, alike in groupby(sorted(keys), key=itemgetter(0)):
            for ids in chunks([one for _, one in alike]):
                yield from self.connection.execute(query, {"plural": plural, "ids": ids})


@cache
def _held(table: Table) -> Select[Any]:
    """The query for what a write needs to know of records; made once, as each write asks it."""
    columns = [table.c[name] for name in ("id", *ExistingRecord._fields)]
    return select(*columns).where(table.c.id.in_(bindparam("ids", expanding=True)))


@cache
def _those(table: Table, names: tuple[str, str]) -> Select[Any]:
    kind, record_id = (table.c[name] for name in names)
    return select(table).where(kind == bindparam("plural"), record_id.in_(bindparam("ids", expanding=True)))


def record_from(plural: str, document: str | Mapping[str, Any]) -> Record:
    """What a stored document says, as a record."""
    values = from_json(document) if isinstance(document, str) else document
    return RESOURCES[plural].record_class().model_validate(values)


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in pieces that fit into one statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
