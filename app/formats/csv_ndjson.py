"""Records as CSV (RFC 4180) and NDJSON, and projections of their JSON to chosen fields."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from app.json_codec import from_json, to_json

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet run a text cell as a formula (OWASP, CSV injection)."""


def project(document: str, fields: Sequence[str]) -> str:
    """Project a JSON document to its id and the named fields, in the order of `fields`.

    A field that did not exist yet in a past version is null.
    """
    values = from_json(document)
    names = fields if "id" in fields else ("id", *fields)
    return to_json({name: values.get(name) for name in names}).decode()


def csv_header(columns: Sequence[str]) -> str:
    """The header line: the names of the columns."""
    return _line(columns)


def csv_lines(documents: Iterable[str], columns: Sequence[str]) -> str:
    """One line for each record; nested values are JSON; text that would start a formula gets an apostrophe."""
    return "".join(_line([cell(from_json(document).get(name)) for name in columns]) for document in documents)


def cell(value: Any) -> str:
    """A value as the text of a CSV cell: empty for null, `true` or `false` for booleans, digits for numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return to_json(value).decode()
    text = value if isinstance(value, str) else to_json(value).decode()
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def ndjson_lines(documents: Iterable[str]) -> str:
    """One JSON document a line, unchanged from its stored text."""
    return "".join(f"{document}\n" for document in documents)


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
