"""The name index: entities by name, spelling correction by trigrams, and completion by prefix."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, TextClause, bindparam, func, select, text

from app.db.tables import ENTRY, GRAM, NAME
from app.json_codec import from_json, to_json
from app.models import RESOURCES
from app.models.base import Key
from app.search.index_entries import is_entity, kinds_in_order
from app.search.tokens import distance, grams, slips_allowed

MOST_NEAR = 50
"""Candidates with the most trigrams in common whose edit distance is computed."""
MOST_CORRECTIONS = 3
MOST_ENTITIES = 20
MOST_WIDER = 20
MOST_BEGINNING = 60
"""Names of one kind that are read for one typed prefix."""
WIDER = "part_of"
"""The field of an entity with the id of the wider entity that it is part of."""
LAST_LETTER = "\U0010ffff"


class Beginning(NamedTuple):
    """A completion: a name, or the rest of it from one of its words on, that begins with the typed text."""

    kind: str
    label: str
    id: str
    is_whole: bool
    is_exact: bool
    n: int


def near_words(connection: Connection, word: str) -> tuple[str, ...]:
    """Spelling corrections: the words of names at the smallest edit distance from a word, at most three."""
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
    """Those of the word pairs that stand side by side in a record's name, or name a kind of record (`side effects`)."""
    kinds, distinct = kinds_in_order(), list(dict.fromkeys(pairs))
    if not distinct:
        return set()
    parameters = {"pairs": to_json(list(map(" ".join, distinct))).decode(), "last": LAST_LETTER, "kinds": kinds}
    found = set(connection.scalars(_side_by_side(connection.dialect.name), parameters))
    kind_names = {tuple(kind.split("-")) for kind in kinds}
    return {pair for pair in distinct if " ".join(pair) in found or pair in kind_names}


@cache
def _side_by_side(dialect: str) -> TextClause:
    lists = {
        "sqlite": "json_each(:pairs)",
        "postgresql": "json_array_elements_text(CAST(:pairs AS json)) AS pairs (value)",
    }
    named = f"SELECT 1 FROM {NAME.name} WHERE kind IN :kinds AND beginning >= value AND beginning < value || :last"  # noqa: S608  # our own names
    query = f"SELECT value FROM {lists[dialect]} WHERE EXISTS ({named})"  # noqa: S608  # our own names
    return text(query).bindparams(bindparam("kinds", expanding=True))


def entities_named(connection: Connection, names: Iterable[str]) -> dict[str, list[Key]]:
    """The entities with these folded names, by name."""
    kinds = [kind for kind in kinds_in_order() if is_entity(kind)]
    query = (
        select(NAME.c.beginning, NAME.c.kind, NAME.c.id)
        .where(NAME.c.kind.in_(kinds), NAME.c.beginning.in_(sorted(names)), NAME.c.is_whole)
        .order_by(NAME.c.kind, NAME.c.beginning, NAME.c.id)
        .limit(MOST_ENTITIES)
    )
    found: dict[str, list[Key]] = {}
    for name, kind, record_id in connection.execute(query):
        if (kind, record_id) not in found.setdefault(name, []):
            found[name].append((kind, record_id))
    return found


def labels_of(connection: Connection, entities: Collection[Key]) -> dict[Key, list[str]]:
    """All names of each entity."""
    kinds, ids = {kind for kind, _ in entities}, {record_id for _, record_id in entities}
    query = select(ENTRY.c.kind, ENTRY.c.id, ENTRY.c.labels).where(ENTRY.c.kind.in_(kinds), ENTRY.c.id.in_(ids))
    found = connection.execute(query) if entities else ()
    return {(kind, record_id): from_json(labels) for kind, record_id, labels in found if (kind, record_id) in entities}


def wider_than(connection: Connection, entities: Iterable[Key]) -> list[Key]:
    """The wider entities that these are part of, at every level."""
    found: list[Key] = []
    level = list(entities)
    while level and len(found) < MOST_WIDER:
        above: list[Key] = []
        for kind in sorted({kind for kind, _ in level}):
            table = RESOURCES[kind].table()
            if WIDER in table.c:
                ids = sorted(record_id for level_kind, record_id in level if level_kind == kind)
                query = select(table.c[WIDER]).where(table.c.id.in_(ids), table.c[WIDER].is_not(None)).distinct()
                above += [(kind, record_id) for record_id in connection.scalars(query.order_by(table.c[WIDER]))]
        level = [key for key in above if key not in found]
        found += level
    return found[:MOST_WIDER]


def beginning_with(connection: Connection, kind: str, typed: str) -> Sequence[Beginning]:
    """Completions: names of a kind that begin, from one of their words on, with the (folded) text; alphabetical."""
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
