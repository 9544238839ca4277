"""The types of fields: slugs, lines, prose, dates, numbers, and ids that point to other records."""

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
    """The text in NFC; refuses control and format characters that no reader sees, and lone surrogates.

    Line feeds and tabs may stand in prose. Source: Unicode Standard Annex 15 (NFC), Unicode categories Cc, Cs, Co, Cn.
    """
    for character in value:
        if unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} and character not in "\n\t":
            raise ValueError(f"text holds a character that cannot be shown: U+{ord(character):04X}")
    return unicodedata.normalize("NFC", value)


def clean_line(value: str) -> str:
    """One line of clean text without white space at its ends."""
    if "\n" in value or "\t" in value:
        raise ValueError("this text must be a single line")
    if value != value.strip():
        raise ValueError("this text has white space at its start or end")
    return clean_text(value)


def real_date(value: str) -> str:
    """A partial date that exists in the calendar: `2000`, `2010-10` or `2010-10-15` (ISO 8601 calendar date)."""
    if len(value) == 10:
        date.fromisoformat(value)
    if value.startswith("0000"):
        raise ValueError("there is no year 0000")
    return value


def plain_number(value: Any) -> Any:
    """A whole number without its `.0`, so that 155 units read as 155 in JSON; anything else as it is."""
    if isinstance(value, float) and abs(value) < 2**53 and value == int(value):
        return int(value)
    return value


Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=LONGEST_SLUG)]
ReleaseName = Annotated[str, StringConstraints(pattern=RELEASE_PATTERN)]
"""The name of a release, which is also its file's: `2026-11-22`, `1.0`."""
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
"""How many; at most 2³¹ − 1, which is more than there are people in any trial."""


@dataclass(frozen=True)
class RefersTo:
    """Marks a slug as the id of a record of another resource, named by its plural."""

    plural: str
    unless: frozenset[str] = frozenset()
    """Words that may stand there instead of an id (`placebo`)."""
    is_filter: bool = True
    """Whether records are found by it; not where it says what was looked for in vain."""


@dataclass(frozen=True)
class InUnit:
    """Marks an amount as measured in a product's own unit: it is compared only with amounts in the same unit."""

    field: str
    """The field of the record that names the unit."""


Dose = Annotated[NotNegative, InUnit("dose_unit")]
SourceRef = Annotated[Slug, RefersTo("sources")]
TreatmentRef = Annotated[Slug, RefersTo("treatments")]
ConditionRef = Annotated[Slug, RefersTo("conditions")]
IndicationRef = Annotated[Slug, RefersTo("indications")]
OutcomeRef = Annotated[Slug, RefersTo("outcomes")]
StudyRef = Annotated[Slug, RefersTo("studies")]
