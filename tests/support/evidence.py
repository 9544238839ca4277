"""Made-up results for tests of syntheses: three products, two outcomes, trials and a review."""

from collections.abc import Mapping
from typing import Any

from app.models.base import Record
from tests.store.test_store import record

SOURCE = "made-up-journal"
CONDITION = "made-up-ache"
TOXIN, OTHER = "made-up-toxin", "made-up-other-toxin"
RELIEF, PAIN, SCALE, NAUSEA = "made-up-relief", "made-up-pain", "made-up-pain-scale", "made-up-nausea"
TIME, EVENT = "made-up-time", "made-up-event"
CITED = [{"source": SOURCE}]


def study(name: str, **fields: Any) -> Record:
    """A randomised trial, unless its design says otherwise."""
    values = {"id": name, "title": f"Made-up study {name}", "design": "randomized-parallel", "sources": [SOURCE]}
    return record("studies", values | fields)


def result(name: str, **fields: Any) -> Record:
    """What the study of that name found for relief against placebo after 28 days."""
    values = {
        "id": name,
        "study": name,
        "treatment": TOXIN,
        "comparator": "placebo",
        "condition": CONDITION,
        "outcome": RELIEF,
        "outcome_text": "made-up relief",
        "time_frame_days": 28,
        "finding": "unclear",
        "citations": CITED,
    }
    return record("study-results", values | fields)


def counts(events1: int, n1: int, events2: int, n2: int) -> list[dict[str, Any]]:
    """Both arms of a trial that counted people."""
    return [
        {"arm": "toxin", "role": "exposed", "events": events1, "n": n1},
        {"arm": "placebo", "role": "comparator", "events": events2, "n": n2},
    ]


def means(mean1: float, mean2: float, sd: float = 2.0, n: int = 40) -> list[dict[str, Any]]:
    """Both arms of a trial that measured."""
    return [
        {"arm": "toxin", "role": "exposed", "mean": mean1, "sd": sd, "n": n},
        {"arm": "placebo", "role": "comparator", "mean": mean2, "sd": sd, "n": n},
    ]


def ground() -> list[Record]:
    """What results stand on: source, condition, treatments with units of their own, outcomes."""
    outcomes: list[Mapping[str, Any]] = [
        {"id": RELIEF, "name": "Made-up relief", "kind": "binary", "direction": "higher-is-better", "domain": "ache"},
        {"id": PAIN, "name": "Made-up pain", "kind": "continuous", "direction": "lower-is-better", "domain": "ache"},
        {"id": SCALE, "name": "Made-up scale", "kind": "continuous", "direction": "lower-is-better", "domain": "ache"},
        {"id": NAUSEA, "name": "Made-up nausea", "kind": "binary", "direction": "lower-is-better", "domain": "harm"},
    ]
    in_days = {"kind": "time-to-event", "direction": "higher-is-better", "unit": "day"}
    outcomes += [
        {"id": TIME, "name": "Made-up time: to the next ache", **in_days},
        {"id": EVENT, "name": "Made-up event in time", **in_days, "unit": None},
    ]
    return [
        record("sources", {"id": SOURCE, "kind": "journal-article", "title": "A made-up article"}),
        record("conditions", {"id": CONDITION, "name": "Made-up ache"}),
        *(
            record(
                "treatments",
                {
                    "id": name,
                    "name": name.title(),
                    "kind": "biologic",
                    "dose_unit": {"code": f"{name}-unit", "label": f"{name} U"},
                },
            )
            for name in (TOXIN, OTHER)
        ),
        *(record("outcomes", dict(values)) for values in outcomes),
    ]


def trials() -> list[Record]:
    """Three trials of relief that may be joined."""
    numbers = {"made-up-a": (12, 60, 5, 58), "made-up-b": (20, 80, 9, 82), "made-up-c": (31, 90, 22, 91)}
    return [one for name, four in numbers.items() for one in (study(name), result(name, arms=counts(*four)))]
