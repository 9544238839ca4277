"""Query parameters of a synthesis: filters of study results, pooling options and accepted comparability conflicts."""

from typing import Annotated, Any, Literal, get_args

from pydantic import Field
from typing_extensions import TypeAliasType

from app.evidence.calculator.request import SynthesisEstimator, SynthesisInterval, SynthesisMethod, SynthesisModel
from app.evidence.comparability import WINDOW_DAYS, ConflictReason
from app.evidence.extraction import EvidenceMeasure
from app.evidence.results import SubgroupBy
from app.fields import QueryNumber
from app.models.study_results import StudyResultRecord
from app.models.types import Slug
from app.models.vocabulary import ScoreKind, SynthesisKind
from app.store.examples import seed_records
from app.store.read.query import ReadParameters

MOST_NAMED = 20
"""How many values a repeated query parameter may have."""
Audience = TypeAliasType("Audience", Literal["patient", "clinician"])
EvidenceAddition = TypeAliasType("EvidenceAddition", Literal["leave-one-out", "cumulative", "egger", "trim-and-fill"])
FILTERS = (
    "treatment",
    "condition",
    "outcome",
    "comparator",
    "study",
    "id",
    "synthesis",
    "score",
    "time_frame_days",
    "time_frame_days_gte",
    "time_frame_days_lte",
)
"""Query parameters that are passed on as filters of the list of study results."""
REASONS: tuple[ConflictReason, ...] = get_args(ConflictReason.__value__)


def _example() -> StudyResultRecord:
    """The first study result of the seed that is alone in its question and has events in both of its arms."""
    by_question: dict[tuple[Any, ...], list[StudyResultRecord]] = {}
    for record in seed_records().values():
        if isinstance(record, StudyResultRecord):
            by_question.setdefault((record.treatment, record.condition, record.outcome), []).append(record)
    alone = (results[0] for results in by_question.values() if len(results) == 1)
    return next(result for result in alone if [bool(arm.events) for arm in result.arms] == [True, True])


EXAMPLE = _example()
"""The study result of the example in the API documentation."""

Ids = Annotated[list[Slug], Field(min_length=1, max_length=MOST_NAMED)]


class EvidenceQuestion(ReadParameters):
    """The query parameters of a synthesis of our study results."""

    treatment: Ids = Field(
        description="The treatment's id; repeat it for any of several. A class does not include its products.",
        examples=[[EXAMPLE.treatment]],
    )
    condition: Slug = Field(description="The condition's id.", examples=[EXAMPLE.condition])
    outcome: Ids = Field(description="The outcome's id; repeat it for any of several.", examples=[[EXAMPLE.outcome]])
    comparator: Ids | None = Field(None, description="Only comparisons with this; repeat it for any of several.")
    study: Ids | None = Field(None, description="Only results of this study; repeat it for any of several.")
    id: Annotated[list[Slug], Field(max_length=200)] | None = Field(
        None, description="Only these study results; repeat it, up to 200 times."
    )
    synthesis: Annotated[list[SynthesisKind], Field(max_length=MOST_NAMED)] | None = Field(
        None, description="`none`: only results of single studies. Other words: only results of reviews of that kind."
    )
    score: Annotated[list[ScoreKind], Field(max_length=MOST_NAMED)] | None = Field(
        None, description="Only changes from the start, or only final values."
    )
    time_frame_days: Annotated[list[QueryNumber], Field(max_length=MOST_NAMED)] | None = Field(
        None, description="Only results of this day, counted from the first treatment; repeat it for any of several."
    )
    time_frame_days_gte: QueryNumber | None = Field(None, description="Only results of that day or later.")
    time_frame_days_lte: QueryNumber | None = Field(None, description="Only results of that day or earlier.")
    measure: EvidenceMeasure | None = Field(
        None,
        description="The measure of effect. By default the one that fits the outcome's kind and under which most "
        "results count.",
    )
    model: SynthesisModel | None = Field(
        None, description="`random-effects` by default; `common-effect` for `mantel-haenszel` and `peto`."
    )
    method: SynthesisMethod = Field("inverse-variance", description="How studies are weighted.")
    estimator: SynthesisEstimator = Field("reml", description="How τ² is estimated.")
    interval: SynthesisInterval | None = Field(
        None,
        description="How the confidence interval is computed. By default `knapp-hartung` for three or more studies "
        "that differ beyond chance (τ² above 0), else `wald`.",
    )
    level: float = Field(95.0, ge=50, le=99.9, description="Of all intervals, in percent.")
    window_days: float = Field(
        WINDOW_DAYS, ge=0, le=36_500, description="How many days apart the time frames of results may lie."
    )
    accept: Annotated[list[ConflictReason], Field(max_length=len(REASONS))] | None = Field(
        None,
        description="A reason against pooling the results that you accept; repeat it for several. The "
        "answer carries those that apply, under `caveats`.",
    )
    also: Annotated[list[EvidenceAddition], Field(max_length=MOST_NAMED)] | None = Field(
        None, description="What else to compute; repeat it for several."
    )
    subgroup: SubgroupBy | None = Field(
        None,
        description="What to split the results by: each subgroup is pooled with a τ² of its own, and their difference "
        "tested, under `subgroups`.",
    )
    audience: Audience | None = Field(
        None, description="Adds the answer in words, for patients or for clinicians, under `plain`."
    )
    format: Literal["json", "csv", "svg"] | None = Field(
        None, description="`json`, `csv` or `svg`; goes before the Accept header."
    )
    plot: Literal["forest", "funnel"] | None = Field(
        None, description="Which plot an SVG shows; `forest` unless told. It needs SVG."
    )

    def filters(self) -> dict[str, Any]:
        """The filters for the list of study results."""
        values = {name: getattr(self, name) for name in FILTERS}
        return {name: [value] if name == "condition" else value for name, value in values.items() if value is not None}

    def named(self) -> dict[str, list[str]]:
        """The ids whose records must exist, by the singular of their resource."""
        return {"treatment": self.treatment, "condition": [self.condition], "outcome": self.outcome}
