"""A strict JSON parser (RFC 8259, and RFC 7493 for names and numbers), with a JSON pointer for each error."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from math import isinf
from typing import Any

from app.errors import MOST_ERRORS, BadRequest, InvalidBody, escaped_step
from app.json_codec import from_json


class _RepeatedNames(dict[str, Any]):
    """A JSON object with repeated names."""

    names: tuple[str, ...] = ()


def read_json(content: bytes) -> Any:
    """The value of a JSON text.

    BadRequest when it is no JSON, not UTF-8, contains a lone surrogate or is nested more than 200 deep; InvalidBody
    when an object repeats a name or a number exceeds the range of a double.
    """
    try:
        from_json(content, allow_inf_nan=False)
    except ValueError as failure:
        raise BadRequest(f"The body is no JSON: {failure}.") from failure
    value = json.loads(content, object_pairs_hook=_object, parse_int=_number)
    errors = [{"pointer": place, "detail": detail} for place, detail in islice(_errors(value, ""), MOST_ERRORS)]
    if errors:
        raise InvalidBody(f"{errors[0]['pointer']}: {errors[0]['detail']}.", errors=errors)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated = _RepeatedNames(members)
    repeated.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return repeated


def _number(text: str) -> int | float:
    """An integer; with 300 digits or more a double, infinite beyond its range."""
    return int(text) if len(text) < 300 else float(text)


def _step(name: str | int) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return f"/{escaped_step(str(name))}"


def _errors(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, _RepeatedNames):
        yield from ((place + _step(name), "this name stands twice in one object") for name in value.names)
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _errors(inner, place + _step(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _errors(inner, place + _step(index))
    elif isinstance(value, float) and isinf(value):
        yield place, "this number is beyond what a double holds"
