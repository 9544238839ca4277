"""Side effects and adverse events: one row of a harms table, with arms, numerators and denominators."""

from typing import Any, ClassVar, Self

from pydantic import Field as Nested
from pydantic import model_validator
from sqlmodel import Field

from app.models.base import CitedRecord, Known, PartWithMissing, Row, reference, several, word
from app.models.types import ConditionRef, Count, Line, Percent, StudyRef, TreatmentRef
from app.models.vocabulary import ArmRole, Assessment, Attribution, Frequency, HarmBasis

ROUNDING = 1.0
"""Percentage points by which a printed percentage may differ from its counts (sources print whole percents, or cut)."""
FREQUENCY_FLOORS: tuple[tuple[float, Frequency], ...] = (
    (10, "very-common"),
    (1, "common"),
    (0.1, "uncommon"),
    (0.01, "rare"),
    (0, "very-rare"),
)
"""The lowest percentage of each frequency category (CIOMS Working Group III, 1995)."""


def frequency_of(percent: float) -> Frequency:
    """The CIOMS frequency of a percentage (0–100) of people affected; `not-known` for 0."""
    if percent == 0:
        return "not-known"
    return next(word for floor, word in FREQUENCY_FLOORS if percent >= floor)


class SideEffectArm(PartWithMissing):
    """How many people of one arm were affected. Events are not people: they have a field of their own."""

    arm: Line = Nested(description="The arm, as its study names it.")
    role: ArmRole = Nested(description="Whether this arm received the treatment.")
    affected: Count | None = Nested(default=None, description="People with at least one event.")
    at_risk: Count | None = Nested(default=None, description="People who were followed for it.")
    event_count: Count | None = Nested(default=None, description="Events, several of which one person may have.")
    percent: Percent | None = Nested(default=None, description="The percentage as the source prints it.")
    assessment: Assessment | None = Nested(default=None, description="Whether people were asked for it systematically.")

    @model_validator(mode="after")
    def _counts_agree(self) -> Self:
        if self.affected is None or self.at_risk is None:
            return self
        if self.affected > self.at_risk:
            raise ValueError(f"affected ({self.affected}) is above at_risk ({self.at_risk})")
        if self.percent is not None and self.at_risk:
            exact = 100 * self.affected / self.at_risk
            if abs(exact - self.percent) > ROUNDING:
                raise ValueError(f"percent {self.percent} is not {self.affected}/{self.at_risk} ({exact:.2f})")
        return self

    def rate(self) -> float | None:
        """The percentage affected: from the counts where both are known, else as printed."""
        if self.affected is not None and self.at_risk:
            return round(100 * self.affected / self.at_risk, 2)
        return self.percent


class SideEffectRecord(CitedRecord):
    """One term of a harms table.

    A *side effect* is attributed to the treatment by someone; an *adverse event* was observed, whatever its cause
    (CONSORT Harms 2022): `attribution` tells them apart.
    """

    core: ClassVar[frozenset[str]] = frozenset({"treatment", "term", "basis", "attribution"})
    treatment: TreatmentRef = reference("treatment", "What was given.")
    condition: ConditionRef | None = reference("condition", "What it was given for.", default=None)
    term: Line = Field(index=True, description="The effect, in our own term list.")
    organ_class: Line | None = Field(default=None, index=True, description="The part of the body it belongs to.")
    serious: bool | None = Field(default=None, description="Whether it is serious (ICH E2A).")
    basis: HarmBasis = word("Where the figure comes from.", index=True)
    attribution: Attribution = word("Attributed to the treatment, or only observed.", index=True)
    study: StudyRef | None = reference("study", "The study that counted it.", default=None)
    arms: list[SideEffectArm] = several("The arms that were counted.")
    frequency: Frequency | None = word(
        "CIOMS frequency: as the source says it, else from the exposed arm's percentage.", default=None, index=True
    )

    @model_validator(mode="after")
    def _one_arm_one_row(self) -> Self:
        names = [arm.arm for arm in self.arms]
        if len(set(names)) != len(names):
            raise ValueError("two arms have the same name")
        if self.frequency is None and "frequency" not in self.missing:
            rate = self.exposed_rate()
            self.frequency = None if rate is None else frequency_of(rate)
        return self

    def exposed(self) -> SideEffectArm | None:
        """The arm that received the treatment, when there is exactly one."""
        arms = [arm for arm in self.arms if arm.role == "exposed"]
        return arms[0] if len(arms) == 1 else None

    def exposed_rate(self) -> float | None:
        """The percentage affected in the one exposed arm."""
        arm = self.exposed()
        return None if arm is None else arm.rate()


class SideEffect(Row, SideEffectRecord, table=True):
    """The table row of a side effect, with the figures of its one exposed arm as columns."""

    plural: ClassVar[str] = "side-effects"
    search_rank: ClassVar[int] = 8
    affected: Count | None = Field(default=None, description="People affected in the exposed arm, when there is one.")
    at_risk: Count | None = Field(default=None, description="People at risk in the exposed arm, when there is one.")
    percent: Percent | None = Field(
        default=None, index=True, description="Percentage in the exposed arm: from its counts, else as printed."
    )

    @classmethod
    def derive(cls, record: Any, known: Known) -> dict[str, Any]:
        """The exposed arm's figures; arms are never summed."""
        arm = record.exposed()
        if arm is None:
            return {}
        return {"affected": arm.affected, "at_risk": arm.at_risk, "percent": arm.rate()}
