"""Benefits and harms in words: natural frequencies, how sure they are, and what is not known."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.evidence.words import Sentence, certainty_sentence, per_thousand


def plain_people(content: Mapping[str, Any], audience: str) -> dict[str, Any]:
    """The rows in words for an audience."""
    sentences = [one.shown() for one in _sentences(content, for_patients=audience == "patient")]
    return {"audience": audience, "sentences": sentences}


def _sentences(content: Mapping[str, Any], *, for_patients: bool) -> Iterator[Sentence]:
    treatment, condition = content["treatment"]["name"], content["condition"]["name"]
    for part, title in (("benefits", "What it may do for people"), ("harms", "What it may do to people")):
        yield Sentence(
            f"{title} ({treatment}, {condition}):" if content[part] else f"{title}: no record says how many."
        )
        for index, row in enumerate(content[part]):
            at = f"/{part}/{index}"
            yield _frequency(row, at, treatment)
            if not for_patients:
                yield _needed(row, at)
            yield _certainty(row, at)
    if content["refused"]:
        names = [_name(entry["record"]) for entry in content["refused"]]
        said = Sentence().give(str(len(names)), "/refused", names)
        yield said.say(" more records cannot be told per 1,000 people; each says why.")
    if for_patients:
        yield Sentence(str(content["disclaimer"]))


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['kind']}/{record['id']}"


def _frequency(row: Mapping[str, Any], at: str, treatment: str) -> Sentence:
    """Of 1,000 people, so many without and so many with the treatment."""
    names, baseline = [_name(row["record"])], row["baseline"]
    given = [_name(baseline["record"])] if baseline["record"] else []
    where = f" ({baseline['record']['id']})" if baseline["record"] else " (given)"
    said = Sentence(f"{row['name']}: of 1,000 people, about ")
    said.give(_count(baseline["per_1000"]), f"{at}/baseline/per_1000", given).say(
        f" have it without {treatment}{where}"
    )
    said.say(" and about ").give(_count(row["with_treatment"]["per_1000"]), f"{at}/with_treatment/per_1000", names)
    said.say(" with it (95% interval ").give(
        _count(row["with_treatment"]["ci_low"]), f"{at}/with_treatment/ci_low", names
    )
    said.say(" to ").give(_count(row["with_treatment"]["ci_high"]), f"{at}/with_treatment/ci_high", names).say(")")
    if row["number_needed"]["through_infinity"]:
        said.say(", so that it is not settled whether that is more or fewer")
    return said.say(".")


def _count(people: float) -> str:
    return per_thousand(people / 1000)


def _needed(row: Mapping[str, Any], at: str) -> Sentence:
    said = Sentence("Number needed to treat: ")
    return said.give(row["number_needed"]["text"], f"{at}/number_needed", [_name(row["record"])]).say(".")


def _certainty(row: Mapping[str, Any], at: str) -> Sentence:
    rated = row["certainty"] or {"level": None, "by": None}
    return certainty_sentence(rated["level"], rated["by"], f"{at}/certainty/level", [_name(row["record"])])
