"""Made-up records whose every text is an attack, for tests of what shows records; they name nothing that exists."""

from collections.abc import Iterator
from typing import Any

from app.formats.importers.seed import read
from app.json_codec import to_json
from app.models.base import Record

ATTACK = (
    "made-up <script>window.hit=1;alert(1)</script><img src=x onerror='window.hit=2;alert(2)'>"
    "\"'><b>&amp;</b> javascript:hit() \u202egnp.exe {{7*7}} </title></script>"
)
"""Markup, quotes, an entity, an address that runs, a right-to-left override, a template; all of it is text."""
ID, OTHER = "made-up-attack", "made-up-attack-2"
"""Of all records but one more source, which was not retracted, and one more study with a result of each."""
QUESTION = {"treatment": ID, "condition": ID, "outcome": ID}
"""What pools the two results that rest on the source that was not retracted."""
CITED = [{"source": ID, "locator": ATTACK, "quote": f"{ATTACK} 0 1 2 3 4 5 9 12 40 95 1.5", "note": ATTACK}]
SOUND = [{**CITED[0], "source": OTHER}]
CHECKED = {"curator_checked": {"by": ATTACK, "on": "2026-11-22"}}
CODES = [{"system": "atc", "code": ATTACK, "display": ATTACK}]
BIAS = {"tool": "rob-2", "overall": "high", "domains": [{"domain": ATTACK, "judgement": "high"}], "by": ATTACK}
SEARCHED = {"on": "2026-11-22", "looked_for": ATTACK}


def hostile_records() -> list[Record]:
    """Records of each resource, all about each other, with an attack in every field of text."""
    return read(to_json({plural: list(_records(plural)) for plural in _SEED}).decode())


def _records(plural: str) -> Iterator[dict[str, Any]]:
    for values in _SEED[plural]:
        yield {"id": id_of(plural)} | values | CHECKED


def id_of(plural: str) -> str:
    """The id of the first record; what a page shows beside other kinds has one of its own there."""
    return f"{ID}-of-{plural}" if plural in ("approvals", "warnings", "dosing-intervals", "side-effects") else ID


_EYES = [{"arm": ATTACK, "role": "exposed", "numerator": 1, "denominator": 2, "denominator_unit": ATTACK}]
_UNITS = {"code": ATTACK, "value": 3, "unit": ATTACK, "note": ATTACK}


def _result(study: str, **values: Any) -> dict[str, Any]:
    return {
        "study": study,
        "treatment": ID,
        "condition": ID,
        "comparator": "placebo",
        "outcome": ID,
        "outcome_text": ATTACK,
        "time_frame_text": ATTACK,
        "arms": [
            {"arm": ATTACK, "role": "exposed", "n": 40, "events": 12, "class": ATTACK, "category": ATTACK, **_UNITS},
            {"arm": f"{ATTACK}.", "role": "comparator", "n": 40, "events": 5},
        ],
        "compared": [ATTACK, f"{ATTACK}."],
        "analysis_method": ATTACK,
        "measure_text": ATTACK,
        "p_text": ATTACK,
        "margin_text": ATTACK,
        "finding": "favours-treatment",
        "note": ATTACK,
        "certainty": {"level": "low", "by": ATTACK},
        "risk_of_bias": BIAS,
        "citations": CITED,
    } | values


def _study(**values: Any) -> dict[str, Any]:
    return {
        "title": ATTACK,
        "acronym": ATTACK,
        "design": "randomized-parallel",
        "registry_ids": CODES,
        "index_terms": CODES,
        "status": "terminated",
        "why_stopped": ATTACK,
        "sponsor": ATTACK,
        "arms": [{"id": "made-up-arm", "label": ATTACK, "treatment": ID, "dose": ATTACK}],
        "countries": [ATTACK],
        "funding": ATTACK,
        "risk_of_bias": BIAS,
        "note": ATTACK,
        "sources": [ID],
    } | values


_SOURCE = {
    "kind": "journal-article",
    "title": ATTACK,
    "authors": [ATTACK],
    "container": ATTACK,
    "url": "https://made-up.example/?'onload='hit()&c=%3Cd%3E",
    "licence": ATTACK,
    "note": ATTACK,
}
_SEED: dict[str, list[dict[str, Any]]] = {
    "sources": [
        {**_SOURCE, "retraction": {"status": "retracted", "on": "2024", "notice": ATTACK}},
        {**_SOURCE, "id": OTHER},
    ],
    "conditions": [{"name": ATTACK, "synonyms": [ATTACK], "definition": ATTACK, "codes": CODES, "citations": CITED}],
    "treatments": [
        {
            "name": ATTACK,
            "kind": "drug",
            "definition": ATTACK,
            "generic_names": [ATTACK],
            "brand_names": [ATTACK],
            "synonyms": [ATTACK],
            "holder": ATTACK,
            "mechanism": ATTACK,
            "codes": CODES,
            "dose_unit": {"code": "made-up-unit", "label": ATTACK},
            "searches": [{"resource": "warnings", **SEARCHED}],
            "citations": CITED,
        }
    ],
    "outcomes": [
        {
            "name": ATTACK,
            "synonyms": [ATTACK],
            "definition": ATTACK,
            "domain": ATTACK,
            "kind": "binary",
            "instrument": ATTACK,
            "unit": ATTACK,
            "direction": "higher-is-better",
            "citations": CITED,
        }
    ],
    "indications": [
        {"treatment": ID, "condition": ID, "purpose": "treatment", "population": ATTACK, "citations": CITED}
    ],
    "approvals": [
        {
            "indication": ID,
            "jurisdiction": "ZA",
            "authority": ATTACK,
            "status": "approved",
            "valid_from": "2001",
            "as_of": "2026-11-22",
            "scope": ATTACK,
            "citations": CITED,
        }
    ],
    "warnings": [
        {
            "treatment": ID,
            "kind": "boxed-warning",
            "jurisdiction": "ZA",
            "statement": ATTACK,
            "terms": [ATTACK],
            "citations": CITED,
        }
    ],
    "dosing-intervals": [
        {
            "treatment": ID,
            "condition": ID,
            "basis": "label",
            "jurisdiction": "ZA",
            "dose_min": 1,
            "dose_max": 2,
            "dose_unit": "made-up-unit",
            "interval_min": 12,
            "interval_unit": "wk",
            "as_needed_for": ATTACK,
            "rate_min": 1,
            "rate_unit": ATTACK,
            "rate_time_unit": "h",
            "ingredients": [{"name": ATTACK, "dose_min": 1, "unit": ATTACK}],
            "steps": [{"note": ATTACK}],
            "population": ATTACK,
            "note": ATTACK,
            "citations": CITED,
        }
    ],
    "studies": [_study(), _study(id=OTHER, sources=[OTHER])],
    "side-effects": [
        {
            "treatment": ID,
            "condition": ID,
            "term": ATTACK,
            "organ_class": ATTACK,
            "codes": CODES,
            "source_vocabulary": ATTACK,
            "grade_min": 3,
            "grade_scale": ATTACK,
            "time_frame": ATTACK,
            "serious": True,
            "basis": "trial",
            "attribution": "observed",
            "study": ID,
            "arms": [
                {"arm": ATTACK, "code": ATTACK, "dose": ATTACK, "role": "exposed", "affected": 1, "at_risk": 40},
                {"arm": f"{ATTACK}.", "role": "comparator", "affected": 0, "at_risk": 40},
            ],
            "citations": CITED,
        }
    ],
    "study-results": [
        _result(ID),
        _result(ID, id="made-up-attack-of-both", citations=SOUND),
        _result(OTHER, id=OTHER, citations=SOUND, certainty=None),
        _result(ID, id="made-up-attack-estimate", arms=_EYES, compared=[], outcome=None)
        | {"measure": "risk-ratio", "estimate": 1.5, "ci_low": 1, "ci_high": 2, "ci_level": 95},
    ],
    "claims": [
        {
            "source": ID,
            "quote": ATTACK,
            "kind": "efficacy",
            "treatment": ID,
            "conditions": [ID],
            "values": [{"name": ATTACK, "text": ATTACK, "unit": ATTACK}],
            "verdict": "contradicted",
            "rationale": ATTACK,
            "evidence": [
                {"kind": kind, "id": id_of(kind)}
                for kind in ("study-results", "approvals", "dosing-intervals", "side-effects", "warnings", "studies")
            ],
            "safety_flag": True,
            "safety_note": ATTACK,
        },
        {
            "id": OTHER,
            "source": OTHER,
            "quote": ATTACK,
            "kind": "efficacy",
            "verdict": "unverifiable",
            "rationale": ATTACK,
            "searched": SEARCHED,
        },
    ],
}
