"""The gap model: a contradiction between records, with its sides and their sources, and without advice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from app.models.base import Citation, Row, Span
from app.models.claims import Claim
from app.models.types import plain_number

Document = Mapping[str, Any]
"""The JSON document of a record, as the API returns it."""
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
    """One side of a gap: a stored record, or a filtered list without results."""

    role: SideRole
    says: str
    record: tuple[str, str] | None = None
    """Plural and id; None for an absence."""
    citations: Sequence[Mapping[str, Any]] = ()
    source_status: str | None = None
    list_path: str | None = None
    """The path of the filtered list without results, for an absence."""


@dataclass(frozen=True)
class Gap:
    """A gap: the contradiction in one sentence, and its sides."""

    kind: GapKind
    treatment: str
    condition: str | None
    statement: str
    sides: tuple[GapParty, ...]
    made_of: tuple[str, ...]
    """The components of its identity among gaps of its kind: mostly ids of records."""

    @property
    def id(self) -> str:
        """A stable id: a hash of treatment, condition and `made_of`."""
        identity = "\n".join((self.treatment, self.condition or "", *self.made_of))
        return f"{self.kind}-{sha256(identity.encode()).hexdigest()[:12]}"

    @property
    def place(self) -> tuple[str, str, str]:
        """The sort key: kind, condition, id."""
        return self.kind, self.condition or "", self.id


def record_side(role: SideRole, row: type[Row], document: Document, says: str) -> GapParty:
    """A side that is a record, with its citations; the citation of a claim is its own quote."""
    citations: Sequence[Mapping[str, Any]] = document["citations"] if row is not Claim else [own_words(document)]
    return GapParty(role, says, (row.plural, document["id"]), citations, document["source_status"])


def absent_side(says: str, row: type[Row], **filters: str) -> GapParty:
    """A side for an absence: the path of the filtered list that has no results."""
    return GapParty("absence", says, list_path=f"/v1/{row.plural}?{urlencode(filters)}")


def own_words(claim: Document) -> Mapping[str, Any]:
    """The source, quote, span and number bindings of a claim, as a citation."""
    span = None if claim["span"] is None else Span(**claim["span"])
    numbers = claim["numbers"]
    return Citation(source=claim["source"], quote=claim["quote"], span=span, numbers=numbers).model_dump(mode="json")


def span_of(low: float | None, high: float | None) -> str:
    """A range in words: `12`, `1 to 2`, `at least 3`, `at most 100`; at least one end must be given."""
    ends = [plain_number(end) for end in (low, high) if end is not None]
    if len(ends) == 1:
        return f"at least {ends[0]}" if high is None else f"at most {ends[0]}"
    return f"{ends[0]}" if low == high else f"{ends[0]} to {ends[1]}"


def for_condition(condition: str | None) -> str:
    """The beginning of a statement: `For migraine`."""
    return "For no condition in particular" if condition is None else f"For {condition}"


def whose(row: Document) -> str:
    """The basis, jurisdiction and condition of a dosing record in words."""
    place = f" ({row['jurisdiction']})" if row["jurisdiction"] else ""
    return f"{row['basis'].capitalize()}{place}, {row['condition'] or 'any condition'}"


def remarks(row: Document) -> str:
    """The population and the note of a dosing record, each after a space; they qualify the numbers."""
    texts = [row["population"] and f"{row['population']}.", row["note"]]
    return "".join(f" {text}" for text in texts if text)


def has_words_of(row: Document, claim: Document) -> bool:
    """Whether a dosing record of basis `claim` cites the same quote of the same source as a claim."""
    quotes = [(citation["source"], citation["quote"]) for citation in row["citations"]]
    return row["basis"] == "claim" and (claim["source"], claim["quote"]) in quotes
