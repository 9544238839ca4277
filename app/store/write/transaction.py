"""The write transaction: saves records, texts, states and ids, and renders the dependent records again."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from app.clock import now
from app.db.database import Database
from app.db.failures import unavailable
from app.db.group_commit import group_commit_of
from app.db.tables import ALIAS, CODE, RECORD_VERSION, REFERENCE, REGISTRY, REVISION, SHAPE, SOURCE_TEXT
from app.errors import InvalidRecord, NotFound
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Key, Record, references
from app.models.types import LONGEST_SLUG, SLUG_PATTERN
from app.store.read.revision import revision_of
from app.store.read.shape import shape
from app.store.write.batch import error_at, generations, name_of, referenced_keys, refuse_broken_rules, refuse_dangling
from app.store.write.documents import (
    ExistingRecord,
    Progress,
    ReasonsByKey,
    RenderContext,
    code_rows,
    record_digest,
    reference_rows,
    render_document,
    stored_reasons,
    without_clock,
)
from app.store.write.index import build_index, forget_record, index_records
from app.store.write.loaded import IDS_PER_STATEMENT, LoadedRecords, chunks, record_from


@dataclass(frozen=True)
class Saved:
    """The result of a write: numbers of created, changed and unchanged records, and the dataset's revision after it."""

    created: int
    changed: int
    unchanged: int
    revision: int


TO_INDEX = "to index"
"""Key in `Connection.info` of the records that a group of writes has yet to index."""
LOADED, LAST = "loaded", "last revision"
"""Keys in `GroupCommit.known` of what the writes of a transaction share: the loaded records and the revision."""


@contextmanager
def write_group(database: Database) -> Iterator[Callable[[Collection[Key]], None]]:
    """Group commit for the writes of this thread; the search index is updated once, at the end of the transaction.

    Yields a function that prefetches records by key.
    """
    with database.write_group() as connection:
        group, info, to_index = group_commit_of(connection), connection.info, set[Key]()
        info[TO_INDEX] = to_index
        try:
            yield _loaded_records(connection).read_ahead
        finally:
            info.pop(TO_INDEX, None)
        group.flush()
        loaded = _loaded_records(connection)
        index_records(connection, loaded, loaded.present(to_index))  # without those whose write was rolled back


@contextmanager
def writing(
    database: Database, author: str, reason: str | None, texts: Mapping[str, str] | None = None
) -> Iterator["Write"]:
    """One write transaction, committed at the end; Unavailable when the database is busy or cannot be reached."""
    try:
        with database.write() as connection:
            write = Write(
                connection, LoadedRecords(connection, texts) if texts else _loaded_records(connection), author, reason
            )
            yield write
            group_commit_of(connection).known[LAST] = write.revision
    except DBAPIError as failure:
        raise unavailable(failure) from failure


def _loaded_records(connection: Connection) -> LoadedRecords:
    """The cache of records read and written in this transaction."""
    loaded: LoadedRecords = group_commit_of(connection).known.setdefault(LOADED, LoadedRecords(connection))
    return loaded


class Write:
    """One write transaction."""

    def __init__(self, connection: Connection, loaded: LoadedRecords, author: str, reason: str | None) -> None:
        self.connection = connection
        self.loaded = loaded
        self.author = author
        self.reason = reason
        self.reviewer: str | None = None
        self.note: str | None = None
        self.context = RenderContext(loaded.known, loaded.text_of, now())
        self.counts = {"created": 0, "changed": 0, "unchanged": 0}
        self.touched: list[Key] = []
        """The records whose documents changed, and whose dependants are to be rendered."""
        self.new_versions: dict[Key, dict[str, Any]] = {}
        self.group = group_commit_of(connection)
        last = self.group.known.get(LAST)
        self.revision: int = revision_of(connection) if last is None else last
        self.revision_made = False

    def finish(self) -> Saved:
        """Render the dependants of the changed records, and store the new documents as versions of this revision."""
        self._render_dependants()
        versions = [
            {"revision": self.revision, "position": position, **version}
            for position, version in enumerate(self.new_versions.values(), start=1)
        ]
        self.insert(RECORD_VERSION, versions)
        to_index: set[Key] | None = self.connection.info.get(TO_INDEX)
        if to_index is None:
            index_records(self.connection, self.loaded, self.new_versions)
        else:
            to_index.update(self.new_versions)
        return Saved(**self.counts, revision=self.revision)

    # A batch of records

    def save(
        self,
        batch: dict[Key, Record],
        progress: Progress,
        existing: dict[Key, ExistingRecord] | None = None,
        reasons: ReasonsByKey | None = None,
    ) -> None:
        """Save the batch in the order of its references; InvalidRecord for a broken rule.

        A caller that has already read the stored records of the batch passes them as `existing`. `reasons` are those
        of an import for a review of its records.
        """
        if existing is None:
            existing = self.loaded.existing(batch)
            self._refuse_former_ids(batch.keys() - existing.keys())
        outside = referenced_keys(batch) - batch.keys()
        absent = outside - self.loaded.present(outside)
        refuse_dangling(batch, absent, self.loaded.former(absent), self.loaded.near)
        self.loaded.fetch_ahead(outside)
        edges = self.loaded.references_from(outside) if existing else {}
        for generation in generations(batch, edges):
            for plural, keys in groupby(generation, key=itemgetter(0)):
                same_kind = list(keys)
                self._save_one_kind(plural, {key: batch[key] for key in same_kind}, existing, reasons or {})
                progress(len(same_kind))

    def _refuse_former_ids(self, keys: Iterable[Key]) -> None:
        for key, present in self.loaded.former(keys).items():
            detail = f"this is the former id of {key[0]}/{present}, to which it redirects for ever"
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "/id", detail)])

    def _save_one_kind(
        self,
        plural: str,
        records: Mapping[Key, Record],
        existing: Mapping[Key, ExistingRecord],
        reasons: ReasonsByKey,
    ) -> None:
        created: list[tuple[Record, dict[str, Any]]] = []
        changed: list[tuple[Record, dict[str, Any]]] = []
        for key, record in records.items():
            previous = existing.get(key)
            if previous is None or previous.digest != record_digest(record):
                self._refuse_withdrawn(key, record, previous)
                _refuse_old_check(key, record, previous)
                refuse_broken_rules(key, record, self.loaded.known)
            row = render_document(record, previous, self.context, reasons=reasons.get(key))
            self.loaded.remember(key, row["document"])
            if previous is None:
                created.append((record, row))
            elif previous.digest != row["digest"]:
                changed.append((record, row))
            else:
                self.counts["unchanged"] += 1
                self._rewrite(plural, row, previous)
        self.counts["created"] += len(created)
        self.counts["changed"] += len(changed)
        if created:
            self._create(plural, created)
        if changed:
            self._change(plural, changed)

    def _refuse_withdrawn(self, key: Key, record: Record, existing: ExistingRecord | None) -> None:
        """InvalidRecord for a change of a withdrawn record, or a reference to one."""
        if existing is not None and existing.state == "withdrawn":
            detail = "it was withdrawn; reinstate it before you change it"
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "", detail)])
        for reference in references(record):
            if self.loaded.known(reference.plural, reference.id)["state"] == "withdrawn":
                detail = f"{name_of((reference.plural, reference.id))} was withdrawn; nothing may point to it any more"
                pointer = "/" + reference.path.replace(".", "/")
                raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, pointer, detail)])

    def _create(self, plural: str, created: Sequence[tuple[Record, dict[str, Any]]]) -> None:
        self.make_revision()
        self.insert(REGISTRY, [{"kind": plural, "id": record.id} for record, _ in created])
        self.insert(RESOURCES[plural].table(), [row for _, row in created])
        for _, row in created:
            self._add_version(plural, row)  # only records of this batch can reference it, and they are rendered later
        self._insert_links(plural, [record for record, _ in created])

    def _change(self, plural: str, changed: Sequence[tuple[Record, dict[str, Any]]]) -> None:
        self.make_revision()
        self._update(plural, [row for _, row in changed])
        self._delete_links(plural, [record.id for record, _ in changed])
        self._insert_links(plural, [record for record, _ in changed])

    def _insert_links(self, plural: str, records: Sequence[Record]) -> None:
        self.insert(REFERENCE, [row for record in records for row in reference_rows((plural, record.id), record)])
        self.insert(CODE, [row for record in records for row in code_rows((plural, record.id), record)])

    def _delete_links(self, plural: str, ids: Sequence[str]) -> None:
        for chunk in chunks(ids):
            for kind, record_id in ((REFERENCE.c.from_kind, REFERENCE.c.from_id), (CODE.c.kind, CODE.c.id)):
                self.connection.execute(delete(kind.table).where(kind == plural, record_id.in_(chunk)))

    # States and names

    def set_state(self, key: Key, state: str) -> None:
        """Withdraw or reinstate a record; InvalidRecord without a reason or when it is in that state already."""
        existing = self._existing_record(key)
        if not (self.reason or "").strip():
            detail = f"to make it {state} needs a reason, which is published"
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "/state", detail)])
        if existing.state == state:
            detail = f"it is {state} already"
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "/state", detail)])
        record = record_from(key[0], existing.document)
        if state == "published":
            self._refuse_withdrawn(key, record, None)
        self.counts["changed"] += 1
        self.make_revision()
        kept = stored_reasons(record, existing)
        self._update(key[0], [render_document(record, existing, self.context, state=state, reasons=kept)])

    def rename(self, key: Key, new: str) -> None:
        """Change a record's id; its history, former ids and the references to it follow."""
        plural, old = key
        existing = self._existing_record(key)
        target = (plural, new)
        if len(new) > LONGEST_SLUG or not re.fullmatch(SLUG_PATTERN, new):
            detail = (
                f"an id is lower-case letters, digits and single hyphens, at most {LONGEST_SLUG}; {new[:200]!r} is not"
            )
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "/id", detail)])
        if self.loaded.present([target]) or self.loaded.former([target]):
            detail = f"{name_of(target)} is taken"
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "/id", detail)])
        record = record_from(plural, from_json(existing.document) | {"id": new})
        referencing = self.loaded.referencing([key])
        self.counts["changed"] += 1
        kept = stored_reasons(record, existing)
        self._create(plural, [(record, render_document(record, existing, self.context, reasons=kept))])
        for kind, record_id in sorted(referencing):
            self._repoint((kind, record_id), key, new)
        self._render_dependants()  # derived columns still contain the old id
        self._delete_links(plural, [old])
        forget_record(self.connection, key)
        for table, column in ((RECORD_VERSION, RECORD_VERSION.c.id), (ALIAS, ALIAS.c.to_id)):
            statement = update(table).where(table.c.kind == plural, column == old)
            self.connection.execute(statement.values({column.name: new}))
        if plural == "sources":
            self.connection.execute(update(SOURCE_TEXT).where(SOURCE_TEXT.c.source == old).values(source=new))
        table = RESOURCES[plural].table()
        self.connection.execute(delete(table).where(table.c.id == old))
        self.connection.execute(delete(REGISTRY).where(tuple_(REGISTRY.c.kind, REGISTRY.c.id) == key))
        self.insert(ALIAS, [{"kind": plural, "id": old, "to_id": new}])
        self.loaded.forget()

    def _repoint(self, key: Key, old: Key, new: str) -> None:
        """Replace the references of one record to the old id by the new one."""
        existing = self._existing_record(key)
        document = from_json(existing.document)
        for reference in references(record_from(key[0], document)):
            if (reference.plural, reference.id) == old:
                *steps, last = reference.path.split(".")
                place: Any = document
                for step in steps:
                    place = place[int(step) if isinstance(place, list) else step]
                last_step = int(last) if isinstance(place, list) else last
                if isinstance(place[last_step], dict):
                    place[last_step]["id"] = new
                else:
                    place[last_step] = new
        record = record_from(key[0], document)
        self.counts["changed"] += 1
        kept = stored_reasons(record, existing)
        self._change(key[0], [(record, render_document(record, existing, self.context, reasons=kept))])

    def _existing_record(self, key: Key) -> ExistingRecord:
        existing = self.loaded.existing([key]) if key[0] in RESOURCES else {}
        if key not in existing:
            raise NotFound(f"There is no record {name_of(key)}.")
        return existing[key]

    # Dependent records

    def _render_dependants(self) -> None:
        """Render the dependants of changed documents again, without a new version, until no document changes."""
        while self.touched:
            changed, self.touched = self.touched, []
            self._render(sorted(self.loaded.referencing(changed)))

    def _render(self, keys: Sequence[Key]) -> list[Record]:
        """Render records again; returns them as they were read."""
        records = []
        for chunk in chunks(keys):
            for key, existing in self.loaded.existing(chunk).items():
                record = record_from(key[0], existing.document)
                row = render_document(record, existing, self.context, is_rerendering=True)
                self._rewrite(key[0], row, existing)
                records.append(record)
        return records

    def render_all(self, progress: Progress) -> None:
        """Render every record again, and store the digest of the new shape."""
        for plural, resource in RESOURCES.items():
            table = resource.table()
            last = ""
            while ids := self.connection.scalars(
                select(table.c.id).where(table.c.id > last).order_by(table.c.id).limit(IDS_PER_STATEMENT)
            ).all():
                records = self._render([(plural, record_id) for record_id in ids])
                self.connection.execute(delete(CODE).where(CODE.c.kind == plural, CODE.c.id.in_(ids)))
                self.insert(CODE, [row for record in records for row in code_rows((plural, record.id), record)])
                self.loaded.forget()
                progress(len(ids))
                last = ids[-1]
        build_index(self.connection)
        self.connection.execute(delete(SHAPE))
        self.connection.execute(insert(SHAPE).values(digest=shape()))

    # Rows

    def _rewrite(self, plural: str, row: dict[str, Any], existing: ExistingRecord) -> None:
        """Store a rendered document if derived fields changed; the record's version stays the same."""
        if row["document"] == existing.document:
            return
        if without_clock(from_json(existing.document)) != without_clock(from_json(row["document"])):
            self.make_revision()
            self._update(plural, [row])

    def _update(self, plural: str, rows: Sequence[dict[str, Any]]) -> None:
        table = RESOURCES[plural].table()
        by_id = update(table).where(table.c.id == bindparam("where_id"))
        self.connection.execute(by_id, [{**row, "where_id": row["id"]} for row in rows])
        for row in rows:
            self._add_version(plural, row)
            self.touched.append((plural, row["id"]))

    def _add_version(self, plural: str, row: Mapping[str, Any]) -> None:
        """Add a written document to the record versions of this revision."""
        key = (plural, row["id"])
        self.loaded.remember(key, row["document"])
        self.new_versions[key] = {"kind": plural, **{name: row[name] for name in ("id", "version", "document")}}

    def insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Buffer rows for insertion before the next other statement."""
        self.group.insert(_insert_into(table), rows)

    def make_revision(self) -> None:
        """Begin the revision of this write, unless it has begun."""
        if not self.revision_made:
            self.revision += 1
            self.revision_made = True
            values = {"number": self.revision, "at": self.context.now, "author": self.author, "reason": self.reason}
            values |= {"reviewer": self.reviewer, "note": self.note}
            self.insert(REVISION, [values])


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)


def _refuse_old_check(key: Key, record: Record, existing: ExistingRecord | None) -> None:
    """InvalidRecord for a changed record with the old `curator_checked`, which is valid only for the state checked."""
    if existing is None or record.curator_checked is None:
        return
    if record_from(key[0], existing.document).curator_checked == record.curator_checked:
        detail = "this check was made of the record before the change: check it again, or leave the check out"
        raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "/curator_checked", detail)])
