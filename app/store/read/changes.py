"""Typed changes between two versions of a record's document, for history, change feed and release diff."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.models.vocabulary import ChangeType

SERVER_CLOCK = frozenset({"version", "updated_at"})
"""Fields that the server sets at every change; they are no changes themselves."""
GRANTED = frozenset({"approved", "conditional"})
RETRACTIONS: dict[str | None, ChangeType] = {
    "retracted": "source-retracted",
    "corrected": "source-corrected",
    "concern": "source-under-concern",
    None: "source-reinstated",
}
FIELDS: dict[str, ChangeType] = {
    "id": "renamed",
    "verdict": "verdict-changed",
    "source_status": "standing-changed",
    "verification": "verification-changed",
}
"""The change types of fields that have one of their own, in every resource."""
ON_CREATION: frozenset[ChangeType] = frozenset(
    {"created", "status-granted", "source-retracted", "source-corrected", "source-under-concern"}
)
"""The change types that a record's creation can have: new record, approval granted, source with a notice."""


class RecordChange(NamedTuple):
    """A change of one field: its type, the field, old and new value; `created` has no field."""

    type: ChangeType
    field: str | None = None
    old: Any = None
    new: Any = None


def changes_between(kind: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[RecordChange]:
    """The typed changes from one document of a record to the next, in the order of its fields.

    `kind` is the resource's plural; `before` is None for the creation. Setting each `field` to `new`, and copying
    version and time, turns `before` into `after`.
    """
    if before is None:
        yield RecordChange("created")
        yield from _changes_on_creation(kind, after)
        return
    for field, new in after.items():
        old = before.get(field)
        if field not in SERVER_CLOCK and (old != new or field not in before):
            yield RecordChange(_change_type(kind, field, old, new), field, old, new)


def _changes_on_creation(kind: str, after: Mapping[str, Any]) -> Iterator[RecordChange]:
    """Further changes that a creation implies: an approval that was granted, a source that is retracted."""
    for field in ("status", "retraction"):
        new = after.get(field)
        if new is not None and _change_type(kind, field, None, new) in ON_CREATION:
            yield RecordChange(_change_type(kind, field, None, new), field, None, new)


def _change_type(kind: str, field: str, old: Any, new: Any) -> ChangeType:
    if field == "state":
        if new == "withdrawn":
            return "claim-withdrawn" if kind == "claims" else "record-withdrawn"
        return "record-reinstated"
    if (kind, field) == ("approvals", "status"):
        if new in GRANTED:
            return "status-granted"
        return "status-ended" if old in GRANTED else "value-revised"
    if field == "retraction":
        return RETRACTIONS[new["status"] if new else None]
    return FIELDS.get(field, "value-revised")
