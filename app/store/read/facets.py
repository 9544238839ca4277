"""How many records have each value of a field, within what the other filters of a list leave."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import from_json
from sqlalchemy import ColumnElement, Connection, Select, func, literal, select, text

from app.db.tables import REFERENCE
from app.fields import facets_of
from app.search.index_counts import LONGEST_VALUE
from app.search.index_entries import EVERYWHERE, SCOPE
from app.store.read.lists import narrowed, with_present_ids
from app.store.read.query import Query

MOST_SHOWN = 100
"""How many values of one field are shown, those of most records first."""


class FacetValue(BaseModel):
    """A value, and how many of the records have it."""

    value: str | bool = Field(description="The value, as the filter of that name takes it.")
    count: int = Field(description="How many records have it.")


class Facet(BaseModel):
    """The values of one field among the records that match all filters but the field's own."""

    values: list[FacetValue] = Field(description=f"The values of most records first, at most {MOST_SHOWN}.")
    missing: int = Field(description="How many records have no value.")
    others: int = Field(description="How many further values there are that are not shown.")
    others_is_at_least: bool = Field(False, description="Whether there may be more than those.")
    is_at_least: bool = Field(False, description="Whether there are more records than were counted.")


_KEPT = text("""
SELECT value, n FROM (
    SELECT value, n FROM facet_count WHERE kind = :kind AND scope = :scope AND field = :field AND value <> 'null'
    ORDER BY n DESC, value DESC LIMIT :most
) AS shown
UNION ALL
SELECT value, n FROM facet_count WHERE kind = :kind AND scope = :scope AND field = :field AND value = 'null'
UNION ALL
SELECT NULL, n FROM facet_size WHERE kind = :kind AND scope = :scope AND field = :field
""")
"""The values of most records, how many records have none, and (without a value) how many values there are."""


def facets(connection: Connection, query: Query) -> dict[str, Facet]:
    """The facets that a query asks for. A field's own filter is left out, so that its alternatives can be counted.

    For all records, and for those of one treatment, counts are kept ready; anything else is counted now.
    """
    present = with_present_ids(connection, query)
    return {name: _facet(connection, present, name) for name in query.facets}


def facet_of(counts: Iterable[tuple[Any, int]], others: int = 0, *, is_at_least: bool = False) -> Facet:
    """A facet from its values and counts, None for those without a value."""
    held = list(counts)
    values = sorted(((value, n) for value, n in held if value is not None), key=lambda one: (-one[1], str(one[0])))
    others += max(0, len(values) - MOST_SHOWN)
    return Facet(
        values=[FacetValue(value=value, count=n) for value, n in values[:MOST_SHOWN]],
        missing=sum(n for value, n in held if value is None),
        others=others,
        others_is_at_least=is_at_least,
        is_at_least=is_at_least,
    )


def _facet(connection: Connection, query: Query, name: str) -> Facet:
    rest = {parameter: value for parameter, value in query.filters.items() if parameter != name}
    scope = _scope(rest)
    if scope is not None:
        return _kept(connection, query.resource.plural, scope, name)
    return _counted(connection, replace(query, filters=rest), name)


def _scope(filters: Mapping[str, Any]) -> str | None:
    """The scope for which counts are kept and that is all that the filters say; None where they say more."""
    if not filters:
        return EVERYWHERE
    one = filters.get(SCOPE)
    return one[0] if len(filters) == 1 and one is not None and len(one) == 1 else None


def _kept(connection: Connection, plural: str, scope: str, name: str) -> Facet:
    """A facet as the writer keeps it: one statement and few pages, however many values there are."""
    rows = connection.execute(_KEPT, {"kind": plural, "scope": scope, "field": name, "most": MOST_SHOWN}).all()
    size = next((n for value, n in rows if value is None), 0)
    values = [(from_json(value), n) for value, n in rows if value is not None]
    return facet_of(values, size - sum(value is not None for value, _ in values))


def _counted(connection: Connection, query: Query, name: str) -> Facet:
    table = query.resource.table()
    to_kind = facets_of(query.resource)[name]
    those = list(narrowed(table, query))
    if to_kind is None:
        value: ColumnElement[Any] = table.c[name]
        counting: Select[Any] = select(value, func.count()).where(*those).group_by(value)
        return facet_of((one, n) for one, n in connection.execute(counting) if not _is_too_long(one))
    counted = REFERENCE.alias("counted")
    mentioned = (counted.c.from_kind == query.resource.plural, counted.c.to_kind == to_kind)
    counting = (
        select(counted.c.to_id, func.count(table.c.id.distinct()))
        .select_from(table.join(counted, counted.c.from_id == table.c.id))
        .where(*those, *mentioned)
        .group_by(counted.c.to_id)
    )
    any_of_them = select(literal(1)).where(*mentioned, counted.c.from_id == table.c.id).correlate(table)
    none = select(func.count()).select_from(table).where(*those, ~any_of_them.exists())
    return facet_of([*connection.execute(counting), (None, connection.execute(none).scalar_one())])


def _is_too_long(value: Any) -> bool:
    """Whether no filter can name the value."""
    return isinstance(value, str) and len(value) > LONGEST_VALUE
