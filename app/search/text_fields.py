"""What a record's document holds for a reader: its texts, and the records that it refers to; read off its types."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel

from app.models import RESOURCES
from app.models.base import RecordRef, Row
from app.models.types import RefersTo, clean_line, clean_text

UNREAD = frozenset({"missing", "curator_checked", "superseded_by"})
"""What the server or a curator says of a record, not the record itself."""


class Text(NamedTuple):
    """A text that people read, and where it stands (`citations.0.quote`)."""

    path: str
    text: str


class Mention(NamedTuple):
    """A record that is referred to, and where; `is_filter` as in `RefersTo`."""

    path: str
    plural: str
    id: str
    is_filter: bool


@dataclass(frozen=True)
class Leaf:
    """A field that holds texts, ids or nested objects, one or a list of them."""

    name: str
    target: RefersTo | None = None
    nested: type[BaseModel] | None = None


def contents(plural: str, document: Mapping[str, Any]) -> Iterator[Text | Mention]:
    """Everything that a document holds for a reader, in the order of its fields."""
    yield from _read(document, text_plan(RESOURCES[plural]), "")


def _read(value: Mapping[str, Any], plan: tuple[Leaf, ...], path: str) -> Iterator[Text | Mention]:
    for leaf in plan:
        held = value.get(leaf.name)
        if held is None:
            continue
        place = f"{path}.{leaf.name}" if path else leaf.name
        for where, one in _each(held, place):
            if leaf.nested is RecordRef:
                yield Mention(where, one["kind"], one["id"], is_filter=True)
            elif leaf.nested is not None:
                yield from _read(one, text_plan(leaf.nested), where)
            elif leaf.target is None:
                yield Text(where, one)
            elif one not in leaf.target.unless:
                yield Mention(where, leaf.target.plural, one, leaf.target.is_filter)


def _each(held: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(held, list):
        yield from ((f"{place}.{index}", one) for index, one in enumerate(held))
    else:
        yield place, held


@cache
def text_plan(model: type[BaseModel]) -> tuple[Leaf, ...]:
    """The fields of a model that hold something for a reader."""
    names = model.model_fields.keys() - (Row.model_fields.keys() | UNREAD if issubclass(model, Row) else UNREAD)
    leaves = (_leaf(name, info.annotation, tuple(info.metadata)) for name, info in model.model_fields.items())
    return tuple(leaf for leaf in leaves if leaf is not None and leaf.name in names)


def _leaf(name: str, annotation: Any, marks: tuple[Any, ...]) -> Leaf | None:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _leaf(name, arguments[0], (*marks, *arguments[1:]))
    if origin in (Union, UnionType, list):
        return _leaf(name, next(argument for argument in arguments if argument is not type(None)), marks)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Leaf(name, nested=annotation)
    target = next((mark for mark in marks if isinstance(mark, RefersTo)), None)
    if target is not None:
        return Leaf(name, target=target)
    is_clean = any(isinstance(mark, AfterValidator) and mark.func in (clean_line, clean_text) for mark in marks)
    has_pattern = any(getattr(mark, "pattern", None) for mark in marks)
    return Leaf(name) if is_clean and not has_pattern else None
