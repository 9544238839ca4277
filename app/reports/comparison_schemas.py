"""The shape of a comparison of treatments: what compared them directly, what through a third, what not at all."""

from typing import Any

from pydantic import BaseModel, Field, create_model

from app.evidence.calculator.schemas import SynthesisShown
from app.evidence.extraction import EvidenceMeasure, ExclusionReason
from app.models.conditions import Condition
from app.models.treatments import Treatment
from app.models.types import Slug
from app.models.warnings import Warning
from app.reports.synthesis.schemas import EvidenceConflict, EvidenceHead
from app.store.read.schemas import WHOLE, included_model, public_model


class ComparedResult(EvidenceHead):
    """A study result in a comparison, with its effect or why it has none."""

    effect: SynthesisShown | None = Field(description="Its effect as people read it; null where it has none.")
    reason: ExclusionReason | None = Field(description="Why it has none.")
    detail: str | None = Field(description="Why, in words.")


class ComparedGroup(BaseModel):
    """Results of one outcome against one comparator, and whether they may be compared with each other."""

    outcome: Slug = Field(description="The outcome.")
    comparator: Slug | None = Field(description="What was compared with: another of the treatments, or a third.")
    treatments: list[Slug] = Field(description="The treatments that the results are about.")
    measure: EvidenceMeasure = Field(description="What their effects are.")
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
    included=(_INCLUDED, Field(..., description="The records that the results mention.")),
    disclaimer=(str, Field(..., description="What this is not.")),
)
