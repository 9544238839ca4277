"""The indexes of lists, derived from what a field can do: every filter's index ends in the order of a list, the id."""

from functools import cache
from typing import NamedTuple

from app.fields import uses
from app.models.base import Row

PUBLISHED = "state = 'published'"
"""The SQL condition of the partial indexes; a query states it as a literal, not as a parameter, to use them."""
SUBJECT = ("treatment", "condition")
"""The filters that are asked for together, where a resource has both as columns: they have an index of their own."""


class ListIndex(NamedTuple):
    """An index of one resource's table."""

    name: str
    columns: tuple[str, ...]
    is_partial: bool
    """Whether it has published records alone (`PUBLISHED`)."""


@cache
def list_indexes(resource: type[Row]) -> tuple[ListIndex, ...]:
    """The indexes of a resource's table, beside its primary key.

    A filter has (filter, id), of published records: what equals a value is then read in the order of the ids, and a
    list sorted by the filter is read in its order. A reference has (reference, id, state) of all records, because the
    database itself looks there for rows that point to a deleted one. The index of the treatment goes on with the
    resource's numbers, so that a list within a treatment is sorted by one of them without reading its records.
    """
    table, filters = resource.table(), _filter_columns(resource)
    numbers = tuple(name for name in filters if uses(resource)[name].shape == "number")
    found = []
    for name in filters:
        if table.c[name].foreign_keys:
            columns = (name, "id", "state", *(numbers if name == "treatment" else ()))
            found.append(_index(resource, name, columns, is_partial=False))
        else:
            found.append(_index(resource, name, (name, "id"), is_partial=True))
    if set(SUBJECT) <= set(filters):
        found.append(_index(resource, "_".join(SUBJECT), (*SUBJECT, "id"), is_partial=True))
    return tuple(found)


@cache
def is_in_order_of_ids(resource: type[Row], filters: frozenset[str]) -> bool:
    """Whether an index gives the records that equal one value in each of these columns in the order of their ids."""
    columns = set(_filter_columns(resource))
    return filters <= columns and (len(filters) == 1 or filters == set(SUBJECT))


@cache
def is_in_order_of(resource: type[Row], key: str) -> bool:
    """Whether an index gives all records in the order of this column, and of their ids where it is equal."""
    return key in _filter_columns(resource)


def _filter_columns(resource: type[Row]) -> list[str]:
    return [name for name, use in uses(resource).items() if use.is_filter and name != "id"]


def _index(resource: type[Row], name: str, columns: tuple[str, ...], *, is_partial: bool) -> ListIndex:
    return ListIndex(f"ix_{resource.table().name}_by_{name}", columns, is_partial)
