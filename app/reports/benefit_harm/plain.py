"""Plain-language summary of benefits and harms: natural frequencies, certainty (GRADE) and what is not known."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.evidence.sentences import Sentence, capital, certainty_sentence, have, per_thousand
from app.models.treatments import Treatment


def plain_people(content: Mapping[str, Any], audience: str) -> dict[str, Any]:
    """The summary of the rows for an audience (`patient` or `clinician`)."""
    sentences = [sentence.shown() for sentence in _sentences(content, for_patients=audience == "patient")]
    return {"audience": audience, "sentences": sentences}


def _sentences(content: Mapping[str, Any], *, for_patients: bool) -> Iterator[Sentence]:
    treatment, condition = content["treatment"]["name"], content["condition"]["name"]
    for part, title in (("benefits", "What it may do for people"), ("harms", "What it may do to people")):
        yield Sentence(
            f"{title} ({treatment}, {condition}):" if content[part] else f"{title}: no record says how many."
        )
        for index, row in enumerate(content["pooled"]):
            if row["is_harm"] == (part == "harms"):
                yield _frequency(row, f"/pooled/{index}", content)
                if not for_patients:
                    yield _needed(row, f"/pooled/{index}")
        for index, row in enumerate(content[part]):
            at = f"/{part}/{index}"
            yield _frequency(row, at, content)
            if not for_patients:
                yield _needed(row, at)
            yield _certainty(row, at)
    if content["refused"]:
        names = sorted({_name(entry["record"]) for entry in content["refused"]})
        sentence = Sentence().give(str(len(names)), "/refused", names)
        sentence.say(" more" if content["benefits"] or content["harms"] else "")
        sentence.say(" record" if len(names) == 1 else " records")
        yield sentence.say(" cannot be told per 1,000 people; each says why.")
    if for_patients:
        yield Sentence(str(content["disclaimer"]))


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['kind']}/{record['id']}"


def _names(row: Mapping[str, Any]) -> list[str]:
    """References to the record of a row, or to all records of a pooled row."""
    return [_name(record) for record in row["records"]] if "records" in row else [_name(row["record"])]


def _without(row: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """The comparator as a phrase: `with` another of our treatments, else `without` this treatment."""
    other = content["included"].get(Treatment.plural, {}).get(row["comparator"])
    return f"with {other['name']}" if other else f"without {content['treatment']['name']}"


def _frequency(row: Mapping[str, Any], at: str, content: Mapping[str, Any]) -> Sentence:
    """The natural frequencies of a row, without and with the treatment, and the counts that were observed."""
    names, baseline, risks = _names(row), row["baseline"], row["with_treatment"]
    given = [_name(baseline["record"])] if baseline["record"] else []
    without = _count(baseline["per_1000"])
    sentence = Sentence(capital(row["name"]))
    if "records" in row:
        sentence.say(" (").give(str(len(names)), f"{at}/records", names).say(" study results together, not rated)")
    elif row["arm"]:
        sentence.say(f" ({row['arm']})")
    sentence.say(": of 1,000 people, about ")
    sentence.give(without, f"{at}/baseline/per_1000", given).say(f" {have(without)} it {_without(row, content)} (")
    if given:
        _add_counts(sentence, baseline, f"{at}/baseline", given)
        sentence.say(f" in the arm “{baseline['arm']}” of {baseline['record']['id']}")
    else:
        sentence.say("given")
    sentence.say(") and about ").give(_count(risks["per_1000"]), f"{at}/with_treatment/per_1000", names)
    sentence.say(f" with {content['treatment']['name']} (")
    if risks["people"] is not None:
        _add_counts(sentence, risks, f"{at}/with_treatment", names).say("; ")
    sentence.say("95% interval ").give(_count(risks["ci_low"]), f"{at}/with_treatment/ci_low", names).say(" to ")
    sentence.give(_count(risks["ci_high"]), f"{at}/with_treatment/ci_high", names).say(")")
    if row["number_needed"]["through_infinity"]:
        sentence.say(", so that it is not settled whether that is more or fewer")
    return sentence.say(".")


def _add_counts(sentence: Sentence, arm: Mapping[str, Any], at: str, names: list[str]) -> Sentence:
    """Add the counts of an arm: events and people."""
    sentence.give(f"{arm['events']:,}", f"{at}/events", names).say(" of ")
    return sentence.give(f"{arm['people']:,}", f"{at}/people", names)


def _count(people: float) -> str:
    return per_thousand(people / 1000)


def _needed(row: Mapping[str, Any], at: str) -> Sentence:
    sentence = Sentence("Number needed to treat: ")
    return sentence.give(row["number_needed"]["text"], f"{at}/number_needed", _names(row)).say(".")


def _certainty(row: Mapping[str, Any], at: str) -> Sentence:
    rated = row["certainty"] or {"level": None, "by": None}
    return certainty_sentence(rated["level"], rated["by"], f"{at}/certainty/level", [_name(row["record"])])
