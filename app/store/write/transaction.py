"""The write transaction: records, texts, states and names, and what other records show of them."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Insert, Table, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.exc import DBAPIError

from app.clock import now
from app.db.database import Database
from app.db.failures import unavailable
from app.db.group_commit import group_commit_of
from app.db.tables import ALIAS, CODE, RECORD_VERSION, REFERENCE, REGISTRY, REVISION, SHAPE, SOURCE_TEXT
from app.errors import InvalidRecord, NotFound
from app.models import RESOURCES
from app.models.base import Key, Record, references
from app.models.types import LONGEST_SLUG, SLUG_PATTERN
from app.store.read.revision import revision_of
from app.store.write.batch import error_at, generations, name_of, referenced_keys, refuse_dangling
from app.store.write.documents import (
    ExistingRecord,
    Progress,
    RenderContext,
    code_rows,
    record_digest,
    reference_rows,
    render_document,
    shape,
    without_clock,
)
from app.store.write.index import build_index, forget_record, index_records
from app.store.write.loaded import CHUNK, LoadedRecords, chunks, record_from


@dataclass(frozen=True)
class Saved:
    """What a write came to: how many records were new, changed and as before, and the revision that now stands."""

    created: int
    changed: int
    unchanged: int
    revision: int


TO_INDEX = "to index"
"""Under which name a connection carries the records that writes together have left to be indexed."""
SHELF, LAST = "shelf", "last revision"
"""What the writes of a transaction know from each other."""


@contextmanager
def write_group(database: Database) -> Iterator[Callable[[Collection[Key]], None]]:
    """Let the writes of this thread share one transaction, at the end of which the index of search follows them all.

    Gives what reads at once the records that they will ask for.
    """
    with database.write_group() as connection:
        group, info, to_index = group_commit_of(connection), connection.info, set[Key]()
        info[TO_INDEX] = to_index
        try:
            yield _shelf_of(connection).read_ahead
        finally:
            info.pop(TO_INDEX, None)
        group.flush()
        shelf = _shelf_of(connection)
        index_records(connection, shelf, shelf.there(to_index))  # without those whose write was undone


@contextmanager
def writing(
    database: Database, author: str, reason: str | None, texts: Mapping[str, str] | None = None
) -> Iterator["Write"]:
    """One write transaction, committed at the end; Unavailable when the database is busy or away."""
    try:
        with database.write() as connection:
            write = Write(
                connection, LoadedRecords(connection, texts) if texts else _shelf_of(connection), author, reason
            )
            yield write
            group_commit_of(connection).known[LAST] = write.revision
    except DBAPIError as failure:
        raise unavailable(failure) from failure


def _shelf_of(connection: Connection) -> LoadedRecords:
    """What was read and written in this transaction so far."""
    shelf: LoadedRecords = group_commit_of(connection).known.setdefault(SHELF, LoadedRecords(connection))
    return shelf


class Write:
    """One write transaction."""

    def __init__(self, connection: Connection, shelf: LoadedRecords, author: str, reason: str | None) -> None:
        self.connection = connection
        self.shelf = shelf
        self.author = author
        self.reason = reason
        self.reviewer: str | None = None
        self.note: str | None = None
        self.around = RenderContext(shelf.known, shelf.text_of, now())
        self.counts = {"created": 0, "changed": 0, "unchanged": 0}
        self.touched: list[Key] = []
        """The records whose documents changed, for those that depend on them."""
        self.editions: dict[Key, dict[str, Any]] = {}
        self.group = group_commit_of(connection)
        last = self.group.known.get(LAST)
        self.revision: int = revision_of(connection) if last is None else last
        self.revision_made = False

    def finish(self) -> Saved:
        """Render what depends on the changed records, and keep every document that this revision wrote."""
        self._render_dependants()
        editions = [
            {"revision": self.revision, "position": position, **edition}
            for position, edition in enumerate(self.editions.values(), start=1)
        ]
        self.insert(RECORD_VERSION, editions)
        to_index: set[Key] | None = self.connection.info.get(TO_INDEX)
        if to_index is None:
            index_records(self.connection, self.shelf, self.editions)
        else:
            to_index.update(self.editions)
        return Saved(**self.counts, revision=self.revision)

    # A batch of records

    def save(self, batch: dict[Key, Record], progress: Progress, held: dict[Key, ExistingRecord] | None = None) -> None:
        """Save the batch in the order of its references.

        Whoever has looked already what the database has under these ids gives it as `held`.
        """
        if held is None:
            held = self.shelf.held(batch)
            self._refuse_former_ids(batch.keys() - held.keys())
        outside = referenced_keys(batch) - batch.keys()
        absent = outside - self.shelf.there(outside)
        refuse_dangling(batch, absent, self.shelf.former(absent), self.shelf.near)
        self.shelf.fetch_ahead(outside)
        edges = self.shelf.references_from(outside) if held else {}
        for generation in generations(batch, edges):
            for plural, keys in groupby(generation, key=itemgetter(0)):
                alike = list(keys)
                self._save_alike(plural, {key: batch[key] for key in alike}, held)
                progress(len(alike))

    def _refuse_former_ids(self, keys: Iterable[Key]) -> None:
        for key, present in self.shelf.former(keys).items():
            wrong = f"this is the former id of {key[0]}/{present}, and leads there for ever"
            raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/id", wrong)])

    def _save_alike(self, plural: str, records: Mapping[Key, Record], held: Mapping[Key, ExistingRecord]) -> None:
        created: list[tuple[Record, dict[str, Any]]] = []
        changed: list[tuple[Record, dict[str, Any]]] = []
        for key, record in records.items():
            was = held.get(key)
            if was is None or was.digest != record_digest(record):
                self._refuse_withdrawn(key, record, was)
                _refuse_old_check(key, record, was)
            row = render_document(record, was, self.around)
            self.shelf.put(key, row["document"])
            if was is None:
                created.append((record, row))
            elif was.digest != row["digest"]:
                changed.append((record, row))
            else:
                self.counts["unchanged"] += 1
                self._rewrite(plural, row, was)
        self.counts["created"] += len(created)
        self.counts["changed"] += len(changed)
        if created:
            self._create(plural, created)
        if changed:
            self._change(plural, changed)

    def _refuse_withdrawn(self, key: Key, record: Record, was: ExistingRecord | None) -> None:
        """A withdrawn record does not change, and nothing new may point to one."""
        if was is not None and was.state == "withdrawn":
            wrong = "it was withdrawn; reinstate it before you change it"
            raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "", wrong)])
        for mention in references(record):
            if self.shelf.known(mention.plural, mention.id)["state"] == "withdrawn":
                wrong = f"{name_of((mention.plural, mention.id))} was withdrawn; nothing may point to it any more"
                pointer = "/" + mention.path.replace(".", "/")
                raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, pointer, wrong)])

    def _create(self, plural: str, created: Sequence[tuple[Record, dict[str, Any]]]) -> None:
        self._make_revision()
        self.insert(REGISTRY, [{"kind": plural, "id": record.id} for record, _ in created])
        self.insert(RESOURCES[plural].table(), [row for _, row in created])
        for _, row in created:
            self._log(plural, row)  # only records of this batch can point to it, and they are rendered after it
        self._link(plural, [record for record, _ in created])

    def _change(self, plural: str, changed: Sequence[tuple[Record, dict[str, Any]]]) -> None:
        self._make_revision()
        self._update(plural, [row for _, row in changed])
        self._unlink(plural, [record.id for record, _ in changed])
        self._link(plural, [record for record, _ in changed])

    def _link(self, plural: str, records: Sequence[Record]) -> None:
        self.insert(REFERENCE, [row for record in records for row in reference_rows((plural, record.id), record)])
        self.insert(CODE, [row for record in records for row in code_rows((plural, record.id), record)])

    def _unlink(self, plural: str, ids: Sequence[str]) -> None:
        for some in chunks(ids):
            for kind, one in ((REFERENCE.c.from_kind, REFERENCE.c.from_id), (CODE.c.kind, CODE.c.id)):
                self.connection.execute(delete(kind.table).where(kind == plural, one.in_(some)))

    # Texts

    def save_texts(self, texts: Mapping[str, str], batch: Mapping[Key, Record]) -> None:
        """Save texts of sources; each must have the hash that its source names."""
        for source, text in texts.items():
            key = ("sources", source)
            if key not in batch and not self.shelf.held([key]):
                wrong = "there is no such source for the text"
                raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "", wrong)])
            named, digest = self.shelf.known(*key)["sha256"], sha256(text.encode()).hexdigest()
            if named != digest:
                wrong = f"sha256 is {named}, but the stored text has {digest}"
                raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/sha256", wrong)])
            held = self.connection.execute(select(SOURCE_TEXT.c.text).where(SOURCE_TEXT.c.source == source)).scalar()
            if held == text:
                continue
            self._make_revision()
            self.connection.execute(delete(SOURCE_TEXT).where(SOURCE_TEXT.c.source == source))
            self.connection.execute(insert(SOURCE_TEXT).values(source=source, text=text))
            self.touched.append(key)

    # States and names

    def set_state(self, key: Key, state: str) -> None:
        """Withdraw or reinstate a record; InvalidRecord when it is in that state already."""
        was = self._one(key)
        if not (self.reason or "").strip():
            wrong = f"to make it {state} needs a reason, which readers are told"
            raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/state", wrong)])
        if was.state == state:
            wrong = f"it is {state} already"
            raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/state", wrong)])
        record = record_from(key[0], was.document)
        if state == "published":
            self._refuse_withdrawn(key, record, None)
        self.counts["changed"] += 1
        self._make_revision()
        self._update(key[0], [render_document(record, was, self.around, state=state)])

    def rename(self, key: Key, new: str) -> None:
        """Move a record, its history and its former ids to another id, and point to it whoever pointed to it."""
        plural, old = key
        was = self._one(key)
        target = (plural, new)
        if len(new) > LONGEST_SLUG or not re.fullmatch(SLUG_PATTERN, new):
            wrong = (
                f"an id is lower-case letters, digits and single hyphens, at most {LONGEST_SLUG}; {new[:200]!r} is not"
            )
            raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/id", wrong)])
        if self.shelf.there([target]) or self.shelf.former([target]):
            wrong = f"{name_of(target)} is taken"
            raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/id", wrong)])
        record = record_from(plural, from_json(was.document) | {"id": new})
        pointing = self.shelf.referencing([key])
        self.counts["changed"] += 1
        self._create(plural, [(record, render_document(record, was, self.around))])
        for kind, record_id in sorted(pointing):
            self._repoint((kind, record_id), key, new)
        self._render_dependants()  # columns that follow from them hold the old id still
        self._unlink(plural, [old])
        forget_record(self.connection, key)
        for table, column in ((RECORD_VERSION, RECORD_VERSION.c.id), (ALIAS, ALIAS.c.to_id)):
            moved = update(table).where(table.c.kind == plural, column == old)
            self.connection.execute(moved.values({column.name: new}))
        if plural == "sources":
            self.connection.execute(update(SOURCE_TEXT).where(SOURCE_TEXT.c.source == old).values(source=new))
        table = RESOURCES[plural].table()
        self.connection.execute(delete(table).where(table.c.id == old))
        self.connection.execute(delete(REGISTRY).where(tuple_(REGISTRY.c.kind, REGISTRY.c.id) == key))
        self.insert(ALIAS, [{"kind": plural, "id": old, "to_id": new}])
        self.shelf.forget()

    def _repoint(self, key: Key, old: Key, new: str) -> None:
        """Let one record point to the new id wherever it points to the old one."""
        was = self._one(key)
        document = from_json(was.document)
        for mention in references(record_from(key[0], document)):
            if (mention.plural, mention.id) == old:
                *steps, last = mention.path.split(".")
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
        self._change(key[0], [(record, render_document(record, was, self.around))])

    def _one(self, key: Key) -> ExistingRecord:
        held = self.shelf.held([key]) if key[0] in RESOURCES else {}
        if key not in held:
            raise NotFound(f"There is no record {name_of(key)}.")
        return held[key]

    # After: what other records show of the changed ones

    def _render_dependants(self) -> None:
        """Render again, without a new version, whatever depends on a changed document, until nothing changes."""
        while self.touched:
            changed, self.touched = self.touched, []
            self._render(sorted(self.shelf.referencing(changed)))

    def _render(self, keys: Sequence[Key]) -> None:
        for some in chunks(keys):
            for key, was in self.shelf.held(some).items():
                self._rewrite(key[0], render_document(record_from(key[0], was.document), was, self.around), was)

    def render_all(self, progress: Progress) -> None:
        """Render every record again, and say which shape the documents have now."""
        for plural, resource in RESOURCES.items():
            table = resource.table()
            last = ""
            while ids := self.connection.scalars(
                select(table.c.id).where(table.c.id > last).order_by(table.c.id).limit(CHUNK)
            ).all():
                self._render([(plural, record_id) for record_id in ids])
                self.shelf.forget()
                progress(len(ids))
                last = ids[-1]
        build_index(self.connection)
        self.connection.execute(delete(SHAPE))
        self.connection.execute(insert(SHAPE).values(digest=shape()))

    # Plumbing

    def _rewrite(self, plural: str, row: dict[str, Any], was: ExistingRecord) -> None:
        """Write a document that says the same of itself and something else of what it rests on."""
        if row["document"] == was.document:
            return
        if without_clock(from_json(was.document)) != without_clock(from_json(row["document"])):
            self._make_revision()
            self._update(plural, [row])

    def _update(self, plural: str, rows: Sequence[dict[str, Any]]) -> None:
        table = RESOURCES[plural].table()
        by_id = update(table).where(table.c.id == bindparam("its_id"))
        self.connection.execute(by_id, [{**row, "its_id": row["id"]} for row in rows])
        for row in rows:
            self._log(plural, row)
            self.touched.append((plural, row["id"]))

    def _log(self, plural: str, row: Mapping[str, Any]) -> None:
        """Note a written document as this revision's edition of the record."""
        key = (plural, row["id"])
        self.shelf.put(key, row["document"])
        self.editions[key] = {"kind": plural, **{name: row[name] for name in ("id", "version", "document")}}

    def insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        """Insert rows, if there are any, before anything else is asked of the database."""
        self.group.insert(_into(table), rows)

    def _make_revision(self) -> None:
        if not self.revision_made:
            self.revision += 1
            self.revision_made = True
            values = {"number": self.revision, "at": self.around.now, "author": self.author, "reason": self.reason}
            values |= {"reviewer": self.reviewer, "note": self.note}
            self.insert(REVISION, [values])


@cache
def _into(table: Table) -> Insert:
    return insert(table)


def _refuse_old_check(key: Key, record: Record, was: ExistingRecord | None) -> None:
    """A curator's check holds for what the curator saw: it does not go along with a change."""
    if was is None or record.curator_checked is None:
        return
    if record_from(key[0], was.document).curator_checked == record.curator_checked:
        wrong = "this check was made of the record before the change: check it again, or leave the check out"
        raise InvalidRecord(f"{name_of(key)}: {wrong}.", errors=[error_at(key, "/curator_checked", wrong)])
