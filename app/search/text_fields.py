"""The indexable content of a record: its texts and its references to other records, by the types of its fields."""

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
"""Fields that are not indexed: metadata that the server or a curator adds to a record."""


class Text(NamedTuple):
    """A text of a record, and its path in the document (`citations.0.quote`)."""

    path: str
    text: str


class Mention(NamedTuple):
    """A reference to another record, and its path in the document; `is_filter` as in `RefersTo`."""

    path: str
    plural: str
    id: str
    is_filter: bool


@dataclass(frozen=True)
class Leaf:
    """A field with texts, references or nested models, one or a list of them."""

    name: str
    target: RefersTo | None = None
    nested: type[BaseModel] | None = None


def contents(plural: str, document: Mapping[str, Any]) -> Iterator[Text | Mention]:
    """All texts and references of a document, in the order of its fields."""
    yield from _read(document, text_plan(RESOURCES[plural]), "")


def _read(value: Mapping[str, Any], plan: tuple[Leaf, ...], path: str) -> Iterator[Text | Mention]:
    for leaf in plan:
        content = value.get(leaf.name)
        if content is None:
            continue
        field_path = f"{path}.{leaf.name}" if path else leaf.name
        for element_path, element in _elements(content, field_path):
            if leaf.nested is RecordRef:
                yield Mention(element_path, element["kind"], element["id"], is_filter=True)
            elif leaf.nested is not None:
                yield from _read(element, text_plan(leaf.nested), element_path)
            elif leaf.target is None:
                yield Text(element_path, element)
            elif element not in leaf.target.unless:
                yield Mention(element_path, leaf.target.plural, element, leaf.target.is_filter)


def _elements(content: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(content, list):
        yield from ((f"{path}.{index}", element) for index, element in enumerate(content))
    else:
        yield path, content


@cache
def text_plan(model: type[BaseModel]) -> tuple[Leaf, ...]:
    """The fields of a model that are indexed."""
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
