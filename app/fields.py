"""What each field of a resource can do in a query: filter, bound, sort. Read off its type, never listed."""

from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, AllowInfNan, BaseModel, Field, StringConstraints, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from sqlalchemy import JSON

from app.errors import nearest
from app.models import RESOURCES
from app.models.base import RecordRef, Row, reference_target
from app.models.types import DATE_PATTERN, DAY_PATTERN, InUnit, RefersTo, Slug

TIMESTAMP_PATTERN = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?)?)?)?$"
NEVER_ASKED = frozenset({"state", "version", "superseded_by"})
"""Readers see published records only, and ask for one version by its address, not by a filter."""
LONGEST_LINE = 1000
"""Text that may be longer is prose: nobody sorts by it."""

QueryNumber = Annotated[float, AllowInfNan(False)]
QueryInteger = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
QueryText = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
QueryTime = Annotated[str, StringConstraints(pattern=TIMESTAMP_PATTERN)]


def known_kind(value: str) -> str:
    """The name of a resource."""
    if value not in RESOURCES:
        context = {"word": value[:100], "nearest": nearest(value, RESOURCES) or ""}
        raise PydanticCustomError("unknown_name", "{word} is not a resource that we know", context)
    return value


Kind = Annotated[str, AfterValidator(known_kind), WithJsonSchema({"type": "string", "enum": list(RESOURCES)})]

Shape = Literal["word", "flag", "number", "date", "time", "text", "prose", "nested"]


@dataclass(frozen=True)
class FieldUse:
    """How a field may be used in a query."""

    name: str
    shape: Shape
    parameter: Any
    """The type of one value of its query parameter."""
    is_filter: bool
    description: str
    unit: str | None = None
    """The field that names its unit, for an amount in a product's own unit."""

    @property
    def is_bounded(self) -> bool:
        """Whether `_gte` and `_lte` make sense."""
        return self.is_filter and self.shape in ("number", "date", "time")

    @property
    def is_sortable(self) -> bool:
        """Whether a list can be ordered by it."""
        return self.shape not in ("prose", "nested")


@cache
def uses(row: type[Row]) -> dict[str, FieldUse]:
    """Every shown field of a resource, by name."""
    return {name: _use(row, name, row.model_fields[name]) for name in row.shown()}


@cache
def mentions(row: type[Row]) -> dict[str, str]:
    """The resources that a record mentions beyond its columns: their singular, as a filter's name, and their plural."""
    columns = {name for name, use in uses(row).items() if use.is_filter}
    found = {singular(plural): plural for plural in sorted(_mentioned(row.record_class())) if plural in RESOURCES}
    return {name: plural for name, plural in found.items() if name not in columns and plural != row.plural}


@cache
def named_by(row: type[Row]) -> dict[str, str]:
    """The filters whose values are ids of records, each with the plural of what it names."""
    columns = {name: reference_target(row, name) for name, use in uses(row).items() if use.is_filter}
    targets = {name: target.plural for name, target in columns.items() if target is not None}
    return targets | mentions(row) | {"id": row.plural}


@cache
def includable(row: type[Row]) -> dict[str, str]:
    """What `include` may name for a resource, each with the pattern of the reference paths that it stands for.

    A field that holds ids goes by its own name (`treatment`, `conditions`, `evidence`); what nested objects mention
    goes by the plural of what is mentioned (`sources` for citations).
    """
    found: dict[str, str] = {}
    for name, info in row.record_class().model_fields.items():
        if reference_target(row.record_class(), name) or RecordRef in _parts(info):
            found[name] = name
        for part in _parts(info):
            if part is not RecordRef:
                found |= {plural: plural for plural in _mentioned(part)}
    derived = row.record_class().derived_names() & uses(row).keys()
    found |= {name: name for name in derived if reference_target(row, name)}
    return dict(sorted(found.items()))


def is_cited(row: type[Row]) -> bool:
    """Whether the resource's records rest on places of sources, so that they stand on a rung of verification."""
    return bool({"citations", "numbers"} & row.model_fields.keys())


def singular(plural: str) -> str:
    """The singular of a resource's name, as filters and columns use it."""
    return str(RESOURCES[plural].__tablename__)


def _use(row: type[Row], name: str, info: FieldInfo) -> FieldUse:
    column = row.table().c[name]
    shape: Shape
    shape, parameter = ("nested", str) if isinstance(column.type, JSON) else _shape(info)
    indexed = bool(column.index) or bool(column.primary_key)
    is_filter = name not in NEVER_ASKED and shape not in ("nested", "prose") and (shape != "text" or indexed)
    _, marks = _leaf(info.annotation, tuple(info.metadata))
    unit = next((mark.field for mark in marks if isinstance(mark, InUnit)), None)
    return FieldUse(name, shape, parameter, is_filter, info.description or name, unit)


def _shape(info: FieldInfo) -> tuple[Shape, Any]:
    base, marks = _leaf(info.annotation, tuple(info.metadata))
    if get_origin(getattr(base, "__value__", None)) is Literal:
        return "word", base
    if base is bool:
        return "flag", bool
    if base is int:
        return "number", QueryInteger
    if base is float:
        return "number", QueryNumber
    if info.description and "RFC 3339" in info.description:
        return "time", QueryTime
    pattern = next((mark.pattern for mark in marks if getattr(mark, "pattern", None)), None)
    longest = next((mark.max_length for mark in marks if getattr(mark, "max_length", None)), None)
    if pattern in (DATE_PATTERN, DAY_PATTERN):
        return "date", Annotated[str, StringConstraints(pattern=DATE_PATTERN)]
    if any(isinstance(mark, RefersTo) for mark in marks):
        return "word", Slug
    if pattern is not None:
        return "word", Annotated[str, *[mark for mark in marks if isinstance(mark, StringConstraints | AfterValidator)]]
    return ("prose" if longest and longest > LONGEST_LINE else "text"), QueryText


def _leaf(annotation: Any, marks: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The type below `| None` and `Annotated`, with all its marks."""
    if get_origin(annotation) is Annotated:
        base, *more = get_args(annotation)
        return _leaf(base, (*marks, *more))
    if get_origin(annotation) in (Union, UnionType):
        inner = [argument for argument in get_args(annotation) if argument is not type(None)]
        return _leaf(inner[0], marks)
    return annotation, marks


def _parts(info: FieldInfo) -> list[type[BaseModel]]:
    """The nested models that a field holds."""
    found: list[type[BaseModel]] = []
    queue: list[Any] = [info.annotation]
    while queue:
        annotation = queue.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
        queue += [argument for argument in get_args(annotation) if argument is not Ellipsis]
    return found


def _mentioned(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, info in model.model_fields.items():
        target = reference_target(model, name)
        if target is not None and target.is_filter:
            found.add(target.plural)
        for part in _parts(info):
            found |= _mentioned(part)
    return found
