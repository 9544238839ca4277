"""Builds the parts of a benefit-harm row: record link, baseline, risks per 1,000 people, number needed to treat."""

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
    """The link to a record: resource, id, version and URL."""
    record_id = str(record["id"])
    url = address(f"/v1/{plural}/{record_id}")
    return {"kind": plural, "id": record_id, "version": record["version"], "url": url}


def baseline_entry(baseline: Baseline, taken_from: str, address: Address) -> dict[str, Any]:
    """The baseline risk per 1,000 people and its origin: `given` when it has no record, else `taken_from`."""
    source = None
    if baseline.record is not None:
        plural, record_id = baseline.record
        source = record_link(plural, {"id": record_id, "version": baseline.version}, address)
    return {
        "per_1000": _rounded_per_1000(baseline.risk),
        "taken_from": "given" if source is None else taken_from,
        "record": source,
        "pointer": baseline.pointer,
        "arm": baseline.arm,
        "events": baseline.events,
        "people": baseline.people,
    }


def people_entry(risks: Absolute, more_is: Kind, seen: Counts | None) -> dict[str, Any]:
    """The risks per 1,000 people and the number needed to treat; `seen` are the counts of the record's own arms."""
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
    return {"per_1000": _rounded_per_1000(value), "ci_low": _rounded_per_1000(low), "ci_high": _rounded_per_1000(high)}


def _rounded_per_1000(risk: float) -> Any:
    return plain_number(out_of_1000(1000 * risk))


def _end(needed: Needed) -> Mapping[str, Any]:
    return {
        "kind": needed.kind,
        "value": None if needed.value is None else round(needed.value, 2),
        "whole": needed.whole(),
    }
