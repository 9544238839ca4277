"""Gaps: where two things that we hold do not fit together. A gap names its sides and sources; it never advises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from app.models.base import Citation, Row, Span
from app.models.claims import Claim
from app.models.types import plain_number

Document = Mapping[str, Any]
"""A record as readers get it."""
GapKind = Literal[
    "interval-below-label",
    "dose-outside-label",
    "claim-contradicts-ledger",
    "benefit-without-approval",
    "approval-without-result",
    "warning-without-side-effect",
]
KINDS: tuple[GapKind, ...] = get_args(GapKind)
SideRole = Literal["claim", "dosing", "label", "approval", "result", "warning", "absence"]


@dataclass(frozen=True)
class GapParty:
    """One of the things that do not fit: a record of ours, or a list in which nothing was found."""

    role: SideRole
    says: str
    record: tuple[str, str] | None = None
    """Plural and id; None for an absence."""
    citations: Sequence[Mapping[str, Any]] = ()
    source_status: str | None = None
    list_path: str | None = None
    """The list that was looked at, where something is absent."""


@dataclass(frozen=True)
class Gap:
    """What does not fit, in one sentence and with its sides."""

    kind: GapKind
    treatment: str
    condition: str | None
    statement: str
    sides: tuple[GapParty, ...]
    made_of: tuple[str, ...]
    """What tells it from the others of its kind: the ids of the records that it is about."""

    @property
    def id(self) -> str:
        """The same for as long as the same records are compared."""
        named = "\n".join((self.treatment, self.condition or "", *self.made_of))
        return f"{self.kind}-{sha256(named.encode()).hexdigest()[:12]}"

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it stands in a list: by kind, then by condition."""
        return self.kind, self.condition or "", self.id


def record_side(role: SideRole, row: type[Row], document: Document, says: str) -> GapParty:
    """A side that is a record, with the citations that it carries; a claim is cited with its own words."""
    citations: Sequence[Mapping[str, Any]] = document["citations"] if row is not Claim else [own_words(document)]
    return GapParty(role, says, (row.plural, document["id"]), citations, document["source_status"])


def absent_side(says: str, row: type[Row], **filters: str) -> GapParty:
    """A side that is nothing: the list that was looked at, and what was not found in it."""
    return GapParty("absence", says, list_path=f"/v1/{row.plural}?{urlencode(filters)}")


def own_words(claim: Document) -> Mapping[str, Any]:
    """A claim's source, quote and place in the stored text, as a citation."""
    span = None if claim["span"] is None else Span(**claim["span"])
    numbers = claim["numbers"]
    return Citation(source=claim["source"], quote=claim["quote"], span=span, numbers=numbers).model_dump(mode="json")


def span_of(low: float | None, high: float | None) -> str:
    """Two ends in words, at least one of which is given: `12`, `1 to 2`, `at least 3`, `at most 100`."""
    ends = [plain_number(end) for end in (low, high) if end is not None]
    if len(ends) == 1:
        return f"at least {ends[0]}" if high is None else f"at most {ends[0]}"
    return f"{ends[0]}" if low == high else f"{ends[0]} to {ends[1]}"


def for_condition(condition: str | None) -> str:
    """How a statement begins."""
    return "For no condition in particular" if condition is None else f"For {condition}"


def whose(row: Document) -> str:
    """Who states a dosing, where, and for which condition."""
    place = f" ({row['jurisdiction']})" if row["jurisdiction"] else ""
    return f"{row['basis'].capitalize()}{place}, {row['condition'] or 'any condition'}"


def remarks(row: Document) -> str:
    """Whom a dosing is for, and its note: what a reader must not miss beside the numbers."""
    words = [row["population"] and f"{row['population']}.", row["note"]]
    return "".join(f" {text}" for text in words if text)


def has_words_of(row: Document, claim: Document) -> bool:
    """Whether a dosing record holds what a claim says, read from the same words of the same source."""
    quotes = [(citation["source"], citation["quote"]) for citation in row["citations"]]
    return row["basis"] == "claim" and (claim["source"], claim["quote"]) in quotes
