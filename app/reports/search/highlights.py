"""Snippets of search hits: the text of a record, or the name of a referenced record, that matches the query."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from app.models import RESOURCES
from app.models.base import Key
from app.search.highlighting import Segment, Wanted, best_text, snippet
from app.search.index_entries import closed_fields, is_entity
from app.search.name_index import labels_of
from app.search.text_fields import Mention, Text, contents


class Highlighter:
    """Finds the matching field and the snippet of each hit; names of referenced records are read in one query."""

    def __init__(
        self, connection: Connection, wanted: Wanted, codes: Collection[str], documents: Mapping[Key, Mapping[str, Any]]
    ) -> None:
        self.wanted = wanted
        self.codes = codes
        self.documents = documents
        self._contents = {key: list(contents(key[0], document)) for key, document in documents.items()}
        things = {(reference.plural, reference.id) for parts in self._contents.values() for reference in _things(parts)}
        self._labels = labels_of(connection, things)

    def of(self, key: Key, title: str, match: str) -> tuple[str | None, list[Segment]]:
        """The matching field and its snippet; None and the title, unmarked, when no single field matches."""
        parts, document = self._contents[key], self.documents[key]
        texts = [(part.path, part.text) for part in parts if isinstance(part, Text)]
        texts.sort(key=lambda text: text[0].count("."))
        if match == "identifier":
            for field, value in _identifiers(document):
                if value.lower() in self.codes:
                    return field, [Segment(text=value, is_match=True)]
        found = best_text([*texts, *self._names(parts), *_vocabulary_terms(key[0], document)], self.wanted)
        found = found or best_text([("id", key[1])], self.wanted)
        if found is None:
            return None, snippet(title, [])
        field, text, places = found
        return field, snippet(text, places)

    def _names(self, parts: Sequence[Text | Mention]) -> Iterator[tuple[str, str]]:
        """Names of the records that a record is about, each with the path of the referencing field."""
        for reference in _things(parts):
            yield from ((reference.path, label) for label in self._labels.get((reference.plural, reference.id), ()))


def _things(parts: Sequence[Text | Mention]) -> Iterator[Mention]:
    """References to records with names (treatments, conditions, …)."""
    yield from (
        reference
        for reference in parts
        if isinstance(reference, Mention) and reference.is_filter and is_entity(reference.plural)
    )


def _identifiers(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Values of a record that may be identifiers: its string fields, and its codes in external systems."""
    for name, value in document.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            yield from ((f"{name}.{n}.code", item["code"]) for n, item in enumerate(value) if _is_code(item))


def _is_code(value: Any) -> bool:
    return isinstance(value, dict) and {"system", "code"} <= value.keys()


def _vocabulary_terms(kind: str, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in closed_fields(RESOURCES[kind]):
        if document.get(name):
            yield name, str(document[name])
