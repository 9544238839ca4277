"""The names that the index knows: which things are called so, which words are near a mistyped one, what begins so."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import NamedTuple

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, TextClause, bindparam, func, select, text

from app.db.tables import ENTRY, GRAM, NAME
from app.models import RESOURCES
from app.models.base import Key
from app.search.index_entries import is_thing, kinds_in_order
from app.search.tokens import distance, grams, slips_allowed

MOST_NEAR = 50
"""Words with the most common pieces that are measured letter by letter."""
MOST_CORRECTIONS = 3
MOST_THINGS = 20
MOST_WIDER = 20
MOST_BEGINNING = 60
"""Names of one kind that are looked at for one beginning."""
WIDER = "part_of"
"""The field of a thing that says which wider thing it belongs to."""
LAST_LETTER = "\U0010ffff"


class Beginning(NamedTuple):
    """A name that begins as was typed."""

    kind: str
    label: str
    id: str
    is_whole: bool
    is_exact: bool
    n: int


def near_words(connection: Connection, word: str) -> tuple[str, ...]:
    """The words of names that a mistyped word may mean: those with the fewest slips, at most three."""
    slips = slips_allowed(word)
    if not slips:
        return ()
    query = (
        select(GRAM.c.word)
        .where(GRAM.c.gram.in_(sorted(grams(word))), GRAM.c.size.between(len(word) - slips, len(word) + slips))
        .group_by(GRAM.c.word)
        .order_by(func.count().desc(), GRAM.c.word)
        .limit(MOST_NEAR)
    )
    measured = [(distance(word, other), other) for other in connection.scalars(query)]
    fewest = min((far for far, _ in measured if far <= slips), default=None)
    return tuple(other for far, other in measured if far == fewest)[:MOST_CORRECTIONS]


def named_side_by_side(connection: Connection, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of some pairs of words that stand side by side in a name, or are what a kind is called."""
    kinds, every = kinds_in_order(), list(dict.fromkeys(pairs))
    if not every:
        return set()
    asked = {"pairs": to_json(list(map(" ".join, every))).decode(), "last": LAST_LETTER, "kinds": kinds}
    found = set(connection.scalars(_side_by_side(connection.dialect.name), asked))
    called = {tuple(kind.split("-")) for kind in kinds}
    return {pair for pair in every if " ".join(pair) in found or pair in called}


@cache
def _side_by_side(dialect: str) -> TextClause:
    lists = {
        "sqlite": "json_each(:pairs)",
        "postgresql": "json_array_elements_text(CAST(:pairs AS json)) AS pairs (value)",
    }
    named = f"SELECT 1 FROM {NAME.name} WHERE kind IN :kinds AND beginning >= value AND beginning < value || :last"  # noqa: S608  # our own names
    query = f"SELECT value FROM {lists[dialect]} WHERE EXISTS ({named})"  # noqa: S608  # our own names
    return text(query).bindparams(bindparam("kinds", expanding=True))


def things_named(connection: Connection, names: Iterable[str]) -> dict[str, list[Key]]:
    """The things that are called so, by their folded names."""
    kinds = [kind for kind in kinds_in_order() if is_thing(kind)]
    query = (
        select(NAME.c.beginning, NAME.c.kind, NAME.c.id)
        .where(NAME.c.kind.in_(kinds), NAME.c.beginning.in_(sorted(names)), NAME.c.is_whole)
        .order_by(NAME.c.kind, NAME.c.beginning, NAME.c.id)
        .limit(MOST_THINGS)
    )
    found: dict[str, list[Key]] = {}
    for name, kind, record_id in connection.execute(query):
        if (kind, record_id) not in found.setdefault(name, []):
            found[name].append((kind, record_id))
    return found


def labels_of(connection: Connection, things: Collection[Key]) -> dict[Key, list[str]]:
    """All names of each thing."""
    kinds, ids = {kind for kind, _ in things}, {record_id for _, record_id in things}
    query = select(ENTRY.c.kind, ENTRY.c.id, ENTRY.c.labels).where(ENTRY.c.kind.in_(kinds), ENTRY.c.id.in_(ids))
    found = connection.execute(query) if things else ()
    return {(kind, record_id): from_json(labels) for kind, record_id, labels in found if (kind, record_id) in things}


def wider_than(connection: Connection, things: Iterable[Key]) -> list[Key]:
    """The things that others are part of, and what those are part of."""
    found: list[Key] = []
    level = list(things)
    while level and len(found) < MOST_WIDER:
        above: list[Key] = []
        for kind in sorted({kind for kind, _ in level}):
            table = RESOURCES[kind].table()
            if WIDER in table.c:
                ids = sorted(record_id for one, record_id in level if one == kind)
                query = select(table.c[WIDER]).where(table.c.id.in_(ids), table.c[WIDER].is_not(None)).distinct()
                above += [(kind, record_id) for record_id in connection.scalars(query.order_by(table.c[WIDER]))]
        level = [key for key in above if key not in found]
        found += level
    return found[:MOST_WIDER]


def beginning_with(connection: Connection, kind: str, typed: str) -> Sequence[Beginning]:
    """Names of a kind that begin, from one of their words on, as was typed (folded); the first ones by the alphabet."""
    query = (
        select(NAME)
        .where(NAME.c.kind == kind, NAME.c.beginning >= typed, NAME.c.beginning < typed + LAST_LETTER)
        .order_by(NAME.c.beginning)
        .limit(MOST_BEGINNING)
    )
    return [
        Beginning(row.kind, row.label, row.id, row.is_whole, row.beginning == typed, row.n)
        for row in connection.execute(query)
    ]
