"""The arms of a side effect: people, events and person-time, and percentages, bounds and ranges as printed."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Self

from pydantic import Field as Nested
from pydantic import model_validator

from app.models.base import PartWithMissing, ordered
from app.models.dosing_intervals import in_days
from app.models.frequencies import decimal_of, exact_percent, is_printed_from, is_within_bound, rounded_percent
from app.models.rules import Wrong, refused
from app.models.types import Count, Line, NotNegative, Number, Percent, Slug
from app.models.vocabulary import ArmRole, Assessment, Bound, TimeUnit

ROUNDING = 1.0
"""Percentage points by which a printed percentage may differ from its counts in any record, also a stored one."""
DAYS_IN_100_YEARS = 36525


class SideEffectArm(PartWithMissing):
    """How many people of one arm were affected. Events are not people: they have a field of their own."""

    arm: Line = Nested(description="The arm, as its study names it.")
    code: Line | None = Nested(
        default=None,
        description="The source's own code of the group (ClinicalTrials.gov `EG000`); it differs between sections.",
    )
    study_arm: Slug | None = Nested(default=None, description="The id of the arm in `study`, where it is one of its.")
    role: ArmRole = Nested(
        description="Whether this arm received the treatment; `not-assigned` where the source gives no role, with the "
        "reason under `missing`."
    )
    dose: Line | None = Nested(default=None, description="The dose of this arm, as the source gives it.")
    dose_min: NotNegative | None = Nested(default=None, description="The smallest dose, in `dose_unit`.")
    dose_max: NotNegative | None = Nested(default=None, description="The largest dose, in `dose_unit`.")
    dose_unit: Slug | None = Nested(default=None, description="The unit of the dose, the product's own.")
    affected: Count | None = Nested(default=None, description="People with at least one event.")
    at_risk: Count | None = Nested(default=None, description="People who were followed for it.")
    event_count: Count | None = Nested(default=None, description="Events, several of which one person may have.")
    person_time: NotNegative | None = Nested(
        default=None, description="The time for which people were followed, together, in `person_time_unit`."
    )
    person_time_unit: TimeUnit | None = Nested(
        default=None, description="The unit of `person_time` as printed (UCUM): `a` for patient-years."
    )
    person_time_days: Number | None = Nested(
        default=None, description="`person_time` in days (1 a = 365.25 d); computed."
    )
    rate: NotNegative | None = Nested(
        default=None, description="Events per `rate_per` of person-time, as the source prints it."
    )
    rate_per: NotNegative | None = Nested(
        default=None, description="What `rate` is per, in `person_time_unit`: 100 for `per 100 patient-years`."
    )
    events_per_100_years: Number | None = Nested(
        default=None, description="Events in 100 person-years: from events and person-time, else `rate`; computed."
    )
    percent: Percent | None = Nested(
        default=None, description="The percentage as the source prints it; of a range its lower end."
    )
    percent_modifier: Bound | None = Nested(
        default=None,
        description="How the printed percentage is bounded (FHIR R5 `quantity-comparator`): `<` for `<1 %`.",
    )
    percent_max: Percent | None = Nested(default=None, description="The upper end of a printed range: 5 of `3–5 %`.")
    assessment: Assessment | None = Nested(default=None, description="Whether people were asked for it systematically.")

    @model_validator(mode="before")
    @classmethod
    def _absent_role_is_not_assigned(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("role") is None and "role" in (values.get("missing") or {}):
            return {**values, "role": "not-assigned"}
        return values

    @model_validator(mode="after")
    def _counts_agree(self) -> Self:
        if self.affected is None or self.at_risk is None:
            return self
        if self.affected > self.at_risk:
            raise ValueError(f"affected ({self.affected}) is above at_risk ({self.at_risk})")
        if self.percent is not None and self.at_risk and self.percent_modifier is None and self.percent_max is None:
            exact = 100 * self.affected / self.at_risk
            if abs(exact - self.percent) > ROUNDING:
                raise ValueError(f"percent {self.percent} is not {self.affected}/{self.at_risk} ({exact:.2f})")
        return self

    @model_validator(mode="after")
    def _units_stand_beside_their_values(self) -> Self:
        ordered(self.percent, self.percent_max, "percent and percent_max")
        ordered(self.dose_min, self.dose_max, "dose_min and dose_max")
        if self.role == "not-assigned" and "role" not in self.missing:
            raise ValueError("an arm without a role needs the reason under missing: role")
        if self.percent is None and (self.percent_modifier is not None or self.percent_max is not None):
            raise ValueError("percent_modifier and percent_max need the percent that they belong to")
        if self.percent_modifier is not None and self.percent_max is not None:
            raise ValueError("a percentage is bounded or a range, not both")
        if (self.rate is None) != (self.rate_per is None):
            raise ValueError("rate and rate_per stand together")
        if (self.person_time is not None or self.rate is not None) and self.person_time_unit is None:
            raise ValueError("person_time and rate need a person_time_unit")
        if self.rate_per == 0:
            raise ValueError("a rate is per an amount of person-time above 0")
        if (self.dose_min is not None or self.dose_max is not None) and self.dose_unit is None:
            raise ValueError("dose_min and dose_max need a dose_unit")
        self._derive_person_time()
        return self

    @refused("events-below-people")
    def _events_reach_people(self) -> Iterator[Wrong]:
        if self.event_count is not None and self.affected is not None and self.event_count < self.affected:
            detail = f"{self.event_count} events are fewer than the {self.affected} people who had one"
            yield Wrong("/event_count", detail)

    @refused("percent-contradicts-counts")
    def _percent_follows_from_counts(self) -> Iterator[Wrong]:
        if self.percent is None or self.affected is None or not self.at_risk:
            return
        exact = exact_percent(self.affected, self.at_risk)
        counts = f"{self.affected}/{self.at_risk} ({rounded_percent(exact):g} %)"
        if self.percent_modifier is not None:
            if not is_within_bound(exact, self.percent_modifier, self.percent):
                yield Wrong("/percent", f"{counts} is not {self.percent_modifier} {self.percent:g} %")
        elif self.percent_max is not None:
            if not decimal_of(self.percent) <= exact <= decimal_of(self.percent_max):
                yield Wrong("/percent", f"{counts} is not between {self.percent:g} % and {self.percent_max:g} %")
        elif not is_printed_from(self.percent, exact):
            yield Wrong("/percent", f"{self.percent:g} % is not {counts}, rounded or cut at its last digit")

    def rate_from_counts(self) -> Fraction | None:
        """The exact percentage affected, where both counts are known."""
        return exact_percent(self.affected, self.at_risk) if self.affected is not None and self.at_risk else None

    def rate_is_exact(self) -> bool:
        """Whether a percentage is known, from counts or as printed, and not only a bound or a range."""
        is_one_number = self.percent is not None and self.percent_modifier is None and self.percent_max is None
        return self.rate_from_counts() is not None or is_one_number

    def percent_affected(self) -> float | None:
        """The percentage affected: from the counts where both are known, else as printed; None for bound and range."""
        exact = self.rate_from_counts()
        if exact is not None:
            return rounded_percent(exact)
        return self.percent if self.rate_is_exact() else None

    def bound(self) -> Bound | None:
        """The bound of the percentage, where it is not known from the counts."""
        return None if self.rate_from_counts() is not None else self.percent_modifier

    def limits(self) -> tuple[Fraction, Fraction] | None:
        """The lowest and the highest percentage that the figures allow; None without figures, or for `about`."""
        exact = self.rate_from_counts()
        if exact is not None:
            return exact, exact
        if self.percent is None or self.percent_modifier == "~":
            return None
        percent = decimal_of(self.percent)
        if self.percent_modifier in ("<", "<="):
            return Fraction(0), percent
        if self.percent_modifier in (">", ">="):
            return percent, Fraction(100)
        return percent, percent if self.percent_max is None else decimal_of(self.percent_max)

    def _derive_person_time(self) -> None:
        """Person-time in days, and events in 100 person-years."""
        self.person_time_days = in_days(self.person_time, self.person_time_unit)
        self.events_per_100_years = None
        if self.event_count is not None and self.person_time_days:
            self.events_per_100_years = float(f"{DAYS_IN_100_YEARS * self.event_count / self.person_time_days:.6g}")
        elif self.rate is not None and (days := in_days(self.rate_per, self.person_time_unit)):
            self.events_per_100_years = float(f"{DAYS_IN_100_YEARS * self.rate / days:.6g}")
