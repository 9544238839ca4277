"""Plain-language summary of a synthesis: effect, number of people, certainty (GRADE) and exclusions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from app.evidence.calculator.request import Captions
from app.evidence.extraction import HAZARD_RATIO, measure_named
from app.evidence.sentences import Sentence, certainty_sentence, figure, have, per_thousand, stated
from app.evidence.statistics.absolute import ABSOLUTE_MEASURES, at_baseline
from app.evidence.statistics.errors import Undefined
from app.reports.synthesis.entries import record_name

NOTHING = "We hold no study with numbers that answer this."
COUNTED_TWICE = {"overlapping-reports", "review-with-its-trials"}
"""Accepted comparability conflicts under which the same participants count more than once."""
TWICE = " Some people are counted more than once."


def plain_synthesis(content: Mapping[str, Any], audience: str, captions: Captions) -> dict[str, Any]:
    """The summary for an audience (`patient` or `clinician`), made only from fields of the answer."""
    sentences = _patient if audience == "patient" else _clinician
    return {"audience": audience, "sentences": [sentence.shown() for sentence in sentences(content, captions)]}


@dataclass(frozen=True)
class InWords:
    """The sentences of a summary by their place on a card or page; empty where a sentence does not apply."""

    answer: str
    frequencies: str
    effect: str
    spread: str
    studies: str
    certainty: str


def in_words(content: Mapping[str, Any], captions: Captions) -> InWords:
    """The summary of an answer, split by sentence for cards and pages."""
    if not content["results"]:
        return InWords(NOTHING, "", "", "", "", "")
    return InWords(
        answer=_statement(content, captions).text,
        frequencies=" ".join(frequency.text for frequency in _frequencies(content, captions)),
        effect=_estimate(content).text,
        spread=" ".join(sentence.text for sentence in _heterogeneity(content)),
        studies=_studies(content).text,
        certainty=_certainty(content).text,
    )


def settled_side(content: Mapping[str, Any]) -> Literal["left", "right"] | None:
    """The side of the null value on which the whole confidence interval lies.

    None when the interval includes the null value, the measure has none, or there are no results.
    """
    null_value = _null_value(content)
    if null_value is None or not content["results"]:
        return None
    low, high = _ends(_shown(content)[0])
    return "right" if low > null_value else "left" if high < null_value else None


def _patient(content: Mapping[str, Any], captions: Captions) -> Iterator[Sentence]:
    yield _title(captions)
    if not content["results"]:
        yield Sentence(NOTHING)
        return
    yield _studies(content)
    yield _statement(content, captions)
    yield from _frequencies(content, captions)
    yield _certainty(content)
    yield from _warnings(content)
    yield Sentence(str(content["disclaimer"]))


def _clinician(content: Mapping[str, Any], captions: Captions) -> Iterator[Sentence]:
    yield _title(captions)
    yield _studies(content)
    if content["results"]:
        yield _estimate(content)
        yield from _heterogeneity(content)
        yield from _frequencies(content, captions)
        yield _certainty(content)
    if content["excluded"]:
        sentence = Sentence("Not counted, each for its reason: ")
        yield sentence.give(str(len(content["excluded"])), "/excluded", _names(content["excluded"])).say(".")
    yield from _warnings(content)


def _title(captions: Captions) -> Sentence:
    return Sentence(f"{captions.title}.")


def _names(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return [record_name(entry["id"]) for entry in entries]


def _studies(content: Mapping[str, Any]) -> Sentence:
    results = content["results"]
    sentence = Sentence().give(str(len(results)), "/results", _names(results))
    sentence.say(" study result counts" if len(results) == 1 else " study results count")
    people = [
        (index, number, entry["id"])
        for index, entry in enumerate(results)
        for number in entry["numbers"]
        if number["name"] in ("n", "n1", "n2")
    ]
    if people and len({row for row, _, _ in people}) == len(results):
        total = sum(int(number["value"]) for _, number, _ in people)
        sentence.say(", with ").give(f"{total:,}", "/results", _names(results)).say(" people")
    sentence.say(".")
    return sentence.say(TWICE) if COUNTED_TWICE & {caveat["reason"] for caveat in content["caveats"]} else sentence


def _shown(content: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """The displayed effect, pooled or of the single study, and its JSON pointer."""
    if content["pooled"] is not None:
        return content["pooled"]["display"], "/pooled/display"
    return content["results"][0]["effect"]["display"], "/results/0/effect/display"


def _ends(shown: Mapping[str, Any]) -> tuple[float, float]:
    """The limits of the confidence interval; a null limit is infinite."""
    low, high = shown["ci_low"], shown["ci_high"]
    return -inf if low is None else low, inf if high is None else high


def _null_value(content: Mapping[str, Any]) -> float | None:
    measure = measure_named(content["question"]["measure"])
    return None if measure.no_effect is None else 1.0 if measure.is_ratio else 0.0


def _statement(content: Mapping[str, Any], captions: Captions) -> Sentence:
    """The direction of the effect, worded by its certainty; not settled when the interval includes the null value."""
    shown, at = _shown(content)
    names, null_value = _names(content["results"]), _null_value(content)
    about = f"“{captions.outcome}”"
    if content["question"]["measure"] == HAZARD_RATIO:
        about = f"the hazard (how soon it happens) of {about}"
    level = _rating(content)[0]
    low, high = _ends(shown)
    if null_value is None:
        sentence = Sentence("Of 1,000 people, about ").give(per_thousand(shown["estimate"]), f"{at}/estimate", names)
        sentence.say(" had the outcome (").give(per_thousand(low), f"{at}/ci_low", names).say(" to ")
        return sentence.give(per_thousand(high), f"{at}/ci_high", names).say(f", {_level(content)} interval).")
    if low <= null_value <= high:
        text = f"Whether {captions.arm1} changes {about} compared with {captions.arm2} is not settled: the interval "
        sentence = Sentence(text).say("goes from ").give(_low(content, shown), f"{at}/ci_low", names)
        sentence.say(" to ").give(figure(shown["ci_high"]), f"{at}/ci_high", names)
        return sentence.say(f", where {null_value:g} means no difference.")
    is_more = low > null_value
    verbs = ("increases", "increase") if is_more else ("reduces", "reduce")
    rest = f"{about} compared with {captions.arm2}"
    better = "" if level == "very-low" else _better(captions, is_more)
    return Sentence(f"{stated(captions.arm1, *verbs, rest, level)}{better}.")


def _low(content: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """The lower confidence limit as text; 0 for a ratio whose limit is null."""
    return "0" if shown["ci_low"] is None and _null_value(content) == 1 else figure(shown["ci_low"])


def _level(content: Mapping[str, Any]) -> str:
    return f"{content['question']['level']:g}%"


def _better(captions: Captions, is_more: bool) -> str:
    if captions.direction not in ("lower-is-better", "higher-is-better"):
        return ""
    return ", which is " + ("better" if is_more == (captions.direction == "higher-is-better") else "worse")


def _frequencies(content: Mapping[str, Any], captions: Captions) -> Iterator[Sentence]:
    """Natural frequencies per 1,000 people, at the control-arm risk of the weightiest study that has one."""
    measure = content["question"]["measure"]
    placed = [
        (entry["effect"]["weight"], -index, index) for index, entry in enumerate(content["results"]) if _control(entry)
    ]
    shown, at = _shown(content)
    if measure not in ABSOLUTE_MEASURES or not placed or shown["estimate"] is None:
        return
    index = max(placed)[2]
    entry = content["results"][index]
    events, people = _control(entry) or (0, 1)
    try:
        risks = at_baseline(measure, shown["estimate"], *_ends(shown), baseline=events / people)
    except Undefined:
        return
    names = _names(content["results"])
    without = per_thousand(risks.baseline)
    sentence = Sentence("Of 1,000 people, about ")
    sentence.give(without, f"/results/{index}/numbers", [record_name(entry["id"])])
    sentence.say(f" {have(without)} the outcome with {captions.arm2}, as in {entry['label']}, and about ")
    sentence.give(per_thousand(risks.risk), f"{at}/estimate", names).say(f" with {captions.arm1} (")
    sentence.give(per_thousand(risks.risk_low), f"{at}/ci_low", names).say(" to ")
    yield sentence.give(per_thousand(risks.risk_high), f"{at}/ci_high", names).say(f", {_level(content)} interval).")


def _control(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    """Events and people of the control arm; None when unknown, when nobody or when everybody had the outcome."""
    numbers = {number["name"]: number["value"] for number in entry["numbers"]}
    events, people = numbers.get("events2", 0), numbers.get("n2", 0)
    return (events, people) if 0 < events < people else None


def _rating(content: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Level and author of the certainty rating; it belongs to a single result, never to an estimate pooled here."""
    rated = content["results"][0]["certainty"] if len(content["results"]) == 1 else None
    return (None, None) if rated is None else (rated["level"], rated["by"])


def _certainty(content: Mapping[str, Any]) -> Sentence:
    level, by = _rating(content)
    return certainty_sentence(level, by, "/results/0/certainty/level", _names(content["results"]))


def _estimate(content: Mapping[str, Any]) -> Sentence:
    """The effect size with its confidence interval."""
    shown, at = _shown(content)
    names = _names(content["results"])
    measure = measure_named(content["question"]["measure"])
    name = "hazard ratio" if content["question"]["measure"] == HAZARD_RATIO else measure.words
    sentence = Sentence(f"{name[:1].upper()}{name[1:]} ").give(figure(shown["estimate"]), f"{at}/estimate", names)
    sentence.say(f" ({_level(content)} CI ").give(_low(content, shown), f"{at}/ci_low", names)
    sentence.say(" to ").give(figure(shown["ci_high"]), f"{at}/ci_high", names)
    sides = content["favours"]
    ends = f"; left: {sides['left']}, right: {sides['right']}" if sides["left"] else ""
    return sentence.say(f"){ends}.")


def _heterogeneity(content: Mapping[str, Any]) -> Iterator[Sentence]:
    pooled, names = content["pooled"], _names(content["results"])
    if pooled is None or pooled["i2"] is None:
        return
    sentence = Sentence("Of the variance, ").give(f"{pooled['i2']:.0f}%", "/pooled/i2", names)
    sentence.say(" lies between studies (I²)")
    if pooled["display"]["prediction_low"] is not None:
        sentence.say("; a new study is expected between ")
        sentence.give(figure(pooled["display"]["prediction_low"]), "/pooled/display/prediction_low", names).say(" and ")
        sentence.give(figure(pooled["display"]["prediction_high"]), "/pooled/display/prediction_high", names)
    yield sentence.say(".")


def _warnings(content: Mapping[str, Any]) -> Iterator[Sentence]:
    """Accepted comparability conflicts, and sources under an expression of concern."""
    for caveat in content["caveats"]:
        yield Sentence(f"Joined at the caller's own risk: {caveat['detail']}.")
    for entry in content["results"]:
        if entry["source_status"] == "concern":
            yield Sentence(f"A source of {entry['label']} is under an expression of concern.")
