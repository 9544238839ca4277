"""How often, in words: a quote that says `twice daily` gives 12 hours, and is no interval of 2 days."""

from typing import Any

import pytest

from app.db.database import Database
from app.errors import InvalidRecord
from app.evidence.citations.timings import timings
from app.store.write.save import save_all
from tests.store.test_store import CONDITION, SOURCE, TREATMENT, document, record

DAYS = [
    ("25 mg twice daily", 0.5, 0.5),
    ("once a day", 1, 1),
    ("daily", 1, 1),
    ("weekly", 7, 7),
    ("monthly", 30.4375, 30.4375),
    ("every other day", 2, 2),
    ("three times a day", 1 / 3, 1 / 3),
    ("2 to 3 times per day", 1 / 3, 0.5),
    ("every 4–6 hours", 1 / 6, 0.25),
    ("4-6 hourly", 1 / 6, 0.25),
    ("twice every 2 weeks", 7, 7),
    ("b.i.d.", 0.5, 0.5),
    ("q8h", 1 / 3, 1 / 3),
]


@pytest.mark.parametrize(("quote", "shortest", "longest"), DAYS)
def test_words_of_how_often_are_read(quote: str, shortest: float, longest: float) -> None:
    (timing,) = timings(quote)
    assert (timing.shortest, timing.longest) == pytest.approx((shortest, longest))


@pytest.mark.parametrize("quote", ["a daily dose form of 3 tablets a box", "biweekly", "1-2 weeks apart", "other days"])
def test_other_words_are_left_alone(quote: str) -> None:
    assert [quote[one.start : one.end] for one in timings(quote)] in ([], ["daily"])


def saved(database: Database, quote: str, **dose: Any) -> dict[str, Any]:
    """A dosing interval of 25 mg with a quote, as it was saved."""
    citation = {"source": "example-article", "quote": quote}
    values = {"id": "example-dose", "treatment": "example-toxin", "basis": "trial", "citations": [citation]}
    amount = {"dose_min": 25, "dose_max": 25, "dose_unit": "mg"}
    treatment = record("treatments", {**TREATMENT, "dose_unit": {"code": "mg", "label": "mg"}})
    batch = [record("sources", SOURCE), treatment, record("conditions", CONDITION)]
    save_all(database, [*batch, record("dosing-intervals", {**values, **amount, **dose})], author="test")
    return document(database, "dosing-intervals", "example-dose")


def every(amount: float, unit: str, high: float | None = None) -> dict[str, Any]:
    return {"interval_min": amount, "interval_max": amount if high is None else high, "interval_unit": unit}


@pytest.mark.parametrize(
    ("quote", "dose"),
    [
        ("25 mg twice daily", every(12, "h")),
        ("25 mg twice daily", {"times": 2, "period_unit": "d"}),
        ("25 mg daily", every(1, "d")),
        ("25 mg weekly", every(1, "wk")),
        ("25 mg monthly", every(1, "mo")),
        ("25 mg every other day", every(2, "d")),
        ("25 mg three times a day", every(8, "h")),
        ("25 mg three times a day", {"times": 3, "period_unit": "d"}),
        ("25 mg every 4 to 6 hours", every(4, "h", 6)),
        ("25 mg, again after 2 days", every(2, "d")),
    ],
)
def test_an_interval_that_follows_from_the_words_is_taken(database: Database, quote: str, dose: dict[str, Any]) -> None:
    assert saved(database, quote, **dose)["review_reasons"] == []


@pytest.mark.parametrize(
    ("quote", "dose", "pointer"),
    [
        ("25 mg twice daily", every(2, "d"), "/interval_min"),
        ("25 mg every 12 weeks", every(12, "mo"), "/interval_min"),
        ("25 mg three times a day", {"times": 3, "period_unit": "wk"}, "/times"),
    ],
)
def test_a_word_of_how_often_is_no_interval(database: Database, quote: str, dose: dict[str, Any], pointer: str) -> None:
    shown = saved(database, quote, **dose)
    assert shown["needs_review"] is True
    assert ("contradicts-quote", pointer) in [(one["rule"], one["pointer"]) for one in shown["review_reasons"]]


def test_a_number_that_stands_nowhere_is_refused_as_before(database: Database) -> None:
    with pytest.raises(InvalidRecord, match="7 stands in no quote"):
        saved(database, "25 mg twice daily", **every(7, "h"))
