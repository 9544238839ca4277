"""The rules of the records: each broken rule is refused with the place and the words; absence needs a reason."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.formats.importers.seed import describe_faults
from app.models import RESOURCES
from app.models.base import Row, references
from app.models.dosing_intervals import in_days
from app.models.frequencies import frequency_of
from app.models.sources import canonical_doi
from app.store.examples import seed_records

CITED: dict[str, Any] = {"citations": [{"source": "example-article"}]}
APPROVAL = {
    "id": "x",
    "indication": "i",
    "jurisdiction": "US",
    "authority": "FDA",
    "status": "approved",
    "as_of": "2026-11-22",
    **CITED,
}
DOSING = {"id": "x", "treatment": "t", "basis": "label", "interval_min": 12, "interval_unit": "wk", **CITED}
HARM = {"id": "x", "treatment": "t", "term": "example", "basis": "trial", "attribution": "observed", **CITED}
RESULT = {
    "id": "x",
    "study": "s",
    "treatment": "t",
    "condition": "c",
    "outcome_text": "example",
    "finding": "unclear",
    **CITED,
}
CLAIM = {
    "id": "x",
    "source": "s",
    "quote": "words",
    "kind": "efficacy",
    "verdict": "supported",
    "rationale": "why",
    "evidence": [{"kind": "studies", "id": "s"}],
}
STUDY = {"id": "x", "title": "Example", "design": "single-arm", "sources": ["s"]}
OUTCOME = {"id": "x", "name": "Example", "direction": "unclear"}
SOURCE = {"id": "x", "kind": "web-article", "title": "Example"}
ARM = {"arm": "one", "role": "exposed"}

BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    ("conditions", {"id": "Bad Id", "name": "Example"}, "/id", "pattern"),
    ("conditions", {"id": "x" * 121, "name": "Example"}, "/id", "120"),
    ("conditions", {"id": "x", "name": "Example", "colour": "red"}, "/colour", "not permitted"),
    ("conditions", {"id": "x"}, "/name", "required"),
    ("conditions", {"id": "x", "name": "a\x00b"}, "/name", "U+0000"),
    ("conditions", {"id": "x", "name": "a\ud800b"}, "/name", "unicode"),
    ("conditions", {"id": "x", "name": " a"}, "/name", "white space"),
    ("conditions", {"id": "x", "name": "a\nb"}, "/name", "single line"),
    ("conditions", {"id": "x", "name": "Example", "missing": {"nmae": "not-reported"}}, "", "names no field"),
    ("conditions", {"id": "x", "name": "Example", "missing": {"name": "not-reported"}}, "", "has a value and also"),
    ("conditions", {"id": "x", "name": "Example", "missing": {"definition": "forgot"}}, "/missing/definition", "not-r"),
    ("approvals", {**APPROVAL, "citations": []}, "/citations", "at least 1"),
    ("approvals", {**APPROVAL, "jurisdiction": "us"}, "/jurisdiction", "pattern"),
    ("approvals", {**APPROVAL, "authority": None}, "", "authority needs a value, or a reason"),
    ("approvals", {**APPROVAL, "valid_from": "2010-13"}, "/valid_from", "pattern"),
    ("approvals", {**APPROVAL, "as_of": "2026-02-30"}, "/as_of", "day"),
    ("approvals", {**APPROVAL, "valid_from": "2010-10-15", "valid_to": "2010-09"}, "", "lower end"),
    ("approvals", {**APPROVAL, "status": "not-approved", "first_approval": True}, "", "first_approval"),
    ("dosing-intervals", {**DOSING, "interval_max": 3}, "", "interval_min and interval_max"),
    ("dosing-intervals", {**DOSING, "dose_min": 9, "dose_max": 3, "dose_unit": "u"}, "", "dose_min and dose_max"),
    ("dosing-intervals", {**DOSING, "dose_min": 9}, "", "dose_unit"),
    ("dosing-intervals", {**DOSING, "dose_min": -1}, "/dose_min", "greater than or equal to 0"),
    ("dosing-intervals", {**DOSING, "max_dose": 9, "dose_unit": "u"}, "", "stand together"),
    ("dosing-intervals", {**DOSING, "max_dose": 9, "dose_unit": "u", "max_dose_period": 3}, "", "max_dose_period_unit"),
    ("dosing-intervals", {**DOSING, "interval_unit": None}, "", "interval_unit"),
    ("dosing-intervals", {**DOSING, "interval_min": "12"}, "/interval_min", "number"),
    ("dosing-intervals", {**DOSING, "interval_min": float("nan")}, "/interval_min", "finite"),
    ("dosing-intervals", {**DOSING, "interval_min": float("inf")}, "/interval_min", "finite"),
    ("side-effects", {**HARM, "arms": [{**ARM, "affected": 5, "at_risk": 4}]}, "/arms/0", "above at_risk"),
    ("side-effects", {**HARM, "arms": [{**ARM, "affected": 1, "at_risk": 4, "percent": 40}]}, "/arms/0", "is not 1/4"),
    ("side-effects", {**HARM, "arms": [{**ARM, "percent": 101}]}, "/arms/0/percent", "100"),
    ("side-effects", {**HARM, "arms": [{**ARM, "affected": 2**31}]}, "/arms/0/affected", "2147483647"),
    ("side-effects", {**HARM, "arms": [ARM, ARM]}, "", "same name"),
    ("study-results", {**RESULT, "arms": [{**ARM, "n": 15, "events": 16}]}, "/arms/0", "above n"),
    ("study-results", {**RESULT, "arms": [{**ARM, "n": 15, "events": 11, "percent": 50}]}, "/arms/0", "is not 11/15"),
    ("study-results", {**RESULT, "arms": [{**ARM, "q1": 3, "q3": 1}]}, "/arms/0", "q1 and q3"),
    ("study-results", {**RESULT, "ci_low": 2, "ci_high": 1}, "", "ci_low and ci_high"),
    ("study-results", {**RESULT, "estimate": 3}, "", "measure"),
    ("study-results", {**RESULT, "estimate": 3, "measure": "risk-ratio", "ci_high": 2}, "", "estimate and ci_high"),
    ("study-results", {**RESULT, "p_value": 0.05}, "", "p_modifier"),
    ("study-results", {**RESULT, "p_value": 1.5, "p_modifier": "="}, "/p_value", "less than or equal to 1"),
    ("study-results", {**RESULT, "includes": ["s"]}, "", "only a synthesis"),
    ("claims", {**CLAIM, "evidence": []}, "", "at least one record under evidence"),
    ("claims", {**CLAIM, "verdict": "unverifiable"}, "", "what was searched"),
    ("claims", {**CLAIM, "safety_flag": True}, "", "safety_note"),
    ("claims", {**CLAIM, "span": {"start": 0, "end": 3}}, "", "the quote 5"),
    ("claims", {**CLAIM, "span": {"start": 3, "end": 3}}, "/span", "must lie before"),
    ("claims", {**CLAIM, "values": [{"name": "n", "number": 1, "text": "one"}]}, "/values/0", "either a number"),
    ("studies", {**STUDY, "sources": []}, "/sources", "at least 1"),
    ("studies", {**STUDY, "arms": [{"id": "a", "label": "A"}] * 2}, "", "same id"),
    ("studies", {**STUDY, "includes": ["x"]}, "", "itself"),
    ("studies", {**STUDY, "design": None}, "", "design needs a value"),
    ("outcomes", {**OUTCOME, "scale_min": 10, "scale_max": 0}, "", "scale_min and scale_max"),
    ("outcomes", {**OUTCOME, "important_difference": 1.5}, "", "needs a citation"),
    ("sources", {**SOURCE, "doi": "10.1/x"}, "/doi", "pattern"),
    ("sources", {**SOURCE, "pmid": "PMID1"}, "/pmid", "pattern"),
    ("sources", {**SOURCE, "url": "javascript:alert(1)"}, "/url", "pattern"),
    ("warnings", {"id": "x", "treatment": "t", "kind": "warning", "statement": "s", **CITED}, "", "jurisdiction needs"),
    ("warnings", {"id": "x", "treatment": "t", "kind": "hint", "statement": "s", **CITED}, "/kind", "boxed-warning"),
    (
        "indications",
        {
            "id": "x",
            "treatment": "t",
            "condition": "c",
            "purpose": "prevention",
            "citations": [{"source": "s", "span": {"start": 0, "end": 1}}],
        },
        "/citations/0",
        "needs the quote",
    ),
]


@pytest.mark.parametrize(("plural", "values", "pointer", "words"), BROKEN, ids=[f"{b[0]}-{b[3][:30]}" for b in BROKEN])
def test_a_broken_rule_is_refused_with_its_place(plural: str, values: dict[str, Any], pointer: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RESOURCES[plural].record_class().model_validate(values)
    found = [(error["pointer"], error["detail"]) for error in describe_faults(caught.value, "x")]
    assert any(place == pointer and words in detail for place, detail in found), found


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))
def test_a_core_field_has_a_value_or_a_reason_in_every_record_of_the_seed(resource: type[Row]) -> None:
    for (plural, _), record in seed_records().items():
        if plural == resource.plural:
            for name in record.core:
                assert getattr(record, name) is not None or name in record.missing


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))
def test_a_core_field_without_a_value_needs_a_reason(resource: type[Row]) -> None:
    record = next(record for (plural, _), record in seed_records().items() if plural == resource.plural)
    for name in record.core:
        if resource.record_class().model_fields[name].is_required():
            continue
        bare = {**record.model_dump(mode="json"), name: None}
        with pytest.raises(ValidationError, match="needs a value, or a reason"):
            resource.record_class().model_validate({**bare, "missing": {}})


def test_a_reason_stands_for_a_core_value() -> None:
    values = {**DOSING, "interval_min": None, "interval_unit": None, "missing": {"interval_unit": "not-reported"}}
    assert RESOURCES["dosing-intervals"].record_class().model_validate(values).missing == {
        "interval_unit": "not-reported"
    }


def test_a_condition_needs_an_id_and_a_name_alone() -> None:
    assert RESOURCES["conditions"].record_class().model_validate({"id": "x", "name": "Example"})


def test_what_the_server_owns_is_ignored_in_a_body() -> None:
    values = {"id": "x", "name": "Example", "version": 7, "state": "withdrawn", "verification": "number-in-quote"}
    record = RESOURCES["conditions"].record_class().model_validate(values)
    assert "version" not in record.model_dump()


def test_text_is_kept_in_nfc() -> None:
    record = RESOURCES["conditions"].record_class().model_validate({"id": "x", "name": "Go\u0308bel"})
    assert record.model_dump()["name"] == "Göbel"


@pytest.mark.parametrize(
    ("amount", "unit", "days"),
    [(12, "wk", 84), (3, "mo", 91.312), (4, "mo", 121.75), (1, "a", 365.25), (48, "h", 2), (None, "wk", None)],
)
def test_an_interval_is_derived_in_days(amount: float | None, unit: Any, days: float | None) -> None:
    assert in_days(amount, unit) == days


@pytest.mark.parametrize(
    ("percent", "word"),
    [
        (10, "very-common"),
        (9.99, "common"),
        (1, "common"),
        (0.99, "uncommon"),
        (0.1, "uncommon"),
        (0.09, "rare"),
        (0.01, "rare"),
        (0.009, "very-rare"),
        (0, "not-known"),
    ],
)
def test_a_frequency_follows_cioms(percent: float, word: str) -> None:
    assert frequency_of(percent) == word


def test_the_frequency_that_a_source_states_goes_before_the_derived_one() -> None:
    arms = [{**ARM, "affected": 1, "at_risk": 4}]
    harm = RESOURCES["side-effects"].record_class()
    assert harm.model_validate({**HARM, "arms": arms}).model_dump()["frequency"] == "very-common"
    assert harm.model_validate({**HARM, "arms": arms, "frequency": "common"}).model_dump()["frequency"] == "common"
    unknown = {**HARM, "arms": arms, "missing": {"frequency": "not-reported"}}
    assert harm.model_validate(unknown).model_dump()["frequency"] is None


def test_two_exposed_arms_are_never_summed() -> None:
    arms = [{**ARM, "affected": 1, "at_risk": 4}, {**ARM, "arm": "two", "affected": 1, "at_risk": 4}]
    row = RESOURCES["side-effects"]
    record = row.record_class().model_validate({**HARM, "arms": arms})
    assert row.derive(record, lambda _plural, _id: {}) == {}


@pytest.mark.parametrize(
    "given", ["10.1000/ABC", "https://doi.org/10.1000/abc", "http://dx.doi.org/10.1000/Abc", "doi: 10.1000/abc"]
)
def test_a_doi_has_one_spelling(given: str) -> None:
    assert canonical_doi(given) == "10.1000/abc"


def test_every_mention_of_another_record_is_found_with_its_path() -> None:
    record = (
        RESOURCES["study-results"]
        .record_class()
        .model_validate({**RESULT, "comparator": "other-treatment", "synthesis": "narrative", "includes": ["a", "b"]})
    )
    found = {(mention.path, mention.plural, mention.id) for mention in references(record)}
    assert ("includes.1", "studies", "b") in found
    assert ("citations.0.source", "sources", "example-article") in found
    assert ("comparator", "treatments", "other-treatment") in found
    placebo = RESOURCES["study-results"].record_class().model_validate({**RESULT, "comparator": "placebo"})
    assert "comparator" not in {mention.path for mention in references(placebo)}
