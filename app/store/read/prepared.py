"""Prepared statements: the SQL of a read is built once for each shape, and a read then binds values and runs.

A shape is a read without its values: the resource, the filters with how many values each has, the order. What builds
the SQL is SQLAlchemy Core; what runs it is a `Reader`, over a connection of SQLAlchemy or directly over the driver.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import CompoundSelect, Connection, Dialect, Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from app.db.inline_reads import InlineReads

MOST_STATEMENTS = 2000
"""Maximum number of statements kept; beyond it all are built anew."""
Values = Mapping[str, Any]
"""The values of a statement's parameters, by name."""
Statement = Select[Any] | CompoundSelect[Any]


class Prepared:
    """The SQL of one shape for one driver, and the names of its parameters."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # for mypy
        self.sql = str(compiled)
        self._names = None if compiled.positiontup is None else tuple(compiled.positiontup)
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}
        """What SQLAlchemy itself adds, such as the offset 0 on SQLite."""

    def bind(self, values: Values) -> Any:
        """The values as the driver takes them: in the order of the marks in the SQL, or by name."""
        all_values = {**self._constants, **values}
        return all_values if self._names is None else tuple([all_values[name] for name in self._names])


class Reader(Protocol):
    """What runs prepared statements."""

    @property
    def dialect(self) -> Dialect:
        """The SQL and the driver for which statements are prepared."""
        ...

    @property
    def memo(self) -> dict[Hashable, Any]:
        """What was read before and still holds, by its name: of one read, or inline until the next commit."""
        ...

    def rows(self, prepared: Prepared, values: Values) -> Sequence[Sequence[Any]]:
        """The rows of a statement with these values."""
        ...


class ConnectionReader:
    """Runs prepared statements on a connection of SQLAlchemy, past its compiler."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.memo: dict[Hashable, Any] = {}
        self.dialect = connection.dialect

    def rows(self, prepared: Prepared, values: Values) -> Sequence[Sequence[Any]]:
        """The rows of a statement with these values."""
        return self.connection.exec_driver_sql(prepared.sql, prepared.bind(values)).all()


class InlineReader:
    """Runs prepared statements on the event loop's own connection to a SQLite file."""

    dialect: Dialect = sqlite.dialect()

    def __init__(self, inline: InlineReads, memo: dict[Hashable, Any] | None = None) -> None:
        self.inline = inline
        self.memo: dict[Hashable, Any] = {} if memo is None else memo

    def rows(self, prepared: Prepared, values: Values) -> Sequence[Sequence[Any]]:
        """The rows of a statement with these values."""
        return self.inline.run(prepared.sql, prepared.bind(values))


_STATEMENTS: dict[tuple[str, Hashable], Prepared] = {}


def read_rows(reader: Reader, shape: Hashable, build: Callable[[], Statement], values: Values) -> Sequence[Any]:
    """The rows of the statement of this shape, which is built when the shape is met for the first time."""
    key = (reader.dialect.name, shape)
    prepared = _STATEMENTS.get(key)
    if prepared is None:
        if len(_STATEMENTS) >= MOST_STATEMENTS:
            _STATEMENTS.clear()
        prepared = _STATEMENTS[key] = Prepared(build(), reader.dialect)
    return reader.rows(prepared, values)


def padded(count: int) -> int:
    """The next power of two: a list of values is filled up with NULL, which equals nothing, so that shapes are few."""
    return 1 << (count - 1).bit_length() if count else 0


def numbered(name: str, values: Sequence[Any]) -> dict[str, Any]:
    """Values under the names `name_0`, `name_1`, …, filled up with NULL."""
    filled = [*values, *[None] * (padded(len(values)) - len(values))]
    return {f"{name}_{place}": value for place, value in enumerate(filled)}
