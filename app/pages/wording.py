"""Format values for readers: dates, numbers, countries, and the terms of closed vocabularies."""

from collections.abc import Mapping
from typing import Any

from app.evidence.sentences import capital
from app.formats.dataset_citation import MONTHS
from app.models.effects import is_controlled
from app.models.study_results import is_earlier_null

Tone = str
"""The colour class of a word: `good`, `bad`, `care` or `plain`."""
PLACES = {
    "AU": "Australia",
    "CA": "Canada",
    "CH": "Switzerland",
    "DE": "Germany",
    "EU": "European Union",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IN": "India",
    "JP": "Japan",
    "NZ": "New Zealand",
    "SG": "Singapore",
    "US": "United States",
    "ZA": "South Africa",
}
"""Names by jurisdiction code (ISO 3166-1 alpha-2, or `EU`); any other code is shown as it is."""
STATUS_TONES: Mapping[str, Tone] = {
    "approved": "good",
    "conditional": "care",
    "suspended": "bad",
    "withdrawn": "bad",
    "expired": "bad",
    "refused": "bad",
    "not-approved": "bad",
    "never-submitted": "bad",
}
VERDICT_TONES: Mapping[str, Tone] = {
    "supported": "good",
    "partly-supported": "care",
    "contradicted": "bad",
    "unverifiable": "plain",
}
FINDINGS: Mapping[str, tuple[str, Tone]] = {
    "favours-treatment": ("Favours the treatment", "good"),
    "favours-comparator": ("Favours the comparator", "bad"),
    "no-difference": ("No important difference", "plain"),
    "not-significant": ("Difference not shown", "plain"),
    "non-inferior": ("Not inferior to the comparator", "plain"),
    "non-inferiority-not-shown": ("Non-inferiority not shown", "care"),
    "unclear": ("Unclear", "plain"),
}
UNCONTROLLED_FINDINGS: Mapping[str, str] = {
    "favours-treatment": "Better than before, no control group",
    "favours-comparator": "Worse than before, no control group",
    "no-difference": "No important change, no control group",
    "not-significant": "Change not shown, no control group",
}
"""Findings of results without a group of other people: a change is never coloured as a trial's favour or null."""
EARLIER_NULL = ("No clear difference", "No clear change, no control group")
"""`no-difference` in words, with and without a control group, where it may mean no more than `not-significant`."""
MEASURES = {
    "risk-ratio": "risk ratio",
    "odds-ratio": "odds ratio",
    "risk-difference": "risk difference",
    "mean-difference": "mean difference",
    "standardized-mean-difference": "standardised mean difference",
    "ratio-of-means": "ratio of means",
    "rate-ratio": "rate ratio",
    "hazard-ratio": "hazard ratio",
    "other": "estimate",
}
MOST_DECIMALS = 12
"""Decimals of a percentage that is next to 0 or 100."""
BOUNDS = {"<": "<\u202f", "<=": "≤\u202f", ">=": "≥\u202f", ">": ">\u202f", "~": "about "}
"""How a bound is written before its number."""
RATIOS = frozenset({"risk-ratio", "odds-ratio", "ratio-of-means", "rate-ratio", "hazard-ratio"})


def finding_words(result: Mapping[str, Any]) -> tuple[str, Tone]:
    """A result's finding in words, and its colour: plain for every result without a control group.

    A null that was recorded before `not-significant` was known is worded as one that may be inconclusive.
    """
    finding, has_control = result["finding"], is_controlled(result["comparator"])
    if finding == "no-difference" and is_earlier_null(result):
        return EARLIER_NULL[0 if has_control else 1], "plain"
    text, tone = FINDINGS[finding]
    return (text, tone) if has_control else (UNCONTROLLED_FINDINGS.get(finding, text), "plain")


def spaced(word: str | None) -> str:
    """A vocabulary term with spaces for hyphens: `no difference`."""
    return (word or "").replace("-", " ")


def titled(word: str | None) -> str:
    """A vocabulary term with spaces and a capital: `Not approved`."""
    return capital(spaced(word))


def day_words(day: str | None, letters: int | None = None) -> str:
    """Format a partial ISO date: `15 October 2010`, `October 2010`, `2010`; empty for none.

    `letters` cuts the name of the month.
    """
    if not day:
        return ""
    year, *month_and_day = day[:10].split("-")
    month = [MONTHS[int(month_and_day[0]) - 1][:letters]] if month_and_day else []
    return " ".join([*(str(int(part)) for part in month_and_day[1:]), *month, year])


def place_name(code: str | None) -> str:
    """A jurisdiction's name; its code where we have no name for it."""
    return PLACES.get(code or "", code or "")


def format_number(value: float | None) -> str:
    """Format a number with a minus sign (U+2212), commas between thousands, at most four decimals; empty for none."""
    if value is None:
        return ""
    text = f"{value:,}" if float(value).is_integer() else f"{value:,.4f}".rstrip("0")
    return ("−" + text[1:] if text.startswith("-") else text).removesuffix(".0")


def percent(value: float | None) -> str:
    """Format a value given in percent: 0.456 as `0.46 %`, 12.34 as `12.3 %`, 0.0001 as `0.0001 %`; empty for None.

    What is neither 0 nor 100 is never rounded to it.
    """
    if value is None:
        return ""
    decimals = 2 if value < 1 else 1
    while decimals < MOST_DECIMALS and _says_too_much(value, round(value, decimals)):
        decimals += 1
    return f"{round(value, decimals):.{decimals}f}".rstrip("0").rstrip(".") + "\u202f%"


def _says_too_much(value: float, rounded: float) -> bool:
    """Whether a rounded percentage says nobody, everybody, or has lost more than a tenth of a rare one."""
    return (rounded in (0, 100) and rounded != value) or (value < 1 and abs(rounded - value) > value / 10)


def percent_of_arm(arm: Mapping[str, Any]) -> str:
    """The percentage of an arm of a side effect: from its counts, else as printed: `< 1 %`, `3–5 %`; empty for none."""
    if arm["affected"] is not None and arm["at_risk"]:
        return percent(100 * arm["affected"] / arm["at_risk"])
    if arm["percent"] is not None and arm.get("percent_max") is not None:  # releases of 0.3.0 have no ranges
        return percent(arm["percent"]).removesuffix("\u202f%") + "–" + percent(arm["percent_max"])
    return percent(arm["percent"]) and BOUNDS.get(arm.get("percent_modifier") or "", "") + percent(arm["percent"])


def span(low: float | None, high: float | None, unit: str) -> str:
    """Format a range: `155–195 units`, `at least 12 weeks`, `up to 400 units`; empty where both ends are None."""
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return (
            f"{'at least' if high is None else 'up to'} {format_number(low if high is None else high)} {unit}".strip()
        )
    return (
        f"{format_number(low)} {unit}".strip()
        if low == high
        else f"{format_number(low)}–{format_number(high)} {unit}".strip()
    )


def why_absent(record: Mapping[str, Any], field: str) -> str:
    """The recorded reason why a field is missing, in words; empty where none is recorded."""
    return spaced(record["missing"].get(field))
