"""What changed between two editions of a record, in words that a subscriber can act on."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from app.models.vocabulary import ChangeType

SERVER_CLOCK = frozenset({"version", "updated_at"})
"""Rise with every change, and say nothing of it."""
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
"""Fields whose change has a name of its own, in whichever resource."""
ON_CREATION: frozenset[ChangeType] = frozenset(
    {"created", "status-granted", "source-retracted", "source-corrected", "source-under-concern"}
)
"""What a record's first edition can tell: that it is new, an approval granted, a source with a notice."""


class RecordChange(NamedTuple):
    """One change of one record: its kind, and the field with its old and new value; `created` names no field."""

    type: ChangeType
    field: str | None = None
    old: Any = None
    new: Any = None


def changes_between(kind: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[RecordChange]:
    """The typed changes from one edition of a record to the next, in the order of its fields.

    `kind` is the resource's plural; without an edition before it the record was created. Whoever sets each `field` to
    `new` (and takes the version and time over) gets the edition after it.
    """
    if before is None:
        yield RecordChange("created")
        yield from _announced(kind, after)
        return
    for field, new in after.items():
        old = before.get(field)
        if field not in SERVER_CLOCK and (old != new or field not in before):
            yield RecordChange(_type(kind, field, old, new), field, old, new)


def _announced(kind: str, after: Mapping[str, Any]) -> Iterator[RecordChange]:
    """What a new record says beyond that it is new: an approval that was granted, a source that is retracted."""
    for field in ("status", "retraction"):
        new = after.get(field)
        if new is not None and _type(kind, field, None, new) in ON_CREATION:
            yield RecordChange(_type(kind, field, None, new), field, None, new)


def _type(kind: str, field: str, old: Any, new: Any) -> ChangeType:
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
