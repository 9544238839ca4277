"""Response schemas of a synthesis: study results, exclusions, comparability conflicts, pooled estimate, sentences."""

from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from app.evidence.calculator.request import SynthesisEstimator, SynthesisInterval, SynthesisMethod, SynthesisModel
from app.evidence.calculator.schemas import (
    SynthesisEgger,
    SynthesisPart,
    SynthesisResult,
    SynthesisStudyResult,
    SynthesisSubgroups,
    SynthesisTrimAndFill,
)
from app.evidence.comparability import ConflictReason
from app.evidence.extraction import EvidenceMeasure, ExclusionReason
from app.evidence.results import SubgroupBy
from app.models.base import Citation
from app.models.study_results import Certainty, RiskOfBias
from app.models.types import Number, Slug
from app.models.vocabulary import Direction, Finding, ScoreKind, SourceStatus, SynthesisKind, Verification
from app.reports.synthesis.question import Audience, EvidenceAddition
from app.store.read.schemas import WHOLE, included_model


class EvidenceHead(BaseModel):
    """A study result as an answer names it: where it is, what it compares, what it rests on."""

    id: Slug = Field(description="The study result's id.")
    version: int = Field(description="Its version.")
    url: str = Field(description="Where it is.")
    study: Slug = Field(description="The study that found it.")
    label: str = Field(description="How the study is called.")
    treatment: Slug = Field(description="What was given.")
    comparator: Slug | None = Field(description="What it was compared with.")
    outcome: Slug = Field(description="The outcome, in our list.")
    outcome_text: str = Field(description="The outcome, as the study puts it.")
    time_frame_days: Number | None = Field(description="When it was measured, in days.")
    time_frame_text: str | None = Field(description="When it was measured, as the study puts it.")
    score: ScoreKind | None = Field(description="Whether means are changes or final values.")
    synthesis: SynthesisKind = Field(description="How a review joined its trials; `none` for one study.")
    finding: Finding = Field(description="Which side the result favours, as recorded.")
    certainty: Certainty | None = Field(description="GRADE certainty of this result, as its authors rated it.")
    risk_of_bias: RiskOfBias | None = Field(description="Its risk of bias; where it has none, that of its study.")
    source_status: SourceStatus | None = Field(description="The worst standing of what it rests on.")
    verification: Verification | None = Field(description="How far its citations were checked.")
    citations: list[Citation] = Field(description="Where it was read; the sources stand in `included`.")
    note: str | None = Field(description="What a reader should know before using it.")


class EvidenceNumber(BaseModel):
    """A number as the synthesis took it, and its place in the record."""

    name: str = Field(description="What it is: `events1` are the people with the outcome in the treatment's arm.")
    value: Number = Field(description="The number.")
    pointer: str = Field(description="Its place in the study result, as a JSON pointer (RFC 6901).")


class EvidenceResult(EvidenceHead):
    """A study result that counts, with its numbers and its effect."""

    taken_from: Literal["arms", "estimate"] = Field(description="Whether its effect was computed from its arms.")
    numbers: list[EvidenceNumber] = Field(description="The numbers that went in, each with its place.")
    effect: SynthesisStudyResult = Field(description="Its effect, and its weight in the pooled result.")


class EvidenceExcluded(EvidenceHead):
    """A study result that was asked for and does not count."""

    reason: ExclusionReason = Field(description="Why.")
    detail: str = Field(description="Why, in words.")


class EvidenceSide(BaseModel):
    """Results that are alike in what a reason is about."""

    what: str = Field(description="What they have in common.")
    results: list[Slug] = Field(description="The ids of the study results.")


class EvidenceConflict(BaseModel):
    """A reason against joining results."""

    reason: ConflictReason = Field(description="The reason.")
    detail: str = Field(description="The reason in words.")
    sides: list[EvidenceSide] = Field(description="The results on each side.")


class EvidencePooled(SynthesisResult):
    """The pooled result, and what it hangs on."""

    shown_as: str = Field(description="What `display` shows, in words.")
    leave_one_out: list[SynthesisPart] | None = Field(description="The result without each study in turn.")
    cumulative: list[SynthesisPart] | None = Field(description="The result after each study, the oldest first.")
    subgroups: SynthesisSubgroups | None = Field(description="The result of each subgroup, with `subgroup`.")
    egger: SynthesisEgger | None = Field(description="Egger's test.")
    trim_and_fill: SynthesisTrimAndFill | None = Field(description="Trim and fill.")


class EvidenceAsked(BaseModel):
    """The question with everything spelled out that was left to us."""

    treatment: list[Slug] = Field(description="The treatments.")
    condition: Slug = Field(description="The condition.")
    outcome: list[Slug] = Field(description="The outcomes.")
    comparator: list[Slug] | None = Field(description="The comparators, where it is narrowed to some.")
    study: list[Slug] | None = Field(description="The studies, where it is narrowed to some.")
    id: list[Slug] | None = Field(description="The study results, where it is narrowed to some.")
    synthesis: list[SynthesisKind] | None = Field(description="The kinds of results, where it is narrowed to some.")
    score: list[ScoreKind] | None = Field(description="The kind of means, where it is narrowed to one.")
    time_frame_days: list[Number] | None = Field(description="The days, where it is narrowed to some.")
    time_frame_days_gte: Number | None = Field(description="The first day, where it is narrowed.")
    time_frame_days_lte: Number | None = Field(description="The last day, where it is narrowed.")
    measure: EvidenceMeasure = Field(description="The effect.")
    model: SynthesisModel = Field(description="Common effect or random effects.")
    method: SynthesisMethod = Field(description="How studies are weighted.")
    estimator: SynthesisEstimator = Field(description="How τ² is estimated, where it is.")
    interval: SynthesisInterval = Field(description="How the interval is made.")
    level: Number = Field(description="Of all intervals, in percent.")
    window_days: Number = Field(description="How far apart time frames may lie.")
    accept: list[ConflictReason] = Field(
        description="The reasons that the caller takes upon themselves and that apply."
    )
    also: list[EvidenceAddition] = Field(description="What else was computed.")
    subgroup: SubgroupBy | None = Field(description="What the results are split by.")
    audience: Audience | None = Field(description="For whom it is put into words.")


class EvidenceFavours(BaseModel):
    """What the two sides of a forest plot mean."""

    direction: Direction | None = Field(description="Which way of the effect is better, from the outcome.")
    left: str = Field(description="What an effect on the left means; empty for measures of one group.")
    right: str = Field(description="What an effect on the right means.")


class EvidenceLinks(BaseModel):
    """Where to go on."""

    permalink: str | None = Field(
        description="On a release: the address that gives these bytes again. Null without one, and where the database "
        "could not note it just now."
    )
    live: str = Field(description="The same question to the dataset as it stands today.")
    csv: str = Field(description="The numbers as CSV.")
    forest: str = Field(description="The forest plot as SVG.")
    funnel: str = Field(description="The funnel plot as SVG.")


class NumberLink(BaseModel):
    """A number in a sentence, and where it comes from."""

    text: str = Field(description="The number as it stands in the sentence.")
    start: int = Field(description="Its first character in the sentence, counted from 0.")
    end: int = Field(description="The character after its last one.")
    pointer: str = Field(description="Its place in this answer, as a JSON pointer (RFC 6901).")
    records: list[str] = Field(description="The records that it comes from, as `plural/id`.")


class PlainSentence(BaseModel):
    """A sentence made from fields; the same fields always give the same words."""

    text: str = Field(description="The sentence.")
    numbers: list[NumberLink] = Field(description="Its numbers, in order.")


class PlainLanguage(BaseModel):
    """The answer in words."""

    audience: Audience = Field(description="For whom.")
    sentences: list[PlainSentence] = Field(description="The sentences, in order.")


_INCLUDED: Any = included_model()
EvidenceSynthesis: Any = create_model(
    "EvidenceSynthesis",
    __config__=WHOLE,
    __doc__="What our study results say to one question: pooled where they may be, each with its source.",
    question=(EvidenceAsked, Field(..., description="The question, everything spelled out.")),
    pooled=(EvidencePooled | None, Field(..., description="The pooled result; null where nothing was pooled.")),
    not_pooled=(str | None, Field(..., description="Why nothing was pooled; null where it was.")),
    results=(list[EvidenceResult], Field(..., description="Every result that counts, the oldest first.")),
    excluded=(list[EvidenceExcluded], Field(..., description="Every other result that was asked for, and why.")),
    caveats=(list[EvidenceConflict], Field(..., description="What speaks against joining them and was accepted.")),
    notes=(list[str], Field(..., description="What a reader needs to know in order to read the numbers rightly.")),
    favours=(EvidenceFavours, Field(..., description="What the two sides of the plot mean.")),
    plain=(PlainLanguage | None, Field(..., description="The answer in words; only with `audience`.")),
    revision=(int | None, Field(..., description="The revision of the dataset that answered.")),
    release=(str | None, Field(..., description="The release that answered; null for the dataset as it stands.")),
    engine=(str, Field(..., description="The version of the arithmetic.")),
    input_hash=(
        str,
        Field(
            ...,
            description="SHA-256 of all that the answer rests on: the question, each result with its version and "
            "numbers, the engine, the release. Equal hashes mean equal answers.",
        ),
    ),
    links=(EvidenceLinks, Field(..., description="Where to go on.")),
    included=(_INCLUDED, Field(..., description="The records that the results mention.")),
    disclaimer=(str, Field(..., description="What this is not.")),
)
