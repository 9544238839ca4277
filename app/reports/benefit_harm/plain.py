"""Benefits and harms in words: natural frequencies, how sure they are, and what is not known."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.evidence.sentences import Sentence, capital, certainty_sentence, have, per_thousand
from app.models.treatments import Treatment


def plain_people(content: Mapping[str, Any], audience: str) -> dict[str, Any]:
    """The rows in words for an audience."""
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
        said = Sentence().give(str(len(names)), "/refused", names)
        said.say(" more" if content["benefits"] or content["harms"] else "")
        said.say(" record" if len(names) == 1 else " records")
        yield said.say(" cannot be told per 1,000 people; each says why.")
    if for_patients:
        yield Sentence(str(content["disclaimer"]))


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['kind']}/{record['id']}"


def _names(row: Mapping[str, Any]) -> list[str]:
    """The record of a row, or the records of one that joins several."""
    return [_name(record) for record in row["records"]] if "records" in row else [_name(row["record"])]


def _without(row: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    """What people had instead of the treatment: another one of ours, or none that counts."""
    other = content["included"].get(Treatment.plural, {}).get(row["comparator"])
    return f"with {other['name']}" if other else f"without {content['treatment']['name']}"


def _frequency(row: Mapping[str, Any], at: str, content: Mapping[str, Any]) -> Sentence:
    """Of 1,000 people, so many without and so many with the treatment; and how many were seen."""
    names, baseline, risks = _names(row), row["baseline"], row["with_treatment"]
    given = [_name(baseline["record"])] if baseline["record"] else []
    without = _count(baseline["per_1000"])
    said = Sentence(capital(row["name"]))
    if "records" in row:
        said.say(" (").give(str(len(names)), f"{at}/records", names).say(" study results together, not rated)")
    elif row["arm"]:
        said.say(f" ({row['arm']})")
    said.say(": of 1,000 people, about ")
    said.give(without, f"{at}/baseline/per_1000", given).say(f" {have(without)} it {_without(row, content)} (")
    if given:
        _seen(said, baseline, f"{at}/baseline", given)
        said.say(f" in the arm “{baseline['arm']}” of {baseline['record']['id']}")
    else:
        said.say("given")
    said.say(") and about ").give(_count(risks["per_1000"]), f"{at}/with_treatment/per_1000", names)
    said.say(f" with {content['treatment']['name']} (")
    if risks["people"] is not None:
        _seen(said, risks, f"{at}/with_treatment", names).say("; ")
    said.say("95% interval ").give(_count(risks["ci_low"]), f"{at}/with_treatment/ci_low", names).say(" to ")
    said.give(_count(risks["ci_high"]), f"{at}/with_treatment/ci_high", names).say(")")
    if row["number_needed"]["through_infinity"]:
        said.say(", so that it is not settled whether that is more or fewer")
    return said.say(".")


def _seen(said: Sentence, arm: Mapping[str, Any], at: str, names: list[str]) -> Sentence:
    """People with it and people in all, as they were counted."""
    said.give(f"{arm['events']:,}", f"{at}/events", names).say(" of ")
    return said.give(f"{arm['people']:,}", f"{at}/people", names)


def _count(people: float) -> str:
    return per_thousand(people / 1000)


def _needed(row: Mapping[str, Any], at: str) -> Sentence:
    said = Sentence("Number needed to treat: ")
    return said.give(row["number_needed"]["text"], f"{at}/number_needed", _names(row)).say(".")


def _certainty(row: Mapping[str, Any], at: str) -> Sentence:
    rated = row["certainty"] or {"level": None, "by": None}
    return certainty_sentence(rated["level"], rated["by"], f"{at}/certainty/level", [_name(row["record"])])
