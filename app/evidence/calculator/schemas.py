"""The response models of the calculator: pooled result, studies, and sensitivity analyses."""

from typing import Literal

from pydantic import BaseModel, Field

from app.evidence.calculator.request import (
    SynthesisEstimator,
    SynthesisInterval,
    SynthesisMeasure,
    SynthesisMethod,
    SynthesisModel,
)
from app.models.types import Number


class SynthesisShown(BaseModel):
    """Numbers on the display scale: ratios, correlations and proportions instead of their transformations."""

    estimate: Number | None = Field(description="The estimate; null where it is too large for a number.")
    ci_low: Number | None = Field(description="Lower end of its confidence interval.")
    ci_high: Number | None = Field(description="Upper end of its confidence interval.")


class SynthesisDisplay(SynthesisShown):
    """A pooled result on the display scale."""

    prediction_low: Number | None = Field(description="Lower end of the prediction interval.")
    prediction_high: Number | None = Field(description="Upper end of the prediction interval.")


class SynthesisResult(BaseModel):
    """A pooled result on the scale of the analysis, where ratios are natural logarithms."""

    k: int = Field(description="How many studies.")
    estimate: Number = Field(description="The pooled estimate.")
    se: Number = Field(description="Its standard error.")
    ci_low: Number = Field(description="Lower end of its confidence interval.")
    ci_high: Number = Field(description="Upper end of its confidence interval.")
    statistic: Number | None = Field(
        description="Estimate over standard error: z, or t under `knapp-hartung`; null when the standard error is 0."
    )
    p_value: Number = Field(description="Two-sided probability under no effect.")
    tau2: Number | None = Field(description="Variance between studies; 0 under `common-effect`, null for one study.")
    tau2_ci_low: Number | None = Field(description="Q-profile interval of τ²; only of the whole result.")
    tau2_ci_high: Number | None = Field(description="Its upper end; both are 0 when no τ² is small enough.")
    i2: Number | None = Field(description="I², the part of the variance that lies between studies, in percent.")
    i2_ci_low: Number | None = Field(description="Lower end of the interval of I², from that of τ².")
    i2_ci_high: Number | None = Field(description="Upper end of the interval of I².")
    h2: Number | None = Field(description="H², total variance over sampling variance.")
    q: Number = Field(description="Cochran's Q.")
    q_df: int = Field(description="Its degrees of freedom.")
    q_p: Number | None = Field(description="Its p-value; null for one study.")
    prediction_low: Number | None = Field(
        description="Lower end of the prediction interval, for the effect of a new study."
    )
    prediction_high: Number | None = Field(
        description="Its upper end; both are null under `common-effect` and for one study."
    )
    display: SynthesisDisplay = Field(description="The same numbers on the display scale.")


class SynthesisPart(BaseModel):
    """The pooled result of a part of the studies: without one of them, the first ones, or a subgroup."""

    label: str = Field(description="The study left out, the study added last, or the subgroup.")
    result: SynthesisResult | None = Field(description="Their pooled result; null where there is none.")
    reason: str | None = Field(description="Why there is none.")


class SynthesisSubgroups(BaseModel):
    """The result of each subgroup, and the test of their difference."""

    groups: list[SynthesisPart] = Field(description="The subgroups, each with a τ² of its own.")
    q: Number | None = Field(description="Q between subgroups; null when fewer than two have a result.")
    q_df: int = Field(description="Its degrees of freedom.")
    q_p: Number | None = Field(description="Its p-value.")


class SynthesisEgger(BaseModel):
    """Egger's test of small-study effects: weighted regression of effects on standard errors."""

    bias: Number = Field(description="The slope, which is the intercept in Egger's own form.")
    se: Number = Field(description="Its standard error.")
    statistic: Number | None = Field(description="t; null when the standard error is 0.")
    df: int = Field(description="Its degrees of freedom.")
    p_value: Number = Field(description="Two-sided probability under no small-study effect.")
    limit_estimate: Number = Field(description="The limit of the effect as the standard error approaches 0.")
    limit_ci_low: Number = Field(description="Lower end of its interval.")
    limit_ci_high: Number = Field(description="Upper end of its interval.")


class SynthesisFilled(BaseModel):
    """A study that seems to be missing from the funnel plot."""

    estimate: Number = Field(description="Its effect on the scale of the analysis.")
    se: Number = Field(description="Its standard error.")


class SynthesisTrimAndFill(BaseModel):
    """Trim and fill (Duval and Tweedie's L₀): an analysis of sensitivity, not a correction."""

    side: Literal["left", "right"] = Field(description="On which side studies seem to be missing.")
    filled: list[SynthesisFilled] = Field(description="The studies that were filled in.")
    result: SynthesisResult = Field(description="The pooled result with them.")


class SynthesisStudyResult(BaseModel):
    """One study's effect, on the scale of the analysis."""

    label: str = Field(description="Label of the study.")
    subgroup: str | None = Field(description="Its subgroup.")
    estimate: Number | None = Field(description="Its effect; null where nobody or everybody had the event.")
    se: Number | None = Field(description="Its standard error.")
    ci_low: Number | None = Field(description="Lower end of its interval, by the normal distribution.")
    ci_high: Number | None = Field(description="Upper end of its interval.")
    weight: Number = Field(description="Its weight in the pooled result, in percent.")
    is_adjusted: bool = Field(description="Whether ½ was added to its cells because one was empty.")
    display: SynthesisShown = Field(description="The same numbers on the display scale.")


class SynthesisChoices(BaseModel):
    """How studies were pooled."""

    measure: SynthesisMeasure = Field(description="The effect.")
    model: SynthesisModel = Field(description="Common effect or random effects.")
    method: SynthesisMethod = Field(description="How studies were weighted.")
    estimator: SynthesisEstimator | None = Field(description="How τ² was estimated; null where it was not.")
    interval: SynthesisInterval = Field(description="Method of the confidence interval.")
    level: Number = Field(description="Confidence level of all intervals, in percent.")
    shown_as: str = Field(description="Name of the effect on the display scale, such as `risk ratio`.")


class Synthesis(SynthesisResult, SynthesisChoices):
    """A meta-analysis: the method, the pooled result, each study, and the sensitivity analyses."""

    studies: list[SynthesisStudyResult] = Field(description="Each study, in the order of the request.")
    leave_one_out: list[SynthesisPart] | None = Field(description="The result without each study in turn.")
    cumulative: list[SynthesisPart] | None = Field(description="The result after each study, in order.")
    subgroups: SynthesisSubgroups | None = Field(description="The result of each subgroup.")
    egger: SynthesisEgger | None = Field(description="Egger's test.")
    trim_and_fill: SynthesisTrimAndFill | None = Field(description="Trim and fill.")
    notes: list[str] = Field(description="Notes that a reader needs to interpret the numbers.")
