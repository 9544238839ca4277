"""Response schemas of the benefit-harm report: absolute effects per 1,000 people, at baselines that are named."""

from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from app.evidence.absolute_effects import RefusalReason
from app.models.base import Citation
from app.models.conditions import Condition
from app.models.study_results import Certainty
from app.models.treatments import Treatment
from app.models.types import Number, Slug
from app.models.vocabulary import SourceStatus, Verification
from app.reports.synthesis.schemas import PlainLanguage
from app.store.read.schemas import WHOLE, InheritedRecords, included_model, public_model


class RecordLink(BaseModel):
    """A link to the record of a row."""

    kind: str = Field(description="The resource: `study-results` or `side-effects`.")
    id: Slug = Field(description="The record's id.")
    version: int = Field(description="Its version.")
    url: str = Field(description="Its URL.")


class BenefitHarmBaseline(BaseModel):
    """The baseline risk, without the treatment, and its origin."""

    per_1000: Number = Field(description="People with the outcome out of 1,000 without the treatment.")
    taken_from: Literal["own-comparator-arm", "weightiest-comparator-arm", "named-record", "given"] = Field(
        description="The comparator arm of the row's own record, of the weightiest of several, of the record that "
        "`baseline` names; or a number."
    )
    record: RecordLink | None = Field(description="The record; null for a number that was given.")
    pointer: str | None = Field(description="The comparator arm's place in the record, as a JSON pointer.")
    arm: str | None = Field(description="What the record calls that arm.")
    events: int | None = Field(description="People with the outcome in that arm.")
    people: int | None = Field(description="People in that arm.")


class PerThousand(BaseModel):
    """People out of 1,000, with the ends of the 95 % interval."""

    per_1000: Number = Field(description="People out of 1,000.")
    ci_low: Number = Field(description="Lower end of the interval.")
    ci_high: Number = Field(description="Upper end of the interval.")


class WithTreatment(PerThousand):
    """People with the outcome under the treatment, out of 1,000."""

    events: int | None = Field(
        description="People with the outcome in the exposed arm, when the row shows the record's own arms."
    )
    people: int | None = Field(description="People in that arm.")


class NeededEnd(BaseModel):
    """A number needed to treat, or an end of its interval."""

    kind: Literal["benefit", "harm"] | None = Field(description="Whether one more benefits or is harmed; null at ∞.")
    value: Number | None = Field(description="How many are treated for one more; null is infinity.")
    whole: int | None = Field(description="In whole people: up for a benefit, down for a harm.")


class NumberNeededToTreat(BaseModel):
    """The number needed to treat for one more person to benefit (NNTB) or to be harmed (NNTH) (Altman 1998)."""

    estimate: NeededEnd = Field(description="The number.")
    first: NeededEnd = Field(description="The end of its interval with the largest benefit or the smallest harm.")
    last: NeededEnd = Field(description="The end with the smallest benefit or the largest harm.")
    through_infinity: bool = Field(description="Whether the interval holds no effect, and so runs through infinity.")
    text: str = Field(description="In Altman's notation: `NNTB 10 (NNTB 4 to ∞ to NNTH 20)`.")


class BenefitHarmEntry(BaseModel):
    """The absolute effect of one record, per 1,000 people."""

    about: str = Field(description="The event: an outcome's id, or a side effect's term as a slug.")
    name: str = Field(description="The same in words.")
    record: RecordLink = Field(description="The record.")
    also_in: list[RecordLink] = Field(description="Other records of the same counts: they are one body of data.")
    study: Slug | None = Field(description="The study.")
    arm: str | None = Field(
        description="Which exposed arm, where the record has several: each has a row, beside the same comparator."
    )
    comparator: Slug | None = Field(description="What it was compared with, where the record says so.")
    time_frame_text: str | None = Field(description="When it was measured.")
    more_is: Literal["benefit", "harm"] = Field(
        description="Whether more people with the event are a benefit or a harm."
    )
    measure: str = Field(description="The measure of effect that was applied to the baseline risk.")
    baseline: BenefitHarmBaseline = Field(description="Without the treatment.")
    with_treatment: WithTreatment = Field(description="With the treatment.")
    difference: PerThousand = Field(description="How many more, or fewer, with the treatment.")
    number_needed: NumberNeededToTreat = Field(description="How many are treated for one more.")
    certainty: Certainty | None = Field(description="GRADE certainty, as its authors rated it; null: not rated.")
    source_status: SourceStatus | None = Field(description="The worst status of the sources that it rests on.")
    verification: Verification | None = Field(description="How far its citations were checked.")
    citations: list[Citation] = Field(description="Its citations; the sources are in `included`.")
    note: str | None = Field(description="What a reader should know before using it.")


class PooledEffect(BaseModel):
    """A pooled effect on its displayed scale."""

    estimate: Number = Field(description="The estimate.")
    ci_low: Number = Field(description="Lower end of its interval.")
    ci_high: Number = Field(description="Upper end of its interval.")


class BenefitHarmPooled(BaseModel):
    """The pooled effect of several study results of one outcome and comparator; its certainty (GRADE) is not rated."""

    about: str = Field(description="The event: an outcome's id.")
    name: str = Field(description="The same in words.")
    is_harm: bool = Field(description="Whether the outcome is a harm.")
    comparator: Slug = Field(description="The comparator of all results.")
    records: list[RecordLink] = Field(description="The study results, of which each has a row of its own.")
    synthesis: str = Field(description="The URL of the synthesis, with weights, citations and exclusions.")
    measure: str = Field(description="The relative effect, or the difference, that was pooled.")
    effect: PooledEffect = Field(description="The pooled effect.")
    i2: Number | None = Field(description="I², the part of the variance that lies between studies, in percent.")
    baseline: BenefitHarmBaseline = Field(description="Without the treatment.")
    more_is: Literal["benefit", "harm"] = Field(
        description="Whether more people with the event are a benefit or a harm."
    )
    with_treatment: WithTreatment = Field(description="With the treatment, where the effect is the same at that risk.")
    difference: PerThousand = Field(description="How many more, or fewer, with the treatment.")
    number_needed: NumberNeededToTreat = Field(description="How many are treated for one more.")


class BenefitHarmRefused(BaseModel):
    """A record without an absolute effect per 1,000 people, and why."""

    about: str = Field(description="The event: an outcome's id, or a side effect's term as a slug.")
    name: str = Field(description="The same in words.")
    arm: str | None = Field(description="Which exposed arm, where the record has several.")
    record: RecordLink = Field(description="The record.")
    reason: RefusalReason = Field(description="The reason.")
    detail: str = Field(description="The reason in words.")


_TREATMENT: Any = public_model(Treatment)
_CONDITION: Any = public_model(Condition)
_INCLUDED: Any = included_model()
BenefitHarm: Any = create_model(
    "BenefitHarm",
    __config__=WHOLE,
    __doc__="Benefits and harms of a treatment for a condition on one scale, each record by itself.",
    treatment=(_TREATMENT, Field(..., description="The treatment.")),
    condition=(_CONDITION, Field(..., description="The condition.")),
    level=(Number, Field(..., description="Of all intervals, in percent.")),
    benefits=(list[BenefitHarmEntry], Field(..., description="Outcomes that the treatment is given for.")),
    harms=(list[BenefitHarmEntry], Field(..., description="Side effects and adverse events, by what happens.")),
    pooled=(
        list[BenefitHarmPooled],
        Field(..., description="Pooled effects of two or more comparable study results of one outcome."),
    ),
    refused=(
        list[BenefitHarmRefused],
        Field(..., description="Records without an absolute effect per 1,000 people, and why."),
    ),
    plain=(PlainLanguage | None, Field(..., description="The plain-language summary; only with `audience`.")),
    notes=(list[str], Field(..., description="What a reader needs to know in order to read the numbers rightly.")),
    inherited=(
        list[InheritedRecords],
        Field(
            ...,
            description="Lists of records that apply through a class or a broader condition; none counts here.",
        ),
    ),
    included=(_INCLUDED, Field(..., description="The records that the rows reference.")),
    disclaimer=(str, Field(..., description="What this is not.")),
)
