"""Dosing intervals: how much, how often, for how long and for whom, as numbers with units (FHIR R5 `Dosage`)."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

from pydantic import model_validator
from sqlmodel import Field

from app.models.approvals import Jurisdiction
from app.models.base import (
    CitedRecord,
    Known,
    Row,
    given,
    ordered,
    reference,
    several,
    unfiltered,
    unfiltered_list,
    word,
)
from app.models.dose_sentences import sentence
from app.models.doses import DoseIngredient, DoseStep, basis_of, check_timing
from app.models.rules import Wrong, flagged, refused
from app.models.types import (
    ClaimRef,
    ConditionRef,
    Count,
    Dose,
    Line,
    MaximumDose,
    NotNegative,
    Prose,
    Slug,
    TreatmentRef,
)
from app.models.vocabulary import (
    Basis,
    DoseBasis,
    DosePer,
    DoseStatistic,
    MaximumPer,
    RatePer,
    RenalMeasure,
    Route,
    TimeUnit,
)

DAYS: dict[str, float] = {"min": 1 / 1440, "h": 1 / 24, "d": 1.0, "wk": 7.0, "mo": 30.4375, "a": 365.25}
"""Days in each unit of time (UCUM: 1 mo = 1/12 Julian year = 30.4375 d, 1 a = 365.25 d)."""
PARTS_OF_DAYS = ("min", "h")
RANGES = (
    "dose",
    "sites",
    "interval",
    "onset",
    "duration",
    "infusion",
    "rate",
    "session",
    "weight",
    "age",
    "renal",
)
"""Pairs of fields that end in `_min` and `_max`."""
UNITS = {name: f"{name}_unit" for name in ("interval", "onset", "duration", "infusion", "session", "age")}
UNITS |= {"rate": "rate_time_unit", "renal": "renal_measure"}
"""What a pair needs beside it."""


def in_days(amount: float | None, unit: TimeUnit | None) -> float | None:
    """An amount of time in days, rounded to a thousandth, of minutes and hours to a millionth; None without an amount.

    Five minutes are 0.003472 d, which sort before six.
    """
    return None if amount is None or unit is None else round(amount * DAYS[unit], 6 if unit in PARTS_OF_DAYS else 3)


class DosingIntervalRecord(CitedRecord):
    """How a treatment is dosed: by a label, in a trial, in a guideline, or as somebody claims."""

    core: ClassVar[frozenset[str]] = frozenset({"treatment", "basis", "interval_unit"})
    treatment: TreatmentRef = reference("treatment", "What is given.")
    condition: ConditionRef | None = reference(
        "condition", "The condition it is given for; absent where it holds for all.", default=None
    )
    basis: Basis = word("The basis of the dosing: a label, a trial, a guideline or a claim.", index=True)
    claim: ClaimRef | None = reference("claim", "The claim that gives it, where the basis is a claim.", default=None)
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
    dose_cap: NotNegative | None = unfiltered(
        "The most of one dose in all, where it is per kg or m² (FHIR R5 `maxDosePerAdministration`)."
    )
    ingredients: list[DoseIngredient] = unfiltered_list("Of a combination product: its ingredients with their amounts.")
    sites_min: Count | None = Field(default=None, description="The fewest injection sites.")
    sites_max: Count | None = Field(default=None, description="The most injection sites.")
    times: NotNegative | None = unfiltered("How many times in `period` (FHIR R5 `Timing.repeat.frequency`).")
    times_max: NotNegative | None = unfiltered("At most how many times in `period` (FHIR R5 `frequencyMax`).")
    period: NotNegative | None = unfiltered("The period of `times`, in `period_unit`; 1 where only the unit is given.")
    period_unit: TimeUnit | None = unfiltered("UCUM unit of the period (FHIR R5 `periodUnit`): `d` for `twice a day`.")
    interval_min: NotNegative | None = Field(
        default=None, description="The shortest time between two doses, in `interval_unit`."
    )
    interval_max: NotNegative | None = Field(
        default=None, description="The longest time between two doses, in `interval_unit`."
    )
    interval_unit: TimeUnit | None = word("UCUM unit of the interval.", default=None)
    as_needed: bool | None = Field(default=None, description="Whether it is taken when needed (FHIR R5 `asNeeded`).")
    as_needed_for: Line | None = unfiltered("What it is taken for when needed (FHIR R5 `asNeededFor`).")
    lasts: NotNegative | None = unfiltered("For how long it is given (FHIR R5 `boundsDuration`), in `lasts_unit`.")
    lasts_max: NotNegative | None = unfiltered("For how long it is given at most.")
    lasts_unit: TimeUnit | None = unfiltered("UCUM unit of `lasts`.")
    steps: list[DoseStep] = unfiltered_list("Titration, or loading and maintenance: its steps in order.")
    cycle_days: list[Count] = unfiltered_list("The days of a cycle on which it is given, from 1: `[1, 8, 15]`.")
    cycle_length: NotNegative | None = unfiltered("The length of a cycle, in `cycle_unit`.")
    cycle_unit: TimeUnit | None = unfiltered("UCUM unit of the length of a cycle.")
    cycles: Count | None = unfiltered("How many cycles are given.")
    cycles_max: Count | None = unfiltered("How many cycles are given at most.")
    rate_min: NotNegative | None = unfiltered("The lowest infusion rate (FHIR R5 `rateRange`).")
    rate_max: NotNegative | None = unfiltered("The highest infusion rate.")
    rate_unit: Line | None = unfiltered("The unit of the amount in the rate (UCUM): `mL`, `ug`.")
    rate_per: list[RatePer] = unfiltered_list("What the rate is per beside time: `kg`.")
    rate_time_unit: TimeUnit | None = unfiltered("UCUM unit of time of the rate: `min` for `per minute`.")
    infusion_min: NotNegative | None = unfiltered("The shortest time of one infusion (FHIR R5 `repeat.duration`).")
    infusion_max: NotNegative | None = unfiltered("The longest time of one infusion.")
    infusion_unit: TimeUnit | None = unfiltered("UCUM unit of the time of an infusion.")
    session_min: NotNegative | None = unfiltered("The shortest session of a device, an exercise or a talking therapy.")
    session_max: NotNegative | None = unfiltered("The longest session.")
    session_unit: TimeUnit | None = unfiltered("UCUM unit of the length of a session: `min`.")
    sessions: Count | None = unfiltered("How many sessions in all; how many a week say `times` and `period`.")
    sessions_max: Count | None = unfiltered("How many sessions in all at most.")
    max_dose: MaximumDose | None = Field(
        default=None, description="The most that may be given within `max_dose_period`, in `dose_unit`."
    )
    max_dose_per: list[MaximumPer] = unfiltered_list(
        "What the maximum is per: `kg` or `m2`, `session`, `day`, `cycle`, `lifetime`. Empty with the reason "
        "`not-applicable` under `missing`: it is absolute."
    )
    max_dose_cap: NotNegative | None = unfiltered("The most in all in the same time, beside a maximum per kg or m².")
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
    route: Route | None = word("Route of administration (EDQM Standard Terms), where there is one.", default=None)
    routes: list[Route] = unfiltered_list("The routes, where there are several to choose from.")
    weight_min: NotNegative | None = Field(default=None, description="For people of at least this weight, in kg.")
    weight_max: NotNegative | None = Field(default=None, description="For people of at most this weight, in kg.")
    age_min: NotNegative | None = unfiltered("For people of at least this age, in `age_unit`.")
    age_max: NotNegative | None = unfiltered("For people of at most this age, in `age_unit`.")
    age_unit: TimeUnit | None = unfiltered("UCUM unit of the ages: `a` for years.")
    renal_min: NotNegative | None = Field(
        default=None, description="For people of at least this renal function, in the unit of `renal_measure`."
    )
    renal_max: NotNegative | None = Field(default=None, description="For people of at most this renal function.")
    renal_measure: RenalMeasure | None = unfiltered(
        "What measures it: `creatinine-clearance` in mL/min, or `egfr` in mL/min/1.73 m²."
    )
    population: Line | None = Field(default=None, description="Whom it is given to.")
    note: Line | None = Field(default=None, description="A remark that the numbers cannot express.")

    def excused(self) -> frozenset[str]:
        """The unit of the interval, where times in a period, steps, sessions or days of a cycle stand instead."""
        is_timed = given(self.period_unit) or given(self.steps) or given(self.cycle_days) or given(self.as_needed)
        return frozenset({"interval_unit"} if is_timed and self.interval_min is self.interval_max is None else ())

    @model_validator(mode="after")
    def _numbers_agree(self) -> Self:
        for name in RANGES:
            low, high = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            ordered(low, high, f"{name}_min and {name}_max")
            unit = UNITS.get(name)
            if (low is not None or high is not None) and unit is not None and getattr(self, unit) is None:
                raise ValueError(f"{name}_min and {name}_max need a {unit}")
        if (self.rate_min is not None or self.rate_max is not None) and self.rate_unit is None:
            raise ValueError("rate_min and rate_max need a rate_unit")
        ordered(self.sessions, self.sessions_max, "sessions and sessions_max")
        ordered(self.cycles, self.cycles_max, "cycles and cycles_max")
        check_timing(self)
        if self.as_needed_for is not None:
            if self.as_needed is False:
                raise ValueError("as_needed_for is for what is taken as needed")
            self.as_needed = True
        if self.route is not None and self.routes and self.route not in self.routes:
            raise ValueError("route is one of routes")
        return self

    @model_validator(mode="after")
    def _amounts_have_a_unit_and_maxima_a_time(self) -> Self:
        timed = {"session", "day", "cycle", "lifetime"} & set(self.max_dose_per)
        if self.max_dose is None and (
            self.max_dose_period is not None or self.max_dose_per or given(self.max_dose_cap)
        ):
            raise ValueError("max_dose and max_dose_period stand together, and what it is per beside it")
        if self.max_dose is not None and self.max_dose_period is None and not timed:
            raise ValueError("max_dose and max_dose_period stand together, unless it is per session, cycle or lifetime")
        if (self.max_dose_period is None) != (self.max_dose_period_unit is None):
            raise ValueError("max_dose_period needs a max_dose_period_unit, and the other way round")
        amounts = [self.dose_min, self.dose_max, self.max_dose, *(step.dose_min for step in self.steps)]
        amounts += [self.dose_cap, *(step.dose_max for step in self.steps)]
        if any(given(dose) for dose in amounts) and self.dose_unit is None:
            raise ValueError("a dose needs a dose_unit")
        if self.dose_cap is not None and self.dose_min is None and self.dose_max is None:
            raise ValueError("dose_cap needs the dose that it caps")
        return self

    @model_validator(mode="after")
    def _cycle_is_one(self) -> Self:
        if (self.cycle_length is None) != (self.cycle_unit is None):
            raise ValueError("cycle_length needs a cycle_unit, and the other way round")
        if 0 in self.cycle_days or sorted(set(self.cycle_days)) != self.cycle_days:
            raise ValueError("cycle_days are counted from 1, each once and in order")
        length = in_days(self.cycle_length, self.cycle_unit)
        if self.cycle_days and length is not None and self.cycle_days[-1] > length:
            raise ValueError(f"day {self.cycle_days[-1]} lies beyond the cycle of {length:g} days")
        return self

    @refused("per-kg-and-per-m2")
    def _is_per_kg_or_per_m2(self) -> Iterator[Wrong]:
        for name in ("dose_per", "max_dose_per", "rate_per"):
            if {"kg", "m2"} <= set(getattr(self, name)):
                yield Wrong(f"/{name}", "nothing is per kg and per m² at once")

    @refused("maximum-below-dose")
    def _maximum_reaches_the_dose(self) -> Iterator[Wrong]:
        least = self.dose_min if self.dose_min is not None else self.dose_max
        if least is None or self.dose_statistic == "iqr":
            return
        if self.max_dose is not None and self.max_dose < least and self._maximum_is_comparable():
            yield Wrong("/max_dose", f"a most of {self.max_dose:g} lies below the dose of {least:g}")
        for name in ("dose_cap", "max_dose_cap"):
            cap = getattr(self, name)
            if cap is not None and cap < least and basis_of(self.dose_per) == "absolute":
                yield Wrong(f"/{name}", f"a most of {cap:g} lies below the dose of {least:g}")

    @refused("nothing-at-no-time")
    def _something_is_given_at_some_time(self) -> Iterator[Wrong]:
        for low, high in (("interval_min", "interval_max"), ("dose_min", "dose_max")):
            ends = [end for end in (getattr(self, low), getattr(self, high)) if end is not None]
            if ends and max(ends) == 0:
                where = low if getattr(self, low) == 0 else high
                yield Wrong(f"/{where}", f"{'a dose' if low == 'dose_min' else 'an interval'} lies above 0")

    @refused("claim-without-reference")
    def _claim_is_named(self) -> Iterator[Wrong]:
        if self.basis == "claim" and self.claim is None:
            yield Wrong("/claim", "a dose that is claimed needs the claim")

    @flagged("maximum-per-unknown")
    def _maximum_says_what_it_is_per(self) -> Iterator[Wrong]:
        is_per_body = basis_of(self.dose_per) != "absolute"
        if is_per_body and self.max_dose is not None and not self.max_dose_per and "max_dose_per" not in self.missing:
            yield Wrong("/max_dose_per", "the dose is per kg or m², and whether the maximum is, too, is not said")

    @flagged("times-contradict-interval")
    def _times_fit_the_interval(self) -> Iterator[Wrong]:
        low, high = self.days_between_times()
        shortest, longest = (in_days(end, self.interval_unit) for end in (self.interval_min, self.interval_max))
        if low is None or high is None or (shortest is None and longest is None):
            return
        if (shortest is not None and high < shortest * 0.99) or (longest is not None and low > longest * 1.01):
            yield Wrong("/times", "so many times in the period do not fit the interval")

    def _maximum_is_comparable(self) -> bool:
        """Whether a dose and the maximum are of one kind, so that the dose is a part of the maximum."""
        return basis_of(self.dose_per) == basis_of(self.max_dose_per) and (
            "day" not in self.dose_per or "session" not in self.max_dose_per
        )

    def days_between_times(self) -> tuple[float | None, float | None]:
        """The mean time between two of the `times` in a period in days: at most times, and at least times."""
        most = self.times_max if self.times_max is not None else self.times
        if most is None or self.period is None or self.period_unit is None:
            return None, None
        days = self.period * DAYS[self.period_unit]
        return round(days / most, 6), None if self.times is None else round(days / self.times, 6)


class DosingInterval(Row, DosingIntervalRecord, table=True):
    """The table row of a dosing interval, with its interval in days."""

    plural: ClassVar[str] = "dosing-intervals"
    search_rank: ClassVar[int] = 6
    interval_days: NotNegative | None = Field(
        default=None,
        index=True,
        description="The shortest interval in days (the longest where no shortest is given); of `times` in a period "
        "the mean.",
    )
    interval_days_max: NotNegative | None = Field(default=None, description="The longest interval in days.")
    dose_basis: DoseBasis | None = word(
        "Whether the dose is absolute, per kg or per m²: doses of different bases are never compared.", default=None
    )
    max_dose_basis: DoseBasis | None = word("Whether the maximum is absolute, per kg or per m².", default=None)
    age_min_years: NotNegative | None = Field(default=None, description="The lowest age in years.")
    age_max_years: NotNegative | None = Field(default=None, description="The highest age in years.")
    sentence: Prose | None = unfiltered("The dose in words, made from the fields (FHIR R5 `Dosage.text`).")

    @classmethod
    def derive(cls, record: Any, known: Known) -> dict[str, Any]:
        """Interval and ages, bases and the sentence; refuses a unit that is not the treatment's own."""
        own = known("treatments", record.treatment)["dose_unit"]
        if record.dose_unit is not None and (own is None or own["code"] != record.dose_unit):
            unit = "no unit" if own is None else repr(own["code"])
            raise ValueError(f"dose_unit {record.dose_unit!r} is not the unit of {record.treatment}, which has {unit}")
        shortest = record.interval_min if record.interval_min is not None else record.interval_max
        low, high = in_days(shortest, record.interval_unit), in_days(record.interval_max, record.interval_unit)
        if shortest is None:
            low, high = record.days_between_times()
        has_dose = given(record.dose_min) or given(record.dose_max)
        return {
            "interval_days": low,
            "interval_days_max": high,
            "dose_basis": basis_of(record.dose_per) if has_dose else None,
            "max_dose_basis": basis_of(_maximum_per(record)) if given(record.max_dose) else None,
            "age_min_years": _in_years(record.age_min, record.age_unit),
            "age_max_years": _in_years(record.age_max, record.age_unit),
            "sentence": sentence(record.model_dump(mode="json"), own["label"] if own else ""),
        }


def _maximum_per(record: DosingIntervalRecord) -> list[Any]:
    """What a maximum is per; where that is not recorded, what the dose is per, so that it is not taken for absolute."""
    is_recorded = record.max_dose_per or "max_dose_per" in record.missing
    return list(record.max_dose_per if is_recorded else record.dose_per)


def _in_years(amount: float | None, unit: TimeUnit | None) -> float | None:
    return None if amount is None or unit is None else round(amount * DAYS[unit] / DAYS["a"], 4)
