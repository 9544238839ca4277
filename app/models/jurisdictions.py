"""Jurisdictions: country codes of ISO 3166-1, and the days on which EU law applied in each member state."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from app.errors import nearest
from app.json_codec import PydanticCustomError

UNION = "EU"
"""The European Union: reserved by ISO 3166/MA, no country code."""

_ISO_3166_1 = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC
CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD
GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH
KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW
MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC
SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY
UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_ISO_3166_1.split())
"""The officially assigned two-letter codes of ISO 3166-1."""

CODES: tuple[str, ...] = tuple(sorted(COUNTRIES | {UNION}))

USUAL_SLIPS = {"UK": "GB", "EL": "GR"}
"""Common wrong codes and the ISO code that is meant: `UK`, and `EL` as the Union writes Greece."""

ACCESSIONS: dict[date, str] = {
    date(1958, 1, 1): "BE DE FR IT LU NL",
    date(1973, 1, 1): "DK GB IE",
    date(1981, 1, 1): "GR",
    date(1986, 1, 1): "ES PT",
    date(1995, 1, 1): "AT FI SE",
    date(2004, 5, 1): "CY CZ EE HU LT LV MT PL SI SK",
    date(2007, 1, 1): "BG RO",
    date(2013, 7, 1): "HR",
}
"""The countries that joined the Union, or the Communities before it, by day (treaties of accession)."""

LAST_DAYS = {"GB": date(2020, 12, 31)}
UNION_LAW: dict[str, tuple[date, date]] = {
    code: (day, LAST_DAYS.get(code, date.max)) for day, codes in ACCESSIONS.items() for code in codes.split()
}
"""The first and the last day of Union law in each member state.

The United Kingdom left on 31 January 2020; Union law went on applying there until 31 December 2020 (Withdrawal
Agreement, Articles 126 and 127). Iceland, Liechtenstein and Norway (the EEA states) are not members: what the Union
decides becomes law there by acts of their own, which are rows of their own.
"""


def under_union_law(code: str, day: date) -> bool:
    """Whether EU law applied in the country on that day."""
    first, last = UNION_LAW.get(code, (date.max, date.min))
    return first <= day <= last


def known_jurisdiction(code: str) -> str:
    """Validate a jurisdiction code; an unknown code is refused with the nearest known one."""
    if code in CODES:
        return code
    capitals = code.upper()
    close = USUAL_SLIPS.get(capitals) or (capitals if capitals in CODES else nearest(code, CODES)) or ""
    raise PydanticCustomError(
        "unknown_name",
        "no jurisdiction is called {word}: write a two-letter code of ISO 3166-1 in capitals, or EU",
        {"word": code[:100], "nearest": close},
    )


KnownJurisdiction = Annotated[str, AfterValidator(known_jurisdiction), Field(json_schema_extra={"enum": list(CODES)})]
"""A jurisdiction code that must be known, for queries where a wrong code would just give an empty result."""
