"""Litestar with msgspec over plain sqlite3: the leanest way that a framework of Python offers."""

import os
import sqlite3

from litestar import Litestar, get
from litestar.exceptions import NotFoundException
from msgspec import Raw, Struct

connection = sqlite3.connect(f"file:{os.environ['PEERS_DATABASE']}?mode=ro", uri=True, check_same_thread=False)


class Condition(Struct):
    """A condition."""

    id: str
    name: str
    definition: str | None


class SideEffect(Struct):
    """A side effect; its parts are JSON already."""

    id: str
    citations: Raw
    treatment: str
    condition: str | None
    term: str
    organ_class: str | None
    serious: bool | None
    basis: str
    attribution: str
    study: str | None
    arms: Raw
    frequency: str | None
    affected: int | None
    at_risk: int | None
    percent: float | None
    missing: Raw
    curator_checked: str | None
    version: int
    created_at: str
    updated_at: str
    state: str
    verification: str | None
    checked_on: str | None
    source_status: str | None
    needs_review: bool
    review_due: str | None
    superseded_by: str | None


class SideEffectWithCondition(SideEffect):
    """A side effect with its condition."""

    about: Condition | None = None


class Page(Struct):
    """A list of side effects."""

    items: list[SideEffect]


class PageWithConditions(Struct):
    """A list of side effects with their conditions."""

    items: list[SideEffectWithCondition]


FIELDS = SideEffect.__struct_fields__
COLUMNS = ", ".join(f"s.{name}" for name in FIELDS)
ONE = f"SELECT {COLUMNS} FROM side_effect s WHERE id = ?"
ALL = f"SELECT {COLUMNS} FROM side_effect s ORDER BY id LIMIT ?"
OF_TREATMENT = f"SELECT {COLUMNS} FROM side_effect s WHERE treatment = ? ORDER BY id LIMIT ?"
BY_PERCENT = f"SELECT {COLUMNS} FROM side_effect s WHERE treatment = ? ORDER BY percent DESC LIMIT ?"
WITH_CONDITION = (
    f"SELECT {COLUMNS}, c.id, c.name, c.definition FROM side_effect s LEFT JOIN condition c ON c.id = s.condition"
    " WHERE s.treatment = ? ORDER BY s.id LIMIT ?"
)
JSON = {FIELDS.index(name) for name in ("citations", "arms", "missing")}
TRUTH = {FIELDS.index(name) for name in ("serious", "needs_review")}


def _values(row: tuple[object, ...]) -> list[object]:
    values = list(row[: len(FIELDS)])
    for place in JSON:
        values[place] = Raw(values[place])
    for place in TRUTH:
        values[place] = None if values[place] is None else bool(values[place])
    return values


def _page(statement: str, *parameters: object) -> Page:
    return Page([SideEffect(*_values(row)) for row in connection.execute(statement, parameters)])


@get("/side-effects", sync_to_thread=False)
def read_side_effects(treatment: str | None = None, limit: int = 20, sort: str = "id") -> Page:
    """A list, all of it or of one treatment."""
    if treatment is None:
        return _page(ALL, limit)
    return _page(BY_PERCENT if sort == "-percent" else OF_TREATMENT, treatment, limit)


@get("/side-effects-with-conditions", sync_to_thread=False)
def read_with_conditions(treatment: str, limit: int = 20) -> PageWithConditions:
    """A list of one treatment, each with its condition."""
    rows = connection.execute(WITH_CONDITION, (treatment, limit))
    return PageWithConditions([SideEffectWithCondition(*_values(row), Condition(*row[-3:])) for row in rows])


@get("/side-effects/{side_effect_id:str}", sync_to_thread=False)
def read_side_effect(side_effect_id: str) -> SideEffect:
    """One side effect."""
    row = connection.execute(ONE, (side_effect_id,)).fetchone()
    if row is None:
        raise NotFoundException
    return SideEffect(*_values(row))


@get("/treatments/{treatment_id:str}/side-effects", sync_to_thread=False)
def read_side_effects_of(treatment_id: str, limit: int = 20) -> Page:
    """A list of one treatment, which must be there."""
    if connection.execute("SELECT 1 FROM treatment WHERE id = ?", (treatment_id,)).fetchone() is None:
        raise NotFoundException
    return _page(OF_TREATMENT, treatment_id, limit)


app = Litestar(
    [read_side_effects, read_with_conditions, read_side_effect, read_side_effects_of],
    openapi_config=None,
)
