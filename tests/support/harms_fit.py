"""How much of the adverse events of ClinicalTrials.gov our side effects can say: `python -m tests.support.harms_fit`.

Each row counts, over the studies with results that lie beside the project (`../shared/data`), the values of one kind
and those that our models take as the registry has them. Nothing is stored, and nothing is guessed.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.models.rules import broken_rules
from app.models.side_effects import SideEffectRecord

STUDIES = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "ctgov" / "studies_with_results_dev.jsonl.gz"
Values = dict[str, Any]
ASSESSMENTS = {"SYSTEMATIC_ASSESSMENT": "systematic", "NON_SYSTEMATIC_ASSESSMENT": "non-systematic"}


def studies() -> Iterator[Values]:
    """Every study with results."""
    with gzip.open(STUDIES, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def arm_of(group: Values, stats: Values, event: Values) -> Values:
    """One group of one event; its role is nowhere in the registry's table of adverse events."""
    counts = {
        "affected": stats.get("numAffected"),
        "at_risk": stats.get("numAtRisk"),
        "event_count": stats.get("numEvents"),
    }
    absent = {name: "not-reported" for name, value in counts.items() if value is None}
    return {
        "arm": group["title"].strip(),
        "code": group["id"],
        **{name: value for name, value in counts.items() if value is not None},
        "assessment": ASSESSMENTS.get(event.get("assessmentType", "")),
        "missing": {"role": "not-reported", **absent},
    }


def record_of(module: Values, event: Values, number: int, *, serious: bool) -> Values:
    """One event of a study as a side effect; the treatment is not named where arms have no role."""
    groups = {group["id"]: group for group in module["eventGroups"]}
    threshold = module.get("frequencyThreshold")
    return {
        "id": f"registry-event-{number}",
        "term": " ".join(event["term"].split()),
        "organ_class": event.get("organSystem"),
        "source_vocabulary": event.get("sourceVocabulary"),
        "serious": serious,
        "basis": "trial",
        "attribution": "observed",
        "study": "registry-study",
        "time_frame": " ".join(module["timeFrame"].split())[:1000] if module.get("timeFrame") else None,
        "reporting_threshold": None if serious or threshold is None else float(threshold),
        "arms": [arm_of(groups[stats["groupId"]], stats, event) for stats in event["stats"]],
        "missing": {"treatment": "not-extracted"},
        "citations": [{"source": "registry-record"}],
    }


def fit() -> tuple[Counter[str], Counter[str], Counter[str]]:
    """By kind of value: how many there are, how many fit, and the words by which others are refused."""
    total, fits, refused = Counter[str](), Counter[str](), Counter[str]()
    for study in studies():
        module = study["resultsSection"].get("adverseEventsModule", {})
        for kind in ("seriousEvents", "otherEvents"):
            for number, event in enumerate(module.get(kind, [])):
                values = record_of(module, event, number, serious=kind == "seriousEvents")
                kinds = _kinds(values)
                total += kinds
                try:
                    record = SideEffectRecord.model_validate(values)
                except ValidationError as failure:
                    refused[failure.errors()[0]["msg"][:60]] += 1
                    continue
                broken = [rule.name for rule, _ in broken_rules(record) if rule.is_refused]
                refused.update(broken)
                if not broken:
                    fits += kinds
    return total, fits, refused


def _kinds(values: Values) -> Counter[str]:
    arms = values["arms"]
    return Counter(
        {
            "events": 1,
            "rows (group x event)": len(arms),
            "role not assigned": len(arms),
            "group's own code": len(arms),
            "people affected not reported": sum("affected" not in arm for arm in arms),
            "nobody at risk": sum(arm.get("at_risk") == 0 for arm in arms),
            "time frame": int(bool(values["time_frame"])),
            "reporting threshold": int(values["reporting_threshold"] is not None),
            "vocabulary of the term": int(bool(values["source_vocabulary"])),
        }
    )


def main() -> None:
    """Print a line for each kind of value, and why what does not fit is refused."""
    total, fits, refused = fit()
    for kind, count in total.items():
        print(f"{kind}: {fits[kind]} of {count}")
    for reason, count in refused.most_common():
        print(f"refused, {reason}: {count}")


if __name__ == "__main__":
    main()
