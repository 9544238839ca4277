"""Rendering of a record's stored document: its own fields, derived fields, and those that the server adds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from app.errors import InvalidRecord
from app.evidence.citations.verification import Finding, TextOf, verify
from app.json_codec import from_json, to_json
from app.models import RESOURCES, plural_of
from app.models.base import Key, Known, Record, Reference, Row, references
from app.models.registries import lookup_key
from app.models.rules import ReviewReason, broken_rules, rule_names
from app.models.types import plain_number
from app.search.index_entries import INDEXING
from app.store.write.batch import error_at, name_of

RENDERING = 1
"""Version of the rendering: increment it when documents change, so that every database renders its own again."""
POINTS_TO_WITHDRAWN = "refers-to-withdrawn"
"""The rule of `review_reasons` for a record that refers to one that was withdrawn."""
CONTRADICTS_QUOTE = "contradicts-quote"
"""The rule of `review_reasons` for a number that is not what the words of its quote say."""
SOURCE_STATUSES = ("current", "corrected", "concern", "retracted")
"""The values of `source_status`, from best to worst."""


ReasonsByKey = Mapping[Key, Sequence[ReviewReason]]
"""The reasons of an import for a review of its records."""


class ExistingRecord(NamedTuple):
    """The stored columns of a record before a write."""

    digest: str
    version: int
    state: str
    created_at: str
    updated_at: str
    document: str


@dataclass(frozen=True)
class RenderContext:
    """The inputs of rendering: documents of referenced records, texts of sources, and the time."""

    known: Known
    text_of: TextOf
    now: str


def shape() -> str:
    """SHA-256 of the shape of documents and index entries in this version of the program."""
    return sha256(
        to_json([RENDERING, INDEXING, {plural: row.shown() for plural, row in RESOURCES.items()}])
    ).hexdigest()


def record_digest(record: Record) -> str:
    """SHA-256 of the record's fields without defaults: an equal digest means an unchanged record."""
    return sha256(to_json(record.model_dump(mode="json", exclude_defaults=True))).hexdigest()


def render_document(
    record: Record,
    existing: ExistingRecord | None,
    context: RenderContext,
    *,
    state: str | None = None,
    is_rerendering: bool = False,
    reasons: Sequence[ReviewReason] | None = None,
) -> dict[str, Any]:
    """All columns of a record's row with its document; InvalidRecord where it contradicts its references or texts.

    `existing` is the stored record; the version is incremented when the record's fields or its `state` change, and not
    when the stored record is only rendered again. `reasons` are those of an import for a review; without any, those
    that an import or an update gave are kept until the record's fields change.
    """
    plural = plural_of(record)
    row_class = RESOURCES[plural]
    key = (plural, record.id)
    digest = record_digest(record)
    old_state = existing.state if existing else "published"
    is_unedited = existing is not None and (is_rerendering or existing.digest == digest)
    is_same = is_unedited and state in (None, old_state)
    derived = _derived(key, record, context.known)
    if reasons is None:
        reasons = stored_reasons(record, existing) if existing is not None and is_unedited else []
    finding = _verified(key, record, context.text_of)
    doubts = [
        ReviewReason(rule=CONTRADICTS_QUOTE, pointer=doubt.pointer, detail=doubt.detail) for doubt in finding.doubts
    ]
    review = [*doubts, *_reasons_that_follow(record, context.known), *reasons]
    values = {
        **_defaults(row_class),
        **record.model_dump(mode="json"),
        **derived,
        "version": 1 if existing is None else existing.version + (not is_same),
        "created_at": existing.created_at if existing else context.now,
        "updated_at": existing.updated_at if existing and is_same else context.now,
        "state": state or old_state,
        "verification": finding.rung,
        "checked_on": _checked_on(record, context.known),
        "source_status": _source_status(record, context.known),
        "needs_review": bool(review),
        "review_reasons": [reason.model_dump() for reason in review],
        "digest": digest,
    }
    shown = {name: plain_number(values[name]) for name in row_class.shown()}
    columns = row_class.table().c
    return {**{name: value for name, value in values.items() if name in columns}, "document": to_json(shown).decode()}


def _reasons_that_follow(record: Record, known: Known) -> Iterator[ReviewReason]:
    """The reasons for a review that follow from the record and from those that it refers to."""
    for to in references(record):
        if known(to.plural, to.id)["state"] == "withdrawn":
            pointer = "/" + to.path.replace(".", "/")
            yield ReviewReason(
                rule=POINTS_TO_WITHDRAWN, pointer=pointer, detail=f"{name_of((to.plural, to.id))} was withdrawn"
            )
    for _, reason in (*broken_rules(record), *RESOURCES[plural_of(record)].contradictions(record, known)):
        yield reason


def stored_reasons(record: Record, existing: ExistingRecord) -> list[ReviewReason]:
    """The reasons that an import or an update gave the stored record, which do not follow from it."""
    document = from_json(existing.document)
    if "review_reasons" not in document:
        return list(record.reasons_at_update(document))
    derived = rule_names() | {POINTS_TO_WITHDRAWN, CONTRADICTS_QUOTE}
    return [
        ReviewReason.model_validate(reason) for reason in document["review_reasons"] if reason["rule"] not in derived
    ]


@cache
def _defaults(row_class: type[Row]) -> dict[str, Any]:
    """The default of each column; the cached dictionary must not be changed."""
    return {name: info.get_default(call_default_factory=True) for name, info in row_class.model_fields.items()}


def _derived(key: Key, record: Record, known: Known) -> dict[str, Any]:
    try:
        return RESOURCES[key[0]].derive(record, known)
    except ValueError as failure:
        raise InvalidRecord(f"{name_of(key)}: {failure}.", errors=[error_at(key, "", str(failure))]) from failure


def _verified(key: Key, record: Record, text_of: TextOf) -> Finding:
    """The record compared with its sources; InvalidRecord for quotes and numbers that are not found in the source."""
    found = verify(record, text_of)
    if found.faults:
        errors = [error_at(key, fault.pointer, fault.detail) for fault in found.faults]
        raise InvalidRecord(f"{name_of(key)}: {found.faults[0].detail}.", errors=errors)
    return found


def _checked_on(record: Record, known: Known) -> str | None:
    """The last day on which the record was compared with its sources.

    The record's own date takes precedence over the days on which its sources were retrieved: a ledger row is valid as
    of its own day, however late its source page was read. A curator's check counts in either case.
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


def _source_status(record: Record, known: Known) -> str | None:
    """The worst `source_status` of the evidence that the record references, transitively; for a source its own."""
    if plural_of(record) == "sources":
        retraction = getattr(record, "retraction", None)
        return retraction.status if retraction else "current"
    statuses = [known(to.plural, to.id)["source_status"] for to in _evidence_references(references(record))]
    return max((status for status in statuses if status is not None), key=SOURCE_STATUSES.index, default=None)


def _evidence_references(all_references: Iterable[Reference]) -> Iterator[Reference]:
    """The references to evidence: not those to treatments, conditions, indications and outcomes."""
    return (to for to in all_references if RESOURCES[to.plural].is_evidence)


def reference_rows(key: Key, record: Record) -> Iterator[dict[str, str]]:
    """The record's references, as rows of the table `reference`."""
    for reference in references(record):
        yield {
            "from_kind": key[0],
            "from_id": key[1],
            "path": reference.path,
            "to_kind": reference.plural,
            "to_id": reference.id,
        }


def code_rows(key: Key, record: Record) -> Iterator[dict[str, str]]:
    """The record's codes, as rows of the table `code`."""
    for system, code in sorted({(system, lookup_key(system, code)) for system, code in record.codes_held()}):
        yield {"kind": key[0], "id": key[1], "system": system, "code": code}


def without_clock(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document without `updated_at`, which may differ where nothing else does."""
    return {name: value for name, value in document.items() if name != "updated_at"}


Progress = Callable[[int], None]
"""A callback for progress: called with the number of further records that are done."""
