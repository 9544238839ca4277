"""Refusal of queries that compare doses in different units, or per kg and absolute ones, with the warnings about it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from sqlalchemy import Connection, select

from app.errors import NotComparable
from app.fields import FieldUse, uses
from app.json_codec import from_json
from app.models.base import Row
from app.models.treatments import DoseUnit, Treatment
from app.models.vocabulary import WarningRule
from app.models.warnings import Warning
from app.store.read.filters import narrowed
from app.store.read.lists import with_present_ids
from app.store.read.prepared import ConnectionReader
from app.store.read.query import BOUNDS, Query
from app.store.read.scope import above, scoped

RULE: WarningRule = "units-not-interchangeable"
MOST_RULES = 10
"""Maximum number of warnings in the problem."""
MOST_OFFERS = 20
"""Maximum number of treatments that the problem suggests as a filter."""
ROWS_FOR_OFFERS = 1000
"""Maximum number of records that are read to find those treatments."""


def compared(query: Query) -> list[tuple[str, FieldUse]]:
    """The query's parameters that compare amounts in product-specific units, each with its field."""
    known = uses(query.resource)
    names = [(name, _field_of(name, known)) for name in query.filters]
    names += [("sort", key.removeprefix("-")) for key in query.sort]
    return [(parameter, known[name]) for parameter, name in names if name in known and known[name].unit]


def compares_amounts(resource: type[Row]) -> bool:
    """Whether the resource has a field in product-specific units, by which lists can compare."""
    return any(use.unit for use in uses(resource).values())


def refuse_mixed_units(connection: Connection, query: Query, public_url: str) -> None:
    """NotComparable if the query compares amounts and its filters do not restrict it to one unit.

    They do with a single value of the unit's field, or with treatments whose units are the same or name each other as
    interchangeable. Only the query decides, not the records that match it: the treatments asked
    for, and with `scope=family` those below them, never the classes above.
    """
    query = with_present_ids(connection, query)
    if query.scope == "family":
        query = scoped(ConnectionReader(connection), query)
    _refuse_mixed_bases(connection, query)
    mixed = [(parameter, use) for parameter, use in compared(query) if not _is_one_unit(connection, query, use)]
    if not mixed:
        return
    offers = _offers(connection, query, mixed)
    treatments = query.filters.get("treatment") or [treatment for treatment, _ in offers]
    rules = [_rule_entry(rule, public_url) for rule in dose_comparison_warnings(connection, treatments)]
    errors = [_error(parameter, use, offers) | ({"rules": rules} if rules else {}) for parameter, use in mixed]
    reason = rules[0]["statement"] if rules else "A unit belongs to its product and is never converted."
    raise NotComparable(f"{errors[0]['parameter']}: {errors[0]['detail']}. {reason}", errors=errors)


def _refuse_mixed_bases(connection: Connection, query: Query) -> None:
    """NotComparable if the query compares amounts of which some are absolute and others per kg or m².

    Unlike units, bases are looked up among the records that match the other filters: most products have one.
    """
    for parameter, use in compared(query):
        table, basis = query.resource.table(), use.basis
        if basis is None or len(query.filters.get(basis, ())) == 1:
            continue
        compared_parameters = {name for name, _ in compared(query)}
        others = {name: value for name, value in query.filters.items() if name not in compared_parameters}
        column = table.c[basis]
        statement = select(column).where(*narrowed(replace(query, filters=others)), column.is_not(None))
        found = sorted(connection.execute(statement.distinct()).scalars())
        if len(found) > 1:
            detail = (
                f"{use.name} is {' in some and '.join(found)} in other records, which are never compared; "
                f"narrow the query to one with {basis}, for example {basis}={found[0]}"
            )
            error = {"parameter": parameter, "detail": detail, "known": [f"{basis}={word}" for word in found]}
            raise NotComparable(f"{parameter}: {detail}.", errors=[error])


def dose_comparison_warnings(connection: Connection, treatments: Collection[str]) -> list[dict[str, Any]]:
    """The published warnings that doses must not be compared, of these treatments (ids) and the classes above them."""
    table = Warning.table()
    concerned = sorted({*treatments, *above(connection, "treatment", list(treatments))})
    query = select(table.c.document).where(
        table.c.rule == RULE, table.c.treatment.in_(concerned), table.c.state == "published"
    )
    documents = connection.execute(query.order_by(table.c.id).limit(MOST_RULES)).scalars()
    return [from_json(document) for document in documents]


def _field_of(parameter: str, known: Mapping[str, FieldUse]) -> str:
    return parameter if parameter in known else parameter[:-4] if parameter.endswith(tuple(BOUNDS)) else parameter


def _is_one_unit(connection: Connection, query: Query, use: FieldUse) -> bool:
    if len(query.filters.get(use.unit or "", ())) == 1:
        return True
    treatments = query.filters.get("treatment")
    if treatments is None:
        return False
    units = _units_of(connection, treatments)
    return all(unit.means_the_same_as(other) for unit, other in combinations(units, 2))


def _units_of(connection: Connection, treatments: Sequence[str]) -> list[DoseUnit]:
    """The units of the treatments; a class has no unit, and no doses."""
    table = Treatment.table()
    found = connection.execute(select(table.c.dose_unit).where(table.c.id.in_(treatments))).scalars()
    return [DoseUnit.model_validate(unit) for unit in found if unit is not None]


def _offers(connection: Connection, query: Query, mixed: Sequence[tuple[str, FieldUse]]) -> list[tuple[str, str]]:
    """Treatments and units to which the query could be restricted, from the records that match its other filters."""
    table = query.resource.table()
    mixed_parameters = {parameter for parameter, _ in mixed}
    other_query = replace(
        query, filters={name: value for name, value in query.filters.items() if name not in mixed_parameters}
    )
    unit = table.c[str(mixed[0][1].unit)]
    matching = select(table.c.treatment, unit.label("unit")).where(*narrowed(other_query), unit.is_not(None))
    sample = matching.limit(ROWS_FOR_OFFERS).subquery()
    offers = select(sample.c.treatment, sample.c.unit).distinct().order_by(sample.c.treatment).limit(MOST_OFFERS)
    return [(treatment, code) for treatment, code in connection.execute(offers)]


def _error(parameter: str, use: FieldUse, offers: Sequence[tuple[str, str]]) -> dict[str, Any]:
    detail = f"{use.name} is in each product's own unit; narrow the query to one unit with {use.unit} or treatment"
    if not offers:
        return {"parameter": parameter, "detail": detail}
    treatment, code = offers[0]
    detail += f", for example treatment={treatment} or {use.unit}={code}"
    return {"parameter": parameter, "detail": detail, "known": [f"treatment={treatment}" for treatment, _ in offers]}


def _rule_entry(rule: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """A warning as an entry of `rules` in the problem: id, URL, statement and cited sources."""
    address = f"{public_url}/v1/{Warning.plural}/{rule['id']}"
    sources = list(dict.fromkeys(citation["source"] for citation in rule["citations"]))
    return {"id": rule["id"], "url": address, "statement": rule["statement"], "sources": sources}
