"""Autocomplete suggestions: treatments, conditions, outcomes, and terms of side effects and warnings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field
from sqlalchemy import Connection, select

from app.db.tables import ENTRY
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.types import Slug
from app.search.index_entries import LABELS, TERMS, is_entity, kinds_in_order
from app.search.name_index import Beginning, beginning_with, near_words
from app.search.tokens import tokens
from app.store.read.query import Address

SHORTEST = 2
"""The minimum length of the text, in characters."""
TERM = LABELS[-1]
"""The field whose value, a term, names many records."""


@dataclass(frozen=True)
class Typed:
    """A validated autocomplete query."""

    text: str
    kinds: tuple[str, ...] = ()
    limit: int = 8


class Suggestion(BaseModel):
    """A suggestion for autocomplete: a name or a term."""

    kind: str = Field(description="The resource, as in the URL.")
    id: Slug | None = Field(description="The record's id; null for a term, which many records share.")
    name: str = Field(description="The name of the record, or the term.")
    label: str = Field(description="The name that begins with the text: a brand name or a synonym, for example.")
    count: int = Field(description="How many records have the term; 1 for a record of its own.")
    url: str = Field(description="The page to go to: the record, or the list or search of those that have the term.")


class Suggestions(BaseModel):
    """Suggestions for autocomplete."""

    items: list[Suggestion] = Field(description="The suggestions, best first.")
    corrected: dict[str, list[str]] = Field(
        description="When no name begins with the text: its last word, with the words that replaced it."
    )


def suggested_kinds() -> tuple[str, ...]:
    """The resources in suggestions: those with names and those with terms."""
    return tuple(
        kind for kind in kinds_in_order() if is_entity(kind) or {TERM, TERMS} & RESOURCES[kind].model_fields.keys()
    )


def read_suggestions(connection: Connection, typed: Typed, address: Address) -> bytes:
    """The suggestions as JSON (`Suggestions`); empty for a text of fewer than two characters."""
    words = tokens(typed.text)
    corrected: dict[str, Sequence[str]] = {}
    found = _beginning(connection, typed, words)
    if not found and words:
        near = near_words(connection, words[-1])
        corrected = {words[-1]: near} if near else {}
        found = [matches for word in near for matches in _beginning(connection, typed, [*words[:-1], word])]
    return to_json({"items": _shown(connection, found[: typed.limit], address), "corrected": corrected})


def _beginning(connection: Connection, typed: Typed, words: Sequence[str]) -> list[list[Beginning]]:
    """The names that begin with these words, best first, grouped by record, or by term with its spellings."""
    beginning = " ".join(words)
    if len(beginning) < SHORTEST:
        return []
    grouped: dict[tuple[str, str], list[Beginning]] = {}
    for kind in typed.kinds or suggested_kinds():
        for match in beginning_with(connection, kind, beginning):
            grouped.setdefault((kind, match.id or " ".join(tokens(match.label))), []).append(match)
    order = {kind: rank for rank, kind in enumerate(suggested_kinds())}

    def key(matches: list[Beginning]) -> tuple[Any, ...]:
        best = matches[0]
        is_exact = any(match.is_exact and match.is_whole for match in matches)
        is_first = any(match.is_whole for match in matches)
        count = sum(match.n for match in matches)
        return not is_exact, not is_first, order[best.kind], -count, len(best.label), best.label

    whole_first = [
        sorted(matches, key=lambda match: (not match.is_whole, not match.is_exact)) for matches in grouped.values()
    ]
    return sorted(whole_first, key=key)


def _shown(connection: Connection, found: Sequence[list[Beginning]], address: Address) -> list[Suggestion]:
    shown: list[Suggestion] = []
    for matches in found:
        best = matches[0]
        if best.id:
            title = select(ENTRY.c.title).where(ENTRY.c.kind == best.kind, ENTRY.c.id == best.id)
            name, url, count = connection.execute(title).scalar_one(), f"/v1/{best.kind}/{best.id}", 1
        else:
            spellings = sorted({match.label for match in matches})
            name, count = best.label, sum({match.label: match.n for match in matches}.values())
            url = _page_of_term(best.kind, spellings)
        shown.append(
            Suggestion(kind=best.kind, id=best.id or None, name=name, label=best.label, count=count, url=address(url))
        )
    return shown


def _page_of_term(kind: str, spellings: Sequence[str]) -> str:
    """The URL of the records with a term: a filtered list, or a phrase search where a record has several terms."""
    if TERM in RESOURCES[kind].model_fields:
        return f"/v1/{kind}?{urlencode([(TERM, spelling) for spelling in spellings])}"
    phrase = '"' + spellings[0] + '"'
    return f"/v1/search?{urlencode({'q': phrase, 'kind': kind})}"
