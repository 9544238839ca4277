"""How often a side effect occurs: percentages from counts, CIOMS classes, bounds and ranges as sources print them."""

from decimal import Decimal
from fractions import Fraction
from math import floor

from app.models.vocabulary import Bound, Frequency

FREQUENCY_FLOORS: tuple[tuple[Fraction, Frequency], ...] = (
    (Fraction(10), "very-common"),
    (Fraction(1), "common"),
    (Fraction(1, 10), "uncommon"),
    (Fraction(1, 100), "rare"),
    (Fraction(0), "very-rare"),
)
"""The lowest percentage of each frequency category (CIOMS Working Group III, 1995)."""
LEAST_DECIMALS = 2
"""Decimals of a derived percentage; there are more where these would say 0, 100 or another frequency category."""
SIGNIFICANT = 3
"""Digits that a derived percentage below 1 has at least, so that 1 in 1,000,000 is 0.0001 and 3 in 7 million no 0."""


def decimal_of(value: float) -> Fraction:
    """The number as it is written in decimal: 0.1 is one tenth, which no binary fraction is."""
    return Fraction(Decimal(str(value)))


def frequency_of(percent: Fraction | float) -> Frequency:
    """The CIOMS frequency of a percentage (0–100) of people affected; `not-known` for 0."""
    exact = percent if isinstance(percent, Fraction) else decimal_of(percent)
    if exact == 0:
        return "not-known"
    return next(word for floor_of_class, word in FREQUENCY_FLOORS if exact >= floor_of_class)


def frequency_between(low: Fraction, high: Fraction, bound: Bound | None = None) -> Frequency | None:
    """The CIOMS frequency of all percentages from `low` to `high`; None where several are possible.

    With the bound `<` the upper end itself is no longer meant: below 0.01 % is very rare, up to 0.01 % may be rare.
    """
    if low == high:
        return frequency_of(low)
    floors = [lowest for lowest, _ in FREQUENCY_FLOORS]
    is_decided = not any(low < lowest < high or (lowest == high and bound != "<") for lowest in floors)
    return next(word for lowest, word in FREQUENCY_FLOORS if low >= lowest) if is_decided else None


def exact_percent(affected: int, at_risk: int) -> Fraction:
    """The exact percentage; `at_risk` is not 0."""
    return Fraction(100 * affected, at_risk)


def rounded_percent(exact: Fraction) -> float:
    """The percentage with as many decimals as keep what it says: never 0, 100 or another category than exactly."""
    decimals = LEAST_DECIMALS
    while True:
        rounded = round(exact, decimals)
        says_the_same = frequency_of(rounded) == frequency_of(exact) and (rounded == 100) == (exact == 100)
        is_fine_enough = not 0 < exact < 1 or rounded * 10**decimals >= 10 ** (SIGNIFICANT - 1) or rounded == exact
        if says_the_same and is_fine_enough:
            return float(rounded)
        decimals += 1


def is_printed_from(percent: float, exact: Fraction) -> bool:
    """Whether a source may print the exact percentage like this: rounded or cut at the last digit of `percent`."""
    printed = decimal_of(percent)
    decimals = max(0, -int(Decimal(str(percent)).normalize().as_tuple().exponent))
    unit = Fraction(1, 10**decimals)
    return abs(printed - exact) <= unit / 2 or printed == floor(exact / unit) * unit


def is_within_bound(exact: Fraction, bound: Bound, percent: float) -> bool:
    """Whether the exact percentage lies within a printed bound: `<1%`, `≥ 5%`."""
    limit = decimal_of(percent)
    return {"<": exact < limit, "<=": exact <= limit, ">": exact > limit, ">=": exact >= limit, "~": True}[bound]
