"""What an entry adds to the tables that are counted up: beginnings of names, pieces of words, values of fields."""

from collections.abc import Iterable, Iterator, Sequence

from app.search.index_entries import EVERYWHERE, is_thing
from app.search.tokens import grams, tokens, word_starts

LONGEST_LABEL = 200
LONGEST_BEGINNING = 100
MOST_BEGINNINGS = 12
LONGEST_VALUE = 300
"""Characters of a value that is counted: no filter takes a longer one."""
NONE = "null"
"""The value, as JSON, of the records without one."""


def name_keys(kind: str, record_id: str, labels: Iterable[str]) -> Iterator[tuple[str, str, str, str, bool]]:
    """The rows of the table of names: kind, beginning, label, id of the thing, whether the beginning is the whole name.

    A term has no id: many records share it.
    """
    for label in labels:
        for number, beginning in enumerate(word_starts(label)):
            if number < MOST_BEGINNINGS:
                thing = record_id if is_thing(kind) else ""
                yield kind, beginning[:LONGEST_BEGINNING], label[:LONGEST_LABEL], thing, number == 0


def gram_keys(labels: Iterable[str]) -> Iterator[tuple[str, int, str]]:
    """The rows of the table of pieces: piece, length of the word, word; each word once a record."""
    for word in {word for label in labels for word in tokens(label)}:
        for gram in grams(word):
            yield gram, len(word), word


def facet_keys(
    kind: str, scopes: Sequence[str], values: Iterable[Sequence[str]]
) -> Iterator[tuple[str, str, str, str]]:
    """The rows of the table of counts: kind, scope, field, value as JSON."""
    for field, value in values:
        if len(value) <= LONGEST_VALUE:
            yield from ((kind, scope, field, value) for scope in (EVERYWHERE, *scopes))
