"""The arms of a study result: the numbers of one group, as the results model of ClinicalTrials.gov has them."""

from collections.abc import Iterator
from typing import Any, Self

from pydantic import Field as Nested
from pydantic import model_validator

from app.models.base import PartWithMissing, ordered
from app.models.dosing_intervals import in_days
from app.models.rules import Wrong, refused
from app.models.types import Count, Line, NotNegative, Number, Percent, Prose
from app.models.vocabulary import ArmRole, DispersionKind, TimeUnit

NOT_ASSIGNED = "not-assigned"
CENTRES = ("mean", "median", "geometric_mean", "percent", "value")
"""The fields of which one is what an arm's confidence interval surrounds."""


class ResultArm(PartWithMissing):
    """The numbers of one arm. `events` are people with the outcome; `event_count` counts events."""

    arm: Line = Nested(description="The arm, as its study names it.")
    code: Line | None = Nested(
        default=None,
        description="The source's own code of the group (ClinicalTrials.gov `OG000`); it differs between sections.",
    )
    role: ArmRole = Nested(
        description="Whether this arm received the treatment; `not-assigned` where the source gives no role, with the "
        "reason under `missing`."
    )
    n: Count | None = Nested(default=None, description="People analysed.")
    events: Count | None = Nested(default=None, description="People with the outcome.")
    event_count: Count | None = Nested(default=None, description="Events, several of which one person may have.")
    denominator: Count | None = Nested(
        default=None, description="Units analysed, where these are not people (ClinicalTrials.gov `typeUnitsAnalyzed`)."
    )
    numerator: Count | None = Nested(default=None, description="Of these units, those with the outcome.")
    denominator_unit: Line | None = Nested(
        default=None, description="The unit of analysis: eyes, teeth, clinics.", examples=["eyes"]
    )
    percent: Percent | None = Nested(default=None, description="The percentage as the source prints it.")
    person_time: NotNegative | None = Nested(
        default=None, description="Person-time at risk, in days; derived where it is printed in another unit."
    )
    person_time_printed: NotNegative | None = Nested(default=None, description="Person-time at risk, as printed.")
    person_time_unit: TimeUnit | None = Nested(default=None, description="The unit of `person_time_printed` (UCUM).")
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
    geometric_mean: NotNegative | None = Nested(
        default=None, description="Geometric mean; one below 0, on a scale of logarithms, is a `value` with a note."
    )
    ci_level: Percent | None = Nested(default=None, description="The level of the arm's interval in percent.")
    ci_low: Number | None = Nested(
        default=None, description="Lower confidence limit of the arm's mean, median, percentage or value."
    )
    ci_high: Number | None = Nested(default=None, description="Upper limit; `missing` says `not-reached` where it is.")
    value: Number | None = Nested(
        default=None, description="What fits no other field: a rate, a score on a scale of logarithms."
    )
    unit: Line | None = Nested(
        default=None,
        description="The unit of `value` (ClinicalTrials.gov `unitOfMeasure`).",
        examples=["exacerbations per 100 patient-years"],
    )
    dispersion: NotNegative | None = Nested(
        default=None, description="A dispersion that has no field of its own: a geometric coefficient of variation."
    )
    dispersion_kind: DispersionKind | None = Nested(
        default=None, description="What `dispersion` is (ClinicalTrials.gov `dispersionType`)."
    )
    adjusted: bool | None = Nested(default=None, description="Whether the figures are adjusted.")
    class_label: Line | None = Nested(
        default=None, alias="class", description="The class (a time point, say) in a registry's table."
    )
    category: Line | None = Nested(default=None, description="The category in a registry's table.")
    note: Prose | None = Nested(
        default=None, description="The source's comment on these numbers (ClinicalTrials.gov on `NA`)."
    )

    @model_validator(mode="before")
    @classmethod
    def _absent_role_is_not_assigned(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("role") is None and "role" in (values.get("missing") or {}):
            return {**values, "role": NOT_ASSIGNED}
        return values

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

    @model_validator(mode="after")
    def _units_stand_beside_their_values(self) -> Self:
        for value, unit in (
            ("value", "unit"),
            ("dispersion", "dispersion_kind"),
            ("denominator", "denominator_unit"),
            ("numerator", "denominator_unit"),
            ("person_time_printed", "person_time_unit"),
        ):
            if getattr(self, value) is not None and getattr(self, unit) is None and unit not in self.missing:
                raise ValueError(f"{value} needs {unit}, or a reason for it under missing")
        if None not in (self.numerator, self.denominator):
            ordered(self.numerator, self.denominator, "numerator and denominator")
        self._derive_person_time()
        return self

    @model_validator(mode="after")
    def _interval_surrounds_its_centre(self) -> Self:
        if (self.ci_low, self.ci_high) == (None, None):
            return self
        if self.ci_level is None and "ci_level" not in self.missing:
            raise ValueError("an interval needs its ci_level, or a reason for it under missing")
        ordered(self.ci_low, self.ci_high, "ci_low and ci_high")
        centres = [name for name in CENTRES if getattr(self, name) is not None]
        if len(centres) == 1:
            ordered(self.ci_low, getattr(self, centres[0]), f"ci_low and {centres[0]}")
            ordered(getattr(self, centres[0]), self.ci_high, f"{centres[0]} and ci_high")
        return self

    @model_validator(mode="after")
    def _absent_role_has_a_reason(self) -> Self:
        if self.role == NOT_ASSIGNED and "role" not in self.missing:
            raise ValueError("an arm without a role needs the reason under missing: role")
        return self

    @refused("statistics-out-of-order")
    def _statistics_are_in_order(self) -> Iterator[Wrong]:
        for low, high in (
            ("q1", "median"),
            ("median", "q3"),
            ("min", "q1"),
            ("q3", "max"),
            ("min", "median"),
            ("median", "max"),
            ("min", "mean"),
            ("mean", "max"),
        ):
            smaller, larger = getattr(self, low), getattr(self, high)
            if smaller is not None and larger is not None and smaller > larger:
                yield Wrong(f"/{high}", f"{low} {smaller:g} lies above {high} {larger:g}")

    def _derive_person_time(self) -> None:
        """Set `person_time` in days from what is printed; ValueError where both are given and differ."""
        if self.person_time_printed is None or self.person_time_unit is None:
            return
        days = in_days(self.person_time_printed, self.person_time_unit) or 0.0
        if self.person_time is None:
            self.person_time = days
        elif abs(self.person_time - days) > max(1.0, days / 100):
            raise ValueError(f"person_time {self.person_time:g} days is not {self.person_time_printed:g} printed")

    @property
    def identity(self) -> tuple[str, str | None, str | None]:
        """What tells an arm from the others of its result: name, class and category."""
        return self.arm, self.class_label, self.category
