"""Entries of study results in an answer: URL, label, comparison, risk of bias and citations of each result."""

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
"""Fields copied from the study result into its entry."""


def record_name(result_id: str) -> str:
    """The reference to a study result: `study-results/<id>`."""
    return f"{StudyResult.plural}/{result_id}"


def result_entry(reported: Reported, address: Address) -> dict[str, Any]:
    """The entry of a result; its risk of bias falls back to that of its study."""
    entry = _entry(reported.result, reported.label(), address)
    return entry | {"risk_of_bias": reported.risk_of_bias()}


def counted_entry(reported: Reported, numbers: Usable, address: Address) -> dict[str, Any]:
    """The entry of a counted result, with the numbers that were used."""
    return result_entry(reported, address) | {
        "taken_from": "arms" if numbers.is_from_arms else "estimate",
        "numbers": [place._asdict() for place in numbers.places],
    }


def excluded_entry(reported: Reported, why: Unusable, address: Address) -> dict[str, Any]:
    """The entry of an excluded result, with the reason."""
    return result_entry(reported, address) | {"reason": why.reason, "detail": why.detail}


def lost_entry(result: Mapping[str, Any], address: Address) -> dict[str, Any]:
    """The entry of a result excluded because its study, outcome or treatment was withdrawn."""
    why = {"reason": "withdrawn", "detail": "its study, its outcome or its treatment was withdrawn"}
    return _entry(result, result["study"], address) | why


def _entry(result: Mapping[str, Any], label: str, address: Address) -> dict[str, Any]:
    url = address(f"/v1/{StudyResult.plural}/{result['id']}")
    return {name: result[name] for name in TAKEN_OVER} | {"url": url, "label": label}
