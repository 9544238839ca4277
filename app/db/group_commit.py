"""Group commit: several writes share one transaction and batch their inserts; each can be rolled back alone.

The overhead of a statement exceeds its work, above all on PostgreSQL: a round trip, and the path through two libraries.
So inserted rows are buffered until the next other statement, and then flushed with one statement per table; a write
gets its savepoint when it first changes the database. A write that only inserts needs neither.
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
_INFO_KEY = "group commit"
"""Key of the GroupCommit in `Connection.info`."""


@dataclass(eq=False)
class _Write:
    """A write under way: its pending rows, and its savepoint once it has changed the database."""

    rows: Rows = field(default_factory=dict)
    savepoint: NestedTransaction | None = None


class GroupCommit:
    """The pending inserts, savepoints and cached reads of the writes that share one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.known: dict[str, Any] = {}
        """Reads cached for the writes of the transaction; cleared when one fails, as they may include its changes."""
        self.count = 0
        """Number of writes begun."""
        self.failure: DBAPIError | None = None
        """A database error outside of any savepoint, after which the whole transaction must be rolled back."""
        self._rows: Rows = {}
        self._writes: list[_Write] = []
        self._is_busy = False

    def insert(self, statement: Insert, rows: Sequence[Mapping[str, Any]]) -> None:
        """Buffer rows until the next other statement; the rows of one statement are inserted together."""
        if rows:
            pending = self._writes[-1].rows if self._writes else self._rows
            pending.setdefault(statement, []).extend(rows)

    @contextmanager
    def write(self) -> Iterator[None]:
        """One write of the group, rolled back alone when it fails; a nested one is a part of the outer one."""
        self._refuse_rolled_back()
        write = _Write()
        self._writes.append(write)
        self.count += 1
        try:
            yield
            if write.savepoint is not None:
                with self._busy(), write.savepoint:
                    pass  # leaving the block releases the savepoint
        except BaseException as failure:
            self._roll_back(write, failure)
            raise
        finally:
            self._writes.pop()
        for statement, rows in write.rows.items():
            self.insert(statement, rows)

    def flush(self) -> None:
        """Flush the pending inserts; raises the error that must abort the commit."""
        self.prepare(is_change=False)

    def prepare(self, *, is_change: bool) -> None:
        """Flush pending inserts and open savepoints before a statement; `is_change`: whether it writes."""
        if self._is_busy:
            return
        self._refuse_rolled_back()
        with self._busy():
            try:
                self._execute_inserts(self._rows)
            except DBAPIError as failure:
                self.failure = failure
                raise
            is_change = is_change or any(write.rows for write in self._writes)
            for write in self._writes:
                if write.savepoint is None and is_change:
                    write.savepoint = self.connection.begin_nested()
                self._execute_inserts(write.rows)

    def _roll_back(self, write: _Write, failure: BaseException) -> None:
        self.known.clear()
        # PostgreSQL aborts a transaction at any failed statement, unless it is inside a savepoint
        aborts = write.savepoint is None and self.connection.dialect.name == "postgresql"
        if isinstance(failure, DBAPIError) and (aborts or failure.connection_invalidated):
            self.failure = failure
        elif write.savepoint is not None:
            with self._busy(), suppress(SQLAlchemyError):  # SQLite rolled back everything then, found by the next check
                write.savepoint.rollback()

    def _refuse_rolled_back(self) -> None:
        """Raise if the transaction is lost: SQLite rolls all of it back when the disk is full or fails."""
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

    def _execute_inserts(self, rows: Rows) -> None:
        """Insert rows: referenced tables first (foreign keys), and the rows of each table in order of arrival."""
        for statement in sorted(rows, key=_table_order):
            self.connection.execute(statement, rows.pop(statement))


def group_commit_of(connection: Connection) -> GroupCommit:
    """The group commit under way on a connection."""
    group: GroupCommit = connection.info[_INFO_KEY]
    return group


@contextmanager
def shared(connection: Connection) -> Iterator[GroupCommit]:
    """Attach a group commit to a connection, and flush its inserts at the end."""
    info = connection.info  # read now, since it is not available once the connection is lost
    group = info[_INFO_KEY] = GroupCommit(connection)
    try:
        yield group
        group.flush()
    finally:
        info.pop(_INFO_KEY, None)


def before_execute(connection: Connection, statement: Executable, *_: Any) -> None:
    """Flush the pending inserts before any other statement (a `before_execute` listener of the writing engine)."""
    group: GroupCommit | None = connection.info.get(_INFO_KEY)
    if group is not None:
        group.prepare(is_change=not statement.is_select)


def _table_order(statement: Insert) -> int:
    table = statement.table
    return _table_orders(table.metadata)[table] if isinstance(table, Table) else 0


@cache
def _table_orders(metadata: MetaData) -> dict[Table, int]:
    return {table: place for place, table in enumerate(metadata.sorted_tables)}
