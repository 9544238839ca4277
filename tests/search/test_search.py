"""Search and suggestions over HTTP, on both engines: what finds what, in which order, what is marked and refused."""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from app.db.database import Database
from app.errors import Unavailable
from app.main import create_app
from app.models import RESOURCES
from app.reports.search import counts
from app.reports.search.results import read_search
from app.reports.search.schemas import SearchQuery
from app.search import engine, result_set
from app.search.expressions import AllOf, AnyOf, Token, Without, holds, phrase
from app.search.index_entries import kinds_in_order
from app.search.tokens import distance, tokens, variants
from app.settings import Settings
from app.store.examples import RELEASE
from tests.support.api import Api, problem_of

ONA = ("treatments", "onabotulinumtoxina")


def search(client: TestClient, q: str, **asked: Any) -> dict[str, Any]:
    answer = client.get("/v1/search", params={"q": q, **asked})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def keys(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(hit["kind"], hit["id"]) for hit in found["items"]]


def every_key(client: TestClient, q: str, **asked: Any) -> list[tuple[str, str]]:
    """All that a search finds, page by page."""
    held: list[tuple[str, str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = search(client, q, **asked, **cursor)
        held += keys(page)
        if page["next"] is None:
            return held
        cursor = {"cursor": page["next"]}


def marked(hit: dict[str, Any]) -> list[str]:
    return [segment["text"] for segment in hit["snippet"] if segment["is_match"]]


# What is found


def test_a_brand_name_finds_its_treatment_and_everything_about_it(seed_client: TestClient) -> None:
    found = search(seed_client, "Botox", limit=200)
    assert keys(found)[0] == ONA
    assert found["items"][0]["match"] == "name"
    about = seed_client.get("/v1/approvals", params={"treatment": ONA[1], "limit": 200}).json()["items"]
    assert {("approvals", one["id"]) for one in about} <= set(keys(found))
    assert "Oculinum" in found["followed"]["botox"]


def test_case_diacritics_and_spelled_out_umlauts_do_not_matter(seed_client: TestClient) -> None:
    wanted = every_key(seed_client, "Göbel")
    assert ("sources", "gobel-2006") in wanted
    for spelled in ("gobel", "GÖBEL", "Go\u0308bel", "goebel"):
        assert set(every_key(seed_client, spelled)) >= set(wanted), spelled


@pytest.mark.parametrize(
    ("typed", "meant"), [("botoks", "botox"), ("migrane", "migraine"), ("dysfagia", "dysphagia"), ("Daxify", "daxxify")]
)
def test_a_mistyped_name_is_taken_for_the_nearest_one(seed_client: TestClient, typed: str, meant: str) -> None:
    found = search(seed_client, typed)
    assert meant in found["corrected"][typed.lower()]
    assert keys(found)[:3] == keys(search(seed_client, meant))[:3]


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("10.1212/wnl.56.10.1290", ("sources", "foster-2001")),
        ("https://doi.org/10.1212/WNL.56.10.1290", ("sources", "foster-2001")),
        ("11376175", ("sources", "foster-2001")),
        ("NCT00156910", ("studies", "preempt-1")),
        ("M03AX01", ONA),
        ("c20", ("claims", "c20")),
    ],
)
def test_an_identifier_finds_its_record_first(seed_client: TestClient, code: str, first: tuple[str, str]) -> None:
    found = search(seed_client, code)
    assert keys(found)[0] == first
    assert found["items"][0]["match"] == "identifier"
    assert sum(group["count"] for group in found["groups"]) >= 1


def test_all_words_must_match_and_a_phrase_word_by_word(seed_client: TestClient) -> None:
    both = set(every_key(seed_client, "migraine dysphagia"))
    assert both <= set(every_key(seed_client, "migraine")) & set(every_key(seed_client, "dysphagia"))
    loose, strict = every_key(seed_client, "pain neck"), every_key(seed_client, '"pain neck"')
    assert set(strict) < set(loose)
    assert set(every_key(seed_client, '"neck pain"')) <= set(loose)


def test_a_star_completes_a_word(seed_client: TestClient) -> None:
    assert set(every_key(seed_client, "blephar*")) >= set(every_key(seed_client, "blepharospasm")) != set()
    assert every_key(seed_client, "b* spasticity") == every_key(seed_client, "b spasticity")


def test_where_no_record_has_all_words_those_with_most_of_them_are_given(seed_client: TestClient) -> None:
    found = search(seed_client, "blepharospasm zzzzqqqq")
    assert found["matched"] == "some"
    assert keys(found) == keys(search(seed_client, "blepharospasm"))
    assert search(seed_client, "blepharospasm")["matched"] == "all"


def test_the_thing_itself_stands_above_what_mentions_it(seed_client: TestClient) -> None:
    for kind in ("treatments", "conditions", "outcomes"):
        for record in seed_client.get(f"/v1/{kind}", params={"limit": 200}).json()["items"]:
            found = search(seed_client, record["name"], limit=3)
            assert keys(found)[0] == (kind, record["id"]), record["name"]


# What is shown


def test_a_hit_says_where_it_matched_and_marks_the_words(seed_client: TestClient) -> None:
    hit = next(item for item in search(seed_client, "smooth wrinkles")["items"] if item["kind"] == "claims")
    claim = seed_client.get(f"/v1/claims/{hit['id']}").json()
    assert hit["field"] == "quote"
    assert set(marked(hit)) == {"smooth", "wrinkles"}
    assert "".join(segment["text"] for segment in hit["snippet"]).strip("…") in claim["quote"]
    assert hit["url"].endswith(f"/v1/claims/{hit['id']}")


def test_what_is_found_through_another_record_names_the_field_that_refers_to_it(seed_client: TestClient) -> None:
    hit = search(seed_client, "botox", kind="indications")["items"][0]
    assert (hit["field"], hit["match"]) == ("treatment", "about")
    assert marked(hit) == ["Botox"]


def test_groups_count_every_kind_whatever_is_chosen(seed_client: TestClient) -> None:
    every = every_key(seed_client, "dysphagia")
    found = search(seed_client, "dysphagia", kind="claims")
    assert {group["kind"]: group["count"] for group in found["groups"]} == {
        kind: n for kind in kinds_in_order() if (n := sum(one[0] == kind for one in every))
    }
    assert all(not group["is_at_least"] for group in found["groups"])
    assert {key[0] for key in keys(found)} <= {"claims"}


def test_the_pages_hold_each_record_once_and_all_of_them(seed_client: TestClient) -> None:
    for q in ("pain", "botox", "migraine", "NCT00156910"):
        whole = every_key(seed_client, q, limit=200)
        assert every_key(seed_client, q, limit=7) == whole
        assert len(set(whole)) == len(whole)
        assert sum(group["count"] for group in search(seed_client, q)["groups"]) == len(whole)


def test_a_page_links_to_the_next_one(seed_client: TestClient) -> None:
    answer = seed_client.get("/v1/search", params={"q": "pain", "limit": 5, "treatment": ONA[1]})
    assert answer.links["next"]["url"].endswith(answer.json()["next"])
    assert seed_client.get(answer.links["next"]["url"]).json()["items"][0] not in answer.json()["items"]


def test_a_search_is_narrowed_by_what_records_are_about(seed_client: TestClient) -> None:
    narrowed = every_key(seed_client, "dysphagia", treatment="rimabotulinumtoxinb")
    assert narrowed
    for kind, record_id in narrowed:
        text = seed_client.get(f"/v1/{kind}/{record_id}").text
        assert '"rimabotulinumtoxinb"' in text
    both = every_key(seed_client, "pain", treatment=ONA[1], condition=["fibromyalgia", "chronic-neck-pain"])
    assert set(both) <= set(every_key(seed_client, "pain", treatment=ONA[1]))
    unknown = seed_client.get("/v1/search", params={"q": "pain", "treatment": "no-such-treatment"})
    assert (unknown.status_code, unknown.json()["errors"][0]["parameter"]) == (422, "treatment")


def test_fields_and_include_show_less_and_more(seed_client: TestClient) -> None:
    plain = search(seed_client, "foster 2001", fields="title", include="record,treatment,sources")
    assert plain["items"][0].keys() == {"kind", "id", "title"}
    included = plain["included"]
    assert included["studies"]["foster-2001"] == seed_client.get("/v1/studies/foster-2001").json()
    assert "onabotulinumtoxina" in included["treatments"]
    assert "foster-2001" in included["sources"]


def test_facets_of_a_search_leave_their_own_filter_out(seed_client: TestClient) -> None:
    found = search(seed_client, "dysphagia", treatment=ONA[1], kind="side-effects", facet="treatment,kind,condition")
    by_treatment = {value["value"]: value["count"] for value in found["facets"]["treatment"]["values"]}
    for treatment, count in by_treatment.items():
        assert len(every_key(seed_client, "dysphagia", kind="side-effects", treatment=treatment)) == count
    assert {one["value"] for one in found["facets"]["kind"]["values"]} == {group["kind"] for group in found["groups"]}
    conditions = found["facets"]["condition"]
    counted = sum(one["count"] for one in conditions["values"]) + conditions["missing"]
    assert counted >= len(keys(found))
    assert not conditions["is_at_least"]
    assert conditions["counted"] == found["groups"][0]["count"]


def test_facets_say_among_how_many_they_were_counted(seed_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_set, "MOST_COUNTED", 3)
    monkeypatch.setattr(counts, "MOST_COUNTED", 3)
    facets = search(seed_client, "dysphagia", facet="kind,treatment")["facets"]
    assert [facets[name]["is_at_least"] for name in facets] == [True, True]
    assert facets["treatment"]["counted"] == 3
    assert facets["kind"]["counted"] == sum(one["count"] for one in facets["kind"]["values"])
    assert {value["count"] for value in facets["kind"]["values"]} <= {1, 2, 3}


def test_a_release_is_searched_as_it_was_frozen(seed_client: TestClient) -> None:
    live, frozen = search(seed_client, "botox migraine"), search(seed_client, "botox migraine", release=RELEASE)
    assert keys(frozen) == keys(live)
    assert frozen["groups"] == live["groups"]
    assert all(f"release={RELEASE}" in hit["url"] for hit in frozen["items"])


# What is kept up to date


def test_a_part_is_found_alike_in_what_is_at_hand_and_in_the_index(
    seed_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (
        '"neck pain" botox',
        '"pain neck" botox',
        '"pain the neck"',
        "dysphagia trial*",
        "botox boxed warning",
        "migrane units",
        "blepharospasm zzzzqqqq",
    )
    narrowed: list[dict[str, Any]] = [
        {},
        {"treatment": ONA[1]},
        {"kind": ["claims", "side-effects"], "facet": "treatment"},
    ]
    monkeypatch.setitem(seed_client.headers, "Range", "bytes=0-")  # which the response cache does not answer
    few = [search(seed_client, q, **more, limit=200) for q in asked for more in narrowed]
    monkeypatch.setattr(result_set, "MOST_COUNTED", 3)
    monkeypatch.setattr(counts, "MOST_COUNTED", 3)
    many = [search(seed_client, q, **more, limit=200) for q in asked for more in narrowed]
    assert [keys(found) for found in many] == [keys(found) for found in few]
    capped = [
        [(group["kind"], min(group["count"], 3), group["count"] > 3) for group in found["groups"]] for found in few
    ]
    assert [[(one["kind"], one["count"], one["is_at_least"]) for one in found["groups"]] for found in many] == capped
    monkeypatch.setattr(engine, "MOST_GATHERED", 0)
    assert [search(seed_client, q, **more, limit=200) for q in asked for more in narrowed] == many


def test_a_warning_of_a_class_is_found_by_the_names_of_its_products(seed_client: TestClient) -> None:
    for name in ("botox", "Xeomin", "daxxify", "oculinum"):
        assert ("warnings", "botulinum-toxin-distant-spread-us") in every_key(seed_client, f"{name} boxed warning"), (
            name
        )
    assert ("warnings", "onabotulinumtoxina-hypersensitivity-us") not in every_key(seed_client, "xeomin")


def test_a_written_record_is_found_at_once_and_a_withdrawn_one_no_more(api: Api) -> None:
    made = api.condition(name="Zorblatt ache", synonyms=["Quuxitis"])
    key = ("conditions", made["id"])
    assert key in keys(search(api.client, "quuxitis"))
    assert key == keys(search(api.client, "zorblat ache"))[0]
    answer = api.ask("PATCH", f"/v1/conditions/{made['id']}", {"synonyms": ["Frobosis"]}, If_Match='"1"')
    assert answer.status_code == 200, answer.text
    assert key not in keys(search(api.client, '"quuxitis"'))
    assert key in keys(search(api.client, "frobosis"))
    reason = quote("made up")
    answer = api.ask("DELETE", f"/v1/conditions/{made['id']}?reason={reason}", If_Match='"2"')
    assert answer.status_code in (200, 204), answer.text
    assert key not in keys(search(api.client, "frobosis"))
    assert api.client.get("/v1/suggest", params={"q": "frobo"}).json()["items"] == []


def test_a_new_name_of_a_thing_is_found_through_what_is_about_it(api: Api) -> None:
    before = api.client.get("/v1/treatments/daxibotulinumtoxina")
    answer = api.ask(
        "PATCH", "/v1/treatments/daxibotulinumtoxina", {"synonyms": ["Wibbletox"]}, If_Match=before.headers["etag"]
    )
    assert answer.status_code == 200, answer.text
    found = search(api.client, "wibbletox glabellar lines")
    assert ("approvals", "daxibotulinumtoxina-glabellar-lines-us") in keys(found)
    assert found["matched"] == "all"


# Suggestions


def suggested(client: TestClient, q: str, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get("/v1/suggest", params={"q": q, **asked})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_two_letters_suggest_what_begins_so_with_its_kind_and_page(seed_client: TestClient) -> None:
    first = suggested(seed_client, "bo")[0]
    assert (first["kind"], first["id"], first["label"]) == (*ONA, "Botox")
    assert seed_client.get(first["url"]).json()["name"] == first["name"]
    assert suggested(seed_client, "b") == []


def test_a_term_leads_to_the_records_that_have_it(seed_client: TestClient) -> None:
    term = next(one for one in suggested(seed_client, "dysph") if one["kind"] == "side-effects")
    assert term["id"] is None
    split = urlsplit(term["url"])
    listed = seed_client.get(split.path, params={**parse_qs(split.query), "count": "exact"}).json()
    assert listed["total"] == term["count"]


def test_a_later_word_of_a_name_is_enough_and_a_slip_is_forgiven(seed_client: TestClient) -> None:
    assert "chronic-migraine" in [one["id"] for one in suggested(seed_client, "migr")]
    answer = seed_client.get("/v1/suggest", params={"q": "chronic migrane"}).json()
    assert [item["id"] for item in answer["items"]] == ["chronic-migraine"]
    assert answer["corrected"] == {"migrane": ["migraine"]}


def test_suggestions_are_few_and_may_be_kept(seed_client: TestClient) -> None:
    assert len(suggested(seed_client, "pa", limit=3)) == 3
    assert {one["kind"] for one in suggested(seed_client, "pain", kind="outcomes")} == {"outcomes"}
    answer = seed_client.get("/v1/suggest", params={"q": "bot"})
    assert answer.headers["cache-control"].startswith("public, max-age=")
    again = seed_client.get("/v1/suggest", params={"q": "bot"}, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert len(answer.content) < 4000


# Bad input

ODD = [
    "",
    " ",
    "!!! ??? ...",
    "the of and",
    '"',
    '"" "',
    "((( [[ }}",
    "AND OR NOT NEAR(",
    "* ** a* -b +c ^d",
    "name:botox {x}",
    "'; DROP TABLE source; --",
    "😀 💉",
    "\u202eotob\u202c \u200f\u200b",
    "a" * 500,
    "x " * 250,
    "ⁿbotox ᵃbotox ᵉbotox ·treatments·onabotulinumtoxina",
    "%_\\ \\' <script>alert(1)</script>",
    "½ ﬁ ™ Ⅷ",
]


@pytest.mark.parametrize("q", ODD, ids=range(len(ODD)))
def test_odd_questions_are_answered(seed_client: TestClient, q: str) -> None:
    found = search(seed_client, q, facet="kind,treatment", include="record")
    assert len(found["items"]) <= 20
    assert isinstance(suggested(seed_client, q), list)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(q=st.text(max_size=80))
def test_any_text_is_answered_or_refused_as_a_problem(seed_client: TestClient, q: str) -> None:
    for path in ("/v1/search", "/v1/suggest"):
        answer = seed_client.get(f"{path}?q={quote(q.encode('utf-8', 'surrogatepass'))}")
        if answer.status_code != 200:
            assert answer.status_code in (400, 422), q
            assert answer.headers["content-type"] == "application/problem+json"


def test_what_holds_no_word_finds_nothing(seed_client: TestClient) -> None:
    for q in ("", "!!!", "😀"):
        found = search(seed_client, q)
        assert (found["items"], found["groups"], found["next"]) == ([], [], None)


@pytest.mark.parametrize("raw", ["%00", "a%00b", "%FF", "%ED%A0%80"])
def test_nul_and_what_is_not_utf8_is_refused(seed_client: TestClient, raw: str) -> None:
    for path in ("/v1/search", "/v1/suggest"):
        problem_of(seed_client.get(f"{path}?q={raw}"), 400, "bad-request")


def test_a_wrong_search_says_what_is_wrong(seed_client: TestClient) -> None:
    problem_of(seed_client.get("/v1/search"), 422, "invalid-parameter", "q")
    problem_of(seed_client.get("/v1/search", params={"q": "a" * 501}), 422, "invalid-parameter", "q")
    problem_of(seed_client.get("/v1/search?q=a&q=b"), 422, "invalid-parameter", "q")
    problem_of(seed_client.get("/v1/search?q=a&kind=treatment"), 422, "invalid-parameter", "kind")
    problem_of(seed_client.get("/v1/search?q=a&treatment=Bad+Slug"), 422, "invalid-parameter", "treatment")
    problem_of(seed_client.get("/v1/search?q=a&facet=verdict"), 422, "invalid-parameter", "facet")
    problem_of(seed_client.get("/v1/search?q=a&fields=nmae"), 422, "invalid-parameter", "fields")
    problem_of(seed_client.get("/v1/search?q=a&include=no-such"), 422, "invalid-parameter", "include")
    problem_of(seed_client.get("/v1/search?q=a&limit=201"), 422, "invalid-parameter", "limit")
    problem_of(seed_client.get("/v1/search?query=a"), 422, "invalid-parameter", "query")
    problem_of(seed_client.get("/v1/suggest?q=bo&limit=21"), 422, "invalid-parameter", "limit")
    problem_of(seed_client.get("/v1/suggest?q=bo&kind=claims"), 422, "invalid-parameter", "kind")


def test_a_cursor_belongs_to_its_search(seed_client: TestClient) -> None:
    cursor = search(seed_client, "pain", limit=5)["next"]
    problem_of(seed_client.get("/v1/search", params={"q": "pains", "cursor": cursor}), 400, "bad-cursor")
    problem_of(
        seed_client.get("/v1/search", params={"q": "pain", "kind": "claims", "cursor": cursor}), 400, "bad-cursor"
    )
    problem_of(seed_client.get("/v1/search", params={"q": "pain", "cursor": "x"}), 400, "bad-cursor")
    listed = seed_client.get("/v1/claims?limit=1").json()["next"]
    problem_of(seed_client.get("/v1/search", params={"q": "pain", "cursor": listed}), 400, "bad-cursor")


# What takes too long

ENDLESS = """CREATE VIEW search_name AS
WITH RECURSIVE endless (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM endless)
SELECT 'treatments' AS kind, CAST(i AS TEXT) AS beginning, '' AS label, '' AS id, i > 0 AS is_whole, i AS n
FROM endless"""
"""A table of names without an end, so that a query over it never finishes."""


def test_a_search_without_an_end_is_cut_off_with_a_503(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("ALTER TABLE search_name RENAME TO real_names"))
        connection.execute(text(ENDLESS))
    settings = Settings(database_url=database.url, query_seconds=0.2)
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000") as client:
        for path in ("/v1/search", "/v1/suggest"):
            answer = client.get(path, params={"q": "botox"})
            problem_of(answer, 503, "unavailable")
            assert "cut off" in answer.json()["detail"]
            assert answer.headers["retry-after"] == "1"
        assert client.get("/v1/search", params={"q": "!!!"}).json()["items"] == []


def test_a_search_is_cut_off_between_its_statements(seeded_database_url: str) -> None:
    database = Database(seeded_database_url, query_seconds=1e-9)
    with pytest.raises(Unavailable, match="cut off"), database.read() as connection:
        read_search(connection, SearchQuery("botox"), str)
    database.close()


# The pure parts


def test_no_two_resources_share_a_rank() -> None:
    ranks = [row.search_rank for row in RESOURCES.values()]
    assert len(set(ranks)) == len(ranks)
    assert all(0 < rank < 1000 for rank in ranks)


def test_a_line_holds_what_the_full_text_would_find_in_it() -> None:
    line = "ⁿneck ⁿpain · ᵃbotox ·treatments·botox neck pain · of the neck"
    asked = ["neck", "nec", "botox", "ᵃbotox", "pain neck", "neck pain", "pain of", "ⁿneck ⁿpain", "·treatments·botox"]
    found = {words for words in asked if holds(line, phrase(words.split()))}
    assert found == {"neck", "ᵃbotox", "neck pain", "ⁿneck ⁿpain", "·treatments·botox"}
    assert holds(line, Token("nec", is_prefix=True))
    assert not holds(line, Token("bot", is_prefix=True))
    neck, botox = Token("neck"), Token("botox")
    assert [holds(line, one) for one in (AllOf((neck, botox)), AnyOf((neck, botox)))] == [False, True]
    assert [holds(line, one) for one in (Without(neck, botox), Without(neck, neck))] == [True, False]


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = tokens(text)
    assert tokens(" ".join(once)) == once


@given(st.text("abcs", max_size=6), st.text("abcs", max_size=6))
def test_slips_are_counted_alike_from_both_sides(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)


def test_words_are_folded_and_varied_as_the_guide_says() -> None:
    assert tokens("Göbel's SF-36, Straße ½ Ørsted") == ["gobel", "s", "sf", "36", "strasse", "1", "2", "orsted"]
    assert variants("migraines") == ("migraines", "migraine")
    assert "dyspnea" in variants("dyspnoea")
    assert distance("botoks", "botox") == 2
    assert distance("migriane", "migraine") == 1
