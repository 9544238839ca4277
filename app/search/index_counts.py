"""Rows that an index entry adds to the counting tables: name prefixes, trigrams of words, facet values."""

from collections.abc import Iterable, Iterator, Sequence

from app.search.index_entries import EVERYWHERE, is_entity
from app.search.tokens import grams, tokens, word_starts

LONGEST_LABEL = 200
LONGEST_BEGINNING = 100
MOST_BEGINNINGS = 12
LONGEST_VALUE = 300
"""Characters of a facet value: no filter takes a longer one."""
NONE = "null"
"""The facet value, as JSON, of records in which the field is empty."""


def name_keys(kind: str, record_id: str, labels: Iterable[str]) -> Iterator[tuple[str, str, str, str, bool]]:
    """Rows of the name table: kind, beginning, label, id of the entity, whether the beginning is the whole name.

    The id is empty for a term, because many records share it.
    """
    for label in labels:
        for number, beginning in enumerate(word_starts(label)):
            if number < MOST_BEGINNINGS:
                entity_id = record_id if is_entity(kind) else ""
                yield kind, beginning[:LONGEST_BEGINNING], label[:LONGEST_LABEL], entity_id, number == 0


def gram_keys(labels: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    """Rows of the trigram table: trigram, length of the word, word; each word once a record."""
    for word in {word for label in labels for word in tokens(label)}:
        for gram in grams(word):
            yield gram, len(word), word


def facet_keys(
    kind: str, scopes: Sequence[str], values: Iterable[Sequence[str]]
) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the facet table: kind, scope, field, value as JSON."""
    for field, value in values:
        if len(value) <= LONGEST_VALUE:
            yield from ((kind, scope, field, value) for scope in (EVERYWHERE, *scopes))
