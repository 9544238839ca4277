"""Cursors: where a list goes on, as one opaque word that is bound to the question it belongs to."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json

from app.errors import BadCursor


def write_cursor(mark: str, values: Sequence[Any]) -> str:
    """The cursor of a place, given by its values, in the answers to the question with this mark."""
    return urlsafe_b64encode(to_json([mark, *values])).decode().rstrip("=")


def read_cursor(cursor: str, mark: str) -> list[Any]:
    """The values of the place; BadCursor when it cannot be read or belongs to another question.

    A stranger may have written it: whoever uses the values checks their types.
    """
    try:
        content = from_json(urlsafe_b64decode(f"{cursor}=="), allow_inf_nan=False)
        named, *values = content
    except (ValueError, TypeError) as failure:
        raise unreadable() from failure
    if named != mark:
        raise BadCursor("This cursor belongs to a query with other filters or another sort.")
    return list(values)


def read_numbers(cursor: str, mark: str, count: int) -> list[int]:
    """The values of a cursor that holds whole numbers alone, so many of them; BadCursor for anything else."""
    values = read_cursor(cursor, mark)
    if len(values) != count or not all(type(value) is int and 0 <= value < 2**31 for value in values):
        raise unreadable()
    return values


def unreadable() -> BadCursor:
    """What whoever sent a broken cursor is told."""
    return BadCursor("This cursor cannot be read.")
