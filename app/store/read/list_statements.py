"""The SQL of a page of a list, by shape, in one of three forms; its parameters are named by `list_values`.

- Where an index gives the records in the order of the list, they are read from there until the page is full.
- Where several ranges of an index do (any of several values, or the rows after a cursor among those without a value),
  each is read as far as a page needs, and the ids are merged.
- Otherwise the ids of all matches are sorted. Documents are read for the ids of the page alone.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Integer, Select, Table, and_, bindparam, or_, select, union, union_all

from app.db.tables import REFERENCE
from app.fields import reference_filters, uses
from app.models.base import Row
from app.store.read.filters import (
    ONE,
    FilterShape,
    conditions,
    filter_values,
    filters_of,
    parameters,
    published,
    references_to,
)
from app.store.read.indexes import is_in_order_of, is_in_order_of_ids
from app.store.read.query import BOUNDS, Query

MOST_RANGES = 256
"""Maximum number of ranges of an index that are merged; SQLite takes at most 500 in one statement."""
MOST_RANGES_AT_ONCE = 16
"""Maximum number of them in a read on the event loop: each costs about 20 µs for a page of 20."""
LIMIT: Any = bindparam("limit", type_=Integer)


class ListShape(NamedTuple):
    """A page of a list without its values; all that its SQL depends on."""

    resource: type[Row]
    filters: tuple[FilterShape, ...]
    order: tuple[str, ...]
    after: tuple[bool, ...] | None = None
    """For each value of the cursor, whether it is one; None without a cursor."""

    @property
    def table(self) -> Table:
        """The table of the resource."""
        return self.resource.table()

    @property
    def keys(self) -> list[tuple[Column[Any], bool]]:
        """The columns of the order, and whether each is descending."""
        return [(self.table.c[key.removeprefix("-")], key.startswith("-")) for key in self.order]


def list_shape(query: Query, after: Sequence[Any] | None) -> ListShape:
    """The shape of a query, and of the values of its cursor."""
    has_value = None if after is None else tuple(value is not None for value in after)
    return ListShape(query.resource, filters_of(query), query.order, has_value)


def list_values(query: Query, after: Sequence[Any] | None, limit: int) -> dict[str, Any]:
    """The values of the parameters: those of the filters, `after_0`, …, and `limit`."""
    values = filter_values(query)
    if after is not None:
        values |= {f"after_{place}": value for place, value in enumerate(after)}
    values["limit"] = limit
    return values


@lru_cache(maxsize=2000)
def is_bounded(shape: ListShape) -> bool:
    """Whether the page costs about as much as its rows, however many records match: then it may be read at once.

    An order of two directions may sort all rows that are equal in its first key, so it is not.
    """
    if [part.name for part in shape.filters] == ["id"]:
        return True
    ranges = _ranges(shape) if len({key.startswith("-") for key in shape.order}) == 1 else None
    return ranges is not None and len(ranges) <= MOST_RANGES_AT_ONCE


def list_statement(shape: ListShape) -> Select[Any]:
    """The page: documents and sort keys, at most `limit`, in order."""
    table, ranges = shape.table, _ranges(shape)
    statement = select(table.c.document, *(column for column, _ in shape.keys))
    if _is_read_in_order(shape) and (ranges is None or len(ranges) == 1):
        statement = statement.where(published(table), *conditions(shape.resource, shape.filters), *_after_cursor(shape))
        return statement.order_by(*_ordered(shape.keys)).limit(LIMIT)
    ids = _sorted_ids(shape) if ranges is None else _merged_ids(shape, ranges)
    return statement.where(table.c.id.in_(ids)).order_by(*_ordered(shape.keys))


def _is_read_in_order(shape: ListShape) -> bool:
    """Whether the order is the id's alone and every filter one value: some index of one filter gives that order."""
    is_equal = all(part.is_one_value and part.name in shape.table.c for part in shape.filters)
    return is_equal and len(shape.order) == 1


def _sorted_ids(shape: ListShape) -> Select[Any]:
    """The ids of the page, from all matches sorted."""
    matching = select(shape.table.c.id).where(
        published(shape.table), *conditions(shape.resource, shape.filters), *_after_cursor(shape)
    )
    return select(matching.order_by(*_ordered(shape.keys)).limit(LIMIT).subquery().c.id)


# Order


def _ordered(keys: Sequence[tuple[Any, bool]]) -> Iterator[ColumnElement[Any]]:
    """The ORDER BY of these keys; NULLs come last."""
    for column, is_descending in keys:
        ordered = column.desc() if is_descending else column.asc()
        yield ordered.nulls_last() if column.nullable else ordered


def _after_cursor(shape: ListShape) -> Iterator[ColumnElement[bool]]:
    if shape.after is not None:
        yield _is_after(shape, 0)


def _is_after(shape: ListShape, place: int) -> ColumnElement[bool]:
    """The keyset condition: rows later in this key, or equal in it and later in the others; NULLs come last."""
    column, is_descending = shape.keys[place]
    others = _is_after(shape, place + 1) if place + 1 < len(shape.keys) else None
    if shape.after is not None and not shape.after[place]:
        same: ColumnElement[bool] = column.is_(None)
        return same if others is None else and_(same, others)
    later = _later(column, place, is_descending=is_descending)
    if column.nullable:
        later = or_(later, column.is_(None))
    return later if others is None else or_(later, and_(column == _cursor_value(column, place), others))


def _later(column: Column[Any], place: int, *, is_descending: bool) -> ColumnElement[bool]:
    bound = _cursor_value(column, place)
    later: ColumnElement[bool] = column < bound if is_descending else column > bound
    return later


def _cursor_value(column: Column[Any], place: int) -> Any:
    return bindparam(f"after_{place}", type_=column.type)


# Ranges of an index


class _Range(NamedTuple):
    """Rows that stand together in an index, in the order of the list."""

    conditions: tuple[ColumnElement[bool], ...]
    order: tuple[ColumnElement[Any], ...]
    from_references: bool = False


def _ranges(shape: ListShape) -> list[_Range] | None:
    """The ranges of an index that hold all matches after the cursor, each in order; None where no index does."""
    names = frozenset(part.name for part in shape.filters)
    if len(shape.order) == 1:
        if len(names) == 1 and names <= reference_filters(shape.resource).keys():
            return _ranges_of_references(shape, shape.filters[0])
        columns = frozenset("verification" if name == "min_verification" else name for name in names)
        is_indexed = not columns or (len(columns) == len(names) and is_in_order_of_ids(shape.resource, columns))
        return _ranges_of_values(shape) if is_indexed else None
    key = shape.order[0].removeprefix("-")
    bounds = {key + suffix for suffix in BOUNDS}
    is_by_column = len(shape.order) == 2 and is_in_order_of(shape.resource, key)
    if not is_by_column or not names <= bounds or (names and uses(shape.resource)[key].shape == "date"):
        return None
    return list(_ranges_of_key(shape))


def _ranges_of_values(shape: ListShape) -> list[_Range] | None:
    """A range for each value, or for each pair of values of two filters; None if there are none or too many."""
    choices: list[list[ColumnElement[bool]]] = []
    for part in shape.filters:
        column = shape.table.c["verification" if part.name == "min_verification" else part.name]
        equal = [column == value for value in parameters(part, column)]
        choices.append([*equal, column.is_(None)] if part.or_none else equal)
    order = tuple(_ordered(shape.keys))
    after = tuple(_after_cursor(shape))
    if not 1 <= prod(map(len, choices)) <= MOST_RANGES:
        return None
    return [_Range((*equal, *after), order) for equal in product(*choices)]


def _ranges_of_references(shape: ListShape, part: FilterShape) -> list[_Range] | None:
    """A range of the table of references for each record that is referred to."""
    if part.or_none or not part.size:
        return None
    from_id, is_descending = REFERENCE.c.from_id, shape.keys[0][1]
    after = () if shape.after is None else (_later(from_id, 0, is_descending=is_descending),)
    order = (from_id.desc() if is_descending else from_id.asc(),)
    return [
        _Range((*references_to(shape.resource, part), REFERENCE.c.to_id == value, *after), order, from_references=True)
        for value in parameters(part, REFERENCE.c.to_id)
    ]


def _ranges_of_key(shape: ListShape) -> Iterator[_Range]:
    """The ranges of an order by one column and the id: rows equal to the cursor's value, later ones, those without."""
    (column, is_descending), (record_id, is_id_descending) = shape.keys
    within = tuple(conditions(shape.resource, shape.filters))
    by_key = column.desc() if is_descending else column.asc()
    by_id = record_id.desc() if is_id_descending else record_id.asc()
    is_after_value = shape.after is not None and shape.after[0]
    if shape.after is None:
        known = (column.is_not(None),) if column.nullable else ()
        yield _Range((*within, *known), (by_key, by_id))
    elif is_after_value:
        later_id = _later(record_id, 1, is_descending=is_id_descending)
        yield _Range((*within, column == _cursor_value(column, 0), later_id), (by_id,))
        yield _Range((*within, _later(column, 0, is_descending=is_descending)), (by_key, by_id))
    if column.nullable and not within:
        is_after_null = shape.after is not None and not is_after_value
        later = (_later(record_id, 1, is_descending=is_id_descending),) if is_after_null else ()
        yield _Range((column.is_(None), *later), (by_id,))


def _merged_ids(shape: ListShape, ranges: Sequence[_Range]) -> Select[Any]:
    """The ids of the page, from as many of each range as a page needs."""
    keys = [column for column, _ in shape.keys]
    parts = [_first_of_range(shape, part).subquery() for part in ranges]
    selected = [select(*(part.c[column.name] for column in keys)) for part in parts]
    if len(selected) == 1:
        return select(parts[0].c.id)
    # a record that refers to several of the records stands in several ranges
    merged = (union if ranges[0].from_references else union_all)(*selected).subquery()
    directions = [(merged.c[column.name], column.nullable, is_descending) for column, is_descending in shape.keys]
    order = []
    for column, is_nullable, is_descending in directions:
        ordered = column.desc() if is_descending else column.asc()
        order.append(ordered.nulls_last() if is_nullable else ordered)
    return select(select(merged.c.id).order_by(*order).limit(LIMIT).subquery().c.id)


def _first_of_range(shape: ListShape, part: _Range) -> Select[Any]:
    """The first rows of a range, as many as a page needs: their ids and sort keys."""
    if part.from_references:
        is_published = select(ONE).where(shape.table.c.id == REFERENCE.c.from_id, published(shape.table))
        found = select(REFERENCE.c.from_id.label("id")).where(*part.conditions, is_published.exists())
        return found.group_by(REFERENCE.c.from_id).order_by(*part.order).limit(LIMIT)
    columns = [column for column, _ in shape.keys]
    return select(*columns).where(published(shape.table), *part.conditions).order_by(*part.order).limit(LIMIT)
