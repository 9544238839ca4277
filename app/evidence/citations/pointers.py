"""JSON pointers (RFC 6901) into a record, or into a source that is JSON."""

import re
from collections.abc import Iterator
from typing import Any

from app.errors import escaped_step
from app.json_codec import from_json

INDEX = re.compile(r"0|[1-9][0-9]*")


def resolve(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901, section 4); LookupError names the reference token that does not exist."""
    place = document
    done = ""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(place, dict) and name in place:
            place = place[name]
        elif isinstance(place, list) and INDEX.fullmatch(name) and len(name) < 10 and int(name) < len(place):
            place = place[int(name)]
        else:
            raise LookupError(f"there is no {step!r} at {done or 'the root'}")
        done += f"/{step}"
    return place


def parse_structured(text: str) -> Any:
    """The parsed JSON of a source; ValueError for any other text."""
    return from_json(text)


def numbers_in(value: Any, pointer: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a JSON value, at any depth, with its JSON pointer."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers_in(inner, f"{pointer}/{escaped_step(name)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers_in(inner, f"{pointer}/{index}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield pointer, value
