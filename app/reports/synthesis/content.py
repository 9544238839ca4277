"""Builds the JSON content of a synthesis: the resolved question, each study result, the input hash and the links."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from app import DISCLAIMER
from app.evidence.calculator.plots import directions
from app.evidence.calculator.request import Captions
from app.evidence.calculator.schemas import Synthesis
from app.evidence.comparability import ComparabilityConflict
from app.evidence.extraction import PROPORTIONS, direction_under, measure_named
from app.evidence.pooling import SortedResults
from app.evidence.results import Reported, SubgroupBy
from app.evidence.statistics import ENGINE
from app.evidence.statistics.pooling import Plan
from app.json_codec import to_json
from app.models.treatments import Treatment
from app.models.types import plain_number
from app.reports.synthesis.entries import counted_entry, excluded_entry, lost_entry
from app.reports.synthesis.question import FILTERS, REASONS, EvidenceQuestion
from app.reports.synthesis.results import ResultsInContext
from app.reports.synthesis.schemas import EvidencePooled
from app.store.read.scope import LeftOut

PATH = "/v1/syntheses"


@dataclass(frozen=True)
class Gathered:
    """The records read to answer a question."""

    question: EvidenceQuestion
    found: ResultsInContext
    names: Mapping[str, Mapping[str, Any]]
    """The records that the question names, by parameter, then by id."""
    revision: int | None
    public_url: str
    inherited: Sequence[LeftOut] = ()
    """What applies to the question but is no result of its own treatments and condition."""

    def address(self, path: str) -> str:
        """The absolute URL of a path, within the release of the question."""
        release = self.question.release
        joint = "&" if "?" in path else "?"
        return f"{self.public_url}{path}" + ("" if release is None else f"{joint}release={release}")


def conflict_content(conflict: ComparabilityConflict) -> dict[str, Any]:
    """A comparability conflict as JSON content (`EvidenceConflict`)."""
    sides = [{"what": side.what, "results": list(side.results)} for side in conflict.sides]
    return {"reason": conflict.reason, "detail": conflict.detail, "sides": sides}


def question_content(question: EvidenceQuestion, results: SortedResults, plan: Plan) -> dict[str, Any]:
    """The question with its defaults resolved: lists sorted, without duplicates; `accept` cut to conflicts found."""
    conflict_reasons = {conflict.reason for conflict in results.conflicts}
    values = {name: getattr(question, name) for name in FILTERS}
    values = {name: _sorted(value) if isinstance(value, list) else value for name, value in values.items()}
    shown = {name: plain_number(value) for name, value in values.items()}
    return shown | {
        "measure": results.measure,
        "model": plan.model,
        "method": plan.method,
        "estimator": plan.estimator,
        "interval": plan.interval,
        "level": plain_number(plan.level),
        "window_days": plain_number(question.window_days),
        "accept": [reason for reason in REASONS if reason in conflict_reasons],
        "also": sorted(set(question.also or ())),
        "subgroup": question.subgroup,
        "audience": question.audience,
    }


def _sorted(values: list[Any]) -> list[Any]:
    return [plain_number(value) for value in sorted(set(values))]


def answer_content(
    gathered: Gathered, results: SortedResults, question: dict[str, Any], synthesis: Synthesis | None
) -> dict[str, Any]:
    """The content of an answer, with `notes`, `favours` and `plain` still empty."""
    entries = [counted_entry(result, numbers, gathered.address) for result, numbers in results.counted]
    excluded = [excluded_entry(result, why, gathered.address) for result, why in results.excluded]
    excluded += [lost_entry(document, gathered.address) for document in gathered.found.withdrawn]
    digest = _digest([ENGINE, gathered.question.release, question, entries, excluded], gathered.found.included)
    dumped = {"studies": []} if synthesis is None else synthesis.model_dump(mode="json")
    pooled = None
    if synthesis is not None and len(entries) > 1:
        pooled = {name: dumped[name] for name in EvidencePooled.model_fields}
    return {
        "question": question,
        "pooled": pooled,
        "not_pooled": _why_not(results) if pooled is None else None,
        "results": [entry | {"effect": effect} for entry, effect in zip(entries, dumped["studies"], strict=True)],
        "excluded": excluded,
        "caveats": [conflict_content(conflict) for conflict in results.conflicts],
        "notes": [],
        "favours": None,
        "plain": None,
        "revision": gathered.revision,
        "release": gathered.question.release,
        "engine": ENGINE,
        "input_hash": digest,
        "links": _links(gathered, question, None if gathered.question.release is None else digest),
        "inherited": [part.entry(gathered.address) for part in gathered.inherited],
        "included": gathered.found.included,
        "disclaimer": DISCLAIMER,
    }


def _why_not(results: SortedResults) -> str:
    if not results.counted and not results.excluded:
        return "No study result of ours answers this question."
    if not results.counted:
        return "No result has the numbers that this measure needs; `excluded` says why."
    return "One study is shown, not pooled."


def _digest(parts: Sequence[Any], included: Mapping[str, Mapping[str, Any]]) -> str:
    """The input hash: SHA-256 of all input of an answer, as JSON with sorted keys.

    Referenced records enter with id, version, source status and state.
    """
    references = [
        [plural, record_id, record["version"], record["source_status"], record["state"]]
        for plural, records in sorted(included.items())
        for record_id, record in sorted(records.items())
    ]
    return sha256(to_json(_sorted_keys([*parts, references]))).hexdigest()


def _sorted_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted_keys(value[name]) for name in sorted(value) if name != "url"}
    return [_sorted_keys(item) for item in value] if isinstance(value, list | tuple) else value


def without_permalink(content: dict[str, Any], gathered: Gathered) -> dict[str, Any]:
    """The content without a permalink, for an answer that could not be archived."""
    return content | {"links": _links(gathered, content["question"], None)}


def _links(gathered: Gathered, question: Mapping[str, Any], digest: str | None) -> dict[str, Any]:
    """The links of an answer; with a digest they point to the permalink, which never changes and has every format."""
    given = {name: value for name, value in question.items() if value not in (None, [])}
    live = f"{gathered.public_url}{PATH}?{urlencode(given, doseq=True)}"
    permalink = None if digest is None else f"{gathered.public_url}{PATH}/{digest}"
    release = gathered.question.release
    base = f"{permalink}?" if permalink else f"{live}&" + ("" if release is None else f"release={release}&")
    return {
        "permalink": permalink,
        "live": live,
        "csv": f"{base}format=csv",
        "forest": f"{base}format=svg",
        "funnel": f"{base}format=svg&plot=funnel",
    }


def name_of_comparator(comparator: str, treatments: Mapping[str, Any]) -> str:
    """Display name of a comparator: the name of one of our treatments, else the word with spaces for hyphens."""
    return str(treatments[comparator]["name"]) if comparator in treatments else comparator.replace("-", " ")


def captions_for_question(results: SortedResults, gathered: Gathered, split_by: SubgroupBy | None) -> Captions:
    """Labels of studies, arms and plots, from the names of the question's records."""
    found, names = results.results, gathered.names
    studies = [reported.study["id"] for reported in found]
    labels = [
        f"{reported.label()}, {reported.result['time_frame_text'] or reported.id}"
        if studies.count(reported.study["id"]) > 1
        else reported.label()
        for reported in found
    ]
    treatments = [str(record["name"]) for record in names["treatment"].values()]
    outcomes = [str(record["name"]) for record in names["outcome"].values()]
    conditions = [str(record["name"]) for record in names["condition"].values()]
    named = gathered.found.included.get(Treatment.plural, {})
    comparators = sorted({name_of_comparator(str(reported.result["comparator"]), named) for reported in found})
    arm1 = treatments[0] if len(treatments) == 1 else "treatment"
    arm2 = comparators[0] if len(comparators) == 1 else "comparator"
    directions_known = {direction_under(reported, results.measure) for reported in found}
    return Captions(
        labels=labels,
        subgroups=[None if split_by is None else reported.subgroup(split_by) for reported in found],
        title=f"{' or '.join(outcomes)}: {' or '.join(treatments)}, {' or '.join(conditions)}",
        outcome=" or ".join(outcomes),
        arm1=arm1,
        arm2=arm2,
        direction=next(iter(directions_known)) if len(directions_known) == 1 else None,  # type: ignore[arg-type]  # a word
    )


def favours(captions: Captions, results: SortedResults) -> dict[str, Any]:
    """The direction of benefit, and what each side of the forest plot means."""
    left, right = directions(captions, measure_named(results.measure))
    return {"direction": captions.direction, "left": left, "right": right}


def notes(gathered: Gathered, results: SortedResults) -> Iterator[str]:
    """Notes on missing time frames and scores, on non-randomized evidence and on ids without a result."""
    found = results.results
    if len(found) > 1:
        untimed = [reported.id for reported in found if reported.result["time_frame_days"] is None]
        if untimed:
            yield f"When these were measured is not recorded in days: {', '.join(untimed)}."
        if measure_named(results.measure).name.endswith("mean-difference"):
            yield from _unscored(found)
    is_open = not any(
        reported.is_review or str(reported.study["design"]).startswith("randomized") for reported in found
    )
    if found and is_open and results.measure not in PROPORTIONS:
        yield "None of these studies is randomized: the groups may differ in more than the treatment."
    for reported, numbers in results.counted:
        if numbers.is_turned:
            yield (
                f"The estimate of {reported.id} is printed as comparator against treatment, and was turned round: its "
                f"source says that a higher value favours the {reported.result['estimate_direction']}."
            )
    missed = sorted(set(gathered.question.id or ()) - {reported.id for reported in gathered.found.results})
    if missed:
        yield f"No published result of this question has these ids: {', '.join(missed)}."


def _unscored(found: Sequence[Reported]) -> Iterator[str]:
    unknown = [reported.id for reported in found if reported.result["score"] is None]
    if unknown:
        yield f"Whether these are changes from the start or final values is not recorded: {', '.join(unknown)}."
