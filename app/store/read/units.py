"""A dose is compared within one unit: a query that mixes the units of several products is refused, with the rule."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, select

from app.errors import NotComparable
from app.fields import FieldUse, uses
from app.models.base import Row
from app.models.treatments import DoseUnit, Treatment
from app.models.vocabulary import WarningRule
from app.models.warnings import Warning
from app.store.read.lists import narrowed, with_present_ids
from app.store.read.query import BOUNDS, Query

RULE: WarningRule = "units-not-interchangeable"
MOST_LAYERS = 10
"""How many classes above a product are looked at."""
MOST_RULES = 10
"""How many warnings that set the rule are named."""
MOST_OFFERS = 20
"""How many products a refusal names, each of which would be right."""
ROWS_FOR_OFFERS = 1000
"""How many records are looked at to find those products."""


def compared(query: Query) -> list[tuple[str, FieldUse]]:
    """The parameters of a query that compare amounts in a product's own unit, each with the field it compares."""
    known = uses(query.resource)
    names = [(name, _field_of(name, known)) for name in query.filters]
    names += [("sort", key.removeprefix("-")) for key in query.sort]
    return [(parameter, known[name]) for parameter, name in names if name in known and known[name].unit]


def compares_amounts(resource: type[Row]) -> bool:
    """Whether a list of the resource can be asked to compare amounts in products' own units."""
    return any(use.unit for use in uses(resource).values())


def refuse_mixed_units(connection: Connection, query: Query, public_url: str) -> None:
    """NotComparable where the query compares amounts and is not narrowed to one unit.

    It is narrowed by one value of the field that names the unit, or by treatments whose units are one and the same, or
    name each other as interchangeable. The question alone decides, not which records happen to match.
    """
    query = with_present_ids(connection, query)
    mixed = [(parameter, use) for parameter, use in compared(query) if not _is_one_unit(connection, query, use)]
    if not mixed:
        return
    offers = _offers(connection, query, mixed)
    treatments = query.filters.get("treatment") or [treatment for treatment, _ in offers]
    rules = [_in_short(rule, public_url) for rule in rules_for(connection, treatments)]
    errors = [_refusal(parameter, use, offers) | ({"rules": rules} if rules else {}) for parameter, use in mixed]
    reason = rules[0]["statement"] if rules else "A unit belongs to its product and is never converted."
    raise NotComparable(f"{errors[0]['parameter']}: {errors[0]['detail']}. {reason}", errors=errors)


def rules_for(connection: Connection, treatments: Collection[str]) -> list[dict[str, Any]]:
    """The published warnings that forbid to compare the treatments' doses: their own and those of classes above."""
    table = Warning.table()
    concerned = sorted({*treatments, *_classes_above(connection, treatments)})
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
    return all(one.means_the_same_as(other) for one, other in combinations(units, 2))


def _units_of(connection: Connection, treatments: Sequence[str]) -> list[DoseUnit]:
    """The units of the treatments that have one; a class has none, so no dose stands under it."""
    table = Treatment.table()
    found = connection.execute(select(table.c.dose_unit).where(table.c.id.in_(treatments))).scalars()
    return [DoseUnit.model_validate(unit) for unit in found if unit is not None]


def _offers(connection: Connection, query: Query, mixed: Sequence[tuple[str, FieldUse]]) -> list[tuple[str, str]]:
    """Some treatments, with their units, to which the query could be narrowed: they stand in what it asks for."""
    table = query.resource.table()
    asked = {parameter for parameter, _ in mixed}
    rest = replace(query, filters={name: value for name, value in query.filters.items() if name not in asked})
    unit = table.c[str(mixed[0][1].unit)]
    some = select(table.c.treatment, unit.label("unit")).where(*narrowed(table, rest), unit.is_not(None))
    drawn = some.limit(ROWS_FOR_OFFERS).subquery()
    named = select(drawn.c.treatment, drawn.c.unit).distinct().order_by(drawn.c.treatment).limit(MOST_OFFERS)
    return [(treatment, code) for treatment, code in connection.execute(named)]


def _refusal(parameter: str, use: FieldUse, offers: Sequence[tuple[str, str]]) -> dict[str, Any]:
    detail = f"{use.name} is in each product's own unit; narrow the query to one unit with {use.unit} or treatment"
    if not offers:
        return {"parameter": parameter, "detail": detail}
    treatment, code = offers[0]
    detail += f", for example treatment={treatment} or {use.unit}={code}"
    return {"parameter": parameter, "detail": detail, "known": [f"treatment={treatment}" for treatment, _ in offers]}


def _in_short(rule: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    """A rule as a refusal cites it: which warning, where it is, what it says, and the sources that it cites."""
    address = f"{public_url}/v1/{Warning.plural}/{rule['id']}"
    sources = list(dict.fromkeys(citation["source"] for citation in rule["citations"]))
    return {"id": rule["id"], "url": address, "statement": rule["statement"], "sources": sources}


def _classes_above(connection: Connection, treatments: Collection[str]) -> set[str]:
    table = Treatment.table()
    found: set[str] = set()
    below = set(treatments)
    for _ in range(MOST_LAYERS):
        query = select(table.c.part_of).where(table.c.id.in_(sorted(below)), table.c.part_of.is_not(None))
        below = set(connection.execute(query).scalars())
        if not below:
            break
        found |= below
    return found
