"""Query capabilities of each field of a resource (filter, range, sort, facet), derived from its type."""

from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AfterValidator, AllowInfNan, BaseModel, BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic.fields import FieldInfo
from sqlalchemy import JSON

from app.errors import nearest
from app.json_codec import PydanticCustomError
from app.models import RESOURCES
from app.models.base import RecordRef, Row, reference_target
from app.models.types import DATE_PATTERN, DAY_PATTERN, InUnit, IsInstant, RefersTo, Slug

TIMESTAMP_PATTERN = r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z?)?)?)?$"
NOT_FILTERS = frozenset({"state", "version", "superseded_by"})
"""Fields that are no filters: readers see published records only, and get one version by its URL."""
LONGEST_LINE = 1000
"""Text that may be longer than this is prose, which is not sortable."""

QueryNumber = Annotated[float, AllowInfNan(False)]
QueryInteger = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
QueryText = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
QueryTime = Annotated[str, StringConstraints(pattern=TIMESTAMP_PATTERN)]


def known_kind(value: str) -> str:
    """Validate the name of a resource; an unknown one is refused with the nearest known name."""
    if value not in RESOURCES:
        context = {"word": value[:100], "nearest": nearest(value, RESOURCES) or ""}
        raise PydanticCustomError("unknown_name", "{word} is not a resource that we know", context)
    return value


Kind = Annotated[str, AfterValidator(known_kind), WithJsonSchema({"type": "string", "enum": list(RESOURCES)})]

Shape = Literal["word", "flag", "number", "date", "time", "text", "prose", "nested"]


@dataclass(frozen=True)
class FieldUse:
    """The query capabilities of one field."""

    name: str
    shape: Shape
    parameter: Any
    """The type of one value of the query parameter."""
    is_filter: bool
    description: str
    unit: str | None = None
    """The field with its unit, for an amount in a product's own unit."""
    basis: str | None = None
    """The field that says whether such an amount is absolute or per kg or m²."""
    is_facet: bool = False
    """Whether its values can be counted as a facet: few distinct values, so no identifiers, dates or amounts."""

    @property
    def is_bounded(self) -> bool:
        """Whether it has the range filters `_gte` and `_lte`."""
        return self.is_filter and self.shape in ("number", "date", "time")

    @property
    def is_sortable(self) -> bool:
        """Whether a list can be ordered by it."""
        return self.shape not in ("prose", "nested")


@cache
def uses(row: type[Row]) -> dict[str, FieldUse]:
    """Every public field of a resource, by name."""
    return {name: _use(row, name, row.model_fields[name]) for name in row.shown()}


@cache
def reference_filters(row: type[Row]) -> dict[str, str]:
    """Filters on references in nested objects: the filter's name (singular of a resource) and its plural."""
    columns = {name for name, use in uses(row).items() if use.is_filter}
    found = {
        singular(plural): plural for plural in sorted(_referenced_plurals(row.record_class())) if plural in RESOURCES
    }
    return {name: plural for name, plural in found.items() if name not in columns and plural != row.plural}


@cache
def facets_of(row: type[Row]) -> dict[str, str | None]:
    """The facets of a resource: columns (with None), and reference filters with the plural of their resource."""
    columns: dict[str, str | None] = {name: None for name, use in uses(row).items() if use.is_facet}
    return columns | reference_filters(row)


@cache
def id_filters(row: type[Row]) -> dict[str, str]:
    """The filters whose values are ids of records, each with the plural of the resource."""
    columns = {name: reference_target(row, name) for name, use in uses(row).items() if use.is_filter}
    targets = {name: target.plural for name, target in columns.items() if target is not None}
    return targets | reference_filters(row) | {"id": row.plural}


@cache
def words_beside_ids(row: type[Row]) -> dict[str, frozenset[str]]:
    """For the filters whose values are ids, the values that are none (`placebo` as a comparator)."""
    targets = {name: reference_target(row, name) for name in uses(row)}
    return {name: target.unless for name, target in targets.items() if target is not None and target.unless}


@cache
def includable(row: type[Row]) -> dict[str, str]:
    """The values of `include` for a resource, each with the pattern of the reference paths that it includes.

    A field that holds ids has its own name (`treatment`, `conditions`, `evidence`); references in nested objects have
    the plural of the resource that they refer to (`sources` for citations).
    """
    found: dict[str, str] = {}
    for name, info in row.record_class().model_fields.items():
        if reference_target(row.record_class(), name) or RecordRef in _parts(info):
            found[name] = name
        for part in _parts(info):
            if part is not RecordRef:
                found |= {plural: plural for plural in _referenced_plurals(part)}
    derived = row.record_class().derived_names() & uses(row).keys()
    found |= {name: name for name in derived if reference_target(row, name)}
    return dict(sorted(found.items()))


def is_cited(row: type[Row]) -> bool:
    """Whether records of this resource carry citations, and so have a `verification` level."""
    return bool({"citations", "numbers"} & row.model_fields.keys())


def singular(plural: str) -> str:
    """The singular of a resource's name, used for filters and columns."""
    return str(RESOURCES[plural].__tablename__)


def _use(row: type[Row], name: str, info: FieldInfo) -> FieldUse:
    column = row.table().c.get(name)
    shape: Shape
    shape, parameter = ("nested", str) if column is None or isinstance(column.type, JSON) else _shape(info)
    indexed = column is not None and (bool(column.index) or bool(column.primary_key))
    is_filter = name not in NOT_FILTERS and shape not in ("nested", "prose") and (shape != "text" or indexed)
    _, metadata = _leaf(info.annotation, tuple(info.metadata))
    in_unit = next((entry for entry in metadata if isinstance(entry, InUnit)), InUnit(""))
    is_closed = get_origin(getattr(parameter, "__value__", parameter)) is Literal
    is_facet = (
        is_filter and name != "id" and (shape in ("flag", "text") or (shape == "word" and (is_closed or indexed)))
    )
    return FieldUse(
        name,
        shape,
        parameter,
        is_filter,
        info.description or name,
        unit=in_unit.field or None,
        basis=in_unit.basis,
        is_facet=is_facet,
    )


def _shape(info: FieldInfo) -> tuple[Shape, Any]:
    base, metadata = _leaf(info.annotation, tuple(info.metadata))
    if get_origin(getattr(base, "__value__", None)) is Literal:
        return "word", base
    if base is bool:
        return "flag", bool
    if base is int:
        return "number", QueryInteger
    if base is float:
        return "number", QueryNumber
    if any(isinstance(entry, IsInstant) for entry in metadata):
        return "time", QueryTime
    pattern = next((entry.pattern for entry in metadata if getattr(entry, "pattern", None)), None)
    longest = next((entry.max_length for entry in metadata if getattr(entry, "max_length", None)), None)
    if pattern in (DATE_PATTERN, DAY_PATTERN):
        return "date", Annotated[str, StringConstraints(pattern=DATE_PATTERN)]
    if any(isinstance(entry, RefersTo) for entry in metadata):
        return "word", Slug
    if pattern is not None:
        return "word", Annotated[
            str,
            *[entry for entry in metadata if isinstance(entry, StringConstraints | BeforeValidator | AfterValidator)],
        ]
    return ("prose" if longest and longest > LONGEST_LINE else "text"), QueryText


def _leaf(annotation: Any, metadata: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The type inside `| None` and `Annotated`, with all its metadata."""
    if get_origin(annotation) is Annotated:
        base, *more = get_args(annotation)
        return _leaf(base, (*metadata, *more))
    if get_origin(annotation) in (Union, UnionType):
        inner = [argument for argument in get_args(annotation) if argument is not type(None)]
        return _leaf(inner[0], metadata)
    return annotation, metadata


def _parts(info: FieldInfo) -> list[type[BaseModel]]:
    """The nested models in a field's annotation."""
    found: list[type[BaseModel]] = []
    queue: list[Any] = [info.annotation]
    while queue:
        annotation = queue.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.append(annotation)
        queue += [argument for argument in get_args(annotation) if argument is not Ellipsis]
    return found


def _referenced_plurals(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, info in model.model_fields.items():
        target = reference_target(model, name)
        if target is not None and target.is_filter:
            found.add(target.plural)
        for part in _parts(info):
            found |= _referenced_plurals(part)
    return found
