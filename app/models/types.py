"""Types of fields: slugs, lines, prose, dates, numbers, and references to other records."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AllowInfNan,
    Field,
    PlainSerializer,
    Strict,
    StringConstraints,
    WithJsonSchema,
)

SLUG_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
LONGEST_SLUG = 120
DATE_PATTERN = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"
RELEASE_PATTERN = r"^[a-z0-9][a-z0-9.-]{0,59}$"
POINTER_PATTERN = r"^(/([^~/]|~[01])*)+$"
DAY_PATTERN = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


def clean_text(value: str) -> str:
    """Normalise text to NFC; ValueError for control characters, surrogates, private-use and unassigned characters.

    Line feeds and tabs are allowed. Source: Unicode Standard Annex 15 (NFC), Unicode categories Cc, Cs, Co, Cn.
    """
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} and character not in "\n\t":
            raise ValueError(f"text holds a character that cannot be shown: U+{ord(character):04X}")
    return unicodedata.normalize("NFC", value)


def clean_line(value: str) -> str:
    """Validate one line of text: `clean_text` without line feeds, tabs and white space at its ends."""
    if "\n" in value or "\t" in value:
        raise ValueError("this text must be a single line")
    if value != value.strip():
        raise ValueError("this text has white space at its start or end")
    return clean_text(value)


def real_date(value: str) -> str:
    """Validate a partial date against the calendar: `2000`, `2010-10` or `2010-10-15` (ISO 8601 calendar date)."""
    if len(value) == 10:
        date.fromisoformat(value)
    if value.startswith("0000"):
        raise ValueError("there is no year 0000")
    return value


def plain_number(value: Any) -> Any:
    """A whole float as an integer, so that 155 units are `155` in JSON; any other value unchanged."""
    if isinstance(value, float) and abs(value) < 2**53 and value == int(value):
        return int(value)
    return value


Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=LONGEST_SLUG)]
ReleaseName = Annotated[str, StringConstraints(pattern=RELEASE_PATTERN)]
"""The name of a release, also used for its file: `2026-11-22`, `1.0`."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(clean_line)]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=8000), AfterValidator(clean_text)]
Pointer = Annotated[str, StringConstraints(pattern=POINTER_PATTERN, max_length=1000), AfterValidator(clean_line)]
"""A JSON pointer (RFC 6901) below the root: `/dose_min`, `/arms/0/percent`."""
PartialDate = Annotated[str, StringConstraints(pattern=DATE_PATTERN), AfterValidator(real_date)]
Day = Annotated[str, StringConstraints(pattern=DAY_PATTERN), AfterValidator(real_date)]
Number = Annotated[
    float,
    AllowInfNan(False),
    Strict(),
    PlainSerializer(plain_number, return_type=Any),
    WithJsonSchema({"type": "number"}),
]
NotNegative = Annotated[Number, Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0})]
Percent = Annotated[Number, Field(ge=0, le=100), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 100})]
Probability = Annotated[Number, Field(ge=0, le=1), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Count = Annotated[int, Strict(), Field(ge=0, le=2_147_483_647)]
"""A count of at most 2³¹ − 1, more than the people in any trial."""


Grade = Annotated[int, Strict(), Field(ge=1, le=5)]
"""A grade of severity, 1–5 (CTCAE); 5 is death."""


@dataclass(frozen=True)
class RefersTo:
    """Marks a slug as the id of a record of another resource, named by its plural."""

    plural: str
    unless: frozenset[str] = frozenset()
    """Values of the field that are no ids (`placebo`)."""
    is_filter: bool = True
    """Whether the reference is a filter; false for the subject of a search that found nothing."""


@dataclass(frozen=True)
class InUnit:
    """Marks an amount in a product's own unit, which is compared only with amounts in the same unit."""

    field: str
    """The field of the record with the unit."""
    basis: str | None = None
    """The field that says whether the amount is absolute or per kg or m², which are not compared either."""


@dataclass(frozen=True)
class IsInstant:
    """Marks a text that is an instant in UTC (RFC 3339), so that queries bound it as a time."""


Instant = Annotated[str, IsInstant()]
Dose = Annotated[NotNegative, InUnit("dose_unit", "dose_basis")]
MaximumDose = Annotated[NotNegative, InUnit("dose_unit", "max_dose_basis")]
SourceRef = Annotated[Slug, RefersTo("sources")]
TreatmentRef = Annotated[Slug, RefersTo("treatments")]
ConditionRef = Annotated[Slug, RefersTo("conditions")]
IndicationRef = Annotated[Slug, RefersTo("indications")]
OutcomeRef = Annotated[Slug, RefersTo("outcomes")]
ClaimRef = Annotated[Slug, RefersTo("claims")]
StudyRef = Annotated[Slug, RefersTo("studies")]
