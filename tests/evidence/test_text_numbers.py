"""Numbers as people write them: where they stand in a text, and what they come to."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evidence.citations.pointers import resolve
from app.evidence.citations.text_numbers import bound_value, readings


def read(text: str) -> list[tuple[str, float, str]]:
    return [(text[reading.start : reading.end], reading.value, reading.transformation) for reading in readings(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("155 units", [("155", 155, "as-written")]),
        ("75% of patients", [("75", 75, "as-written")]),
        ("3-4 months", [("3", 3, "as-written"), ("4", 4, "as-written")]),
        ("3–4 months", [("3", 3, "as-written"), ("4", 4, "as-written")]),
        ("every three to four months", [("three", 3, "number-word"), ("four", 4, "number-word")]),
        ("once every 12 weeks", [("once", 1, "number-word"), ("12", 12, "as-written")]),
        ("2,5 mg", [("2,5", 2.5, "decimal-comma")]),
        ("1,384 people", [("1,384", 1.384, "decimal-comma"), ("1,384", 1384, "digit-groups")]),
        ("12.000,50", [("12.000,50", 12000.5, "digit-groups")]),
        ("1 384 people", [("1 384", 1384, "digit-groups")]),
        ("P < .05", [(".05", 0.05, "as-written")]),
        ("a change of −1.8 (-3.2)", [("−1.8", -1.8, "as-written"), ("-3.2", -3.2, "as-written")]),
        ("one hundred and fifty-five units", [("one hundred and fifty-five", 155, "number-word")]),
        ("two hundred thousand and three", [("two hundred thousand and three", 200003, "number-word")]),
        ("twenty-five and six", [("twenty-five", 25, "number-word"), ("six", 6, "number-word")]),
        ("aged 12 15 and 18", [("12", 12, "as-written"), ("15", 15, "as-written"), ("18", 18, "as-written")]),
        ("someone, anyone, often", []),
        ("", []),
    ],
)
def test_numbers_are_found_as_they_are_written(text: str, found: list[tuple[str, float, str]]) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("text", "span", "transformation", "words"),
    [
        ("155 units", (1, 3), "as-written", "no whole number"),
        ("155 units", (0, 99), "as-written", "beyond the quote, which has 9"),
        ("3-4 months", (0, 3), "as-written", "holds 2 numbers"),
        ("given 12 times", (0, 8), "as-written", "is more than the number '12' and its unit"),
        ("2,5 mg", (0, 3), "as-written", "cannot be read as-written; it can be read decimal-comma \\(2.5\\)"),
        ("three months", (0, 5), "as-written", "cannot be read as-written; it can be read number-word \\(3\\)"),
        ("someone", (4, 7), "number-word", "no whole number"),
    ],
)
def test_a_span_that_holds_no_such_number_says_why(
    text: str, span: tuple[int, int], transformation: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        bound_value(text, *span, transformation)  # type: ignore[arg-type]  # a word of the list


def test_a_span_may_hold_the_unit_too() -> None:
    assert bound_value("75% of", 0, 3, "as-written") == 75
    assert bound_value("155 units of", 0, 9, "as-written") == 155
    assert bound_value("1,384 people", 0, 5, "digit-groups") == 1384


@given(st.integers(0, 10**9), st.text(max_size=20), st.text(max_size=20))
def test_a_number_is_found_wherever_it_stands_alone(number: int, before: str, after: str) -> None:
    text = f"{before} | {number} | {after}"
    place = len(before) + 3
    assert bound_value(text, place, place + len(str(number)), "as-written") == number


@given(st.text(max_size=200))
def test_any_text_can_be_read_and_every_reading_lies_in_it(text: str) -> None:
    places = [(reading.start, reading.end) for reading in readings(text)]
    assert all(0 <= start < end <= len(text) for start, end in places)
    distinct = sorted(set(places))
    assert all(one[1] <= other[0] for one, other in pairwise(distinct)), "no two overlap"


def test_pointers_lead_where_rfc_6901_says() -> None:
    document = {"a/b": [{"m~n": 1}, 2], "": 3}
    assert resolve(document, "/a~1b/0/m~0n") == 1
    assert resolve(document, "/a~1b/1") == 2
    assert resolve(document, "/") == 3
    for pointer in ("/a~1b/01", "/a~1b/2", "/a~1b/-", "/nothing", "/a~1b/0/x/y"):
        with pytest.raises(LookupError):
            resolve(document, pointer)
