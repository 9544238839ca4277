"""SQL of one member of a JSON text, on both engines."""

from typing import Any

from sqlalchemy import ColumnElement, Text, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class MemberText(GenericFunction[str]):
    """A member of the JSON object in a text column, as text: NULL where absent or null, `[]` for an empty list."""

    type = Text()
    inherit_cache = True


def member_text(column: ColumnElement[str], name: str) -> ColumnElement[str]:
    """SQL of a member of the JSON object in `column`."""
    return MemberText(column, literal(name))


@compiles(MemberText, "sqlite")
def _on_sqlite(element: MemberText, compiler: Any, **options: Any) -> str:
    column, name = (compiler.process(clause, **options) for clause in element.clauses)
    return f"json_extract({column}, '$.' || {name})"


@compiles(MemberText, "postgresql")
def _on_postgresql(element: MemberText, compiler: Any, **options: Any) -> str:
    column, name = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(CAST({column} AS JSON) ->> {name})"
