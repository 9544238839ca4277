"""Study results: one outcome and one comparison of a study, with the arms' own numbers."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import Field as Nested
from pydantic import model_validator
from sqlmodel import Field

from app.models.base import (
    CitedRecord,
    Known,
    Part,
    Row,
    given,
    ordered,
    reference,
    several,
    structured,
    unfiltered,
    unfiltered_list,
    word,
)
from app.models.effects import (
    favoured_above_null,
    finding_and_estimate,
    finding_and_interval,
    finding_and_margin,
    is_controlled,
    off_scale,
    p_value_and_interval,
    ratios_above_zero,
)
from app.models.result_arms import ResultArm
from app.models.rules import ReviewReason, Rule, Wrong, flagged, refused, rule
from app.models.types import (
    ConditionRef,
    Count,
    Line,
    NotNegative,
    Number,
    OutcomeRef,
    Percent,
    Probability,
    Prose,
    RefersTo,
    Slug,
    StudyRef,
    TreatmentRef,
)
from app.models.vocabulary import (
    AnalysisPopulation,
    BiasJudgement,
    BiasTool,
    CertaintyLevel,
    Comparator,
    DirectionBasis,
    EstimateDirection,
    Finding,
    Hypothesis,
    LoweredBy,
    Measure,
    PModifier,
    RaisedBy,
    ScoreKind,
    Sides,
    SynthesisKind,
)

COMPARATORS: frozenset[str] = frozenset(get_args(Comparator.__value__))
ComparatorRef = Annotated[Slug, RefersTo("treatments", unless=COMPARATORS)]
"""A treatment's id, or the word for a comparator that has no record (`placebo`, `none`, …)."""
LOWEST_LEVEL = 50.0
"""The lowest confidence level in percent that is no slip: bioequivalence has 90, exploratory trials 80 or 50."""
EARLIER_NULL = "null-before-not-significant"
"""The reason for a review of a null that was recorded when there was no word for `not-significant`."""
OFF_SCALE = rule("off-scale", is_refused=True)
AGAINST_ESTIMATE = rule("finding-contradicts-estimate", is_refused=False)
AGAINST_MARGIN = rule("finding-contradicts-margin", is_refused=False)
AGAINST_OUTCOME = rule("direction-contradicts-outcome", is_refused=False)


class BiasDomain(Part):
    """One domain of a risk-of-bias tool."""

    domain: Line = Nested(description="The domain's name in the tool.")
    judgement: BiasJudgement = Nested(description="What was judged.")


class RiskOfBias(Part):
    """Risk of bias of a result: it belongs to the result, never to the treatment."""

    tool: BiasTool = Nested(description="The tool: RoB 2, RoB 1, ROBINS-I.")
    overall: BiasJudgement = Nested(description="The overall judgement.")
    domains: list[BiasDomain] = Nested(default_factory=list, description="The judgement of each domain.")
    by: Line | None = Nested(default=None, description="Who judged.")


class Certainty(Part):
    """GRADE certainty of evidence for this outcome and comparison, as its authors rated it."""

    level: CertaintyLevel = Nested(description="How sure one can be.")
    lowered_by: list[LoweredBy] = Nested(default_factory=list, description="What lowered it.")
    raised_by: list[RaisedBy] = Nested(default_factory=list, description="What raised it.")
    by: Line | None = Nested(default=None, description="Who rated it.")


class StudyResultRecord(CitedRecord):
    """What a study found for one outcome, one comparison and one time, with all its context."""

    core: ClassVar[frozenset[str]] = frozenset({"study", "treatment", "condition", "outcome_text", "finding"})
    derived_where_absent: ClassVar[frozenset[str]] = frozenset({"estimate_direction"})
    study: StudyRef = reference("study", "The study that found it.")
    treatment: TreatmentRef = reference("treatment", "What was given.")
    comparator: ComparatorRef | None = Field(
        default=None,
        index=True,
        description="What it was compared with: a treatment's id, or `placebo`, `none`, …; absent for a single arm.",
    )
    condition: ConditionRef | None = reference("condition", "What it was given for.", default=None)
    outcome: OutcomeRef | None = reference("outcome", "The outcome, in our list.", default=None)
    outcome_text: Line = Field(description="The outcome, as the study puts it.")
    is_primary: bool | None = Field(default=None, description="Whether it was a primary outcome of the study.")
    time_frame_days: NotNegative | None = Field(
        default=None, description="When it was measured, in days from the first treatment."
    )
    time_frame_text: Line | None = Field(default=None, description="When it was measured, as the study puts it.")
    score: ScoreKind | None = word("Whether means are changes from the start, or final values.", default=None)
    population: AnalysisPopulation | None = word("The analysis population.", default=None)
    arms: list[ResultArm] = several("The arms' numbers.")
    compared: list[Line] = unfiltered_list(
        "The arms, by name or code, that the estimate and P compare, the treatment's first; empty: all arms."
    )
    analysis_method: Line | None = unfiltered("The statistical method (ClinicalTrials.gov `statisticalMethod`).")
    measure: Measure | None = word("The effect measure of the estimate.", default=None)
    measure_text: Line | None = unfiltered("The measure in the source's words (ClinicalTrials.gov `paramType`).")
    estimate: Number | None = Field(default=None, description="The estimate of the effect.")
    estimate_direction: EstimateDirection | None = unfiltered(
        "Which side a value above the measure's null (0, or 1 for ratios) favours: as the source says; else as it "
        "follows from the outcome's direction for treatment minus or over comparator. `estimate_direction_basis` says "
        "which."
    )
    estimate_se: NotNegative | None = unfiltered("The standard error of the estimate, where that is printed.")
    ci_level: Percent | None = Field(default=None, description="The confidence level in percent, usually 95.")
    ci_low: Number | None = Field(default=None, description="Lower confidence limit.")
    ci_high: Number | None = Field(default=None, description="Upper confidence limit.")
    ci_sides: Sides | None = unfiltered(
        "Whether the interval and the test are one-sided (ClinicalTrials.gov `ciNumSides`)."
    )
    p_value: Probability | None = Field(default=None, description="P value.")
    p_modifier: PModifier | None = word("Whether P equals, lies below or lies above `p_value`.", default=None)
    p_text: Line | None = unfiltered("P as it is printed, where that is no number: `NS`.")
    i2: Percent | None = Field(default=None, description="I², heterogeneity in percent, for a review's result.")
    hypothesis: Hypothesis | None = unfiltered("What was to be shown (ClinicalTrials.gov `nonInferiorityType`).")
    margin: Number | None = unfiltered("The margin of non-inferiority or equivalence, on the scale of the measure.")
    margin_text: Prose | None = unfiltered("The margin in the source's words, and why it was chosen.")
    clinically_important: bool | None = unfiltered("Whether the authors call the difference clinically important.")
    finding: Finding = word(
        "What was found: which side it favours; `not-significant` (a difference was not shown), `no-difference` (a "
        "precise null: an important difference was excluded), `non-inferior` or `non-inferiority-not-shown`.",
        index=True,
    )
    synthesis: SynthesisKind = word(
        "How a review joined its trials; `none` for a result of one study.", default="none", index=True
    )
    includes: list[StudyRef] = several("For a review's result: the studies of ours that it includes.")
    trial_count: Count | None = Field(default=None, description="For a review's result: trials it includes.")
    participant_count: Count | None = Field(default=None, description="For a review's result: people in those trials.")
    certainty: Certainty | None = structured("GRADE certainty, for this outcome and comparison.")
    risk_of_bias: RiskOfBias | None = structured("Risk of bias of this result; absent: the study's.")
    note: Prose | None = Field(default=None, description="What a reader should know before using it.")

    @model_validator(mode="before")
    @classmethod
    def _drop_derived_direction(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("estimate_direction_basis") == "outcome":
            return {name: value for name, value in values.items() if name != "estimate_direction"}
        return values

    @model_validator(mode="after")
    def _numbers_agree(self) -> Self:
        ordered(self.ci_low, self.ci_high, "ci_low and ci_high")
        if self.estimate is not None and self.measure is None:
            raise ValueError("an estimate needs its measure")
        if self.estimate is not None:
            ordered(self.ci_low, self.estimate, "ci_low and estimate")
            ordered(self.estimate, self.ci_high, "estimate and ci_high")
        if (self.p_value is None) != (self.p_modifier is None):
            raise ValueError("p_value and p_modifier stand together")
        if given(self.includes) and self.synthesis == "none":
            raise ValueError("only a synthesis includes studies")
        return self

    @model_validator(mode="after")
    def _analysis_is_whole(self) -> Self:
        if self.margin is not None and self.hypothesis in (None, "superiority", "other"):
            raise ValueError("a margin needs a hypothesis of non-inferiority or equivalence")
        names = {name for arm in self.arms for name in (arm.arm, arm.code)}
        unknown = next((name for name in self.compared if name not in names), None)
        if unknown is not None and self.arms:
            raise ValueError(f"compared names no arm of this result: {unknown!r}")
        if len(set(self.compared)) != len(self.compared):
            raise ValueError("compared names an arm twice")
        return self

    @refused("arms-named-alike")
    def _arms_differ(self) -> Iterator[Wrong]:
        seen: set[tuple[str, str | None, str | None]] = set()
        for index, arm in enumerate(self.arms):
            if arm.identity in seen:
                detail = f"two arms are named {arm.arm!r}; give them other names, or their class or category"
                yield Wrong(f"/arms/{index}/arm", detail)
            seen.add(arm.identity)

    @refused("ratio-not-above-zero")
    def _ratios_lie_above_zero(self) -> Iterator[Wrong]:
        yield from ratios_above_zero(self)

    @refused("impossible-p-value")
    def _p_value_is_possible(self) -> Iterator[Wrong]:
        if self.p_value == 0 and self.p_modifier in ("=", "<"):
            last = "P is never 0, nor below it: write < and the smallest P that the source prints, as in P < 0.001"
            yield Wrong("/p_value", last)
        if self.p_value == 1 and self.p_modifier == ">":
            yield Wrong("/p_value", "P is never above 1")

    @flagged("outcome-without-record")
    def _outcome_is_known(self) -> Iterator[Wrong]:
        if self.outcome is None:
            yield Wrong("/outcome", "the outcome has no record yet")

    @flagged("finding-contradicts-interval")
    def _finding_follows_interval(self) -> Iterator[Wrong]:
        yield from finding_and_interval(self)

    @flagged("p-value-contradicts-interval")
    def _p_value_follows_interval(self) -> Iterator[Wrong]:
        yield from p_value_and_interval(self)

    @flagged("unusual-confidence-level")
    def _confidence_level_is_usual(self) -> Iterator[Wrong]:
        for pointer, level in (
            ("/ci_level", self.ci_level),
            *((f"/arms/{n}/ci_level", arm.ci_level) for n, arm in enumerate(self.arms)),
        ):
            if level is not None and not LOWEST_LEVEL <= level < 100:
                yield Wrong(pointer, f"a confidence level of {level:g} % is likely a slip: 0.95 or 05 for 95")

    @classmethod
    def reasons_at_update(cls, document: Mapping[str, Any]) -> Iterator[ReviewReason]:
        """A null of before `not-significant` was known: it may be a precise one, or only a difference not shown."""
        if document["finding"] == "no-difference":
            detail = "recorded when any difference that was not significant was called no-difference"
            yield ReviewReason(rule=EARLIER_NULL, pointer="/finding", detail=detail)


class StudyResult(Row, StudyResultRecord, table=True):
    """The table row of a study result, with what decides how its finding is read."""

    plural: ClassVar[str] = "study-results"
    search_rank: ClassVar[int] = 10
    filled_by_migrations: ClassVar[frozenset[str]] = frozenset({"is_controlled"})
    is_controlled: bool = Field(
        default=False,
        description="Whether it compares with other people: false for the comparators `baseline` and `none`, and for "
        "none at all. Without a control, what `finding` says is a change, and no effect of the treatment.",
    )
    estimate_direction_basis: DirectionBasis | None = unfiltered(
        "Whether the source says which side a higher estimate favours, or it follows from the outcome."
    )

    @classmethod
    def derive(cls, record: Any, known: Known) -> dict[str, Any]:
        """Whether it is controlled, and which side a value above the null favours where the source does not say."""
        derived: dict[str, Any] = {"is_controlled": is_controlled(record.comparator)}
        if record.estimate_direction is not None:
            return derived | {"estimate_direction_basis": "source"}
        if record.estimate is None:
            return derived
        above = favoured_above_null(_outcome(record, known), record.measure)
        return derived | {"estimate_direction": above, "estimate_direction_basis": "outcome"}

    @classmethod
    def contradictions(cls, record: Any, known: Known) -> Iterator[tuple[Rule, ReviewReason]]:
        """Values off the outcome's scale, and findings that their estimate or margin contradict."""
        outcome = _outcome(record, known)
        follows = favoured_above_null(outcome, record.measure)
        above = record.estimate_direction or follows
        checks = (
            (OFF_SCALE, () if outcome is None else off_scale(record, outcome)),
            (AGAINST_ESTIMATE, finding_and_estimate(record, above)),
            (AGAINST_MARGIN, finding_and_margin(record, above)),
            (AGAINST_OUTCOME, _direction_and_outcome(record, follows)),
        )
        for broken, found in checks:
            for wrong in found:
                yield broken, ReviewReason(rule=broken.name, pointer=wrong.pointer, detail=wrong.detail)


def is_earlier_null(result: Mapping[str, Any]) -> bool:
    """Whether a result's document may call a mere lack of significance `no-difference`, as 0.3.0 did."""
    reasons = result.get("review_reasons")
    return reasons is None or any(reason["rule"] == EARLIER_NULL for reason in reasons)


def _outcome(record: Any, known: Known) -> Mapping[str, Any] | None:
    return None if record.outcome is None else known("outcomes", record.outcome)


def _direction_and_outcome(record: Any, follows: str) -> Iterator[Wrong]:
    """What the source says against what follows from the outcome; the source's word wins."""
    if record.estimate_direction not in (None, "unknown", follows) and follows != "unknown":
        detail = f"by the outcome's direction a higher {record.measure} favours the {follows}: it may be turned round"
        yield Wrong("/estimate_direction", detail)
