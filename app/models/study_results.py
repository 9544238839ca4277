"""Study results: one outcome and one comparison of a study, with the arms' own numbers."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Self, get_args

from pydantic import Field as Nested
from pydantic import model_validator
from sqlmodel import Field

from app.models.base import (
    CitedRecord,
    Part,
    PartWithMissing,
    Row,
    given,
    ordered,
    reference,
    several,
    structured,
    word,
)
from app.models.rules import Wrong, flagged
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
    ArmRole,
    BiasJudgement,
    BiasTool,
    CertaintyLevel,
    Comparator,
    Finding,
    LoweredBy,
    Measure,
    PModifier,
    RaisedBy,
    ScoreKind,
    SynthesisKind,
)

COMPARATORS: frozenset[str] = frozenset(get_args(Comparator.__value__))
ComparatorRef = Annotated[Slug, RefersTo("treatments", unless=COMPARATORS)]
"""A treatment's id, or the word for a comparator that has no record (`placebo`, `none`, …)."""


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


class ResultArm(PartWithMissing):
    """The numbers of one arm. `events` are people with the outcome; `event_count` counts events."""

    arm: Line = Nested(description="The arm, as its study names it.")
    role: ArmRole = Nested(description="Whether this arm received the treatment.")
    n: Count | None = Nested(default=None, description="People analysed.")
    events: Count | None = Nested(default=None, description="People with the outcome.")
    event_count: Count | None = Nested(default=None, description="Events, several of which one person may have.")
    percent: Percent | None = Nested(default=None, description="The percentage as the source prints it.")
    person_time: NotNegative | None = Nested(default=None, description="Person-time at risk, in days.")
    mean: Number | None = Nested(default=None, description="Mean, in the outcome's unit.")
    sd: NotNegative | None = Nested(default=None, description="Standard deviation.")
    se: NotNegative | None = Nested(default=None, description="Standard error.")
    baseline_mean: Number | None = Nested(default=None, description="Mean before treatment, in the outcome's unit.")
    baseline_sd: NotNegative | None = Nested(default=None, description="Standard deviation before treatment.")
    median: Number | None = Nested(default=None, description="Median.")
    q1: Number | None = Nested(default=None, description="First quartile.")
    q3: Number | None = Nested(default=None, description="Third quartile.")
    min: Number | None = Nested(default=None, description="Smallest value.")
    max: Number | None = Nested(default=None, description="Largest value.")
    geometric_mean: NotNegative | None = Nested(default=None, description="Geometric mean.")
    adjusted: bool | None = Nested(default=None, description="Whether the figures are adjusted.")
    class_label: Line | None = Nested(
        default=None, alias="class", description="The class (a time point, say) in a registry's table."
    )
    category: Line | None = Nested(default=None, description="The category in a registry's table.")

    @model_validator(mode="after")
    def _numbers_agree(self) -> Self:
        if self.events is not None and self.n is not None:
            if self.events > self.n:
                raise ValueError(f"events ({self.events}) is above n ({self.n})")
            if self.percent is not None and self.n and abs(100 * self.events / self.n - self.percent) > 1:
                raise ValueError(f"percent {self.percent} is not {self.events}/{self.n}")
        ordered(self.q1, self.q3, "q1 and q3")
        ordered(self.min, self.max, "min and max")
        return self


class StudyResultRecord(CitedRecord):
    """What a study found for one outcome, one comparison and one time, with all its context."""

    core: ClassVar[frozenset[str]] = frozenset({"study", "treatment", "condition", "outcome_text", "finding"})
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
    measure: Measure | None = word("The effect measure of the estimate.", default=None)
    estimate: Number | None = Field(default=None, description="The estimate of the effect.")
    ci_level: Percent | None = Field(default=None, description="The confidence level in percent, usually 95.")
    ci_low: Number | None = Field(default=None, description="Lower confidence limit.")
    ci_high: Number | None = Field(default=None, description="Upper confidence limit.")
    p_value: Probability | None = Field(default=None, description="P value.")
    p_modifier: PModifier | None = word("Whether P equals, lies below or lies above `p_value`.", default=None)
    i2: Percent | None = Field(default=None, description="I², heterogeneity in percent, for a review's result.")
    finding: Finding = word("Which side the result favours; no significant difference is `no-difference`.", index=True)
    synthesis: SynthesisKind = word(
        "How a review joined its trials; `none` for a result of one study.", default="none", index=True
    )
    includes: list[StudyRef] = several("For a review's result: the studies of ours that it includes.")
    trial_count: Count | None = Field(default=None, description="For a review's result: trials it includes.")
    participant_count: Count | None = Field(default=None, description="For a review's result: people in those trials.")
    certainty: Certainty | None = structured("GRADE certainty, for this outcome and comparison.")
    risk_of_bias: RiskOfBias | None = structured("Risk of bias of this result; absent: the study's.")
    note: Prose | None = Field(default=None, description="What a reader should know before using it.")

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

    @flagged("outcome-without-record")
    def _outcome_is_known(self) -> Iterator[Wrong]:
        if self.outcome is None:
            yield Wrong("/outcome", "the outcome has no record yet")


class StudyResult(Row, StudyResultRecord, table=True):
    """The table row of a study result."""

    plural: ClassVar[str] = "study-results"
    search_rank: ClassVar[int] = 10
