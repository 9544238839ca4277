"""Facet counts: the number of records by value of a field, under the other filters of a list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, literal, select, text

from app.db.tables import REFERENCE
from app.fields import facets_of
from app.json_codec import from_json
from app.models.base import Row
from app.search.index_counts import LONGEST_VALUE
from app.search.index_entries import EVERYWHERE, SCOPE
from app.store.read.filters import narrowed
from app.store.read.lists import with_present_ids
from app.store.read.prepared import ConnectionReader
from app.store.read.query import Query
from app.store.read.scope import scoped

MOST_SHOWN = 100
"""Maximum number of values of a facet, the most frequent first."""


class FacetValue(BaseModel):
    """A value, and how many of the records have it."""

    value: str | bool = Field(description="The value, as the filter of that name takes it.")
    count: int = Field(description="How many records have it.")


class Facet(BaseModel):
    """The values of one field among the records that match all filters but the field's own."""

    values: list[FacetValue] = Field(description=f"The values of most records first, at most {MOST_SHOWN}.")
    missing: int = Field(description="How many records have no value.")
    others: int = Field(description="How many further values are not listed.")
    others_is_at_least: bool = Field(False, description="Whether `others` is a lower bound.")
    is_at_least: bool = Field(
        False, description="Whether the counts are lower bounds: not all matching records were counted."
    )


_PRECOMPUTED = text("""
SELECT value, n FROM (
    SELECT value, n FROM facet_count WHERE kind = :kind AND scope = :scope AND field = :field AND value <> 'null'
    ORDER BY n DESC, value DESC LIMIT :most
) AS shown
UNION ALL
SELECT value, n FROM facet_count WHERE kind = :kind AND scope = :scope AND field = :field AND value = 'null'
UNION ALL
SELECT NULL, n FROM facet_size WHERE kind = :kind AND scope = :scope AND field = :field
""")
"""The most frequent values with counts, records without a value (`null`), and the number of values (SQL NULL)."""

_SUMMED = text("""
SELECT value, sum(n) FROM facet_count WHERE kind = :kind AND scope IN :scopes AND field = :field GROUP BY value
""").bindparams(bindparam("scopes", expanding=True))
"""The counts of several scopes that have no record in common."""


def facets(connection: Connection, query: Query) -> dict[str, Facet]:
    """The facets of a query. A field's own filter is left out, so that its other values are counted, too.

    Counts are precomputed for all records and for those of each treatment; with other filters they are counted here.
    """
    present = scoped(ConnectionReader(connection), with_present_ids(connection, query))
    return {name: _facet(connection, present, name) for name in query.facets}


def facet_of(counts: Iterable[tuple[Any, int]], others: int = 0, *, is_at_least: bool = False) -> Facet:
    """A facet from pairs of value and count; the value None counts the records without a value."""
    pairs = list(counts)
    values = sorted(((value, n) for value, n in pairs if value is not None), key=lambda pair: (-pair[1], str(pair[0])))
    others += max(0, len(values) - MOST_SHOWN)
    return Facet(
        values=[FacetValue(value=value, count=n) for value, n in values[:MOST_SHOWN]],
        missing=sum(n for value, n in pairs if value is None),
        others=others,
        others_is_at_least=is_at_least,
        is_at_least=is_at_least,
    )


def _facet(connection: Connection, query: Query, name: str) -> Facet:
    other_filters = {parameter: value for parameter, value in query.filters.items() if parameter != name}
    scopes = _scopes(query.resource, other_filters)
    if scopes is None:
        return _counted_facet(connection, replace(query, filters=other_filters), name)
    if len(scopes) == 1:
        return _precomputed_facet(connection, query.resource.plural, scopes[0], name)
    return _summed_facet(connection, query.resource.plural, scopes, name)


def _scopes(resource: type[Row], filters: Mapping[str, Any]) -> list[str] | None:
    """The scopes of precomputed counts that are equivalent to the filters together; None if there are none.

    Several treatments are, where a record has one: the records of a product and those of its class, for example.
    """
    if not filters:
        return [EVERYWHERE]
    values = list(dict.fromkeys(filters.get(SCOPE) or []))
    if len(filters) > 1 or not values or None in values:
        return None
    return values if len(values) == 1 or SCOPE in resource.table().c else None


def _precomputed_facet(connection: Connection, plural: str, scope: str, name: str) -> Facet:
    """A facet from precomputed counts: one statement that reads few pages, however many values there are."""
    rows = connection.execute(_PRECOMPUTED, {"kind": plural, "scope": scope, "field": name, "most": MOST_SHOWN}).all()
    size = next((n for value, n in rows if value is None), 0)
    values = [(from_json(value), n) for value, n in rows if value is not None]
    return facet_of(values, size - sum(value is not None for value, _ in values))


def _summed_facet(connection: Connection, plural: str, scopes: Sequence[str], name: str) -> Facet:
    """A facet from the precomputed counts of several scopes."""
    rows = connection.execute(_SUMMED, {"kind": plural, "scopes": scopes, "field": name})
    return facet_of((from_json(value), int(n)) for value, n in rows)


def _counted_facet(connection: Connection, query: Query, name: str) -> Facet:
    table = query.resource.table()
    to_kind = facets_of(query.resource)[name]
    conditions = list(narrowed(query))
    if to_kind is None:
        value: ColumnElement[Any] = table.c[name]
        statement: Select[Any] = select(value, func.count()).where(*conditions).group_by(value)
        return facet_of((found, n) for found, n in connection.execute(statement) if not _is_too_long(found))
    reference = REFERENCE.alias("counted")
    is_referenced = (reference.c.from_kind == query.resource.plural, reference.c.to_kind == to_kind)
    statement = (
        select(reference.c.to_id, func.count(table.c.id.distinct()))
        .select_from(table.join(reference, reference.c.from_id == table.c.id))
        .where(*conditions, *is_referenced)
        .group_by(reference.c.to_id)
    )
    any_reference = select(literal(1)).where(*is_referenced, reference.c.from_id == table.c.id).correlate(table)
    none = select(func.count()).select_from(table).where(*conditions, ~any_reference.exists())
    return facet_of([*connection.execute(statement), (None, connection.execute(none).scalar_one())])


def _is_too_long(value: Any) -> bool:
    """Whether the value is too long for a filter parameter."""
    return isinstance(value, str) and len(value) > LONGEST_VALUE
