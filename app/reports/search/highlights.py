"""Where a found record says what was asked: in a text of its own, or in the name of a thing that it is about."""

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
    """Finds the place in each of some records; the names of the things that they are about are read together."""

    def __init__(
        self, connection: Connection, wanted: Wanted, codes: Collection[str], documents: Mapping[Key, Mapping[str, Any]]
    ) -> None:
        self.wanted = wanted
        self.codes = codes
        self.documents = documents
        self._held = {key: list(contents(key[0], document)) for key, document in documents.items()}
        things = {(to.plural, to.id) for held in self._held.values() for to in _things(held)}
        self._labels = labels_of(connection, things)

    def of(self, key: Key, title: str, match: str) -> tuple[str | None, list[Segment]]:
        """The field and the snippet; no field and the unmarked title where no single place has what was asked."""
        held, document = self._held[key], self.documents[key]
        texts = [(one.path, one.text) for one in held if isinstance(one, Text)]
        texts.sort(key=lambda one: one[0].count("."))
        if match == "identifier":
            for field, value in _plain(document):
                if value.lower() in self.codes:
                    return field, [Segment(text=value, is_match=True)]
        found = best_text([*texts, *self._names(held), *_closed(key[0], document)], self.wanted)
        found = found or best_text([("id", key[1])], self.wanted)
        if found is None:
            return None, snippet(title, [])
        field, text, places = found
        return field, snippet(text, places)

    def _names(self, held: Sequence[Text | Mention]) -> Iterator[tuple[str, str]]:
        """The names of the things that a record is about, under the field that refers to them."""
        for to in _things(held):
            yield from ((to.path, label) for label in self._labels.get((to.plural, to.id), ()))


def _things(held: Sequence[Text | Mention]) -> Iterator[Mention]:
    """The mentions of things that have names."""
    yield from (to for to in held if isinstance(to, Mention) and to.is_filter and is_entity(to.plural))


def _plain(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The identifiers of a record: its own id, and those that others gave it."""
    for name, value in document.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, list):
            yield from ((f"{name}.{n}.code", one["code"]) for n, one in enumerate(value) if _is_code(one))


def _is_code(value: Any) -> bool:
    return isinstance(value, dict) and {"system", "code"} <= value.keys()


def _closed(kind: str, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in closed_fields(RESOURCES[kind]):
        if document.get(name):
            yield name, str(document[name])
