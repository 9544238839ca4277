"""What must hold for any input: slugs, partial dates, cursors, quotes, CSV cells, Accept headers."""

import csv
import io
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.errors import BadCursor, NotAcceptable, nearest
from app.evidence.citations.quotes import mismatch
from app.formats.csv_ndjson import FORMULA_STARTS, csv_lines
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.types import Line, PartialDate, Slug
from app.store.read.cursors import write_cursor
from app.store.read.lists import _cursor_values
from app.store.read.query import Query, query_from, query_model
from app.web.negotiation import choose

slugs = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
years = st.integers(1, 9999).map(lambda year: f"{year:04}")
days = st.dates().map(lambda day: day.isoformat())
partial_dates = st.one_of(years, days.map(lambda day: day[:7]), days)


@given(slugs)
def test_every_slug_of_the_pattern_is_taken(slug: str) -> None:
    assert TypeAdapter(Slug).validate_python(slug) == slug


@given(st.text(max_size=30))
def test_whatever_is_taken_as_a_slug_is_lower_case_ascii_with_single_hyphens(text: str) -> None:
    try:
        slug = TypeAdapter(Slug).validate_python(text)
    except ValidationError:
        return
    assert slug == slug.lower()
    assert slug.isascii()
    assert all(part.isalnum() for part in slug.split("-"))


@given(partial_dates)
def test_every_real_partial_date_is_taken(date: str) -> None:
    assert TypeAdapter(PartialDate).validate_python(date) == date


@given(st.from_regex(r"\d{4}-\d{2}(-\d{2})?", fullmatch=True))
def test_a_date_that_no_calendar_has_is_refused(text: str) -> None:
    year, month, *day = (int(part) for part in text.split("-"))
    try:
        TypeAdapter(PartialDate).validate_python(text)
    except ValidationError:
        return
    assert 1 <= month <= 12
    assert year >= 1
    assert all(1 <= number <= 31 for number in day)


@given(partial_dates, partial_dates)
def test_a_partial_date_is_within_a_bound_only_when_all_of_it_is(date: str, bound: str) -> None:
    """The rule of `_gte` and `_lte` in `listing`, against the first and last day of each period."""
    first, last = (date + "-01-01")[:10], (date + "-99-99")[:10]
    first_bound, last_bound = (bound + "-01-01")[:10], (bound + "-99-99")[:10]
    assert ((date + "-00-00")[:10] >= (bound + "-00-00")[:10]) <= (first >= first_bound)
    assert ((date + "-99-99")[:10] <= (bound + "-99-99")[:10]) == (last <= last_bound)


values = st.one_of(st.none(), st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.lists(st.integers()))


@given(st.text(max_size=40))
def test_a_cursor_comes_back_as_it_was(record_id: str) -> None:
    query = Query(RESOURCES["treatments"])
    if "\x00" in record_id or any(0xD800 <= ord(character) <= 0xDFFF for character in record_id):
        return
    assert _cursor_values(replace(query, cursor=write_cursor(query.fingerprint(), [record_id]))) == [record_id]


@given(st.lists(values, max_size=3))
def test_a_cursor_that_a_stranger_wrote_is_a_bad_cursor_or_harmless(content: list[Any]) -> None:
    query = Query(RESOURCES["study-results"], sort=("-estimate",))
    text = to_json([query.fingerprint(), *content], inf_nan_mode="constants", fallback=str)
    forged = replace(query, cursor=urlsafe_b64encode(text).decode())
    try:
        found = _cursor_values(forged)
    except BadCursor:
        return
    assert len(found) == 2
    assert found[0] is None or isinstance(found[0], int | float)
    assert isinstance(found[1], str)


@given(st.text(max_size=60))
def test_any_text_as_a_cursor_is_told_not_thrown(text: str) -> None:
    with pytest.raises(BadCursor):
        _cursor_values(Query(RESOURCES["treatments"], cursor=text))


@given(st.text(min_size=1, max_size=200), st.data())
def test_a_quote_taken_from_a_text_is_found_at_its_span(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    assert mismatch(text, text[start:end], start, end) is None
    assert mismatch(text, text[start:end], None, None) is None
    assert mismatch(text, text[start:end], start, len(text) + 1) is not None


@given(st.tuples(st.sampled_from(["", *FORMULA_STARTS]), st.text(max_size=40)).map("".join))
def test_no_text_cell_of_a_csv_starts_a_formula_and_none_breaks_the_line(text: str) -> None:
    document = to_json({"name": text}).decode() if text.isprintable() else to_json({"name": repr(text)}).decode()
    rows = list(csv.reader(io.StringIO(csv_lines([document], ["name"]))))
    assert len(rows) == 1
    assert not rows[0] or not rows[0][0].startswith(FORMULA_STARTS)


@given(st.text(max_size=60))
def test_any_accept_header_gives_an_offered_type_or_not_acceptable(header: str) -> None:
    offered = ["application/json", "text/csv; charset=utf-8"]
    try:
        assert choose(header, offered) in offered
    except NotAcceptable:
        assert "*/*" not in header


@given(st.text(max_size=300))
def test_the_nearest_word_is_always_a_known_one(word: str) -> None:
    assert nearest(word, ["limit", "sort"]) in (None, "limit", "sort")


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from(["kind", "sort", "limit", "fields", "id", "nonsense"]), st.text(max_size=20)))
def test_whatever_the_door_lets_in_is_a_query(asked: dict[str, str]) -> None:
    model = query_model(RESOURCES["treatments"])
    try:
        checked = model.model_validate({name: [v] if name in ("kind", "id") else v for name, v in asked.items()})
    except ValidationError:
        return
    query = query_from(RESOURCES["treatments"], checked)
    assert 1 <= query.limit <= 200
    assert query.order[-1] == "id" or "id" in query.order[0]


@given(st.text(max_size=20))
def test_whatever_is_taken_as_a_line_is_one_visible_line(text: str) -> None:
    try:
        line = TypeAdapter(Line).validate_python(text)
    except ValidationError:
        return
    assert line
    assert line == line.strip()
    assert "\n" not in line
    assert "\x00" not in line
