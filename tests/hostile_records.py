"""Made-up records whose every text is an attack, for tests of what shows records; they name nothing that exists."""

from pydantic_core import to_json

from app.importers.seed import read
from app.models.base import Record

ATTACK = (
    "made-up <script>window.hit=1</script><img src=x onerror='window.hit=2'>"
    "\"'><b>&amp;</b> javascript:hit() \u202egnp.exe"
)
"""Markup, quotes, an entity, an address that runs, and a right-to-left override; all of it is text to a reader."""
ID = "made-up-attack"
CITED = [{"source": ID, "note": ATTACK, "missing": {"quote": "not-extracted"}}]


def hostile_records() -> list[Record]:
    """One record of each resource that a card shows, all about each other."""
    both = {"treatment": ID, "condition": ID}
    seed = {
        "sources": [
            {
                "id": ID,
                "kind": "journal-article",
                "title": ATTACK,
                "url": "https://made-up.example/?'onload='hit()",
                "retraction": {"status": "retracted", "on": "2024", "notice": ATTACK},
            }
        ],
        "conditions": [{"id": ID, "name": ATTACK}],
        "treatments": [{"id": ID, "name": ATTACK, "kind": "drug", "brand_names": [ATTACK], "definition": ATTACK}],
        "indications": [{"id": ID, **both, "purpose": "treatment", "population": ATTACK, "citations": CITED}],
        "approvals": [
            {
                "id": ID,
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
                "id": ID,
                "treatment": ID,
                "kind": "boxed-warning",
                "jurisdiction": "ZA",
                "statement": ATTACK,
                "citations": CITED,
            }
        ],
        "studies": [{"id": ID, "title": ATTACK, "acronym": ATTACK, "design": "randomized-parallel", "sources": [ID]}],
        "study-results": [
            {
                "id": ID,
                "study": ID,
                **both,
                "comparator": "placebo",
                "outcome_text": ATTACK,
                "time_frame_text": ATTACK,
                "arms": [{"arm": ATTACK, "role": "exposed", "n": 9, "events": 3}],
                "finding": "unclear",
                "note": ATTACK,
                "certainty": {"level": "low", "by": ATTACK},
                "citations": CITED,
            }
        ],
        "claims": [
            {
                "id": ID,
                "source": ID,
                "quote": ATTACK,
                "kind": "efficacy",
                "treatment": ID,
                "conditions": [ID],
                "verdict": "contradicted",
                "rationale": ATTACK,
                "evidence": [{"kind": "study-results", "id": ID}],
                "safety_flag": True,
                "safety_note": ATTACK,
            }
        ],
    }
    return read(to_json(seed).decode())
