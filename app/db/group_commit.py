"""One transaction that several writes share: the rows they add go in together, and each is undone by itself.

A statement costs more than what it does, above all on PostgreSQL: a round trip, and the way there through two
libraries. So rows to be inserted wait until anything is asked of the database, which then has them all, one statement a
table; and a write gets its savepoint when it first changes something there. A write that only adds needs neither.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable, Insert, MetaData, NestedTransaction, Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.errors import Unavailable

Rows = dict[Insert, list[Mapping[str, Any]]]
_NAME = "sharing"
"""Under which name a connection carries what its writes share."""


@dataclass(eq=False)
class _Write:
    """A write under way: the rows that wait, and the savepoint once it has changed something at the database."""

    rows: Rows = field(default_factory=dict)
    savepoint: NestedTransaction | None = None


class GroupCommit:
    """What the writes of one transaction share."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.known: dict[str, Any] = {}
        """What the writes found out about the database; forgotten when one of them fails, as it may be of its doing."""
        self.count = 0
        """How many writes there were."""
        self.failure: DBAPIError | None = None
        """What the database refused outside of any savepoint: then nothing of the transaction may stay."""
        self._rows: Rows = {}
        self._writes: list[_Write] = []
        self._is_busy = False

    def insert(self, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, before anything else is asked of the database; those of one statement go in together."""
        if rows:
            waiting = self._writes[-1].rows if self._writes else self._rows
            waiting.setdefault(statement, []).extend(rows)

    @contextmanager
    def one(self) -> Iterator[None]:
        """One write, undone by itself when it fails; one within another belongs to it."""
        self._refuse_undone()
        write = _Write()
        self._writes.append(write)
        self.count += 1
        try:
            yield
            if write.savepoint is not None:
                with self._busy(), write.savepoint:
                    pass  # leaving it releases it
        except BaseException as failure:
            self._undo(write, failure)
            raise
        finally:
            self._writes.pop()
        for statement, rows in write.rows.items():
            self.insert(statement, rows)

    def finish(self) -> None:
        """Insert what still waits; raises what keeps the transaction from being kept."""
        self.before(is_change=False)

    def before(self, *, is_change: bool) -> None:
        """Make the database ready for a statement of the write under way."""
        if self._is_busy:
            return
        self._refuse_undone()
        with self._busy():
            try:
                self._put(self._rows)
            except DBAPIError as failure:
                self.failure = failure
                raise
            is_change = is_change or any(write.rows for write in self._writes)
            for write in self._writes:
                if write.savepoint is None and is_change:
                    write.savepoint = self.connection.begin_nested()
                self._put(write.rows)

    def _undo(self, write: _Write, failure: BaseException) -> None:
        self.known.clear()
        aborts = write.savepoint is None and self.connection.dialect.name == "postgresql"  # as any failed read does
        if isinstance(failure, DBAPIError) and (aborts or failure.connection_invalidated):
            self.failure = failure
        elif write.savepoint is not None:
            with self._busy(), suppress(SQLAlchemyError):  # SQLite has undone it all then, which is seen before its use
                write.savepoint.rollback()

    def _refuse_undone(self) -> None:
        """SQLite undoes a whole transaction when the disk is full or fails; what comes after must not count as done."""
        if self.failure is not None:
            raise self.failure
        raw = self.connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection) and not raw.in_transaction:
            raise Unavailable("The database could not keep the writes of this moment.", headers={"Retry-After": "1"})

    @contextmanager
    def _busy(self) -> Iterator[None]:
        self._is_busy = True
        try:
            yield
        finally:
            self._is_busy = False

    def _put(self, rows: Rows) -> None:
        """Insert rows: tables that others point to first, and the rows of each in the order in which they came."""
        for statement in sorted(rows, key=_place):
            self.connection.execute(statement, rows.pop(statement))


def group_commit_of(connection: Connection) -> GroupCommit:
    """What the writes on a connection share."""
    found: GroupCommit = connection.info[_NAME]
    return found


@contextmanager
def shared(connection: Connection) -> Iterator[GroupCommit]:
    """Let what is written on a connection wait and go in together, until the end."""
    info = connection.info  # which cannot be asked for any more when the connection is lost
    sharing = info[_NAME] = GroupCommit(connection)
    try:
        yield sharing
        sharing.finish()
    finally:
        info.pop(_NAME, None)


def before_execute(connection: Connection, statement: Executable, *_: Any) -> None:
    """Nothing is asked of the database before it has the rows that wait (an event of the engine that writes)."""
    sharing: GroupCommit | None = connection.info.get(_NAME)
    if sharing is not None:
        sharing.before(is_change=not statement.is_select)


def _place(statement: Insert) -> int:
    table = statement.table
    return _places(table.metadata)[table] if isinstance(table, Table) else 0


@cache
def _places(metadata: MetaData) -> dict[Table, int]:
    return {table: place for place, table in enumerate(metadata.sorted_tables)}
