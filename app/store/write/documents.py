"""A record as we keep it: what it says, what follows from what it rests on, and what the server adds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic_core import to_json

from app.errors import InvalidRecord
from app.evidence.citations.verification import TextOf, verify
from app.models import RESOURCES, plural_of
from app.models.base import Key, Known, Record, Reference, Row, references
from app.models.types import plain_number
from app.search.index_entries import INDEXING
from app.store.write.batch import error_at, name_of

RENDERING = 1
"""Raise it when the same record is rendered into another document: every database then renders its own again."""
SOURCE_STATUSES = ("current", "corrected", "concern", "retracted")
"""What a source can come to, from good to bad."""


class ExistingRecord(NamedTuple):
    """What the database holds of a record before the write."""

    digest: str
    version: int
    state: str
    created_at: str
    updated_at: str
    document: str


@dataclass(frozen=True)
class RenderContext:
    """What a record is rendered with: the documents that it names, the texts of sources, and the time."""

    known: Known
    text_of: TextOf
    now: str


def shape() -> str:
    """A hash of what documents, and their entries in the index, look like in this version of the program."""
    return sha256(
        to_json([RENDERING, INDEXING, {plural: row.shown() for plural, row in RESOURCES.items()}])
    ).hexdigest()


def record_digest(record: Record) -> str:
    """SHA-256 of what the record says, without what it leaves open: equal means unchanged."""
    return sha256(to_json(record.model_dump(mode="json", exclude_defaults=True))).hexdigest()


def render_document(
    record: Record, held: ExistingRecord | None, around: RenderContext, *, state: str | None = None
) -> dict[str, Any]:
    """All columns of a record's row, its document among them; InvalidRecord where it and its surroundings disagree.

    `held` is what the database has of it; a version is added when the record says something else, or when `state`
    gives it another state.
    """
    plural = plural_of(record)
    row_class = RESOURCES[plural]
    key = (plural, record.id)
    digest = record_digest(record)
    old_state = held.state if held else "published"
    is_same = held is not None and held.digest == digest and state in (None, old_state)
    values = {
        **_defaults(row_class),
        **record.model_dump(mode="json"),
        **_derived(key, record, around.known),
        "version": 1 if held is None else held.version + (not is_same),
        "created_at": held.created_at if held else around.now,
        "updated_at": held.updated_at if held and is_same else around.now,
        "state": state or old_state,
        "verification": _verification(key, record, around.text_of),
        "checked_on": _checked_on(record, around.known),
        "source_status": _standing(record, around.known),
        "needs_review": any(around.known(to.plural, to.id)["state"] == "withdrawn" for to in references(record)),
        "digest": digest,
    }
    shown = {name: plain_number(values[name]) for name in row_class.shown()}
    return {**values, "document": to_json(shown).decode()}


@cache
def _defaults(row_class: type[Row]) -> dict[str, Any]:
    """What each column holds before anything is known; nobody changes it."""
    return {name: info.get_default(call_default_factory=True) for name, info in row_class.model_fields.items()}


def _derived(key: Key, record: Record, known: Known) -> dict[str, Any]:
    try:
        return RESOURCES[key[0]].derive(record, known)
    except ValueError as failure:
        raise InvalidRecord(f"{name_of(key)}: {failure}.", errors=[error_at(key, "", str(failure))]) from failure


def _verification(key: Key, record: Record, text_of: TextOf) -> str | None:
    """The rung that the record stands on; refuses quotes and numbers that do not stand where they should."""
    found = verify(record, text_of)
    if found.faults:
        errors = [error_at(key, fault.pointer, fault.detail) for fault in found.faults]
        raise InvalidRecord(f"{name_of(key)}: {found.faults[0].detail}.", errors=errors)
    return found.rung


def _checked_on(record: Record, known: Known) -> str | None:
    """The last day on which the record was compared with its sources.

    The day that the record itself names goes before the days on which its sources were read: a ledger row holds as of
    its own day, however late somebody read the page that says so. A curator's check counts in either case.
    """
    named = [getattr(record, "as_of", None), getattr(record, "retrieved_on", None)]
    searched = getattr(record, "searched", None)
    days = [day for day in (*named, searched and searched.on) if day is not None]
    if not days:
        read = (known("sources", to.id)["retrieved_on"] for to in references(record) if to.plural == "sources")
        days = [day for day in read if day is not None]
    if record.curator_checked is not None:
        days.append(record.curator_checked.on)
    return max(days, default=None)


def _standing(record: Record, known: Known) -> str | None:
    """The worst standing of what the record rests on, through any number of records; a source's own for a source."""
    if plural_of(record) == "sources":
        retraction = getattr(record, "retraction", None)
        return retraction.status if retraction else "current"
    standings = [known(to.plural, to.id)["source_status"] for to in _grounds(references(record))]
    return max((standing for standing in standings if standing is not None), key=SOURCE_STATUSES.index, default=None)


def _grounds(mentions: Iterable[Reference]) -> Iterator[Reference]:
    """The mentions of what can be evidence: not those of treatments, conditions, indications and outcomes."""
    return (to for to in mentions if RESOURCES[to.plural].is_evidence)


def reference_rows(key: Key, record: Record) -> Iterator[dict[str, str]]:
    """The record's mentions of others, as rows of the table `reference`."""
    for mention in references(record):
        yield {
            "from_kind": key[0],
            "from_id": key[1],
            "path": mention.path,
            "to_kind": mention.plural,
            "to_id": mention.id,
        }


def code_rows(key: Key, record: Record) -> Iterator[dict[str, str]]:
    """The record's codes, as rows of the table `code`."""
    for system, code in sorted({(system, code.lower()) for system, code in record.codes_held()}):
        yield {"kind": key[0], "id": key[1], "system": system, "code": code}


def without_clock(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document without the time of its last change, which may differ where nothing else does."""
    return {name: value for name, value in document.items() if name != "updated_at"}


Progress = Callable[[int], None]
"""Is told how many more records are done."""
