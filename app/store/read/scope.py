"""What applies: the treatments and conditions whose records answer a question, and what a narrower one leaves out.

One function, `scoped`, turns filters and a scope into filters by ids, for lists, the dossier, pages and cards.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import Connection, Integer, Select, Table, bindparam, func, literal_column, select, union_all

from app.models.base import Row
from app.models.conditions import Condition
from app.models.treatments import Treatment
from app.store.read.filters import ONE, conditions, filter_values, filters_of, published
from app.store.read.prepared import ConnectionReader, Reader, Statement, numbered, padded, read_rows
from app.store.read.query import Address, Query, Scope, default_scope

MOST_LAYERS = 10
"""Maximum number of classes above a treatment, of conditions above a condition, and of layers below them."""
MOST_LEFT_OUT = 16
"""Maximum number of pairs of a treatment and a condition for which a list says that it leaves their records out."""
FAMILIES: Mapping[str, type[Row]] = {"treatment": Treatment, "condition": Condition}
"""The filters that a scope widens, and the resource in which `part_of` says what is above what."""


class LeftOut(NamedTuple):
    """Records that apply to a question but are not in an exact list, by their own treatment and condition."""

    treatment: str | None
    """Null where no treatment was asked for."""
    condition: str | None
    """Null where no condition was asked for, or for the records that name none."""
    path: str
    """The list that holds them, as a path of this service."""

    def entry(self, address: Address) -> dict[str, Any]:
        """The entry of `inherited` in an answer."""
        return {"treatment": self.treatment, "condition": self.condition, "url": address(self.path)}


def subjects(query: Query) -> list[str]:
    """The filters of a query that a scope widens; none for a batch get by `id`, which never depends on a scope."""
    return [] if "id" in query.filters else [name for name in FAMILIES if name in query.filters]


def scoped(reader: Reader, query: Query) -> Query:
    """The query whose filters name every treatment and condition that its scope adds; its own scope is exact.

    `applies` adds the classes above a treatment, the conditions above a condition and, where both are filtered by, the
    records that name no condition. `family` adds what is below both.
    """
    names = subjects(query)
    if query.scope == "exact" or not names:
        return query
    related = _above if query.scope == "applies" else _below
    filters = dict(query.filters)
    for name in names:
        filters[name] = [*query.filters[name], *related(reader, name, query.filters[name])]
    if query.scope == "applies" and len(names) == len(FAMILIES):
        filters["condition"] = [*filters["condition"], None]
    return replace(query, filters=filters, scope="exact")


def above(connection: Connection, name: str, ids: Sequence[str]) -> list[str]:
    """The classes above treatments (`name` is `treatment`), or the conditions above conditions, the nearest first."""
    return _above(ConnectionReader(connection), name, ids)


def _above(reader: Reader, name: str, ids: Sequence[str | None]) -> list[str]:
    return _related(reader, name, ids, is_above=True)


def _below(reader: Reader, name: str, ids: Sequence[str | None]) -> list[str]:
    return _related(reader, name, ids, is_above=False)


def _related(reader: Reader, name: str, ids: Sequence[str | None], *, is_above: bool) -> list[str]:
    asked = [record_id for record_id in dict.fromkeys(ids) if record_id is not None]
    if not asked or (is_above and len(asked) == 1 and not _is_part_of_another(reader, name, asked[0])):
        return []
    count = padded(len(asked))
    rows = read_rows(
        reader,
        ("family", name, count, is_above),
        lambda: _select_related(FAMILIES[name].table(), count, is_above=is_above),
        numbered("id", asked),
    )
    return [row[0] for row in rows if row[0] not in asked]


def _is_part_of_another(reader: Reader, name: str, record_id: str) -> bool:
    """Whether there is anything above a record; most have nothing, and this costs a tenth of looking for all of it."""

    def select_part_of() -> Statement:
        table = FAMILIES[name].table()
        return select(table.c.part_of).where(table.c.id == bindparam("id", type_=table.c.id.type))

    return any(row[0] is not None for row in read_rows(reader, ("part of", name), select_part_of, {"id": record_id}))


def _select_related(table: Table, count: int, *, is_above: bool) -> Select[Any]:
    """The ids above or below the asked ones, the nearest first."""
    asked = [bindparam(f"id_{place}", type_=table.c.id.type) for place in range(count)]
    known, wanted = (table.c.id, table.c.part_of) if is_above else (table.c.part_of, table.c.id)
    first = select(wanted.label("id"), literal_column("1", Integer).label("depth"))
    found = first.where(known.in_(asked), wanted.is_not(None)).cte("related", recursive=True)
    further = select(wanted, found.c.depth + ONE).where(
        known == found.c.id, wanted.is_not(None), found.c.depth < literal_column(str(MOST_LAYERS))
    )
    related = found.union_all(further)
    return select(related.c.id).group_by(related.c.id).order_by(func.min(related.c.depth), related.c.id)


# What an exact answer leaves out


def left_out(reader: Reader, query: Query) -> list[LeftOut]:
    """The treatments and conditions with records that `scope=applies` would add to this query, the nearest first."""
    name = ("left out", query.resource, query.scope, *((key, tuple(value)) for key, value in _sequences(query)))
    if name not in reader.memo:
        reader.memo[name] = _look_for_left_out(reader, query)
    found: list[LeftOut] = reader.memo[name]
    return found


def _sequences(query: Query) -> Iterator[tuple[str, Sequence[Any]]]:
    """The filters of a query, each with a sequence of values."""
    for name, value in query.filters.items():
        yield name, value if isinstance(value, list) else [value]


def _look_for_left_out(reader: Reader, query: Query) -> list[LeftOut]:
    candidates = list(_candidates(reader, query))
    with_records = _with_records(reader, query.resource, [filters for _, filters in candidates])
    return [part for place, (part, _) in enumerate(candidates) if place in with_records]


def inherited(connection: Connection, query: Query, address: Address) -> list[dict[str, Any]]:
    """The entries of `inherited` for a query that decides on exact records only."""
    return [part.entry(address) for part in left_out(ConnectionReader(connection), query)]


def _candidates(reader: Reader, query: Query) -> Iterator[tuple[LeftOut, dict[str, Any]]]:
    """Each pair that applies beside those asked for, with the filters of its records."""
    names = subjects(query)
    if query.scope == "applies" or not names:
        return
    asked = {name: list(query.filters[name]) for name in names}
    choices = {name: [*asked[name], *_above(reader, name, asked[name])] for name in names}
    has_both = len(names) == len(FAMILIES)
    if has_both:
        choices["condition"].append(None)
    pairs = product(choices.get("treatment", [None]), choices.get("condition", [None]))
    beside = [pair for pair in pairs if not all(dict(zip(FAMILIES, pair, strict=True))[n] in asked[n] for n in names)]
    for treatment, condition in beside[:MOST_LEFT_OUT]:
        pair = {"treatment": treatment, "condition": condition}
        is_general = has_both and condition is None
        filters = {**query.filters, **{name: [pair[name]] for name in names}}
        shown = filters | ({"condition": asked["condition"]} if is_general else {})
        yield LeftOut(treatment, condition, _path(query.resource, shown, "applies" if is_general else "exact")), filters


def _path(resource: type[Row], filters: Mapping[str, Any], scope: Scope) -> str:
    """The path of a list with these filters."""
    parameters = dict(filters) | ({} if scope == default_scope(resource) else {"scope": scope})
    return f"/v1/{resource.plural}?{urlencode(sorted(parameters.items()), doseq=True)}"


def _with_records(reader: Reader, resource: type[Row], selections: Sequence[Mapping[str, Any]]) -> set[int]:
    """The places of those of the selections, given as filters, that have a record: one statement, a row for each."""
    queries = [Query(resource, filters) for filters in selections]
    if not queries:
        return set()
    shapes = tuple(map(filters_of, queries))

    def first_of_each() -> Statement:
        parts = []
        for place, shape in enumerate(shapes):
            within = conditions(resource, shape, mark=f"of_{place}_")
            found = select(literal_column(str(place), Integer).label("place"))
            parts.append(found.where(published(resource.table()), *within).limit(ONE).subquery())
        return union_all(*(select(part.c.place) for part in parts))

    values = {
        f"of_{place}_{name}": value
        for place, query in enumerate(queries)
        for name, value in filter_values(query).items()
    }
    return {row[0] for row in read_rows(reader, ("with records", resource, shapes), first_of_each, values)}
