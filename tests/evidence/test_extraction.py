"""Which numbers of a result a synthesis may use: the arms that are compared, the way round, and what is left out."""

from typing import Any

import pytest

from app.evidence.absolute_effects import Subject, result_subjects
from app.evidence.extraction import Unusable, Usable, extract_numbers
from app.evidence.results import Reported
from app.evidence.statistics.study_data import Generic
from app.models.study_results import StudyResult
from tests.support.evidence import counts, means, result, study

THREE = [{**counts(9, 40, 0, 1)[0], "arm": "low dose", "code": "OG000"}, *counts(20, 40, 10, 41)]
PRINTED: dict[str, Any] = {
    "arms": [],
    "measure": "mean-difference",
    "estimate": 8.06,
    "ci_level": 95,
    "ci_low": 6.08,
    "ci_high": 10.05,
}


def reported(design: str = "randomized-parallel", direction: str = "lower-is-better", **fields: Any) -> Reported:
    """A made-up result with what follows from it, and its study, outcome and treatment."""
    outcome = {"id": "made-up", "name": "x", "kind": None, "direction": direction, "unit": None, "domain": "ache"}
    record = result("made-up-a", **fields)
    derived = StudyResult.derive(record, lambda _plural, _id: outcome)
    document = {"state": "published", "source_status": "current", "version": 1, **record.model_dump(mode="json")}
    of_study = study("made-up-a", design=design).model_dump(mode="json")
    return Reported(document | derived, of_study, outcome, {"id": "made-up-toxin"})


def reason(found: Reported, measure: str) -> str | None:
    """Why a result is left out, or None."""
    numbers = extract_numbers(found, measure)
    return numbers.reason if isinstance(numbers, Unusable) else None


def test_of_many_arms_those_that_were_compared_are_used() -> None:
    assert reason(reported(arms=THREE), "risk-ratio") == "several-arms"
    numbers = extract_numbers(reported(arms=THREE, compared=["toxin", "placebo"]), "risk-ratio")
    assert isinstance(numbers, Usable)
    assert {place.pointer.rsplit("/", 1)[0] for place in numbers.places} == {"/arms/1", "/arms/2"}
    by_code = extract_numbers(reported(arms=THREE, compared=["OG000", "placebo"]), "risk-ratio")
    assert isinstance(by_code, Usable)
    assert {place.pointer.rsplit("/", 1)[0] for place in by_code.places} == {"/arms/0", "/arms/2"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"design": "randomized-cluster"}, "clustered-arms"),
        ({"design": "randomized-stepped-wedge"}, "clustered-arms"),
        ({"design": "single-patient"}, "paired-arms"),
        ({"design": "randomized-factorial"}, None),
        ({"comparator": "none"}, "no-comparator"),
        ({"arms": [{**arm, "denominator_unit": "eyes"} for arm in counts(9, 40, 4, 41)]}, "units-not-people"),
        (
            {"arms": [{**arm, "role": "not-assigned", "missing": {"role": "not-reported"}} for arm in THREE]},
            "no-estimate",
        ),
    ],
)
def test_what_gives_too_small_an_error_or_has_no_control_is_left_out(
    fields: dict[str, Any], expected: str | None
) -> None:
    usual: dict[str, Any] = {"arms": counts(9, 40, 4, 41)}
    assert reason(reported(**usual | fields), "risk-ratio") == expected


def row(**fields: Any) -> tuple[Any, bool]:
    """The row of a printed estimate, and whether it was turned round."""
    numbers = extract_numbers(reported(**PRINTED | fields), "mean-difference")
    assert isinstance(numbers, Usable), numbers
    assert numbers.places[0].value == 8.06, "what is printed stays as printed"
    return numbers.row, numbers.is_turned


def test_an_estimate_is_turned_round_where_its_source_says_that_it_is_printed_so() -> None:
    assert reason(reported(**PRINTED, finding="favours-treatment"), "mean-difference") == "sign-contradicts-finding"
    turned, is_turned = row(finding="favours-treatment", estimate_direction="treatment")
    assert (turned.estimate, is_turned) == (-8.06, True)
    assert row(finding="favours-comparator", estimate_direction="comparator")[1] is False
    assert row(direction="higher-is-better", estimate_direction="treatment")[1] is False


def test_a_turned_ratio_is_its_inverse_for_people() -> None:
    ratio: dict[str, Any] = {"measure": "risk-ratio", "estimate": 2.0, "ci_level": 95, "ci_low": 1.25, "ci_high": 4.0}
    found = reported(direction="lower-is-better", finding="favours-treatment", estimate_direction="treatment", **ratio)
    (subject,) = result_subjects(found, "study-results")
    assert isinstance(subject, Subject)
    assert subject.effect is not None
    assert subject.effect[1:] == (0.5, 0.25, 0.8)


def test_an_interval_of_one_side_gives_no_error_and_a_printed_error_does() -> None:
    assert reason(reported(**PRINTED, ci_sides="one-sided"), "mean-difference") == "no-interval"
    printed, _ = row(ci_low=None, ci_high=None, ci_level=None, estimate_se=1.5)
    assert printed == Generic(8.06, 1.5)


def test_means_of_units_that_are_not_people_are_left_out() -> None:
    eyes = [{**arm, "denominator": 60, "denominator_unit": "eyes"} for arm in means(3, 4)]
    assert reason(reported(arms=eyes), "mean-difference") == "units-not-people"
