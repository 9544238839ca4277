"""Opaque pagination cursors: base64url of JSON, bound to one query by its fingerprint."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from app.errors import BadCursor
from app.json_codec import from_json, to_json


def write_cursor(mark: str, values: Sequence[Any]) -> str:
    """The cursor after the row with these sort key values, for the query with this fingerprint (`mark`)."""
    return urlsafe_b64encode(to_json([mark, *values])).decode().rstrip("=")


def read_cursor(cursor: str, mark: str) -> list[Any]:
    """The sort key values of a cursor; BadCursor when it cannot be decoded or belongs to another query.

    Cursors are untrusted input: callers must check the types of the values.
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
    """The values of a cursor of exactly `count` integers from 0 to 2³¹ - 1; BadCursor for any other cursor."""
    values = read_cursor(cursor, mark)
    if len(values) != count or not all(type(value) is int and 0 <= value < 2**31 for value in values):
        raise unreadable()
    return values


def unreadable() -> BadCursor:
    """The 400 problem for a cursor that cannot be decoded."""
    return BadCursor("This cursor cannot be read.")
