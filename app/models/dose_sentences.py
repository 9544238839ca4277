"""A dose as a sentence, made from its fields: `25 mg twice a day; at most 75 mg per kg a day`.

Works on documents, also on those of older versions, which lack newer fields.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Dose = Mapping[str, Any]
"""The document of a dosing interval, or one of its steps."""
UNITS = {"min": "minute", "h": "hour", "d": "day", "wk": "week", "mo": "month", "a": "year"}
"""UCUM codes of time in words."""
PER = {"session": "session", "site": "site", "kg": "kg", "day": "day", "m2": "m²", "lifetime": "lifetime"}
PER |= {"cycle": "cycle"}
TIMES = {1: "once", 2: "twice"}
ROUTES = {
    "oral": "by mouth",
    "inhaled": "inhaled",
    "topical": "on the skin",
    "cutaneous": "on the skin",
    "intramuscular": "into a muscle",
    "intravenous": "into a vein",
    "subcutaneous": "under the skin",
    "intradermal": "into the skin",
    "transdermal": "through the skin",
    "sublingual": "under the tongue",
    "nasal": "into the nose",
    "rectal": "into the rectum",
    "vaginal": "into the vagina",
}
BODY = ("kg", "m2")


def number_words(value: float) -> str:
    """A number with commas between thousands and without a needless point: `1,000`, `3.125`."""
    text = f"{value:,.10f}".rstrip("0").rstrip(".")
    return text or "0"


def range_words(low: float | None, high: float | None, unit: str = "") -> str:
    """A range: `10–15 mg`, `at least 10 mg`, `up to 15 mg`; empty where both ends are None."""
    if low is None and high is None:
        return ""
    if high is None or low is None:
        return f"{'up to' if low is None else 'at least'} {_of_unit(high if low is None else low, unit)}"
    return _of_unit(low, unit) if low == high else f"{number_words(low)}–{number_words(high)} {unit}".strip()


def time_words(low: float | None, high: float | None, code: str | None) -> str:
    """A range of time: `12 weeks`, `5–15 minutes`, `1 day`; empty where both ends are None."""
    unit = UNITS.get(code or "", "")
    return range_words(low, high, unit if low == high == 1 or (low, high) in ((1, None), (None, 1)) else f"{unit}s")


def interval_words(dose: Dose) -> str | None:
    """The interval: `every 12 weeks`, `every 12 to 16 weeks`, `no sooner than every 12 weeks`; None without one."""
    low, high, code = dose.get("interval_min"), dose.get("interval_max"), dose.get("interval_unit")
    if code is None or (low is None and high is None):
        return None
    if low is None or high is None:
        qualifier = "no sooner than every" if high is None else "at least every"
        return f"{qualifier} {_span(low if high is None else high, code)}"
    return f"every {_span(low, code)}" if low == high else f"every {number_words(low)} to {_amount(high, code)}"


def timing_words(dose: Dose) -> str:
    """How often: `twice a day`, `3–4 times a day`, `once every 2 days`, else the interval; empty for neither."""
    times, most, period, code = (dose.get(name) for name in ("times", "times_max", "period", "period_unit"))
    if code is None or (times is None and most is None):
        return interval_words(dose) or ""
    if times is None or most is None or times == most:
        count = (most or 0) if times is None else times
        often = TIMES.get(count, f"{number_words(count)} times")
        often = f"up to {often}" if times is None else often
    else:
        often = f"{number_words(times)}–{number_words(most)} times"
    return f"{often} {_each(period, code)}"


def maximum_words(dose: Dose, unit: str) -> str:
    """The most that may be given, with what it is per and in which time; empty without a maximum."""
    most = dose.get("max_dose")
    if most is None:
        return ""
    time = _maximum_time(dose)
    words = " ".join(
        part for part in ("at most", _of_unit(most, unit), _per(dose.get("max_dose_per"), BODY), time) if part
    )
    if _is_unknown(dose):
        words += " (per body weight or in all: not recorded)"
    cap = dose.get("max_dose_cap")
    return words if cap is None else f"{words}, and never more than {_of_unit(cap, unit)} {time}".rstrip()


def dose_words(dose: Dose, unit: str, per: Sequence[str] | None = None) -> str:
    """The dose of one administration: `10–15 mg per kg`, `typically 236 units per session`; empty without a dose."""
    words = range_words(dose.get("dose_min"), dose.get("dose_max"), unit)
    if not words:
        return ""
    statistic = dose.get("dose_statistic")
    words = f"typically {words}" if statistic == "typical" else words
    words = " ".join(part for part in (words, _per(per if per is not None else dose.get("dose_per"), PER)) if part)
    words += " (middle half of people)" if statistic == "iqr" else ""
    cap = dose.get("dose_cap")
    return words if cap is None else f"{words} (never more than {_of_unit(cap, unit)} at once)"


def sentence(dose: Dose, unit: str) -> str | None:
    """The whole dose in one sentence, whose unit has the label `unit`; None where there is nothing to say."""
    first = _administration(dose, unit)
    steps = [_step(step, dose, unit) for step in dose.get("steps") or ()]
    clauses = [first] if first else []
    clauses += [f"then {step}" if clauses or index else step for index, step in enumerate(steps)]
    clauses += [words for words in (_sessions(dose), _cycle(dose), maximum_words(dose, unit)) if words]
    if not clauses:
        return None
    bands = band_words(dose)
    return "; ".join(clauses) + (f" ({bands})" if bands else "")


def band_words(dose: Dose) -> str:
    """For whom, by weight, age and renal function: `weight 10–20 kg, age 2–12 years`; empty for everybody."""
    renal = {"creatinine-clearance": "creatinine clearance", "egfr": "estimated glomerular filtration rate"}
    measure = dose.get("renal_measure")
    unit = "mL/min/1.73 m²" if measure == "egfr" else "mL/min"
    parts = (
        ("weight", range_words(dose.get("weight_min"), dose.get("weight_max"), "kg")),
        ("age", time_words(dose.get("age_min"), dose.get("age_max"), dose.get("age_unit"))),
        (renal.get(measure or "", ""), range_words(dose.get("renal_min"), dose.get("renal_max"), unit)),
    )
    return ", ".join(f"{name} {words}" for name, words in parts if words)


def _administration(dose: Dose, unit: str) -> str:
    """Amount, ingredients, sites, route, rate, how often, for how long, and when needed."""
    sites = range_words(dose.get("sites_min"), dose.get("sites_max"), "sites")
    parts = [
        dose_words(dose, unit),
        _ingredients(dose.get("ingredients") or ()),
        f"in {sites}" if sites else "",
        _routes(dose),
        _infusion(dose),
        _prefixed("for", time_words(dose.get("session_min"), dose.get("session_max"), dose.get("session_unit"))),
        timing_words(dose),
        _prefixed(
            "for", time_words(dose.get("lasts"), dose.get("lasts_max") or dose.get("lasts"), dose.get("lasts_unit"))
        ),
    ]
    words = " ".join(part for part in parts if part)
    if words and dose.get("as_needed"):
        reason = dose.get("as_needed_for")
        words += " as needed" + (f" for {reason}" if reason else "")
    return words


def _step(step: Dose, dose: Dose, unit: str) -> str:
    lasts = _prefixed("for", time_words(step["lasts"], step["lasts_max"] or step["lasts"], step["lasts_unit"]))
    words = (dose_words(step, unit, dose.get("dose_per")), timing_words(step), lasts)
    found = " ".join(part for part in words if part) or str(step["note"] or "a step without a dose")
    return found + (f" ({step['kind']})" if step["kind"] in ("loading", "maintenance", "tapering") else "")


def _sessions(dose: Dose) -> str:
    count = range_words(dose.get("sessions"), dose.get("sessions_max") or dose.get("sessions"))
    return f"{count} session{'' if count == '1' else 's'} in all" if count else ""


def _cycle(dose: Dose) -> str:
    days, length = dose.get("cycle_days") or (), dose.get("cycle_length")
    listed = _listed([str(day) for day in days])
    on = f"on day{'' if len(days) == 1 else 's'} {listed}" if days else ""
    of = f"{number_words(length)}-{UNITS[dose['cycle_unit']]} cycle" if length is not None else ""
    count = range_words(dose.get("cycles"), dose.get("cycles_max") or dose.get("cycles"))
    cycles = f"{count} cycle{'' if count == '1' else 's'}" if count else ""
    found = f"{on} of a {of}" if on and of else on or (f"in a {of}" if of else "")
    return ", ".join(part for part in (found, cycles and (f"for {cycles}" if found else cycles)) if part)


def _infusion(dose: Dose) -> str:
    rate = range_words(dose.get("rate_min"), dose.get("rate_max"), dose.get("rate_unit") or "")
    per = _per(dose.get("rate_per"), BODY)
    at = f"at {rate}{' ' + per if per else ''} per {UNITS[dose['rate_time_unit']]}" if rate else ""
    time = time_words(dose.get("infusion_min"), dose.get("infusion_max"), dose.get("infusion_unit"))
    return " ".join(part for part in (at, _prefixed("over", time)) if part)


def _ingredients(ingredients: Iterable[Dose]) -> str:
    listed = [f"{range_words(part['dose_min'], part['dose_max'], part['unit'])} {part['name']}" for part in ingredients]
    return f"of {_listed(listed)}" if listed else ""


def _routes(dose: Dose) -> str:
    named = dose.get("routes") or ([dose["route"]] if dose.get("route") else [])
    return " or ".join(
        ROUTES.get(route, f"by the {route.replace('-', ' ')} route") for route in named if route != "other"
    )


def _maximum_time(dose: Dose) -> str:
    """In which time a maximum holds: `a day`, `in 3 months`, `in a lifetime`, `per session`."""
    period, per = dose.get("max_dose_period"), dose.get("max_dose_per") or ()
    found = [f"per {name}" for name in ("session", "cycle") if name in per]
    if period is not None:
        code = dose["max_dose_period_unit"]
        found.append(f"a {UNITS[code]}" if period == 1 else f"in {_amount(period, code)}")
    elif "day" in per:
        found.append("a day")
    found += ["in a lifetime"] if "lifetime" in per else []
    return " and ".join(found)


def _is_unknown(dose: Dose) -> bool:
    """Whether a maximum beside a dose per kg or m² does not say whether it is per kg or m², too."""
    is_per_body = any(name in (dose.get("dose_per") or ()) for name in BODY)
    return is_per_body and not dose.get("max_dose_per") and "max_dose_per" not in (dose.get("missing") or {})


def _per(names: Sequence[str] | None, allowed: Iterable[str]) -> str:
    listed = [f"per {PER[name]}" for name in names or () if name in allowed]
    return " ".join(listed)


def _each(period: float | None, code: str) -> str:
    return f"a{'n' if code == 'h' else ''} {UNITS[code]}" if period in (None, 1) else f"every {_amount(period, code)}"


def _span(value: float | None, code: str) -> str:
    return UNITS[code] if value == 1 else _amount(value, code)


def _amount(value: float | None, code: str) -> str:
    return f"{number_words(value or 0)} {UNITS[code]}" + ("" if value == 1 else "s")


def _of_unit(value: float | None, unit: str) -> str:
    return f"{number_words(value or 0)} {unit}".strip()


def _prefixed(word: str, words: str) -> str:
    return f"{word} {words}" if words else ""


def _listed(words: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1] if words else "") if part)
