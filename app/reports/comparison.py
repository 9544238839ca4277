"""The comparison of treatments: direct and indirect evidence apart, and whether results are comparable."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from pydantic import BaseModel, Field, create_model
from sqlalchemy import Connection

from app import DISCLAIMER
from app.evidence.calculator.schemas import SynthesisShown
from app.evidence.comparability import ConflictReason, conflicts
from app.evidence.extraction import (
    EvidenceMeasure,
    ExclusionReason,
    Unusable,
    Usable,
    extract_numbers,
    measure_named,
    usual_measure,
)
from app.evidence.pooling import WITHOUT_UNIT
from app.evidence.results import Reported
from app.evidence.statistics.distributions import normal_quantile
from app.evidence.statistics.measures import effect_of
from app.json_codec import from_json
from app.models.conditions import Condition
from app.models.treatments import Treatment
from app.models.types import Slug
from app.models.warnings import Warning
from app.reports.synthesis.content import conflict_content
from app.reports.synthesis.entries import result_entry
from app.reports.synthesis.results import omission_notes, read_results
from app.reports.synthesis.schemas import EvidenceConflict, EvidenceHead
from app.store.read.query import Address
from app.store.read.records import fetch_named
from app.store.read.schemas import WHOLE, included_model, public_model
from app.store.read.units import dose_comparison_warnings

LEVEL = 95.0
BETWEEN_TREATMENTS: ConflictReason = "different-products"
"""The conflict that a comparison of treatments ignores; doses of different products are never compared."""
NOTES = (
    "The order of treatments and rows says nothing of merit: nothing is ranked.",
    "Direct: one study gave people one treatment or the other. Indirect: each treatment was compared with the same "
    "third in studies of its own, whose people may differ; no effect between the treatments is computed.",
    "Doses of different products are not compared.",
)
NO_THIRD = (None, "baseline", "none", "mixed")
"""Comparators that link no treatments indirectly, though the word is equal: no group of other people, or several."""
Group = tuple[str, str | None, str]
"""Outcome, comparator, and in direct evidence the treatment, since swapping the two reverses the effect."""


def read_comparison(
    connection: Connection, treatments: Sequence[str], condition: str, *, window_days: float, address: Address
) -> dict[str, Any]:
    """The content of the response (`Comparison`).

    Moved, Gone or InvalidParameter for a missing treatment or condition.
    """
    compared = [from_json(fetch_named(connection, "treatments", Treatment, name)[0]) for name in treatments]
    about = from_json(fetch_named(connection, "condition", Condition, condition)[0])
    found = read_results(connection, {"treatment": list(treatments), "condition": [condition]})
    direct: dict[Group, list[Reported]] = defaultdict(list)
    through: dict[Group, list[Reported]] = defaultdict(list)
    for result in found.results:
        outcome, comparator = str(result.outcome["id"]), result.result["comparator"]
        if comparator in treatments:
            direct[outcome, comparator, str(result.treatment["id"])].append(result)
        else:
            through[outcome, comparator, ""].append(result)

    def shown(groups: Mapping[Group, Sequence[Reported]]) -> list[dict[str, Any]]:
        in_order = sorted(groups.items(), key=lambda group: (group[0][0], group[0][1] or "", group[0][2]))
        return [_group(key, results, treatments, window_days, address) for key, results in in_order]

    indirect = {
        key: results for key, results in through.items() if key[1] not in NO_THIRD and len(_treatments(results)) > 1
    }
    return {
        "treatments": compared,
        "condition": about,
        "direct": shown(direct),
        "indirect": shown(indirect),
        "alone": shown({key: results for key, results in through.items() if key not in indirect}),
        "without_results": [name for name in treatments if name not in _named(found.results)],
        "rules": dose_comparison_warnings(connection, treatments),
        "notes": [*NOTES, *omission_notes(found)],
        "included": found.included,
        "disclaimer": DISCLAIMER,
    }


def _treatments(results: Sequence[Reported]) -> set[str]:
    return {str(result.treatment["id"]) for result in results}


def _named(results: Sequence[Reported]) -> set[str]:
    """The treatments of the results, as treatment or comparator."""
    return _treatments(results) | {str(result.result["comparator"]) for result in results}


def _group(
    key: Group, results: Sequence[Reported], treatments: Sequence[str], window_days: float, address: Address
) -> dict[str, Any]:
    """A `ComparedGroup`: results with one outcome and comparator, under the measure that most of them have."""
    measure = usual_measure(results)
    extracted = sorted(
        ((result, extract_numbers(result, measure)) for result in results),
        key=lambda pair: (treatments.index(str(pair[0].treatment["id"])), pair[0].id),
    )
    usable = [result for result, numbers in extracted if isinstance(numbers, Usable)]
    found_conflicts = [
        conflict
        for conflict in conflicts(
            usable,
            is_standardised=measure in WITHOUT_UNIT,
            window_days=window_days,
        )
        if conflict.reason != BETWEEN_TREATMENTS
    ]
    return {
        "outcome": key[0],
        "comparator": key[1],
        "treatments": [name for name in treatments if name in {*_treatments(results), key[1]}],
        "measure": measure,
        "may_be_compared": not found_conflicts and bool(usable) and (key[2] != "" or len(_treatments(usable)) > 1),
        "why_not": [conflict_content(conflict) for conflict in found_conflicts],
        "rows": [result_entry(result, address) | _effect(numbers, measure) for result, numbers in extracted],
    }


def _effect(numbers: Usable | Unusable, name: str) -> dict[str, Any]:
    """The effect with its 95 % interval on the displayed scale, or the reason for having none."""
    if isinstance(numbers, Unusable):
        return {"effect": None, "reason": numbers.reason, "detail": numbers.detail}
    measure = measure_named(name)
    effect = effect_of(measure, numbers.row, 0)
    margin = -normal_quantile((1 - LEVEL / 100) / 2) * sqrt(effect.variance)
    ends = {"estimate": effect.estimate, "ci_low": effect.estimate - margin, "ci_high": effect.estimate + margin}
    shown = {field: measure.shown(value, [numbers.row]) for field, value in ends.items()}
    return {"effect": shown, "reason": None, "detail": None}


# The response schema


class ComparedResult(EvidenceHead):
    """A study result in a comparison, with its effect or why it has none."""

    effect: SynthesisShown | None = Field(description="Its effect on the displayed scale; null when it has none.")
    reason: ExclusionReason | None = Field(description="Why it has none.")
    detail: str | None = Field(description="Why, in words.")


class ComparedGroup(BaseModel):
    """Results of one outcome against one comparator, and whether they may be compared with each other."""

    outcome: Slug = Field(description="The outcome.")
    comparator: Slug | None = Field(description="The comparator: another of the treatments, or a third.")
    treatments: list[Slug] = Field(description="The treatments that the results are about.")
    measure: EvidenceMeasure = Field(description="The measure of effect.")
    may_be_compared: bool = Field(description="Whether the rows with an effect may be compared with each other.")
    why_not: list[EvidenceConflict] = Field(description="The reasons against it, with the results on each side.")
    rows: list[ComparedResult] = Field(description="The results, by treatment; the order says nothing of merit.")


_TREATMENT: Any = public_model(Treatment)
_CONDITION: Any = public_model(Condition)
_WARNING: Any = public_model(Warning)
_INCLUDED: Any = included_model()
Comparison: Any = create_model(
    "Comparison",
    __config__=WHOLE,
    __doc__="What is known of several treatments for one condition, side by side, without a ranking.",
    treatments=(list[_TREATMENT], Field(..., description="The treatments, in the order of the question.")),
    condition=(_CONDITION, Field(..., description="The condition.")),
    direct=(
        list[ComparedGroup],
        Field(..., description="Studies that compared two of the treatments with each other."),
    ),
    indirect=(
        list[ComparedGroup],
        Field(..., description="Studies that compared at least two of them with the same third, by outcome."),
    ),
    alone=(
        list[ComparedGroup],
        Field(..., description="Outcomes and comparators for which one of the treatments alone has results."),
    ),
    without_results=(list[Slug], Field(..., description="The treatments that have no result for the condition.")),
    rules=(list[_WARNING], Field(..., description="The warnings that forbid to compare their doses.")),
    notes=(list[str], Field(..., description="What a reader needs to know in order to read this rightly.")),
    included=(_INCLUDED, Field(..., description="The records that the results reference.")),
    disclaimer=(str, Field(..., description="What this is not.")),
)
