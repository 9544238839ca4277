"""What a person may be about to type: treatments, conditions, outcomes, terms of side effects and of warnings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, Field
from pydantic_core import to_json
from sqlalchemy import Connection, select

from app.db.tables import ENTRY
from app.models import RESOURCES
from app.models.types import Slug
from app.search.index_entries import LABELS, TERMS, is_entity, kinds_in_order
from app.search.name_index import Beginning, beginning_with, near_words
from app.search.tokens import tokens
from app.store.read.query import Address

SHORTEST = 2
"""Letters from which something is suggested."""
TERM = LABELS[-1]
"""The field that names a record without being its own: many records share a term."""


@dataclass(frozen=True)
class Typed:
    """What was typed so far, and how much to suggest."""

    text: str
    kinds: tuple[str, ...] = ()
    limit: int = 8


class Suggestion(BaseModel):
    """A name that a person may be about to type."""

    kind: str = Field(description="The resource, as in the URL.")
    id: Slug | None = Field(description="The record's id; null for a term, which many records share.")
    name: str = Field(description="The name of the record, or the term.")
    label: str = Field(description="The name that begins as was typed: a brand name or a synonym, say.")
    count: int = Field(description="How many records have the term; 1 for a record of its own.")
    url: str = Field(description="The page to go to: the record, or the list or search of those that have the term.")


class Suggestions(BaseModel):
    """What a person may be about to type."""

    items: list[Suggestion] = Field(description="The best first.")
    corrected: dict[str, list[str]] = Field(
        description="When nothing begins so: the last word, with the words that it was taken for."
    )


def suggested_kinds() -> tuple[str, ...]:
    """The kinds that are suggested: those with names, and those with terms."""
    return tuple(
        kind for kind in kinds_in_order() if is_entity(kind) or {TERM, TERMS} & RESOURCES[kind].model_fields.keys()
    )


def read_suggestions(connection: Connection, typed: Typed, address: Address) -> bytes:
    """The suggestions as JSON; none for less than two letters."""
    words = tokens(typed.text)
    corrected: dict[str, Sequence[str]] = {}
    found = _beginning(connection, typed, words)
    if not found and words:
        near = near_words(connection, words[-1])
        corrected = {words[-1]: near} if near else {}
        found = [one for word in near for one in _beginning(connection, typed, [*words[:-1], word])]
    return to_json({"items": _shown(connection, found[: typed.limit], address), "corrected": corrected})


def _beginning(connection: Connection, typed: Typed, words: Sequence[str]) -> list[list[Beginning]]:
    """What begins so, best first: each a record, or a term with its spellings."""
    beginning = " ".join(words)
    if len(beginning) < SHORTEST:
        return []
    grouped: dict[tuple[str, str], list[Beginning]] = {}
    for kind in typed.kinds or suggested_kinds():
        for one in beginning_with(connection, kind, beginning):
            grouped.setdefault((kind, one.id or " ".join(tokens(one.label))), []).append(one)
    order = {kind: rank for rank, kind in enumerate(suggested_kinds())}

    def key(alike: list[Beginning]) -> tuple[Any, ...]:
        best = alike[0]
        is_exact = any(one.is_exact and one.is_whole for one in alike)
        is_first = any(one.is_whole for one in alike)
        count = sum(one.n for one in alike)
        return not is_exact, not is_first, order[best.kind], -count, len(best.label), best.label

    whole_first = [sorted(alike, key=lambda one: (not one.is_whole, not one.is_exact)) for alike in grouped.values()]
    return sorted(whole_first, key=key)


def _shown(connection: Connection, found: Sequence[list[Beginning]], address: Address) -> list[Suggestion]:
    shown: list[Suggestion] = []
    for alike in found:
        best = alike[0]
        if best.id:
            title = select(ENTRY.c.title).where(ENTRY.c.kind == best.kind, ENTRY.c.id == best.id)
            name, url, count = connection.execute(title).scalar_one(), f"/v1/{best.kind}/{best.id}", 1
        else:
            spellings = sorted({one.label for one in alike})
            name, count = best.label, sum({one.label: one.n for one in alike}.values())
            url = _page_of_term(best.kind, spellings)
        shown.append(
            Suggestion(kind=best.kind, id=best.id or None, name=name, label=best.label, count=count, url=address(url))
        )
    return shown


def _page_of_term(kind: str, spellings: Sequence[str]) -> str:
    """The list of the records of that term; a search where each record names several, and no filter takes one."""
    if TERM in RESOURCES[kind].model_fields:
        return f"/v1/{kind}?{urlencode([(TERM, spelling) for spelling in spellings])}"
    phrase = '"' + spellings[0] + '"'
    return f"/v1/search?{urlencode({'q': phrase, 'kind': kind})}"
