"""Sources as a reader cites them: Vancouver text, CSL-JSON, RIS and BibTeX, each escaped and with nothing made up."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.formats.citations import BibliographicReference, csl_item, reference_of, short, vancouver
from app.formats.ris_bibtex import bibtex_text, ris_text
from app.models.sources import Source
from app.store.examples import rows_of

SOURCE: dict[str, Any] = {
    "id": "made-up-article",
    "kind": "journal-article",
    "title": "A made-up title",
    "authors": [],
    "container": None,
    "issued": None,
    "retrieved_on": None,
    "doi": None,
    "pmid": None,
    "pmcid": None,
    "url": None,
    "retraction": None,
}
TAG = re.compile(r"[A-Z][A-Z0-9]  - .*")


def made(**values: Any) -> BibliographicReference:
    return reference_of(SOURCE | values)


def tags(text: str) -> list[tuple[str, str]]:
    """The tagged lines of a RIS file, as a reader of the format takes them."""
    assert text.endswith("\r\n")
    lines = text.removesuffix("\r\n").split("\r\n")
    assert all(TAG.fullmatch(line) for line in lines), lines
    return [(line[:2], line[6:]) for line in lines]


def braces(text: str) -> int:
    """How deep the braces of a BibTeX text stand at its end; a quoted one does not count."""
    bare = re.sub(r"\\[{}]", "", text)
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0, text
    return depth


@pytest.mark.parametrize(
    ("container", "journal", "volume", "issue", "first", "last"),
    [
        ("Neurology 56(10):1290-3", "Neurology", "56", "10", "1290", "1293"),
        ("Cochrane Database Syst Rev 2011(7):CD008626", "Cochrane Database Syst Rev", "2011", "7", "CD008626", None),
        ("BMJ Open 9(7)", "BMJ Open", "9", "7", None, None),
        ("Anesthesiology 103:377", "Anesthesiology", "103", None, "377", None),
        ("Pain 125(1-2):82-8", "Pain", "125", "1-2", "82", "88"),
        ("Journal 7:S12-S19", "Journal", "7", None, "S12", "S19"),
        ("The Journal of Headache and Pain 15:54, Table 3", None, None, None, None, None),
        ("J Headache Pain", None, None, None, None, None),
    ],
)
def test_a_journal_is_taken_apart_where_that_is_certain(
    container: str, journal: str | None, volume: str | None, issue: str | None, first: str | None, last: str | None
) -> None:
    one = made(container=container)
    assert one.container == (journal or container)
    assert (one.volume, one.issue, one.first_page, one.last_page) == (volume, issue, first, last)


def test_a_web_page_is_never_taken_apart() -> None:
    assert made(kind="web-article", container="Blog 12(3):4-5").volume is None


def test_vancouver_names_six_authors_and_ends_with_identifiers() -> None:
    names = [f"Maker {letter}" for letter in "ABCDEFG"]
    one = made(authors=names, container="Neurology 56(10):1290-3", issued="2001-05", doi="10.1000/x", pmid="1")
    assert vancouver(one) == (
        "Maker A, Maker B, Maker C, Maker D, Maker E, Maker F, et al. A made-up title. "
        "Neurology. 2001 May;56(10):1290-3. doi: 10.1000/x. PMID: 1."
    )
    assert short(one) == "Maker A, et al. A made-up title. Neurology. 2001 May;56(10):1290-3."
    assert vancouver(made()) == "A made-up title."


def test_a_web_page_says_when_it_was_read_and_a_retracted_source_that_it_is() -> None:
    page = made(kind="web-article", container="A site", retrieved_on="2026-11-02", url="https://example.org/a")
    assert vancouver(page) == "A made-up title. A site [cited 2026 Nov 2]. Available from: https://example.org/a"
    gone = made(retraction={"status": "retracted", "on": None, "notice": None})
    assert vancouver(gone) == "A made-up title [retracted]."
    assert csl_item(gone)["note"] == "Status: retracted"
    assert ("N1", "Status: retracted") in tags(ris_text([gone]))
    assert "note = {Status: retracted}" in bibtex_text([gone])


def test_every_source_of_the_seed_gives_a_file_that_holds_only_what_its_record_holds() -> None:
    for source in rows_of(Source):
        one = reference_of(source)
        item = csl_item(one)
        assert (item["id"], item["title"], item.get("DOI")) == (source["id"], source["title"], source["doi"] or None)
        assert len(item.get("author", [])) == len(source["authors"])
        assert ("issued" in item) == (source["issued"] is not None)
        told = tags(ris_text([one]))
        assert told[0][0] == "TY"
        assert told[-1] == ("ER", "")
        assert [value for tag, value in told if tag == "TI"] == [source["title"]]
        assert ("DO" in dict(told)) == (source["doi"] is not None)
        assert braces(bibtex_text([one])) == 0
        assert source["title"] in vancouver(one)


def test_the_marks_of_bibtex_are_escaped() -> None:
    text = bibtex_text(
        [made(title=r"50 % & {more} \ #1_$", authors=["Nobody and Sons"], url="https://example.org/{a}")]
    )
    assert r"title = {{50 \% \& \{more\} \textbackslash{} \#1\_\$}}" in text
    assert "author = {{Nobody and Sons}}" in text
    assert "url = {https://example.org/%7Ba%7D}" in text


hostile = st.text(st.characters(), min_size=1, max_size=40) | st.sampled_from(
    ["a\r\nER  - \r\nTY  - JOUR", "a\nTY  - b", "}}\n@misc{b,", "\\", "{", "a and b"]
)


@given(hostile, st.lists(hostile, max_size=3), st.none() | hostile, st.none() | hostile)
def test_no_text_breaks_out_of_its_field(
    title: str, authors: list[str], container: str | None, url: str | None
) -> None:
    one = made(title=title, authors=authors, container=container, url=url)
    lines = ris_text([one]).split("\r\n")
    assert sum(line.startswith("TY  - ") for line in lines) == 1
    assert sum(line.startswith("ER  - ") for line in lines) == 1
    assert braces(bibtex_text([one])) == 0
    assert json.loads(json.dumps(csl_item(one)))["title"] == title


# Over HTTP


@pytest.mark.parametrize(
    ("path", "sources"),
    [
        ("/v1/sources/foster-2001", ["foster-2001"]),
        ("/v1/studies/foster-2001", ["foster-2001", "afp-2001-low-back-pain-digest"]),
        ("/v1/treatments/onabotulinumtoxina", ["botox-label-gb", "botox-label-za"]),
        ("/v1/claims/c14", ["metropolmed-botox-neck-back-pain", "waseem-2011-plain-language-summary"]),
        ("/v1/outcomes/pain-relief-50", []),
    ],
)
def test_a_record_hands_out_its_sources_in_its_own_order(
    seed_client: TestClient, path: str, sources: list[str]
) -> None:
    items = seed_client.get(path, params={"format": "csl-json"}).json()
    assert [item["id"] for item in items] == sources
    ris = seed_client.get(path, headers={"Accept": "application/x-research-info-systems"})
    assert ris.headers["content-type"].split(";")[0] == "application/x-research-info-systems"
    assert re.findall(r"^ID  - (.*)\r$", ris.text, re.MULTILINE) == sources
    assert (
        re.findall(r"^@\w+\{(.*),$", seed_client.get(path, params={"format": "bibtex"}).text, re.MULTILINE) == sources
    )
    assert len(seed_client.get(path, params={"format": "vancouver"}).text.splitlines()) == len(sources)
