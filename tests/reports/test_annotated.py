"""The annotated text: every character once, overlaps told, and not a word of a text that is not ours to serve."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.evidence.citations.segments import Marked, TextSegment, segments
from app.store.examples import TEXTS

ARTICLE = "metropolmed-botox-neck-back-pain"
spans = st.tuples(st.integers(0, 60), st.integers(1, 20), st.sampled_from("abcdef"))


@given(st.integers(0, 70), st.lists(spans, max_size=8))
def test_every_character_stands_in_exactly_one_segment(length: int, drawn: list[tuple[int, int, str]]) -> None:
    marked = [Marked(start, start + size, owner) for start, size, owner in drawn]
    found = list(segments(length, marked))
    assert [place for one in found for place in range(one.start, one.end)] == list(range(length))
    for one in found:
        for place in range(one.start, one.end):
            inside = sorted(mark.owner for mark in marked if mark.start <= place < mark.end and mark.end <= length)
            reaching = sorted(mark.owner for mark in marked if mark.start <= place < mark.end)
            assert sorted(one.owners) in (inside, reaching)


def test_overlapping_claims_share_a_segment() -> None:
    found = list(segments(10, [Marked(2, 6, "one"), Marked(4, 8, "two"), Marked(4, 8, "three")]))
    assert found == [
        TextSegment(0, 2, ()),
        TextSegment(2, 4, ("one",)),
        TextSegment(4, 6, ("one", "three", "two")),
        TextSegment(6, 8, ("three", "two")),
        TextSegment(8, 10, ()),
    ]


@pytest.fixture
def annotated(seed_client: TestClient) -> dict[str, Any]:
    content: dict[str, Any] = seed_client.get(f"/v1/sources/{ARTICLE}/annotated").json()
    return content


def test_the_article_has_all_its_claims_in_order(annotated: dict[str, Any], seed_client: TestClient) -> None:
    claims = seed_client.get("/v1/claims", params={"source": ARTICLE, "limit": 200}).json()["items"]
    assert {claim["id"] for claim in annotated["claims"]} == {claim["id"] for claim in claims}
    assert [claim["start"] for claim in annotated["claims"]] == sorted(claim["start"] for claim in annotated["claims"])
    quotes = {claim["id"]: claim["quote"] for claim in claims}
    for claim_id, quote in quotes.items():
        parts = [segment["text"] for segment in annotated["segments"] if claim_id in segment["claims"]]
        assert "".join(parts) == quote


def test_the_gaps_of_an_article_that_is_not_ours_have_a_place_and_no_words(annotated: dict[str, Any]) -> None:
    text = (TEXTS / f"{ARTICLE}.txt").read_bytes().decode()
    assert annotated["text_served"] == "quotes-only"
    assert annotated["length"] == len(text)
    gaps = [segment for segment in annotated["segments"] if not segment["claims"]]
    assert gaps
    assert all(gap["text"] is None for gap in gaps)
    assert annotated["segments"][0]["start"] == 0
    assert annotated["segments"][-1]["end"] == len(text)


@pytest.mark.parametrize("source", ["foster-2001", "no-such-source"])
def test_a_source_without_a_text_is_404(seed_client: TestClient, source: str) -> None:
    assert seed_client.get(f"/v1/sources/{source}/annotated").status_code == 404
