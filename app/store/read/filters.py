"""The filters of a list as SQL conditions, by shape: each names its parameters, whose values are bound when it runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, String, Table, bindparam, false, func, literal_column, or_, select

from app.db.tables import REFERENCE
from app.evidence.citations.verification import LADDER
from app.fields import reference_filters, uses
from app.models.base import Row
from app.store.read.prepared import numbered, padded
from app.store.read.query import BOUNDS, Query

ONE: ColumnElement[int] = literal_column("1")


class FilterShape(NamedTuple):
    """A filter without its values."""

    name: str
    size: int
    """The number of values, a power of two (`padded`)."""
    or_none: bool
    """Whether records without a value match, too."""
    mark: str = ""
    """The beginning of the names of its parameters."""

    @property
    def is_one_value(self) -> bool:
        """Whether it names exactly one value or none at all."""
        return self.size + self.or_none == 1


def filters_of(query: Query) -> tuple[FilterShape, ...]:
    """The filters of a query without their values."""
    return tuple(
        FilterShape(name, padded(sum(value is not None for value in values)), None in values)
        for name, values in _compared(query)
    )


def filter_values(query: Query) -> dict[str, Any]:
    """The values of the filters' parameters: `treatment_0`, `treatment_1`, …"""
    values: dict[str, Any] = {}
    for name, found in _compared(query):
        values |= numbered(name, [value for value in found if value is not None])
    return values


def narrowed(query: Query) -> Iterator[ColumnElement[bool]]:
    """The WHERE conditions of a query with their values: published, and its filters."""
    yield published(query.resource.table())
    yield from conditions(query.resource, filters_of(query), filter_values(query))


def _compared(query: Query) -> Iterator[tuple[str, Sequence[Any]]]:
    """Each filter of a query with the values that its SQL compares with."""
    for name, value in query.filters.items():
        if name == "min_verification":
            yield name, LADDER[LADDER.index(value) :]
        elif name.endswith(tuple(BOUNDS)) and name not in query.resource.table().c:
            yield name, [_bound(query.resource, name, value)]
        else:
            yield name, list(dict.fromkeys(value))


def published(table: Table) -> ColumnElement[bool]:
    """The record is published; a literal, as partial indexes need it (`indexes.PUBLISHED`)."""
    is_published: ColumnElement[bool] = table.c.state == literal_column("'published'")
    return is_published


def conditions(
    resource: type[Row], filters: Sequence[FilterShape], values: Mapping[str, Any] | None = None, *, mark: str = ""
) -> Iterator[ColumnElement[bool]]:
    """The condition of each filter, with parameters for values; they may be bound here.

    `mark` begins the names of the parameters, where one statement has several selections.
    """
    table = resource.table()
    for shape in filters:
        part = shape._replace(mark=mark)
        if part.name in reference_filters(resource):
            yield _references_any(resource, part, values)
        elif part.name == "min_verification":
            yield table.c.verification.in_(parameters(part, table.c.verification, values))
        elif part.name in table.c:
            yield _equal_any(table.c[part.name], part, values)
        else:
            yield _within(resource, part, values)


def parameters(part: FilterShape, column: Column[Any], values: Mapping[str, Any] | None = None) -> list[Any]:
    """The parameters of a filter's values, of the type of the column that they are compared with."""
    names = [f"{part.mark}{part.name}_{place}" for place in range(part.size)]
    if values is None:
        return [bindparam(name, type_=column.type) for name in names]
    return [bindparam(name, values[name], type_=column.type) for name in names]


def _equal_any(column: Column[Any], part: FilterShape, values: Mapping[str, Any] | None) -> ColumnElement[bool]:
    """The column equals any of the values, or is NULL where the filter says so."""
    known = parameters(part, column, values)
    if not known:
        return column.is_(None) if part.or_none else false()
    equal: ColumnElement[bool] = column.in_(known) if len(known) > 1 else column == known[0]
    return or_(equal, column.is_(None)) if part.or_none else equal


def _references_any(resource: type[Row], part: FilterShape, values: Mapping[str, Any] | None) -> ColumnElement[bool]:
    """The record references any of the records, or none of their kind where the filter says so."""
    is_this_row = REFERENCE.c.from_id == resource.table().c.id
    references = select(ONE).where(*references_to(resource, part), is_this_row)
    known = parameters(part, REFERENCE.c.to_id, values)
    is_known = REFERENCE.c.to_id.in_(known) if known else false()
    any_of: ColumnElement[bool] = references.where(is_known).exists()
    return or_(any_of, ~references.exists()) if part.or_none else any_of


def references_to(resource: type[Row], part: FilterShape) -> tuple[ColumnElement[bool], ...]:
    """The conditions on references of this resource to the kind of record that a filter names."""
    kind = reference_filters(resource)[part.name]
    return REFERENCE.c.to_kind == _word(kind), REFERENCE.c.from_kind == _word(resource.plural)


def _word(text: str) -> ColumnElement[str]:
    """A word of our own as a literal, so that it is no parameter of the shape."""
    return literal_column(f"'{text}'")


def _within(resource: type[Row], part: FilterShape, values: Mapping[str, Any] | None) -> ColumnElement[bool]:
    """A lower or upper bound on a column.

    A partial date is a whole period: `2000` is at least `2000` but not surely `2000-06`.
    """
    name, is_lower = part.name[:-4], part.name.endswith("_gte")
    column: ColumnElement[Any] = resource.table().c[name]
    (bound,) = parameters(part, resource.table().c[name], values)
    if uses(resource)[name].shape == "date":
        padding = literal_column("'-00-00'" if is_lower else "'-99-99'", String)
        column = func.substr(column + padding, ONE, literal_column("10"))
    within: ColumnElement[bool] = column >= bound if is_lower else column <= bound
    return within


def _bound(resource: type[Row], parameter: str, bound: Any) -> Any:
    """The value with which a bound compares: a partial date as the first or last day of its period."""
    is_lower, shape = parameter.endswith("_gte"), uses(resource)[parameter[:-4]].shape
    if shape == "date":
        return (bound + ("-00-00" if is_lower else "-99-99"))[:10]
    return f"{bound}~" if shape == "time" and not is_lower else bound
