"""What the index holds of a record: its words, the names that it can be called by, and its values for counting."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import to_json

from app.fields import facets_of, id_filters, singular, uses
from app.models import RESOURCES
from app.models.base import Known, Row
from app.models.vocabulary import SPOKEN
from app.search.expressions import ABOUT, DOT, MOST_PLACES, NAMED, about_token, holding_token, whole_name
from app.search.text_fields import Mention, Text, contents
from app.search.tokens import tokens

INDEXING = 3
"""Raise it when the same record gets another entry: every database then makes its index anew."""
LABELS = ("name", "generic_names", "brand_names", "synonyms", "term")
"""The fields that name the thing itself: completed while a person types, and found in spite of slips."""
TERMS = "terms"
"""The side effects that a record names beside what it says: completed too, and found in spite of slips."""
TITLES = (*LABELS, "title", "acronym")
"""The fields by which a record is called."""
MAKERS = ("authors",)
"""The fields that say who made it: nearer to what it is about than a mention in its text."""
LEADS = ("outcome_text", "statement", "quote")
"""What tells a record without a name from others about the same things."""
LONGEST_TITLE = 200
SCOPE = "treatment"
"""Counts are kept for all records, and for those of one value of this filter."""
EVERYWHERE = ""


@dataclass(frozen=True)
class IndexEntry:
    """A record as the index holds it."""

    title: str
    words: str
    labels: tuple[str, ...]
    scopes: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    """Each field that can be counted with its value, as JSON; several rows for a field of several."""


def index_entry(plural: str, document: Mapping[str, Any], known: Known) -> IndexEntry | None:
    """The entry of a record; None for one that readers do not see.

    `known` gives the documents of the things that it refers to: their names are what it is about.
    """
    if document["state"] != "published":
        return None
    held = list(contents(plural, document))
    texts = [one for one in held if isinstance(one, Text)]
    mentions = [one for one in held if isinstance(one, Mention)]
    things = list(dict.fromkeys((to.plural, to.id) for to in mentions if to.is_filter and is_thing(to.plural)))
    names = {thing: names_in(known(*thing)) for thing in things}
    values = tuple(_values(plural, document, mentions))
    return IndexEntry(
        title=_title(document, mentions, known),
        words=" ".join(_words(plural, document, texts, names)),
        labels=tuple(dict.fromkeys(_listed(document, (*LABELS, TERMS)))),
        scopes=tuple(sorted({value for name, value in _plain(values) if name == SCOPE})),
        values=values,
    )


@cache
def is_thing(plural: str) -> bool:
    """Whether records of that kind are things with names, which others are about: treatments, conditions, outcomes."""
    return "name" in RESOURCES[plural].model_fields


@cache
def kinds_in_order() -> tuple[str, ...]:
    """Every kind in the order of search: what stands for itself before what is said of it."""
    return tuple(sorted(RESOURCES, key=lambda plural: RESOURCES[plural].search_rank))


def names_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a thing."""
    return tuple(dict.fromkeys(_listed(document, LABELS)))


def _title(document: Mapping[str, Any], mentions: Sequence[Mention], known: Known) -> str:
    """What a record is called in a list of results: its own name, or what it is about and how it begins."""
    own = next(_listed(document, TITLES), None)
    if own is None:
        things = [to for to in mentions if "." not in to.path and is_thing(to.plural)]
        scope = [document["jurisdiction"]] if document.get("jurisdiction") else []
        lead = next(_listed(document, LEADS), None)
        own = ", ".join([*(known(to.plural, to.id)["name"] for to in things), *scope]) + (f": {lead}" if lead else "")
    return own if len(own) <= LONGEST_TITLE else own[: LONGEST_TITLE - 1].rstrip() + "…"


def _words(
    plural: str, document: Mapping[str, Any], texts: Sequence[Text], names: Mapping[tuple[str, str], Sequence[str]]
) -> Iterator[str]:
    """The indexed text: whole names, words of names, what it is about, words of all texts."""
    called = [tokens(name) for name in dict.fromkeys(_listed(document, TITLES))]
    own = [(plural, str(document["id"]))] if is_thing(plural) else []
    found = [whole_name(words).text for words in [*called, tokens(str(document["id"]))] if words]
    found += _signed(called, NAMED)
    found += [about_token(*thing) for thing in [*own, *names]]
    found += [holding_token(*thing) for thing in names if RESOURCES[plural].holds_for_parts]
    found += _signed(
        map(tokens, [*(name for one in names.values() for name in one), *_closed(plural, document)]), ABOUT
    )
    found += _signed([tokens(text.text) for text in texts], "")
    yield from found[:MOST_PLACES]


def _signed(texts: Iterable[Sequence[str]], sign: str) -> Iterator[str]:
    for words in texts:
        yield DOT
        yield from (sign + word for word in words)


def _closed(plural: str, document: Mapping[str, Any]) -> Iterator[str]:
    """The words for what sort of record it is: its kind, its id, who made it, its values from closed lists."""
    yield from (plural, singular(plural).replace("_", " "), str(document["id"]))
    yield from _listed(document, MAKERS)
    for name in closed_fields(RESOURCES[plural]):
        if document.get(name):
            word = str(document[name])
            yield word
            if word in SPOKEN:
                yield SPOKEN[word]


@cache
def closed_fields(resource: type[Row]) -> tuple[str, ...]:
    """The fields that hold a word of a closed list."""
    targets = id_filters(resource)
    return tuple(
        name
        for name, use in uses(resource).items()
        if use.is_facet and use.shape == "word" and name not in targets and name not in Row.model_fields
    )


def _values(plural: str, document: Mapping[str, Any], mentions: Sequence[Mention]) -> Iterator[tuple[str, str]]:
    for name, target in facets_of(RESOURCES[plural]).items():
        if target is None:
            yield name, to_json(document.get(name)).decode()
        else:
            ids = sorted({to.id for to in mentions if to.plural == target})
            yield from ((name, to_json(one).decode()) for one in (ids or (None,)))


def _plain(values: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The values that are ids, without their quotes."""
    for name, value in values:
        if value.startswith('"'):
            yield name, value[1:-1]


def _listed(document: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        held = document.get(name)
        if isinstance(held, str):
            yield held
        elif isinstance(held, list):
            yield from held


RANGE_BITS = 40


def place_range(kind: str) -> tuple[int, int]:
    """The places of a kind: the lowest, and the first one beyond."""
    rank = RESOURCES[kind].search_rank
    return rank << RANGE_BITS, (rank + 1) << RANGE_BITS


def kind_at(place: int) -> str:
    """The kind that a place belongs to."""
    return next(kind for kind in RESOURCES if RESOURCES[kind].search_rank == place >> RANGE_BITS)
