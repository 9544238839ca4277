"""The content of a badge: one record in a few words, taken from its card."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.pages.cards import Card, CardPlace
from app.pages.wording import Tone
from app.reports.record_page import Record

SOURCE_STATUS_WORDS = {
    "retracted": "source retracted",
    "concern": "source under concern",
    "corrected": "source corrected",
}
NOTHING = "no decision on record"


@dataclass(frozen=True)
class Badge:
    """A badge's label and message (its two halves), its colour, and its title and description for screen readers."""

    label: str
    message: str
    tone: Tone
    title: str
    description: str


def badge_of(card: Card, record: Record) -> Badge:
    """The badge of a card: verdict, or finding and certainty, where the card has them, else where it is approved."""
    label = card.kind.lower()
    if card.judgements:
        parts, tone = [word.text.lower() for word in card.judgements], card.judgements[0].tone
    else:
        label, parts, tone = "approved", *approval_words(card.places)
        if not any(place.tone in ("good", "care") for place in card.places):
            label = "approval"
    for mark in status_words(record):
        parts, tone = [*parts, mark], "bad"
    message = " · ".join(parts)
    title = f"{card.kind}: {message}" if label == card.kind.lower() else f"{card.kind}, {label}: {message}"
    return Badge(label, message, tone, title, f"{card.title}. {card.as_of}.")


def approval_words(places: Sequence[CardPlace]) -> tuple[list[str], Tone]:
    """Message parts and colour: where it is approved, `US, GB`, and other statuses, `not approved in CA`.

    Of several indications, how many are approved in each place: `US for 6 uses`.
    """
    approved = [place for place in places if place.tone in ("good", "care")]
    other = [place for place in places if place.tone not in ("good", "care")]
    if any(len(place.conditions) > 1 for place in places):
        uses = [f"{place.code} for {_uses(place)}" for place in approved]
        return ([", ".join(uses)] if uses else [_states(other) or NOTHING]), "good" if approved else "plain"
    parts = [", ".join(place.code for place in approved)] if approved else []
    other_states = _states(other)
    tone = "plain" if not places else "bad" if not approved else "care" if other else "good"
    return [*parts, *([other_states] if other_states else [])] or [NOTHING], tone


def _uses(place: CardPlace) -> str:
    return f"{len(place.conditions)} uses" if len(place.conditions) > 1 else "1 use"


def _states(places: Sequence[CardPlace]) -> str:
    """`not approved in US, CA`."""
    states: dict[str, list[str]] = {}
    for place in places:
        states.setdefault(place.status.lower(), []).append(place.code)
    return "; ".join(f"{status} in {', '.join(dict.fromkeys(codes))}" for status, codes in states.items())


def status_words(record: Record) -> list[str]:
    """Warnings about a record: `withdrawn`, the status of its sources, `superseded`."""
    words = ["withdrawn"] if record["state"] == "withdrawn" else []
    words += [SOURCE_STATUS_WORDS[record["source_status"]]] if record["source_status"] in SOURCE_STATUS_WORDS else []
    return words + (["superseded"] if record["superseded_by"] else [])
