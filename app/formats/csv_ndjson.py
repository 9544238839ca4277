"""Records as CSV (RFC 4180) and NDJSON, and as the chosen fields of their JSON."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import from_json, to_json

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A text cell that begins so would be run by a spreadsheet (OWASP, CSV injection)."""


def project(document: str, fields: Sequence[str]) -> str:
    """The document with the id and the named fields only, in the order that was asked for.

    A past version may be older than a field; it has null there.
    """
    values = from_json(document)
    names = fields if "id" in fields else ("id", *fields)
    return to_json({name: values.get(name) for name in names}).decode()


def csv_header(columns: Sequence[str]) -> str:
    """The first line: the names of the columns."""
    return _line(columns)


def csv_lines(documents: Iterable[str], columns: Sequence[str]) -> str:
    """One line a record; nested values as JSON in their cell, text that starts a formula with a quote before it."""
    return "".join(_line([cell(from_json(document).get(name)) for name in columns]) for document in documents)


def cell(value: Any) -> str:
    """A value as a cell: empty for null, lower-case words for booleans, plain digits for numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return to_json(value).decode()
    text = value if isinstance(value, str) else to_json(value).decode()
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def ndjson_lines(documents: Iterable[str]) -> str:
    """One document a line, as it is stored: nothing is lost."""
    return "".join(f"{document}\n" for document in documents)


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
