"""Editions: every document as readers got it, each with the one before it, and what changed between the two."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Connection, Select, Tuple, exists, func, literal, select, tuple_

from app.db.tables import RECORD_VERSION, REVISION
from app.errors import NotFound
from app.models.base import Row
from app.store.read.changes import RecordChange, changes_between
from app.store.read.missing import absent

_BEFORE = RECORD_VERSION.alias("before")
"""The same table once more: the editions before one."""


class RecordVersion:
    """One edition of a record: when, by whom and why it came to be, its document, and the one before it."""

    def __init__(self, row: Any) -> None:
        self.revision: int = row.revision
        self.position: int = row.position
        self.at: str = row.at
        self.author: str = row.author
        self.reason: str | None = row.reason
        self.reviewer: str | None = row.reviewer
        self.note: str | None = row.note
        self.kind: str = row.kind
        self.id: str = row.id
        self.version: int = row.version
        self.document: dict[str, Any] = from_json(row.document)
        self.before: dict[str, Any] | None = None if row.before is None else from_json(row.before)

    @property
    def is_new_version(self) -> bool:
        """Whether the record itself changed; if not, the same version shows what follows from another record."""
        return self.before is None or self.before["version"] != self.version

    @cached_property
    def changes(self) -> list[RecordChange]:
        """What changed, in the order of the fields."""
        return list(changes_between(self.kind, self.before, self.document))


def select_versions() -> Select[Any]:
    """Editions with their revision and, as `before`, the document of the last edition of the same record before."""
    before = (
        select(_BEFORE.c.document)
        .where(*_earlier())
        .order_by(_BEFORE.c.revision.desc(), _BEFORE.c.position.desc())
        .limit(1)
        .scalar_subquery()
    )
    written = (REVISION.c[name] for name in ("at", "author", "reason", "reviewer", "note"))
    return select(RECORD_VERSION, *written, before.label("before")).join(
        REVISION, REVISION.c.number == RECORD_VERSION.c.revision
    )


def has_one_before() -> ColumnElement[bool]:
    """Whether an edition has one before it; the first one of a record has none."""
    return exists(select(literal(1)).select_from(_BEFORE).where(*_earlier()))


def _earlier() -> Iterator[ColumnElement[bool]]:
    yield _BEFORE.c.kind == RECORD_VERSION.c.kind
    yield _BEFORE.c.id == RECORD_VERSION.c.id
    yield tuple_(_BEFORE.c.revision, _BEFORE.c.position) < place()


def place() -> Tuple:
    """Where an edition stands among all: the number of its revision, and its position in it."""
    return tuple_(RECORD_VERSION.c.revision, RECORD_VERSION.c.position)


def in_order(statement: Select[Any], *, newest_first: bool) -> Select[Any]:
    """The statement with the editions in the order in which they were written, or against it."""
    columns = (RECORD_VERSION.c.revision, RECORD_VERSION.c.position)
    return statement.order_by(*(column.desc() if newest_first else column.asc() for column in columns))


def read_versions(connection: Connection, statement: Select[Any]) -> Iterable[RecordVersion]:
    """The editions that a statement made of `select_editions` selects."""
    return map(RecordVersion, connection.execute(statement))


def fetch_version(connection: Connection, resource: type[Row], record_id: str, version: int) -> str:
    """The document of a version, in its last edition; NotFound names the newest one. Withdrawn records have theirs."""
    own = (RECORD_VERSION.c.kind == resource.plural, RECORD_VERSION.c.id == record_id)
    query = in_order(
        select(RECORD_VERSION.c.document).where(*own, RECORD_VERSION.c.version == version), newest_first=True
    ).limit(1)
    document: str | None = connection.execute(query).scalar()
    if document is not None:
        return document
    newest = connection.execute(select(func.max(RECORD_VERSION.c.version)).where(*own)).scalar()
    if newest is None:
        raise absent(connection, resource, record_id)
    raise NotFound(f"{resource.plural}/{record_id} has no version {version}; its newest one is {newest}.")
