"""Dosing intervals: dose, interval, onset and duration of effect, as numbers with units."""

from typing import Any, ClassVar, Self

from pydantic import model_validator
from sqlmodel import Field

from app.models.approvals import Jurisdiction
from app.models.base import CitedRecord, Known, Row, given, ordered, reference, several, word
from app.models.types import ConditionRef, Count, Dose, Line, NotNegative, Slug, TreatmentRef
from app.models.vocabulary import Basis, DosePer, DoseStatistic, Route, TimeUnit

DAYS: dict[str, float] = {"h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.4375, "a": 365.25}
"""Days in each unit of time (UCUM: 1 mo = 1/12 Julian year = 30.4375 d, 1 a = 365.25 d)."""


def in_days(amount: float | None, unit: TimeUnit | None) -> float | None:
    """An amount of time in days, rounded to the nearest thousandth; None without an amount."""
    return None if amount is None or unit is None else round(amount * DAYS[unit], 3)


class DosingIntervalRecord(CitedRecord):
    """How a treatment is dosed: by a label, in a trial, in a guideline, or as somebody claims."""

    core: ClassVar[frozenset[str]] = frozenset({"treatment", "basis", "interval_unit"})
    treatment: TreatmentRef = reference("treatment", "What is given.")
    condition: ConditionRef | None = reference(
        "condition", "The condition it is given for; absent where it holds for all.", default=None
    )
    basis: Basis = word("The basis of the dosing: a label, a trial, a guideline or a claim.", index=True)
    jurisdiction: Jurisdiction | None = Field(
        default=None, index=True, description="The jurisdiction of the label, where the basis is a label."
    )
    dose_min: Dose | None = Field(default=None, description="The smallest dose, in `dose_unit`.")
    dose_max: Dose | None = Field(default=None, description="The largest dose, in `dose_unit`.")
    dose_unit: Slug | None = Field(default=None, description="The product's own unit; never converted into another's.")
    dose_statistic: DoseStatistic | None = word(
        "What the two doses are: limits, quartiles, or a typical dose.", default=None
    )
    dose_per: list[DosePer] = several("What a dose is counted per (`session`, `site`, `kg`).")
    sites_min: Count | None = Field(default=None, description="The fewest injection sites.")
    sites_max: Count | None = Field(default=None, description="The most injection sites.")
    interval_min: NotNegative | None = Field(
        default=None, description="The shortest time between two doses, in `interval_unit`."
    )
    interval_max: NotNegative | None = Field(
        default=None, description="The longest time between two doses, in `interval_unit`."
    )
    interval_unit: TimeUnit | None = word("UCUM unit of the interval.", default=None)
    max_dose: Dose | None = Field(
        default=None, description="The most that may be given within `max_dose_period`, in `dose_unit`."
    )
    max_dose_period: NotNegative | None = Field(
        default=None, description="The period in which at most `max_dose` may be given."
    )
    max_dose_period_unit: TimeUnit | None = word("UCUM unit of `max_dose_period`.", default=None)
    onset_min: NotNegative | None = Field(default=None, description="The earliest onset of the effect.")
    onset_max: NotNegative | None = Field(default=None, description="The latest onset of the effect.")
    onset_unit: TimeUnit | None = word("UCUM unit of the onset.", default=None)
    duration_min: NotNegative | None = Field(default=None, description="The shortest duration of the effect.")
    duration_max: NotNegative | None = Field(default=None, description="The longest duration of the effect.")
    duration_unit: TimeUnit | None = word("UCUM unit of the duration.", default=None)
    route: Route | None = word("Route of administration.", default=None)
    population: Line | None = Field(default=None, description="Whom it is given to.")
    note: Line | None = Field(default=None, description="A remark that the numbers cannot express.")

    @model_validator(mode="after")
    def _numbers_agree(self) -> Self:
        ordered(self.dose_min, self.dose_max, "dose_min and dose_max")
        ordered(self.sites_min, self.sites_max, "sites_min and sites_max")
        for name in ("interval", "onset", "duration"):
            low, high, unit = (getattr(self, f"{name}_{end}") for end in ("min", "max", "unit"))
            ordered(low, high, f"{name}_min and {name}_max")
            if (low is not None or high is not None) and unit is None:
                raise ValueError(f"{name}_min and {name}_max need a {name}_unit")
        if (self.max_dose is None) != (self.max_dose_period is None):
            raise ValueError("max_dose and max_dose_period stand together")
        if (self.max_dose_period is None) != (self.max_dose_period_unit is None):
            raise ValueError("max_dose_period needs a max_dose_period_unit, and the other way round")
        if any(given(dose) for dose in (self.dose_min, self.dose_max, self.max_dose)) and self.dose_unit is None:
            raise ValueError("a dose needs a dose_unit")
        return self


class DosingInterval(Row, DosingIntervalRecord, table=True):
    """The table row of a dosing interval, with its interval in days."""

    plural: ClassVar[str] = "dosing-intervals"
    search_rank: ClassVar[int] = 6
    interval_days: NotNegative | None = Field(
        default=None, index=True, description="The shortest interval in days (the longest where no shortest is given)."
    )
    interval_days_max: NotNegative | None = Field(default=None, description="The longest interval in days.")

    @classmethod
    def derive(cls, record: Any, known: Known) -> dict[str, Any]:
        """The interval in days; refuses a unit that is not the treatment's own."""
        own = known("treatments", record.treatment)["dose_unit"]
        if record.dose_unit is not None and (own is None or own["code"] != record.dose_unit):
            unit = "no unit" if own is None else repr(own["code"])
            raise ValueError(f"dose_unit {record.dose_unit!r} is not the unit of {record.treatment}, which has {unit}")
        shortest = record.interval_min if record.interval_min is not None else record.interval_max
        return {
            "interval_days": in_days(shortest, record.interval_unit),
            "interval_days_max": in_days(record.interval_max, record.interval_unit),
        }
