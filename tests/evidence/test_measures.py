"""Effect measures are one list: calculator, records, pooling and pages differ from it only as written here."""

from typing import Any, get_args

from app.evidence.calculator.request import SynthesisMeasure
from app.evidence.extraction import BY_KIND, HAZARD_RATIO, EvidenceMeasure
from app.evidence.statistics.measures import MEASURES
from app.models.vocabulary import Measure
from app.pages import wording

OF_SENT_STUDIES = {"fisher-z", "generic", "proportion-freeman-tukey"}
"""The calculator takes these from callers; no record prints one."""
OF_ONE_GROUP = {"proportion-logit", "proportion-freeman-tukey"}
"""Pooling computes these from the arms of single groups; records do not print them."""


def words_of(closed_list: Any) -> set[str]:
    """The words of a closed list of types.py's kind."""
    return set(get_args(closed_list.__value__))


def test_the_calculator_takes_every_measure_that_there_is() -> None:
    assert words_of(SynthesisMeasure) == MEASURES.keys()


def test_records_are_pooled_under_the_measures_that_they_print_and_proportions() -> None:
    printed = words_of(Measure) - {"other"}
    assert words_of(EvidenceMeasure) == printed | OF_ONE_GROUP
    assert words_of(EvidenceMeasure) - MEASURES.keys() == {HAZARD_RATIO}, "which is pooled as a logarithm, generically"
    assert MEASURES.keys() - words_of(EvidenceMeasure) == OF_SENT_STUDIES - OF_ONE_GROUP
    assert {measure for measures in BY_KIND.values() for measure in measures} <= words_of(EvidenceMeasure)


def test_pages_have_a_word_for_every_measure_of_a_record() -> None:
    assert wording.MEASURES.keys() == words_of(Measure)
    assert {measure for measure in words_of(Measure) if "ratio" in measure} == wording.RATIOS
