"""JSON that leaves nothing to guess (RFC 8259, and RFC 7493 for names and numbers), or a problem with the place."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from math import isinf
from typing import Any

from pydantic_core import from_json

from app.errors import MOST_ERRORS, BadRequest, InvalidBody


class _Twice(dict[str, Any]):
    """An object in which a name stood more than once."""

    names: tuple[str, ...] = ()


def read_json(content: bytes) -> Any:
    """The value of a text.

    BadRequest when it is no JSON, not UTF-8, holds a lone surrogate or is nested more than 200 deep; InvalidBody when a
    name stands twice in one object or a number is beyond what a double holds.
    """
    try:
        from_json(content, allow_inf_nan=False)
    except ValueError as failure:
        raise BadRequest(f"The body is no JSON: {failure}.") from failure
    value = json.loads(content, object_pairs_hook=_object, parse_int=_number)
    errors = [{"pointer": place, "detail": detail} for place, detail in islice(_faults(value, ""), MOST_ERRORS)]
    if errors:
        raise InvalidBody(f"{errors[0]['pointer']}: {errors[0]['detail']}.", errors=errors)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Twice(found)
    twice.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return twice


def _number(text: str) -> int | float:
    """A whole number; one with more digits than any double has is read as a double, infinite when it is beyond."""
    return int(text) if len(text) < 300 else float(text)


def _step(name: str | int) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return f"/{str(name).replace('~', '~0').replace('/', '~1')}"


def _faults(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, _Twice):
        yield from ((place + _step(name), "this name stands twice in one object") for name in value.names)
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _faults(inner, place + _step(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _faults(inner, place + _step(index))
    elif isinstance(value, float) and isinf(value):
        yield place, "this number is beyond what a double holds"
