"""The integrity check behind `tev check`: validates and recomputes each stored record, reference and source text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, func, select, tuple_

from app.db.database import Database
from app.db.tables import RECORD_VERSION, REFERENCE, SOURCE_TEXT
from app.errors import InvalidRecord
from app.evidence.citations.verification import Finding, verify
from app.formats.importers.seed import describe_faults
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Key, Record
from app.store.write.batch import name_of
from app.store.write.documents import ExistingRecord, Progress, RenderContext, reference_rows, render_document
from app.store.write.loaded import IDS_PER_STATEMENT, LoadedRecords, record_from


class Failure(NamedTuple):
    """A failed check: the record, the JSON pointer into it, and the detail."""

    record: str
    pointer: str
    detail: str


@dataclass
class Report:
    """The result of a check: its failures, and how much was checked."""

    failures: list[Failure] = field(default_factory=list)
    records: int = 0
    quotes: int = 0
    """Quotes found in the stored text of their source."""
    numbers: int = 0
    """Numbers found at their cited place."""
    texts: int = 0


def audit(database: Database, progress: Progress = lambda _count: None) -> Report:
    """Check every record and every source text, in short read transactions, so that nothing waits for it."""
    report = Report()
    for plural in RESOURCES:
        last = ""
        while True:
            with database.read() as connection:
                ids = _next_ids(connection, plural, last)
                if not ids:
                    break
                _check_records(connection, plural, ids, report)
            progress(len(ids))
            last = ids[-1]
    last = ""
    while True:
        with database.read() as connection:
            row = connection.execute(
                select(SOURCE_TEXT).where(SOURCE_TEXT.c.source > last).order_by(SOURCE_TEXT.c.source).limit(1)
            ).one_or_none()
            if row is None:
                return report
            report.failures += _text_failures(LoadedRecords(connection), row.source, row.text)
        report.texts += 1
        last = row.source


def _next_ids(connection: Connection, plural: str, last: str) -> list[str]:
    table = RESOURCES[plural].table()
    query = select(table.c.id).where(table.c.id > last).order_by(table.c.id).limit(IDS_PER_STATEMENT)
    return list(connection.scalars(query))


def _check_records(connection: Connection, plural: str, ids: list[str], report: Report) -> None:
    loaded = LoadedRecords(connection)
    context = RenderContext(loaded.known, loaded.text_of, "")
    columns = _columns(connection, plural, ids)
    links = _links(connection, plural, ids)
    last_versions = _last_documents(connection, plural, ids)
    for key, existing in loaded.existing([(plural, record_id) for record_id in ids]).items():
        report.records += 1
        document = from_json(existing.document)
        in_columns = {name: value for name, value in document.items() if name in columns[key[1]]}
        report.failures += _differences(key, columns[key[1]], in_columns, "the column holds {0!r}, the document {1!r}")
        if last_versions.get(key[1]) != existing.document:
            report.failures.append(Failure(name_of(key), "", "the history does not end with the stored document"))
        try:
            record = record_from(plural, document)
        except ValidationError as failure:
            report.failures += [Failure(**error) for error in describe_faults(failure, name_of(key))]
            continue
        finding = verify(record, loaded.text_of)
        report.quotes += finding.quotes
        report.numbers += len(finding.bound)
        report.failures += _record_failures(key, record, existing, finding, context)
        if links.get(key[1], set()) != {
            (row["path"], row["to_kind"], row["to_id"]) for row in reference_rows(key, record)
        }:
            report.failures.append(
                Failure(name_of(key), "", "the table of references does not say what the record says")
            )


def _record_failures(
    key: Key, record: Record, existing: ExistingRecord, finding: Finding, context: RenderContext
) -> Iterator[Failure]:
    """Faults of quotes and numbers; without any, fields of the stored document that differ from a fresh rendering."""
    if finding.faults:
        yield from (Failure(name_of(key), fault.pointer, fault.detail) for fault in finding.faults)
        return
    try:
        row = render_document(record, existing, context, is_rerendering=True)
    except InvalidRecord as failure:
        yield from (Failure(name_of(key), error.get("pointer", ""), error["detail"]) for error in failure.errors)
        return
    if row["digest"] != existing.digest:
        yield Failure(name_of(key), "", "the record was changed past the store: its digest is another one")
        return
    yield from _differences(
        key, from_json(existing.document), from_json(row["document"]), "{0!r} is shown, {1!r} follows"
    )


def _differences(key: Key, shown: dict[str, Any], expected: dict[str, Any], template: str) -> Iterator[Failure]:
    for name, value in expected.items():
        if shown.get(name) != value:
            yield Failure(name_of(key), f"/{name}", template.format(shown.get(name), value))


def _text_failures(loaded: LoadedRecords, source: str, text: str) -> Iterator[Failure]:
    recorded, digest = loaded.known("sources", source)["sha256"], sha256(text.encode()).hexdigest()
    if recorded != digest:
        yield Failure(f"sources/{source}", "/sha256", f"sha256 is {recorded}, but the stored text has {digest}")


def _columns(connection: Connection, plural: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    table = RESOURCES[plural].table()
    return {row["id"]: dict(row) for row in connection.execute(select(table).where(table.c.id.in_(ids))).mappings()}


def _links(connection: Connection, plural: str, ids: Iterable[str]) -> dict[str, set[tuple[str, str, str]]]:
    found: dict[str, set[tuple[str, str, str]]] = {}
    query = select(REFERENCE).where(REFERENCE.c.from_kind == plural, REFERENCE.c.from_id.in_(ids))
    for row in connection.execute(query):
        found.setdefault(row.from_id, set()).add((row.path, row.to_kind, row.to_id))
    return found


def _last_documents(connection: Connection, plural: str, ids: Iterable[str]) -> dict[str, str]:
    """The document of each record's last version."""
    newest = (
        select(RECORD_VERSION.c.kind, RECORD_VERSION.c.id, func.max(RECORD_VERSION.c.revision).label("revision"))
        .where(RECORD_VERSION.c.kind == plural, RECORD_VERSION.c.id.in_(ids))
        .group_by(RECORD_VERSION.c.kind, RECORD_VERSION.c.id)
        .subquery()
    )
    same = tuple_(RECORD_VERSION.c.kind, RECORD_VERSION.c.id, RECORD_VERSION.c.revision) == tuple_(
        newest.c.kind, newest.c.id, newest.c.revision
    )
    return dict(connection.execute(select(RECORD_VERSION.c.id, RECORD_VERSION.c.document).join(newest, same)).all())
