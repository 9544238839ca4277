"""Record versions: every published document of a record, with the previous one and the changes between them."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Tuple, exists, func, literal, select, tuple_

from app.db.tables import RECORD_VERSION, REVISION
from app.errors import NotFound
from app.json_codec import from_json
from app.models.base import Row
from app.store.read.changes import RecordChange, changes_between
from app.store.read.missing import absent

_BEFORE = RECORD_VERSION.alias("before")
"""The table again, for the previous documents of a record."""


class RecordVersion:
    """One published document of a record, with revision, time, author and reason, and the previous document."""

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
        """Whether the record itself changed; if not, only fields derived from other records did."""
        return self.before is None or self.before["version"] != self.version

    @cached_property
    def changes(self) -> list[RecordChange]:
        """The changes since the previous document, in the order of the fields."""
        return list(changes_between(self.kind, self.before, self.document))


def select_versions() -> Select[Any]:
    """SELECT of record versions with their revision and, as `before`, the previous document of the same record."""
    before = (
        select(_BEFORE.c.document)
        .where(*_earlier())
        .order_by(_BEFORE.c.revision.desc(), _BEFORE.c.position.desc())
        .limit(1)
        .scalar_subquery()
    )
    revision_columns = (REVISION.c[name] for name in ("at", "author", "reason", "reviewer", "note"))
    return select(RECORD_VERSION, *revision_columns, before.label("before")).join(
        REVISION, REVISION.c.number == RECORD_VERSION.c.revision
    )


def has_one_before() -> ColumnElement[bool]:
    """SQL condition: the record has an earlier document."""
    return exists(select(literal(1)).select_from(_BEFORE).where(*_earlier()))


def _earlier() -> Iterator[ColumnElement[bool]]:
    yield _BEFORE.c.kind == RECORD_VERSION.c.kind
    yield _BEFORE.c.id == RECORD_VERSION.c.id
    yield tuple_(_BEFORE.c.revision, _BEFORE.c.position) < place()


def place() -> Tuple:
    """SQL tuple by which record versions are ordered: revision, and position in it."""
    return tuple_(RECORD_VERSION.c.revision, RECORD_VERSION.c.position)


def in_order(statement: Select[Any], *, newest_first: bool) -> Select[Any]:
    """The statement ordered by time of writing, oldest or newest first."""
    columns = (RECORD_VERSION.c.revision, RECORD_VERSION.c.position)
    return statement.order_by(*(column.desc() if newest_first else column.asc() for column in columns))


def read_versions(connection: Connection, statement: Select[Any]) -> Iterable[RecordVersion]:
    """The record versions that a statement from `select_versions` selects."""
    return map(RecordVersion, connection.execute(statement))


def fetch_version(connection: Connection, resource: type[Row], record_id: str, version: int) -> str:
    """The last document of a version, also of a withdrawn record; NotFound names the newest version."""
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
