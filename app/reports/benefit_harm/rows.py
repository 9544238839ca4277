"""What rows of benefits and harms are made of: the record, the baseline, people out of 1,000, the number needed."""

from collections.abc import Mapping
from typing import Any

from app.evidence.absolute_effects import Baseline
from app.evidence.results import Document
from app.evidence.sentences import out_of_1000
from app.evidence.statistics.absolute import Absolute, Kind, Needed, number_needed
from app.evidence.statistics.study_data import Counts
from app.models.types import plain_number
from app.store.read.query import Address


def record_link(plural: str, record: Document, address: Address) -> dict[str, Any]:
    """The record that a row rests on."""
    record_id = str(record["id"])
    url = address(f"/v1/{plural}/{record_id}")
    return {"kind": plural, "id": record_id, "version": record["version"], "url": url}


def baseline_entry(used: Baseline, taken_from: str, address: Address) -> dict[str, Any]:
    """The risk without the treatment, and where it is from; a number without a record was given."""
    source = None
    if used.record is not None:
        plural, record_id = used.record
        source = record_link(plural, {"id": record_id, "version": used.version}, address)
    return {
        "per_1000": _people(used.risk),
        "taken_from": "given" if source is None else taken_from,
        "record": source,
        "pointer": used.pointer,
        "arm": used.arm,
        "events": used.events,
        "people": used.people,
    }


def people_entry(risks: Absolute, more_is: Kind, seen: Counts | None) -> dict[str, Any]:
    """The risks as people out of 1,000, and the number needed; `seen` are the people of the arms that are told."""
    needed = number_needed(risks, more_is=more_is)
    counted = {"events": seen.events1 if seen else None, "people": seen.n1 if seen else None}
    return {
        "more_is": more_is,
        "with_treatment": _per_1000(risks.risk, risks.risk_low, risks.risk_high) | counted,
        "difference": _per_1000(risks.difference, risks.low, risks.high),
        "number_needed": {
            **{name: _end(getattr(needed, name)) for name in ("estimate", "first", "last")},
            "through_infinity": needed.through_infinity,
            "text": needed.text(),
        },
    }


def _per_1000(value: float, low: float, high: float) -> dict[str, Any]:
    return {"per_1000": _people(value), "ci_low": _people(low), "ci_high": _people(high)}


def _people(risk: float) -> Any:
    return plain_number(out_of_1000(1000 * risk))


def _end(one: Needed) -> Mapping[str, Any]:
    return {"kind": one.kind, "value": None if one.value is None else round(one.value, 2), "whole": one.whole()}
