"""The only writer: whoever writes — the seed, an importer, the API — ends here, in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Table, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from app.batch import Key, batch_of, error_at, generations, name_of, pointed_to, refuse_dangling
from app.db import Database, unavailable
from app.errors import InvalidRecord
from app.ledger import CODE, EDITION, REFERENCE, REGISTRY, REVISION, SOURCE_TEXT
from app.models import RESOURCES, plural_of
from app.models.base import Record, references
from app.models.types import plain_number
from app.provenance.spans import mismatch

T = TypeVar("T")
CHUNK = 400
"""Rows per statement: below the parameter limits of both engines."""
Progress = Callable[[int], None]
"""Is told how many more records are done."""
STANDINGS = ("current", "corrected", "concern", "retracted")
"""What a source can come to, from good to bad."""


@dataclass(frozen=True)
class Saved:
    """What a save came to: how many records were new, changed and as before, and the revision that now stands."""

    created: int
    changed: int
    unchanged: int
    revision: int


class Held(NamedTuple):
    """What the database holds of a record before the write."""

    digest: str
    version: int
    created_at: str
    document: str


def save_all(
    database: Database,
    records: Iterable[Record],
    *,
    author: str,
    reason: str | None = None,
    texts: Mapping[str, str] | None = None,
    progress: Progress = lambda _count: None,
) -> Saved:
    """Save records, and texts of sources by id, all or none; InvalidRecord names each that breaks a rule.

    References may point to records of the same batch, in any order. A record that is equal to what is stored stays as
    it is; when nothing changes, no revision is made.
    """
    batch = batch_of(records)
    try:
        with database.write() as connection:
            return _Write(connection, batch, dict(texts or {}), author, reason).run(progress)
    except DBAPIError as failure:
        raise unavailable(failure) from failure


def revision_of(connection: Connection) -> int:
    """The number of the last write transaction that changed something; 0 for an empty dataset."""
    return int(connection.execute(select(func.coalesce(func.max(REVISION.c.number), 0))).scalar_one())


class _Write:
    """One write transaction over a batch of records."""

    def __init__(
        self, connection: Connection, batch: dict[Key, Record], texts: dict[str, str], author: str, reason: str | None
    ) -> None:
        self.connection = connection
        self.batch = batch
        self.texts = texts
        self.author = author
        self.reason = reason
        self.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.held = self._held(batch)
        self.documents: dict[Key, dict[str, Any]] = {}
        self.counts = {"created": 0, "changed": 0, "unchanged": 0}
        self.revision = revision_of(connection)
        self.revision_made = False
        self.position = 0

    def run(self, progress: Progress) -> Saved:
        """Save the batch in the order of its references, then render again what depends on it."""
        self._refuse_dangling()
        changed: list[Key] = []
        for generation in generations(self.batch):
            for plural, keys in groupby(generation, key=itemgetter(0)):
                alike = list(keys)
                changed += self._save_alike(plural, alike)
                progress(len(alike))
        changed += self._save_texts()
        self._render_dependants(changed)
        return Saved(**self.counts, revision=self.revision)

    # Before: everything that the batch points to must be there

    def _refuse_dangling(self) -> None:
        wanted = pointed_to(self.batch) - self.batch.keys()
        there = set(self._select_keys(REGISTRY, "kind", "id", wanted))
        refuse_dangling(self.batch, wanted - there)

    # One generation of one resource

    def _save_alike(self, plural: str, keys: list[Key]) -> list[Key]:
        created: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        for key in keys:
            held = self.held.get(key)
            row = self._row(key, self.batch[key], held)
            self.documents[key] = from_json(row["document"])
            if held is None:
                created.append(row)
            elif held.digest != row["digest"]:
                changed.append(row)
            elif _without_clock(held.document) != _without_clock(row["document"]):
                self._rewrite(plural, row)
        self.counts["created"] += len(created)
        self.counts["changed"] += len(changed)
        self.counts["unchanged"] += len(keys) - len(created) - len(changed)
        if created or changed:
            self._write_rows(plural, created, changed)
        return [(plural, row["id"]) for row in (*created, *changed)]

    def _row(self, key: Key, record: Record, held: Held | None) -> dict[str, Any]:
        """All columns of a record: what it says, what follows from it, and what the server adds."""
        row_class = RESOURCES[key[0]]
        values = record.model_dump(mode="json")
        digest = sha256(to_json(record.model_dump(mode="json", exclude_defaults=True))).hexdigest()
        try:
            derived = row_class.derive(record, self._known)
        except ValueError as failure:
            raise InvalidRecord(f"{name_of(key)}: {failure}.", errors=[error_at(key, "", str(failure))]) from failure
        same = held is not None and held.digest == digest
        server = {name: field.get_default(call_default_factory=True) for name, field in row_class.model_fields.items()}
        values = {
            **server,
            **values,
            **derived,
            "version": 1 if held is None else held.version + (not same),
            "created_at": held.created_at if held else self.now,
            "updated_at": from_json(held.document)["updated_at"] if held and same else self.now,
            "verification": self._verification(key, record),
            "source_status": self._source_status(record),
            "digest": digest,
        }
        shown = {name: plain_number(values[name]) for name in row_class.shown()}
        return {**values, "document": to_json(shown).decode()}

    def _write_rows(self, plural: str, created: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
        self._make_revision()
        table = RESOURCES[plural].table()
        keys = [(plural, row["id"]) for row in (*created, *changed)]
        self._insert(REGISTRY, [{"kind": plural, "id": row["id"]} for row in created])
        self._insert(table, created)
        for row in changed:
            self.connection.execute(update(table).where(table.c.id == row["id"]).values(row))
        for pairs in _chunks([(plural, row["id"]) for row in changed]):
            self.connection.execute(
                delete(REFERENCE).where(tuple_(REFERENCE.c.from_kind, REFERENCE.c.from_id).in_(pairs))
            )
            self.connection.execute(delete(CODE).where(tuple_(CODE.c.kind, CODE.c.id).in_(pairs)))
        self._insert(REFERENCE, [row for key in keys for row in self._reference_rows(key)])
        self._insert(CODE, [row for key in keys for row in _code_rows(key, self.batch[key])])
        self._log(plural, (*created, *changed))

    def _log(self, plural: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep the documents that this revision wrote, in order."""
        editions = [
            {
                "revision": self.revision,
                "position": self.position + index,
                "kind": plural,
                "id": row["id"],
                "version": row["version"],
                "document": row["document"],
            }
            for index, row in enumerate(rows, start=1)
        ]
        self.position += len(editions)
        self._insert(EDITION, editions)

    def _reference_rows(self, key: Key) -> Iterator[dict[str, str]]:
        for mention in references(self.batch[key]):
            yield {
                "from_kind": key[0],
                "from_id": key[1],
                "path": mention.path,
                "to_kind": mention.plural,
                "to_id": mention.id,
            }

    # What follows from the sources

    def _verification(self, key: Key, record: Record) -> str | None:
        """The best rung among the record's quotes; refuses a quote that its source's stored text does not hold."""
        rungs = []
        for pointer, source, quote, span in _quotes(record):
            text = None if quote is None else self._text(source)
            if text is None or quote is None:
                rungs.append("recorded")
                continue
            wrong = mismatch(text, quote, span.start if span else None, span.end if span else None)
            if wrong:
                raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, pointer, wrong)])
            rungs.append("quote-found")
        return max(rungs, key=("recorded", "quote-found").index, default=None)

    def _source_status(self, record: Record) -> str | None:
        """The worst standing among the sources that the record names; a source's own for a source."""
        if plural_of(record) == "sources":
            retraction = getattr(record, "retraction", None)
            return retraction.status if retraction else "current"
        named = {mention.id for mention in references(record) if mention.plural == "sources"}
        standings = [self._known("sources", source)["source_status"] or "current" for source in sorted(named)]
        return max(standings, key=STANDINGS.index, default=None)

    def _text(self, source: str) -> str | None:
        if source not in self.texts:
            held = self.connection.execute(select(SOURCE_TEXT.c.text).where(SOURCE_TEXT.c.source == source)).scalar()
            if held is None:
                return None
            self.texts[source] = held
        return self.texts[source]

    def _save_texts(self) -> list[Key]:
        changed: list[Key] = []
        for source, text in self.texts.items():
            key = ("sources", source)
            if key not in self.batch and not self._held([key]):
                wrong = "there is no such source for the text"
                raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "", wrong)])
            document = self._known(*key)
            digest = sha256(text.encode()).hexdigest()
            if document["sha256"] != digest:
                wrong = f"sha256 is {document['sha256']}, but the stored text has {digest}"
                raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/sha256", wrong)])
            held = self.connection.execute(select(SOURCE_TEXT.c.text).where(SOURCE_TEXT.c.source == source)).scalar()
            if held == text:
                continue
            self._make_revision()
            self.connection.execute(delete(SOURCE_TEXT).where(SOURCE_TEXT.c.source == source))
            self.connection.execute(insert(SOURCE_TEXT).values(source=source, text=text))
            changed.append(key)
        return changed

    # After: what other records show of the changed ones

    def _render_dependants(self, changed: Sequence[Key]) -> None:
        """Render again, without a new version, the records outside the batch that point to a changed one."""
        found = self._select_keys(REFERENCE, "from_kind", "from_id", changed, where=("to_kind", "to_id"))
        for key in sorted(set(found) - self.batch.keys()):
            held = self._held([key])[key]
            record = RESOURCES[key[0]].record_class().model_validate(from_json(held.document))
            row = self._row(key, record, held)
            if row["document"] != held.document:
                self._rewrite(key[0], row)

    def _rewrite(self, plural: str, row: dict[str, Any]) -> None:
        self._make_revision()
        table = RESOURCES[plural].table()
        self.connection.execute(update(table).where(table.c.id == row["id"]).values(row))
        self._log(plural, [row])

    # Plumbing

    def _known(self, plural: str, record_id: str) -> Mapping[str, Any]:
        key = (plural, record_id)
        if key not in self.documents:
            self.documents[key] = from_json(self._held([key])[key].document)
        return self.documents[key]

    def _held(self, keys: Iterable[Key]) -> dict[Key, Held]:
        found: dict[Key, Held] = {}
        for plural, alike in groupby(sorted(keys), key=itemgetter(0)):
            table = RESOURCES[plural].table()
            for ids in _chunks([record_id for _, record_id in alike]):
                columns = (table.c.id, table.c.digest, table.c.version, table.c.created_at, table.c.document)
                for record_id, *rest in self.connection.execute(select(*columns).where(table.c.id.in_(ids))):
                    found[plural, record_id] = Held(*rest)
        return found

    def _select_keys(
        self, table: Table, kind: str, record_id: str, wanted: Iterable[Key], where: tuple[str, str] | None = None
    ) -> Iterator[Key]:
        left, right = where or (kind, record_id)
        for keys in _chunks(sorted(wanted)):
            query = select(table.c[kind], table.c[record_id]).where(tuple_(table.c[left], table.c[right]).in_(keys))
            for row in self.connection.execute(query):
                yield (row[0], row[1])

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(insert(table), rows)

    def _make_revision(self) -> None:
        if not self.revision_made:
            self.revision += 1
            self.revision_made = True
            values = {"number": self.revision, "at": self.now, "author": self.author, "reason": self.reason}
            self.connection.execute(insert(REVISION).values(values))


def _quotes(record: Record) -> Iterator[tuple[str, str, str | None, Any]]:
    """Every place where a record rests on a source: JSON pointer, source, quote, span."""
    for index, citation in enumerate(getattr(record, "citations", [])):
        yield f"/citations/{index}/quote", citation.source, citation.quote, citation.span
    if hasattr(record, "quote") and hasattr(record, "source"):
        yield "/quote", record.source, record.quote, getattr(record, "span", None)


def _code_rows(key: Key, record: Record) -> Iterator[dict[str, str]]:
    for system, code in sorted({(system, code.lower()) for system, code in record.codes_held()}):
        yield {"kind": key[0], "id": key[1], "system": system, "code": code}


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def _without_clock(document: str) -> dict[str, Any]:
    return {name: value for name, value in from_json(document).items() if name != "updated_at"}
