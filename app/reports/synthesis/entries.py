"""How an answer over study results names each of them: where it is, what it compares, what it rests on."""

from collections.abc import Mapping
from typing import Any

from app.evidence.extraction import Unusable, Usable
from app.evidence.results import Reported
from app.models.study_results import StudyResult
from app.store.read.query import Address

TAKEN_OVER = (
    "id",
    "version",
    "study",
    "treatment",
    "comparator",
    "outcome",
    "outcome_text",
    "time_frame_days",
    "time_frame_text",
    "score",
    "synthesis",
    "finding",
    "certainty",
    "risk_of_bias",
    "source_status",
    "verification",
    "citations",
    "note",
)
"""The fields of a result that an answer repeats."""


def record_name(result_id: str) -> str:
    """A study result as references name it: `plural/id`."""
    return f"{StudyResult.plural}/{result_id}"


def result_entry(one: Reported, address: Address) -> dict[str, Any]:
    """A result with its address and what it rests on; its risk of bias, else that of its study."""
    entry = _entry(one.result, one.label(), address)
    return entry | {"risk_of_bias": one.risk_of_bias()}


def counted_entry(one: Reported, numbers: Usable, address: Address) -> dict[str, Any]:
    """A result that counts, with the numbers that went in."""
    return result_entry(one, address) | {
        "taken_from": "arms" if numbers.is_from_arms else "estimate",
        "numbers": [place._asdict() for place in numbers.places],
    }


def excluded_entry(one: Reported, why: Unusable, address: Address) -> dict[str, Any]:
    """A result that does not count, and why."""
    return result_entry(one, address) | {"reason": why.reason, "detail": why.detail}


def lost_entry(result: Mapping[str, Any], address: Address) -> dict[str, Any]:
    """A result that does not count because what it stands on was withdrawn."""
    why = {"reason": "withdrawn", "detail": "its study, its outcome or its treatment was withdrawn"}
    return _entry(result, result["study"], address) | why


def _entry(result: Mapping[str, Any], label: str, address: Address) -> dict[str, Any]:
    url = address(f"/v1/{StudyResult.plural}/{result['id']}")
    return {name: result[name] for name in TAKEN_OVER} | {"url": url, "label": label}
