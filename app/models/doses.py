"""Parts of a dosing interval: steps in order, and the ingredients of a combination product (FHIR R5 `Dosage`)."""

from collections.abc import Sequence
from typing import Any, Self

from pydantic import Field as Nested
from pydantic import model_validator

from app.models.base import PartWithMissing, ordered
from app.models.types import Line, NotNegative, TreatmentRef
from app.models.vocabulary import DoseBasis, StepKind, TimeUnit


class DoseStep(PartWithMissing):
    """One step of a titration, or of loading and maintenance; steps follow each other in the order of the list."""

    kind: StepKind | None = Nested(default=None, description="What the step is for: loading, titration, maintenance.")
    dose_min: NotNegative | None = Nested(default=None, description="The smallest dose, in the record's `dose_unit`.")
    dose_max: NotNegative | None = Nested(default=None, description="The largest dose, in the record's `dose_unit`.")
    times: NotNegative | None = Nested(default=None, description="How many times in a period (FHIR `frequency`).")
    times_max: NotNegative | None = Nested(default=None, description="At most how many times (FHIR `frequencyMax`).")
    period: NotNegative | None = Nested(default=None, description="The period, in `period_unit` (FHIR `period`).")
    period_unit: TimeUnit | None = Nested(default=None, description="UCUM unit of the period (FHIR `periodUnit`).")
    interval_min: NotNegative | None = Nested(default=None, description="The shortest time between two doses.")
    interval_max: NotNegative | None = Nested(default=None, description="The longest time between two doses.")
    interval_unit: TimeUnit | None = Nested(default=None, description="UCUM unit of the interval.")
    lasts: NotNegative | None = Nested(default=None, description="How long the step lasts (FHIR `boundsDuration`).")
    lasts_max: NotNegative | None = Nested(default=None, description="How long it lasts at most.")
    lasts_unit: TimeUnit | None = Nested(default=None, description="UCUM unit of how long it lasts.")
    note: Line | None = Nested(default=None, description="What the numbers cannot say: when to take the next step.")

    @model_validator(mode="after")
    def _numbers_agree(self) -> Self:
        ordered(self.dose_min, self.dose_max, "dose_min and dose_max")
        ordered(self.interval_min, self.interval_max, "interval_min and interval_max")
        if (self.interval_min is not None or self.interval_max is not None) and self.interval_unit is None:
            raise ValueError("interval_min and interval_max need an interval_unit")
        check_timing(self)
        return self


class DoseIngredient(PartWithMissing):
    """One ingredient of a combination product, with its amount in each dose."""

    name: Line = Nested(description="The ingredient's name.")
    treatment: TreatmentRef | None = Nested(default=None, description="The ingredient, when it is one of ours.")
    dose_min: NotNegative | None = Nested(default=None, description="The smallest amount in a dose, in `unit`.")
    dose_max: NotNegative | None = Nested(default=None, description="The largest amount in a dose, in `unit`.")
    unit: Line = Nested(description="The unit of the amount (UCUM): `mg`.")

    @model_validator(mode="after")
    def _amount_is_given(self) -> Self:
        ordered(self.dose_min, self.dose_max, "dose_min and dose_max")
        if self.dose_min is None and self.dose_max is None and not self.missing:
            raise ValueError("an ingredient needs its amount, or a reason under missing")
        return self


def check_timing(dose: Any) -> None:
    """Validate the times in a period and how long a dose or step lasts; sets the period 1 where only its unit is given.

    ValueError for times without a period, a period of 0, and ends in the wrong order.
    """
    ordered(dose.times, dose.times_max, "times and times_max")
    ordered(dose.lasts, dose.lasts_max, "lasts and lasts_max")
    if (dose.times is not None or dose.times_max is not None) and dose.period_unit is None:
        raise ValueError("times and times_max need a period_unit (and a period, where it is not 1)")
    if dose.period is not None and (dose.period_unit is None or (dose.times is None and dose.times_max is None)):
        raise ValueError("period needs times and a period_unit")
    if dose.period_unit is not None and dose.period is None:
        dose.period = 1
    if dose.period == 0 or dose.times == 0 or dose.times_max == 0:
        raise ValueError("times and period lie above 0")
    if (dose.lasts is not None or dose.lasts_max is not None) and dose.lasts_unit is None:
        raise ValueError("lasts needs a lasts_unit")


def basis_of(per: Sequence[str]) -> DoseBasis:
    """Whether an amount is absolute, or per kg of body weight or m² of body surface."""
    return "per-kg" if "kg" in per else "per-m2" if "m2" in per else "absolute"
