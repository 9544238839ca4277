"""Index entries: the indexed text of a record, the names for completion, and the facet values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.fields import facets_of, id_filters, singular, uses
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.base import Known, Row
from app.models.vocabulary import SPOKEN
from app.search.expressions import ABOUT, DOT, MOST_PLACES, NAMED, about_token, holding_token, whole_name
from app.search.text_fields import Mention, Text, contents
from app.search.tokens import tokens

INDEXING = 3
"""Version of the index format. Raise it when the same record gets another entry: databases then rebuild their index."""
LABELS = ("name", "generic_names", "brand_names", "synonyms", "term")
"""Fields with the names of the record itself: offered as completions and matched in spite of misspellings."""
TERMS = "terms"
"""Field with the side effects that a record names: offered as completions and matched in spite of misspellings, too."""
TITLES = (*LABELS, "title", "acronym")
"""Fields with a name or title of the record."""
MAKERS = ("authors",)
"""Fields with the authors: ranked with the subject of the record, above a mention in its text."""
LEADS = ("outcome_text", "statement", "quote")
"""Fields whose text distinguishes a record without a name from others about the same entities."""
LONGEST_TITLE = 200
SCOPE = "treatment"
"""Facet counts are stored for all records, and for each value of this filter."""
EVERYWHERE = ""


@dataclass(frozen=True)
class IndexEntry:
    """The index entry of a record."""

    title: str
    words: str
    labels: tuple[str, ...]
    scopes: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    """Facets: field and value as JSON; several pairs for a field with several values."""


def index_entry(plural: str, document: Mapping[str, Any], known: Known) -> IndexEntry | None:
    """The index entry of a record; None unless it is published.

    `known` returns the documents of the entities that it refers to: their names are indexed as its subject.
    """
    if document["state"] != "published":
        return None
    found = list(contents(plural, document))
    texts = [content for content in found if isinstance(content, Text)]
    mentions = [content for content in found if isinstance(content, Mention)]
    entities = list(dict.fromkeys((to.plural, to.id) for to in mentions if to.is_filter and is_entity(to.plural)))
    names = {entity: names_in(known(*entity)) for entity in entities}
    values = tuple(_values(plural, document, mentions))
    return IndexEntry(
        title=_title(document, mentions, known),
        words=" ".join(_words(plural, document, texts, names)),
        labels=tuple(dict.fromkeys(_listed(document, (*LABELS, TERMS)))),
        scopes=tuple(sorted({value for name, value in _plain(values) if name == SCOPE})),
        values=values,
    )


@cache
def is_entity(plural: str) -> bool:
    """Whether records of a kind are named entities (treatments, conditions, outcomes) that other records are about."""
    return "name" in RESOURCES[plural].model_fields


@cache
def kinds_in_order() -> tuple[str, ...]:
    """Resource kinds by search rank: named entities (treatments, conditions) first, then records about them."""
    return tuple(sorted(RESOURCES, key=lambda plural: RESOURCES[plural].search_rank))


def names_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The distinct names of an entity."""
    return tuple(dict.fromkeys(_listed(document, LABELS)))


def _title(document: Mapping[str, Any], mentions: Sequence[Mention], known: Known) -> str:
    """Title of a record in search results: its own name, or the names of its entities and the beginning of its text."""
    own = next(_listed(document, TITLES), None)
    if own is None:
        entities = [to for to in mentions if "." not in to.path and is_entity(to.plural)]
        scope = [document["jurisdiction"]] if document.get("jurisdiction") else []
        lead = next(_listed(document, LEADS), None)
        own = ", ".join([*(known(to.plural, to.id)["name"] for to in entities), *scope]) + (f": {lead}" if lead else "")
    return own if len(own) <= LONGEST_TITLE else own[: LONGEST_TITLE - 1].rstrip() + "…"


def _words(
    plural: str, document: Mapping[str, Any], texts: Sequence[Text], names: Mapping[tuple[str, str], Sequence[str]]
) -> Iterator[str]:
    """Tokens of the indexed text: whole names, words of names, subject, words of all texts."""
    titles = [tokens(name) for name in dict.fromkeys(_listed(document, TITLES))]
    own = [(plural, str(document["id"]))] if is_entity(plural) else []
    found = [whole_name(words).text for words in [*titles, tokens(str(document["id"]))] if words]
    found += _signed(titles, NAMED)
    found += [about_token(*entity) for entity in [*own, *names]]
    found += [holding_token(*entity) for entity in names if RESOURCES[plural].holds_for_parts]
    found += _signed(
        map(tokens, [*(name for entity_names in names.values() for name in entity_names), *_closed(plural, document)]),
        ABOUT,
    )
    found += _signed([tokens(text.text) for text in texts], "")
    yield from found[:MOST_PLACES]


def _signed(texts: Iterable[Sequence[str]], sign: str) -> Iterator[str]:
    for words in texts:
        yield DOT
        yield from (sign + word for word in words)


def _closed(plural: str, document: Mapping[str, Any]) -> Iterator[str]:
    """Metadata of the record as words: its kind, its id, its authors, its values from closed vocabularies."""
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
    """The fields with a value of a closed vocabulary."""
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
            yield from ((name, to_json(record_id).decode()) for record_id in (ids or (None,)))


def _plain(values: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The values that are JSON strings, without their quotes."""
    for name, value in values:
        if value.startswith('"'):
            yield name, value[1:-1]


def _listed(document: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        value = document.get(name)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from value


RANGE_BITS = 40
"""Low bits of a place, which number the records of one kind; the bits above are the search rank of the kind."""


def place_range(kind: str) -> tuple[int, int]:
    """The range of places of a kind: the first, and the one after the last (excluded)."""
    rank = RESOURCES[kind].search_rank
    return rank << RANGE_BITS, (rank + 1) << RANGE_BITS


def kind_at(place: int) -> str:
    """The kind of the record at a place."""
    return next(kind for kind in RESOURCES if RESOURCES[kind].search_rank == place >> RANGE_BITS)
