"""What is pure in evidence: the gate, the numbers needed, risks at a baseline; by hand and by hypothesis."""

from math import exp, inf, sqrt
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.evidence.comparability import ConflictReason, conflicts
from app.evidence.results import Reported
from app.evidence.sentences import Sentence, figure, per_thousand
from app.evidence.statistics.absolute import ROUNDING, Absolute, at_baseline, between_arms, number_needed
from app.evidence.statistics.errors import Undefined
from app.evidence.statistics.study_data import Counts

ZERO_TO_ONE = some.floats(0, 1)


def reported(number: int, **said: Any) -> Reported:
    """A made-up result of a made-up trial, as far as the gate looks at it."""
    result = {
        "id": f"made-up-{number}",
        "comparator": said.get("comparator", "placebo"),
        "time_frame_days": said.get("days", 28),
        "score": said.get("score"),
        "synthesis": said.get("synthesis", "none"),
        "includes": said.get("includes", []),
        "trial_count": said.get("trial_count"),
    }
    study = {
        "id": said.get("study", f"trial-{number}"),
        "acronym": None,
        "design": said.get("design", "randomized-parallel"),
        "overlaps": said.get("overlaps", []),
        "includes": said.get("study_includes", []),
        "registry_ids": [{"system": "nct", "code": code} for code in said.get("registered", [])],
        "trial_count": said.get("study_trials"),
    }
    outcome = {
        "id": said.get("outcome", "relief"),
        "domain": "ache",
        "kind": "continuous",
        "direction": "lower-is-better",
    }
    same = ["b"] if said.get("product", "a") == "a" else []
    unit = {"code": said.get("product", "a"), "label": "U", "interchangeable_with": same}
    treatment = {"id": said.get("product", "a"), "dose_unit": unit}
    return Reported(result, study, outcome, treatment)


anything = some.fixed_dictionaries(
    {},
    optional={
        "comparator": some.sampled_from(["placebo", "sham"]),
        "days": some.none() | some.integers(0, 400),
        "score": some.sampled_from([None, "change", "final"]),
        "synthesis": some.sampled_from(["none", "random-effects"]),
        "includes": some.lists(some.sampled_from(["trial-0", "trial-1"]), unique=True),
        "trial_count": some.none() | some.integers(0, 3),
        "study": some.sampled_from(["trial-0", "trial-1", "trial-9"]),
        "design": some.sampled_from([None, "randomized-parallel", "cohort", "systematic-review"]),
        "overlaps": some.lists(some.sampled_from(["trial-0", "trial-1"]), unique=True),
        "registered": some.lists(some.sampled_from(["X1", "X2"]), unique=True),
        "outcome": some.sampled_from(["relief", "pain"]),
        "product": some.sampled_from(["a", "b", "c"]),
    },
)
several = some.lists(anything, max_size=6).map(
    lambda all_said: [reported(n, **said) for n, said in enumerate(all_said)]
)
windows = some.integers(0, 400)


@given(several, windows, some.randoms(use_true_random=False))
def test_the_gate_does_not_mind_the_order_of_results(found: list[Reported], window: int, random: Random) -> None:
    shuffled = found[:]
    random.shuffle(shuffled)
    assert conflicts(found, is_standardised=False, window_days=window) == conflicts(
        shuffled, is_standardised=False, window_days=window
    )


@given(several, windows)
def test_every_conflict_has_two_sides_of_results_that_are_there(found: list[Reported], window: int) -> None:
    ids = {one.id for one in found}
    for conflict in conflicts(found, is_standardised=False, window_days=window):
        assert conflict.reason in get_args(ConflictReason.__value__)
        assert len(conflict.sides) > 1
        named = [name for side in conflict.sides for name in side.results]
        assert set(named) <= ids
        assert len(set(named)) == len(named)
        assert conflict.detail
        assert conflict.known


@given(several, windows)
def test_fewer_results_never_bring_a_reason_and_one_has_none(found: list[Reported], window: int) -> None:
    every = {conflict.reason for conflict in conflicts(found, is_standardised=False, window_days=window)}
    for index in range(len(found)):
        fewer = conflicts([*found[:index], *found[index + 1 :]], is_standardised=False, window_days=window)
        assert {one.reason for one in fewer} <= every | {"different-instruments"}
    assert not conflicts(found[:1], is_standardised=False, window_days=window)


@given(several)
def test_a_wider_window_never_refuses_more(found: list[Reported]) -> None:
    narrow, wide = (
        {conflict.reason for conflict in conflicts(found, is_standardised=False, window_days=days)} for days in (0, inf)
    )
    assert narrow - wide <= {"time-frames-apart"}
    assert "time-frames-apart" not in wide


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ({"registered": ["X1"]}, {"registered": ["X1", "X2"]}, "overlapping-reports"),
        ({"overlaps": ["trial-2"]}, {}, "overlapping-reports"),
        ({"design": "systematic-review"}, {"design": "systematic-review"}, "overlapping-reports"),
        ({"design": "systematic-review"}, {}, "review-with-its-trials"),
        ({"product": "a"}, {"product": "c"}, "different-products"),
        ({"product": "b"}, {"product": "a"}, None),
        ({"days": 28}, {"days": 58}, None),
        ({"days": 28}, {"days": 59}, "time-frames-apart"),
        ({"days": None}, {"days": 59}, None),
        ({"score": "change"}, {"score": None}, None),
    ],
)
def test_the_gate_knows_each_reason(one: dict[str, Any], other: dict[str, Any], reason: str | None) -> None:
    pair = [reported(1, **one), reported(2, **other)]
    found = [conflict.reason for conflict in conflicts(pair, is_standardised=False, window_days=30)]
    assert found == ([] if reason is None else [reason])


REVIEW = {"design": "systematic-review", "synthesis": "random-effects"}


@pytest.mark.parametrize(
    ("review", "may_stand"),
    [
        ({"includes": ["trial-3", "trial-4"], "trial_count": 2}, True),
        ({"includes": ["trial-3"], "trial_count": 2}, False),
        ({"includes": ["trial-2", "trial-4"], "trial_count": 2}, False),
        ({"trial_count": 2, "study_includes": ["trial-3", "trial-4", "trial-5"], "study_trials": 9}, False),
        ({"trial_count": 2, "study_includes": ["trial-3", "trial-4"], "study_trials": 2}, True),
        (
            {
                "includes": ["trial-3"],
                "trial_count": 1,
                "study_includes": ["trial-2", "trial-3"],
                "study_trials": 2,
            },
            True,
        ),
        ({"study_includes": ["trial-2"], "study_trials": 1}, False),
    ],
    ids=str,
)
def test_a_review_stands_with_a_trial_only_when_all_its_trials_are_named_and_that_is_none(
    review: dict[str, Any], may_stand: bool
) -> None:
    pair = [reported(1, **REVIEW, **review), reported(2)]
    found = conflicts(pair, is_standardised=False, window_days=30)
    assert [one.reason for one in found] == ([] if may_stand else ["review-with-its-trials"])
    assert all(one.known == ("synthesis=none",) for one in found)


def test_what_is_offered_for_a_review_that_retells_one_trial_settles_it() -> None:
    pair = [reported(1, design="systematic-review", trial_count=1), reported(2)]
    (conflict,) = conflicts(pair, is_standardised=False, window_days=30)
    assert (conflict.parameter, conflict.known) == ("study", ("study=trial-1", "study=trial-2"))


# Numbers needed


def test_altmans_example_runs_through_infinity() -> None:
    """A difference of 0.10 with the interval −0.05 to 0.25: NNTB 10 (NNTB 4 to ∞ to NNTH 20) (Altman 1998)."""
    needed = number_needed(Absolute(0.3, 0.4, 0.25, 0.55), more_is="benefit")
    assert needed.text() == "NNTB 10 (NNTB 4 to ∞ to NNTH 20)"
    assert needed.through_infinity
    harmed = number_needed(Absolute(0.3, 0.4, 0.25, 0.55), more_is="harm")
    assert harmed.text() == "NNTH 10 (NNTB 20 to ∞ to NNTH 4)"
    assert number_needed(Absolute(0.1, 0.3, 0.2, 0.5), more_is="harm").text() == "NNTH 5 (NNTH 2 to NNTH 10)"
    assert number_needed(Absolute(0.0, 0.0, 0.0, 0.25), more_is="harm").text() == "∞ (∞ to NNTH 4)"


@given(ZERO_TO_ONE, ZERO_TO_ONE, ZERO_TO_ONE, ZERO_TO_ONE, some.sampled_from(["benefit", "harm"]))
def test_a_number_needed_is_one_over_the_difference_and_its_ends_go_from_benefit_to_harm(
    baseline: float, a: float, b: float, c: float, more_is: Any
) -> None:
    low, risk, high = sorted((a, b, c))
    absolute = Absolute(baseline, risk, low, high)
    needed = number_needed(absolute, more_is=more_is)
    sign = 1 if more_is == "benefit" else -1
    assert needed.through_infinity == (absolute.low <= 0 <= absolute.high)
    ends = [_benefit(one) for one in (needed.first, needed.estimate, needed.last)]
    assert ends == sorted(ends, reverse=True)
    assert ends[1] == pytest.approx(sign * absolute.difference, abs=1e-9)
    for one in (needed.first, needed.estimate, needed.last):
        whole = one.whole()
        assert (whole is None) == (one.value is None)
        if one.value is not None and whole is not None:
            assert whole >= 1
            assert whole >= one.value - 1e-6 if one.kind == "benefit" else whole <= one.value + 1e-6


def _benefit(one: Any) -> float:
    return 0.0 if one.value is None else (1 if one.kind == "benefit" else -1) / one.value


@given(
    some.sampled_from(["risk-ratio", "odds-ratio", "risk-difference"]),
    some.floats(0.01, 50),
    some.floats(0.001, 0.999),
    some.floats(1, 3),
)
def test_risks_stay_risks_and_no_effect_changes_nothing(
    measure: str, ratio: float, baseline: float, width: float
) -> None:
    value = ratio - 1 if measure == "risk-difference" else ratio
    nothing = 0.0 if measure == "risk-difference" else 1.0
    reached = {"risk-ratio": baseline * ratio, "odds-ratio": 0.5, "risk-difference": baseline + value}[measure]
    if not -ROUNDING <= reached <= 1 + ROUNDING:
        with pytest.raises(Undefined, match="its effect would mean"):
            at_baseline(measure, value, value / width, value * width, baseline=baseline)
    else:
        risks = at_baseline(measure, value, value / width, value * width, baseline=baseline)
        assert all(0 <= risk <= 1 for risk in (risks.risk, risks.risk_low, risks.risk_high))
    same = at_baseline(measure, nothing, nothing, nothing, baseline=baseline)
    assert same.difference == pytest.approx(0, abs=1e-12)


def test_a_baseline_beyond_all_people_is_undefined() -> None:
    with pytest.raises(Undefined, match="between 0 and 1"):
        at_baseline("risk-ratio", 1.0, 0.5, 2.0, baseline=1.5)


@pytest.mark.parametrize("measure", ["risk-ratio", "odds-ratio"])
@pytest.mark.parametrize("baseline", [0.0, 1.0])
def test_no_ratio_is_carried_from_nobody_or_everybody(measure: str, baseline: float) -> None:
    with pytest.raises(Undefined, match="nobody or everybody"):
        at_baseline(measure, 2.0, 1.0, 4.0, baseline=baseline)


def test_newcombes_own_example() -> None:
    """56/70 against 48/80: 0.2000 (0.0524 to 0.3339), method 10 of Newcombe 1998, table II (a)."""
    risks = between_arms(Counts(56, 70, 48, 80), level=95)
    assert (risks.difference, risks.low, risks.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(some.integers(1, 300), some.integers(1, 300), ZERO_TO_ONE, ZERO_TO_ONE)
def test_the_difference_of_two_arms_lies_in_its_interval_and_turns_with_them(
    n1: int, n2: int, share1: float, share2: float
) -> None:
    row = Counts(round(share1 * n1), n1, round(share2 * n2), n2)
    risks = between_arms(row, level=95)
    assert risks.risk_low - 1e-12 <= risks.risk <= risks.risk_high + 1e-12
    turned = between_arms(Counts(row.events2, n2, row.events1, n1), level=95)
    assert turned.difference == pytest.approx(-risks.difference, abs=1e-12)
    if 0 < row.events1 < n1 and 0 < row.events2 < n2 and 0.05 < risks.risk_low < risks.risk_high < 0.95:
        wald = 1.96 * sqrt(sum(p * (1 - p) / n for p, n in ((risks.risk, n1), (risks.baseline, n2))))
        assert risks.high - risks.low == pytest.approx(2 * wald, rel=0.5)


# Words


def test_numbers_in_sentences_know_their_place() -> None:
    sentence = Sentence("About ").give("12", "/a", ["x/y"]).say(" of ").give("1,000", "/b", []).shown()
    assert sentence["text"] == "About 12 of 1,000"
    assert [sentence["text"][number["start"] : number["end"]] for number in sentence["numbers"]] == ["12", "1,000"]
    assert (figure(-0.5), figure(1234.4), figure(exp(0))) == ("−0.5", "1,234", "1")
    assert (figure(1.72e63), figure(None)) == ("1.72e+63", "∞")
    assert (per_thousand(0.0042), per_thousand(0.25), per_thousand(1), per_thousand(0)) == ("4.2", "250", "1,000", "0")


@given(some.floats(1e-9, 1 - 1e-9))
def test_nobody_and_everybody_are_said_of_no_other_risk(risk: float) -> None:
    assert per_thousand(risk) not in ("0", "1,000")
    assert float(per_thousand(risk)) == pytest.approx(1000 * risk, rel=0.06)


@pytest.mark.parametrize(
    ("risk", "words"), [(0.001, "1"), (0.00004, "0.04"), (0.99995, "999.95"), (0.9996, "999.6"), (0.0096, "9.6")]
)
def test_few_people_and_nearly_all_are_told_finely(risk: float, words: str) -> None:
    assert per_thousand(risk) == words
