"""Where a found record says what was asked: in a text of its own, or in the name of a thing that it is about."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from app.batch import Key
from app.models import RESOURCES
from app.search.contents import Mention, Text, contents
from app.search.entries import closed_fields, is_thing
from app.search.folding import tokens
from app.search.names import labels_of
from app.search.snippets import Segment, Wanted, best_text, snippet


class Evidence:
    """Finds the place in each record; the names of a thing are read once."""

    def __init__(self, connection: Connection, wanted: Wanted, asked: tuple[str, ...]) -> None:
        self.connection = connection
        self.wanted = wanted
        self.asked = asked
        self._labels: dict[Key, list[str]] = {}

    def of(self, kind: str, document: Mapping[str, Any], title: str, match: str) -> tuple[str | None, list[Segment]]:
        """The field and the snippet; no field and the unmarked title where no single place has what was asked."""
        held = list(contents(kind, document))
        texts = [(one.path, one.text) for one in held if isinstance(one, Text)]
        texts.sort(key=lambda one: one[0].count("."))
        if match == "identifier":
            for field, value in _plain(document):
                if self.asked[-len(tokens(value)) :] == tuple(tokens(value)):
                    return field, [Segment(text=value, is_match=True)]
        found = best_text([*texts, *self._names(held), *_closed(kind, document)], self.wanted)
        if found is None:
            return None, snippet(title, [])
        field, text, places = found
        return field, snippet(text, places)

    def _names(self, held: Sequence[Text | Mention]) -> Iterator[tuple[str, str]]:
        """The names of the things that a record is about, under the field that refers to them."""
        for to in held:
            if isinstance(to, Mention) and to.is_filter and is_thing(to.plural):
                key = (to.plural, to.id)
                if key not in self._labels:
                    self._labels[key] = labels_of(self.connection, key)
                yield from ((to.path, label) for label in self._labels[key])


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
