"""Studies: trials, series and reviews, with their arms; a publication about one is a source."""

from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import Field as Nested
from pydantic import model_validator
from sqlmodel import JSON, Field

from app.models.base import (
    PartWithMissing,
    Record,
    Row,
    ordered,
    several,
    structured,
    unfiltered,
    unfiltered_list,
    word,
)
from app.models.codes import Code
from app.models.study_results import RiskOfBias
from app.models.types import (
    ConditionRef,
    Count,
    Line,
    NotNegative,
    PartialDate,
    Prose,
    Slug,
    SourceRef,
    StudyRef,
    TreatmentRef,
)
from app.models.vocabulary import BlindedRole, Blinding, Phase, StudyDesign, StudyStatus

STOPPED: frozenset[StudyStatus] = frozenset({"suspended", "terminated", "withdrawn"})
"""The statuses of a study that did not run as planned, for which ClinicalTrials.gov asks why (`whyStopped`)."""


class StudyArm(PartWithMissing):
    """A group of a study and what it received."""

    id: Slug = Nested(description="The arm's id within the study.")
    label: Line = Nested(description="The arm's name.")
    treatment: TreatmentRef | None = Nested(default=None, description="The treatment, when it is one of ours.")
    dose: Line | None = Nested(default=None, description="The dose as the study gives it, with the product's unit.")
    dose_min: NotNegative | None = Nested(default=None, description="The smallest dose a session, in `dose_unit`.")
    dose_max: NotNegative | None = Nested(default=None, description="The largest dose a session, in `dose_unit`.")
    dose_unit: Slug | None = Nested(
        default=None, description="The product's own unit; absent where the product was not named."
    )
    n: Count | None = Nested(default=None, description="People in the arm.")

    @model_validator(mode="after")
    def _dose_runs_upward(self) -> Self:
        ordered(self.dose_min, self.dose_max, "dose_min and dose_max")
        return self


class StudyRecord(Record):
    """A study of people who received something, or a review of such studies."""

    core: ClassVar[frozenset[str]] = frozenset({"title", "design"})
    title: Line = Field(description="The title of the study.")
    acronym: Line | None = Field(default=None, index=True, description="Its short name.")
    design: StudyDesign | None = word("The study design.", default=None, index=True)
    blinding: Blinding | None = word("The blinding of the study (ClinicalTrials.gov `masking`).", default=None)
    blinded: list[BlindedRole] = unfiltered_list("Who was blinded (ClinicalTrials.gov `whoMasked`).")
    phase: Phase | None = word("The phase of the trial.", default=None)
    status: StudyStatus | None = word("How far it is (ClinicalTrials.gov `overallStatus`).", default=None, index=True)
    why_stopped: Prose | None = unfiltered("Why it was stopped, in the words of its sponsor (`whyStopped`).")
    registry_ids: list[Code] = several("Its numbers in trial registries.")
    index_terms: list[Code] = unfiltered_list("Terms by which others index it (MeSH), with who gave them.")
    enrolment: Count | None = Field(default=None, description="People enrolled.")
    enrolment_planned: Count | None = unfiltered("People who were to be enrolled (ClinicalTrials.gov `ESTIMATED`).")
    trial_count: Count | None = Field(default=None, description="For a review: how many trials it includes.")
    arms: list[StudyArm] = several("Its arms.")
    treatments: list[TreatmentRef] = several("The treatments it is about.")
    conditions: list[ConditionRef] = several("The conditions it is about.")
    started: PartialDate | None = Field(default=None, description="When it began.")
    completed: PartialDate | None = Field(default=None, description="When it ended.")
    countries: list[Line] = several("Where it took place (ISO 3166-1 alpha-2).")
    sponsor: Line | None = Field(
        default=None, index=True, description="Who answers for the study (ClinicalTrials.gov `leadSponsor`)."
    )
    funding: Line | None = Field(default=None, description="Who funded the study.")
    sources: list[SourceRef] = Field(
        min_length=1, sa_type=JSON, description="What was published about it. At least one."
    )
    includes: list[StudyRef] = several("For a review or a pooled analysis: the studies of ours that it includes.")
    overlaps: list[StudyRef] = several("Studies with the same people or trials: never pool it with these.")
    risk_of_bias: RiskOfBias | None = structured("Risk of bias of the study, the default for its results.")
    note: Prose | None = Field(default=None, description="What a reader should know before using it.")

    @model_validator(mode="after")
    def _arms_have_their_own_ids(self) -> Self:
        ids = [arm.id for arm in self.arms]
        if len(set(ids)) != len(ids):
            raise ValueError("two arms have the same id")
        if self.id in (*self.includes, *self.overlaps):
            raise ValueError("a study cannot include itself or overlap with itself")
        if self.why_stopped is not None and self.status is not None and self.status not in STOPPED:
            raise ValueError(f"a study that is {self.status} was not stopped: why_stopped needs another status")
        if len(set(self.blinded)) != len(self.blinded):
            raise ValueError("blinded names somebody twice")
        ordered(self.started, self.completed, "started and completed")
        return self

    def codes_held(self) -> Iterator[tuple[str, str]]:
        """Its registry numbers."""
        for code in self.registry_ids:
            yield code.system, code.code


class Study(Row, StudyRecord, table=True):
    """The table row of a study."""

    plural: ClassVar[str] = "studies"
    search_rank: ClassVar[int] = 9
