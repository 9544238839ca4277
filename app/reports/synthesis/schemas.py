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
from app.store.read.schemas import WHOLE, InheritedRecords, included_model


class EvidenceHead(BaseModel):
    """A study result in a response: its URL, its comparison and its citations."""

    id: Slug = Field(description="The study result's id.")
    version: int = Field(description="Its version.")
    url: str = Field(description="Its URL.")
    study: Slug = Field(description="The study that found it.")
    label: str = Field(description="The study's short name.")
    treatment: Slug = Field(description="The treatment's id.")
    comparator: Slug | None = Field(description="The comparator: a treatment's id, or a word such as `placebo`.")
    outcome: Slug = Field(description="The outcome's id.")
    outcome_text: str = Field(description="The outcome, as the study puts it.")
    time_frame_days: Number | None = Field(description="When it was measured, in days.")
    time_frame_text: str | None = Field(description="When it was measured, as the study puts it.")
    score: ScoreKind | None = Field(description="Whether means are changes or final values.")
    synthesis: SynthesisKind = Field(description="How a review combined its trials; `none` for a single study.")
    finding: Finding = Field(description="Which side the result favours, as recorded.")
    certainty: Certainty | None = Field(description="GRADE certainty of this result, as its authors rated it.")
    risk_of_bias: RiskOfBias | None = Field(description="Its risk of bias; where it has none, that of its study.")
    source_status: SourceStatus | None = Field(description="The worst status of the sources that it rests on.")
    verification: Verification | None = Field(description="How far its citations were checked.")
    citations: list[Citation] = Field(description="Its citations; the sources are in `included`.")
    note: str | None = Field(description="What a reader should know before using it.")


class EvidenceNumber(BaseModel):
    """A number used by the synthesis, and its place in the record."""

    name: str = Field(
        description="The name of the number: `events1` are the people with the outcome in the treatment's arm."
    )
    value: Number = Field(description="The number.")
    pointer: str = Field(description="Its place in the study result, as a JSON pointer (RFC 6901).")


class EvidenceResult(EvidenceHead):
    """A study result that counts, with its numbers and its effect."""

    taken_from: Literal["arms", "estimate"] = Field(description="Whether its effect was computed from its arms.")
    numbers: list[EvidenceNumber] = Field(description="The numbers that were used, each with its place.")
    effect: SynthesisStudyResult = Field(description="Its effect, and its weight in the pooled result.")


class EvidenceExcluded(EvidenceHead):
    """A study result that matches the question but is excluded."""

    reason: ExclusionReason = Field(description="The reason.")
    detail: str = Field(description="The reason in words.")


class EvidenceSide(BaseModel):
    """One side of a conflict: results that agree in the property in question."""

    what: str = Field(description="What they have in common.")
    results: list[Slug] = Field(description="The ids of the study results.")


class EvidenceConflict(BaseModel):
    """A reason against pooling the results."""

    reason: ConflictReason = Field(description="The reason.")
    detail: str = Field(description="The reason in words.")
    sides: list[EvidenceSide] = Field(description="The results on each side.")


class EvidencePooled(SynthesisResult):
    """The pooled result, with sensitivity analyses and tests of bias."""

    shown_as: str = Field(description="What `display` shows, in words.")
    leave_one_out: list[SynthesisPart] | None = Field(description="The result without each study in turn.")
    cumulative: list[SynthesisPart] | None = Field(description="The result after each study, the oldest first.")
    subgroups: SynthesisSubgroups | None = Field(description="The result of each subgroup, with `subgroup`.")
    egger: SynthesisEgger | None = Field(description="Egger's test.")
    trim_and_fill: SynthesisTrimAndFill | None = Field(description="Trim and fill.")


class EvidenceAsked(BaseModel):
    """The question with all defaults resolved."""

    treatment: list[Slug] = Field(description="The treatments.")
    condition: Slug = Field(description="The condition.")
    outcome: list[Slug] = Field(description="The outcomes.")
    comparator: list[Slug] | None = Field(description="The comparators, when the question is limited to some.")
    study: list[Slug] | None = Field(description="The studies, when the question is limited to some.")
    id: list[Slug] | None = Field(description="The study results, when the question is limited to some.")
    synthesis: list[SynthesisKind] | None = Field(
        description="The kinds of results, when the question is limited to some."
    )
    score: list[ScoreKind] | None = Field(description="The kind of means, when the question is limited to one.")
    time_frame_days: list[Number] | None = Field(description="The days, when the question is limited to some.")
    time_frame_days_gte: Number | None = Field(description="The first day, when the question is limited.")
    time_frame_days_lte: Number | None = Field(description="The last day, when the question is limited.")
    measure: EvidenceMeasure = Field(description="The effect.")
    model: SynthesisModel = Field(description="Common effect or random effects.")
    method: SynthesisMethod = Field(description="How studies are weighted.")
    estimator: SynthesisEstimator = Field(description="How τ² is estimated, where it is.")
    interval: SynthesisInterval = Field(description="How the confidence interval is computed.")
    level: Number = Field(description="Of all intervals, in percent.")
    window_days: Number = Field(description="How many days apart time frames may be.")
    accept: list[ConflictReason] = Field(
        description="The reasons that the caller takes upon themselves and that apply."
    )
    also: list[EvidenceAddition] = Field(description="What else was computed.")
    subgroup: SubgroupBy | None = Field(description="What the results are split by.")
    audience: Audience | None = Field(description="The audience of the plain-language summary.")


class EvidenceFavours(BaseModel):
    """What the two sides of a forest plot mean."""

    direction: Direction | None = Field(description="Which way of the effect is better, from the outcome.")
    left: str = Field(description="What an effect on the left means; empty for measures of one group.")
    right: str = Field(description="What an effect on the right means.")


class EvidenceLinks(BaseModel):
    """The permalink, the same question over the live dataset, and other formats."""

    permalink: str | None = Field(
        description="On a release: the address that gives these bytes again. Null without one, and where the database "
        "could not note it just now."
    )
    live: str = Field(description="The same question over the live dataset.")
    csv: str = Field(description="The numbers as CSV.")
    forest: str = Field(description="The forest plot as SVG.")
    funnel: str = Field(description="The funnel plot as SVG.")


class NumberLink(BaseModel):
    """A number in a sentence, and its origin."""

    text: str = Field(description="The number as it is written in the sentence.")
    start: int = Field(description="Its first character in the sentence, counted from 0.")
    end: int = Field(description="The character after its last one.")
    pointer: str = Field(description="Its place in this answer, as a JSON pointer (RFC 6901).")
    records: list[str] = Field(description="The records that it comes from, as `plural/id`.")


class PlainSentence(BaseModel):
    """A sentence made from fields; the same fields always give the same words."""

    text: str = Field(description="The sentence.")
    numbers: list[NumberLink] = Field(description="Its numbers, in order.")


class PlainLanguage(BaseModel):
    """The plain-language summary of an answer."""

    audience: Audience = Field(description="The audience.")
    sentences: list[PlainSentence] = Field(description="The sentences, in order.")


_INCLUDED: Any = included_model()
EvidenceSynthesis: Any = create_model(
    "EvidenceSynthesis",
    __config__=WHOLE,
    __doc__="The meta-analysis of our study results for one question, each result with its source.",
    question=(EvidenceAsked, Field(..., description="The question, with all defaults resolved.")),
    pooled=(EvidencePooled | None, Field(..., description="The pooled result; null where nothing was pooled.")),
    not_pooled=(str | None, Field(..., description="Why nothing was pooled; null where it was.")),
    results=(list[EvidenceResult], Field(..., description="Every result that counts, the oldest first.")),
    excluded=(
        list[EvidenceExcluded],
        Field(..., description="Every excluded result that matches the question, and why."),
    ),
    caveats=(
        list[EvidenceConflict],
        Field(..., description="The reasons against pooling that were accepted with `accept`."),
    ),
    notes=(list[str], Field(..., description="What a reader needs to know in order to read the numbers rightly.")),
    favours=(EvidenceFavours, Field(..., description="What the two sides of the plot mean.")),
    plain=(PlainLanguage | None, Field(..., description="The plain-language summary; only with `audience`.")),
    revision=(int | None, Field(..., description="The revision of the dataset that was read.")),
    release=(str | None, Field(..., description="The release that was read; null for the live dataset.")),
    engine=(str, Field(..., description="The version of the arithmetic.")),
    input_hash=(
        str,
        Field(
            ...,
            description="SHA-256 of all that the answer rests on: the question, each result with its version and "
            "numbers, the engine, the release. Equal hashes mean equal answers.",
        ),
    ),
    links=(
        EvidenceLinks,
        Field(..., description="The permalink, the same question over the live dataset, and other formats."),
    ),
    inherited=(
        list[InheritedRecords],
        Field(
            ...,
            description="Lists of records that apply through a class or a broader condition; none counts here.",
        ),
    ),
    included=(_INCLUDED, Field(..., description="The records that the results reference.")),
    disclaimer=(str, Field(..., description="What this is not.")),
)
