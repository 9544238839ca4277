"""Side effects and adverse events: one row of a harms table, with arms, numerators and denominators."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import ModelWrapValidatorHandler, model_validator
from sqlmodel import Field

from app.models.base import (
    CitedRecord,
    Known,
    Row,
    ordered,
    reference,
    several,
    unfiltered,
    unfiltered_list,
    word,
)
from app.models.codes import Code
from app.models.frequencies import frequency_between, frequency_of, rounded_percent
from app.models.rules import ReviewReason, Rule, Wrong, flagged, refused, rule
from app.models.side_effect_arms import SideEffectArm
from app.models.types import ConditionRef, Count, Grade, Line, NotNegative, Percent, StudyRef, TreatmentRef
from app.models.vocabulary import Attribution, Bound, Frequency, HarmBasis, Severity

STUDY_ARM_UNKNOWN = rule("study-arm-unknown", is_refused=True)


class SideEffectRecord(CitedRecord):
    """One term of a harms table.

    A *side effect* is attributed to the treatment by someone; an *adverse event* was observed, whatever its cause
    (CONSORT Harms 2022): `attribution` tells them apart.
    """

    derived_where_absent: ClassVar[frozenset[str]] = frozenset({"frequency"})
    core: ClassVar[frozenset[str]] = frozenset({"treatment", "term", "basis", "attribution"})
    treatment: TreatmentRef | None = reference(
        "treatment", "What was given; absent, with a reason, where a study gave several treatments.", default=None
    )
    condition: ConditionRef | None = reference("condition", "What it was given for.", default=None)
    term: Line = Field(index=True, description="The effect, in our own term list.")
    codes: list[Code] = unfiltered_list("The term in code systems (MedDRA, CTCAE, SNOMED CT), found by `/v1/lookup`.")
    source_vocabulary: Line | None = unfiltered(
        "The vocabulary of the source's own term (ClinicalTrials.gov `sourceVocabulary`): `MedDRA 24.0`."
    )
    organ_class: Line | None = Field(default=None, index=True, description="The part of the body it belongs to.")
    serious: bool | None = Field(default=None, description="Whether it is serious (ICH E2A).")
    severity: Severity | None = word("How severe it was, in words (FHIR R5 `adverse-event-severity`).", default=None)
    grade_min: Grade | None = Field(default=None, description="The lowest grade that is counted, 1–5.")
    grade_max: Grade | None = Field(default=None, description="The highest grade that is counted; equal for one grade.")
    grade_scale: Line | None = unfiltered("The scale of the grades: `CTCAE 5.0`.")
    basis: HarmBasis = word("Where the figure comes from.", index=True)
    attribution: Attribution = word("Attributed to the treatment, or only observed.", index=True)
    study: StudyRef | None = reference("study", "The study that counted it.", default=None)
    time_frame: Line | None = unfiltered("The time in which it was counted, in the source's words (`timeFrame`).")
    time_frame_days: NotNegative | None = unfiltered("The time in which it was counted, in days.")
    reporting_threshold: Percent | None = unfiltered(
        "The percentage from which the document reports such effects at all (ClinicalTrials.gov `frequencyThreshold`): "
        "an effect that it does not name may have occurred below it, and is not zero."
    )
    arms: list[SideEffectArm] = several("The arms that were counted.")
    frequency: Frequency | None = word(
        "CIOMS frequency: as the source says it, else from the exposed arm's percentage; absent where a bound or a "
        "range leaves several.",
        default=None,
        index=True,
    )

    @model_validator(mode="wrap")
    @classmethod
    def _frequency_follows_where_the_source_gives_none(
        cls, values: Any, handler: ModelWrapValidatorHandler[Self]
    ) -> Self:
        """Fill in the frequency; one that we derived before, marked or by 0.3.0, is not taken for the source's."""
        record = handler(values)
        if isinstance(values, Mapping) and record.frequency is not None:
            is_derived = values.get("frequency_derived") is True and record.frequency == record.derived_frequency()
            is_of_0_3_0 = "verification" in values and "frequency_derived" not in values
            if is_derived or (is_of_0_3_0 and record.frequency == _frequency_in_0_3_0(values)):
                record.frequency = None
        if record.frequency is None and "frequency" not in record.missing:
            record.frequency = record.derived_frequency()
            record.model_fields_set.discard("frequency")
        return record

    @model_validator(mode="after")
    def _numbers_agree(self) -> Self:
        names = [arm.arm for arm in self.arms]
        if len(set(names)) != len(names):
            raise ValueError("two arms have the same name")
        ordered(self.grade_min, self.grade_max, "grade_min and grade_max")
        return self

    @refused("study-arm-without-study")
    def _study_arms_have_a_study(self) -> Iterator[Wrong]:
        if self.study is None:
            for index, arm in enumerate(self.arms):
                if arm.study_arm is not None:
                    yield Wrong(f"/arms/{index}/study_arm", "an arm of a study needs the study")

    @flagged("frequency-contradicts-percent")
    def _frequency_fits_the_figures(self) -> Iterator[Wrong]:
        follows = self.derived_frequency()
        if self.frequency not in (None, "not-known", follows) and follows not in (None, "not-known"):
            rate = self.exposed_rate()
            figure = "the exposed arm's figures" if rate is None else f"{rate:g} %"
            yield Wrong("/frequency", f"{self.frequency} contradicts {figure}, which is {follows}")

    def frequency_is_derived(self) -> bool:
        """Whether the frequency follows from the figures, so that it changes with them."""
        return self.frequency is not None and "frequency" not in self.model_fields_set

    def as_stated(self) -> dict[str, Any]:
        """The fields without a derived frequency."""
        return super().as_stated() | ({"frequency": None} if self.frequency_is_derived() else {})

    def exposed(self) -> SideEffectArm | None:
        """The arm that received the treatment, when there is exactly one."""
        arms = [arm for arm in self.arms if arm.role == "exposed"]
        return arms[0] if len(arms) == 1 else None

    def exposed_rate(self) -> float | None:
        """The percentage affected in the one exposed arm; None where only a bound or a range is known."""
        arm = self.exposed()
        return None if arm is None else arm.percent_affected()

    def derived_frequency(self) -> Frequency | None:
        """The CIOMS frequency that follows from the one exposed arm; None where its figures do not decide it."""
        arm = self.exposed()
        limits = None if arm is None else arm.limits()
        return None if arm is None or limits is None else frequency_between(*limits, arm.bound())


def _frequency_in_0_3_0(document: Mapping[str, Any]) -> str | None:
    """The frequency that 0.3.0 gave a record without one: from a percentage that it rounded to two decimals."""
    exposed = [arm for arm in document.get("arms") or () if arm.get("role") == "exposed"]
    if len(exposed) != 1 or "frequency" in document.get("missing", ()):
        return None
    affected, at_risk = exposed[0].get("affected"), exposed[0].get("at_risk")
    counted = round(100 * affected / at_risk, 2) if affected is not None and at_risk else exposed[0].get("percent")
    return None if counted is None else frequency_of(counted)


class SideEffect(Row, SideEffectRecord, table=True):
    """The table row of a side effect, with the figures of its one exposed arm as columns."""

    plural: ClassVar[str] = "side-effects"
    search_rank: ClassVar[int] = 8
    frequency_derived: bool | None = unfiltered(
        "Whether `frequency` follows from the exposed arm's figures and is not the source's; null without a frequency."
    )
    affected: Count | None = Field(default=None, description="People affected in the exposed arm, when there is one.")
    at_risk: Count | None = Field(default=None, description="People at risk in the exposed arm, when there is one.")
    percent: Percent | None = Field(
        default=None,
        index=True,
        description="Percentage in the exposed arm: from its counts, else as printed; null where only a bound or a "
        "range is known.",
    )
    percent_min: Percent | None = Field(
        default=None, description="The percentage in the exposed arm is at least this: `5` for `≥ 5 %`."
    )
    percent_max: Percent | None = Field(
        default=None, description="The percentage in the exposed arm is at most this: `1` for `<1 %`."
    )
    percent_modifier: Bound | None = unfiltered("How the exposed arm's printed percentage is bounded: `<`, `>=`, …")

    @classmethod
    def derive(cls, record: Any, known: Known) -> dict[str, Any]:
        """The exposed arm's figures, and whether the frequency follows from them; arms are never summed."""
        is_derived = record.frequency_is_derived()
        values: dict[str, Any] = {} if record.frequency is None else {"frequency_derived": is_derived}
        arm = record.exposed()
        if arm is None:
            return values
        low, high = arm.limits() or (None, None)
        return values | {
            "affected": arm.affected,
            "at_risk": arm.at_risk,
            "percent": arm.percent_affected(),
            "percent_min": None if low is None or (low == 0 != high) else rounded_percent(low),
            "percent_max": None if high is None or (high == 100 != low) else rounded_percent(high),
            "percent_modifier": arm.bound(),
        }

    @classmethod
    def contradictions(cls, record: Any, known: Known) -> Iterator[tuple[Rule, ReviewReason]]:
        """An arm that is said to be one of the study's, and is not."""
        if record.study is None:
            return
        ids = {arm["id"] for arm in known("studies", record.study)["arms"]}
        for index, arm in enumerate(record.arms):
            if arm.study_arm is not None and arm.study_arm not in ids:
                detail = f"studies/{record.study} has no arm {arm.study_arm!r}"
                pointer = f"/arms/{index}/study_arm"
                yield STUDY_ARM_UNKNOWN, ReviewReason(rule=STUDY_ARM_UNKNOWN.name, pointer=pointer, detail=detail)
