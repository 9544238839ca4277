"""Search as people type and paste: identifiers with what surrounds them, words written together, unseen characters."""

import pytest
from starlette.testclient import TestClient

from app.search.highlighting import Wanted, best_text
from app.search.identifiers import codes_in, keys_in
from app.search.query_parser import parse_query
from app.search.tokens import halves, tokens
from app.store.write.save import rename
from tests.search.test_search import keys, marked, search
from tests.support.api import Api

FOSTER = ("sources", "foster-2001")
PREEMPT = ("studies", "preempt-1")


@pytest.mark.parametrize(
    ("typed", "first", "shown"),
    [
        ("doi.org/10.1212/WNL.56.10.1290", FOSTER, "10.1212/wnl.56.10.1290"),
        ("doi 10.1212/wnl.56.10.1290", FOSTER, "10.1212/wnl.56.10.1290"),
        ("10.1212/WNL.56.10.1290.", FOSTER, "10.1212/wnl.56.10.1290"),
        ("(10.1212/wnl.56.10.1290)", FOSTER, "10.1212/wnl.56.10.1290"),
        ('"10.1212/wnl.56.10.1290"', FOSTER, "10.1212/wnl.56.10.1290"),
        ("https://doi.org/10.1212%2Fwnl.56.10.1290", FOSTER, "10.1212/wnl.56.10.1290"),
        ("https://www.neurology.org/doi/10.1212/wnl.56.10.1290/full?x=1", FOSTER, "10.1212/wnl.56.10.1290"),
        ("Foster 2001, Neurology 56:1290. doi:10.1212/WNL.56.10.1290.", FOSTER, "10.1212/wnl.56.10.1290"),
        ("pmid 11376175", FOSTER, "11376175"),
        ("PMID11376175", FOSTER, "11376175"),
        ("PubMed 11376175", FOSTER, "11376175"),
        ("11376175.", FOSTER, "11376175"),
        ("https://pubmed.ncbi.nlm.nih.gov/11376175/", FOSTER, "11376175"),
        ("https://www.ncbi.nlm.nih.gov/pubmed/11376175", FOSTER, "11376175"),
        ("NCT 00156910", PREEMPT, "NCT00156910"),
        ("nct:00156910", PREEMPT, "NCT00156910"),
        ("https://clinicaltrials.gov/study/NCT00156910", PREEMPT, "NCT00156910"),
        ("ATC M03AX01", ("treatments", "onabotulinumtoxina"), "M03AX01"),
        ("mesh:D009128", ("conditions", "spasticity"), "D009128"),
        ("rxcui:1789953", ("treatments", "abobotulinumtoxina"), "1789953"),
        ("claims/c20", ("claims", "c20"), "c20"),
        ("http://127.0.0.1:8000/v1/claims/c20?release=x", ("claims", "c20"), "c20"),
        ("c20.", ("claims", "c20"), "c20"),
    ],
)
def test_an_identifier_is_known_however_it_is_written(
    seed_client: TestClient, typed: str, first: tuple[str, str], shown: str
) -> None:
    found = search(seed_client, typed)
    hit = found["items"][0]
    assert (hit["kind"], hit["id"], hit["match"]) == (*first, "identifier")
    assert marked(hit) == [shown]
    assert found["corrected"] == {}, "what finds the record is not taken for something else"


def test_a_former_id_finds_the_record(api: Api) -> None:
    made = api.condition(name="made-up ache")
    rename(api.database, "conditions", made["id"], f"{made['id']}-now", author="test")
    hit = search(api.client, made["id"])["items"][0]
    assert (hit["id"], hit["match"]) == (f"{made['id']}-now", "identifier")


@pytest.mark.parametrize(
    ("typed", "apart"),
    [
        ("botulinumtoxin", "botulinum toxin"),
        ("backpain", "back pain"),
        ("backpains", "back pain"),
        ("SF36", "SF 36"),
        ("PREEMPT2", "PREEMPT 2"),
        ("sideeffects of botox", "side effects of botox"),
        ("155U botox", "155 U botox"),
    ],
)
def test_words_written_together_are_taken_apart(seed_client: TestClient, typed: str, apart: str) -> None:
    found, meant = search(seed_client, typed), search(seed_client, apart)
    assert keys(found) == keys(meant) != []
    assert (found["matched"], found["groups"], found["followed"]) == ("all", meant["groups"], meant["followed"])
    (words,) = found["corrected"].values()
    assert words[0] in apart.lower()


def test_characters_that_nobody_sees_do_not_part_a_word(seed_client: TestClient) -> None:
    for typed in ("bo\u200btox", "bo\u00adtox", "\ufeffbotox", "bot\u2060ox", "bo\u200dtox\u200f"):
        assert keys(search(seed_client, typed)) == keys(search(seed_client, "botox")), typed
        answer = seed_client.get("/v1/suggest", params={"q": typed}).json()
        assert answer["items"][0]["label"] == "Botox", typed


def test_no_piece_of_a_code_that_nobody_has_is_looked_for(seed_client: TestClient) -> None:
    for code in ("G24.3", "G43.709", "M62.838"):
        assert search(seed_client, code)["groups"] == [], code
    assert keys(search(seed_client, "G24.3 cervical dystonia")) == keys(search(seed_client, "cervical dystonia"))


def test_two_products_against_each_other_are_both_asked_for(seed_client: TestClient) -> None:
    for typed in ("botox vs dysport", "botox versus dysport", "Botox vs. Dysport"):
        found = search(seed_client, typed)
        assert (found["matched"], keys(found)) == ("all", keys(search(seed_client, "botox dysport")))


def test_a_phrase_is_marked_where_it_stands_and_nowhere_else(seed_client: TestClient) -> None:
    for hit in search(seed_client, '"the release of acetylcholine"')["items"]:
        assert "".join(marked(hit)) == "thereleaseofacetylcholine"
    spread = Wanted(frozenset({"botox"}), phrases=(("spread", "of", "toxin"),))
    texts = [("near", "Botox: of a toxin, the spread"), ("there", "Botox and the Spread of toxin; of others")]
    best = best_text(texts, spread)
    assert best is not None
    assert (best[0], [one.token for one in best[2]]) == ("there", ["botox", "spread", "of", "toxin"])


def test_what_is_found_by_its_id_says_so(seed_client: TestClient) -> None:
    hit = next(hit for hit in search(seed_client, "Göbel")["items"] if hit["kind"] == "studies")
    assert (hit["field"], marked(hit)) == ("id", ["gobel"])


def test_a_side_effect_that_a_warning_names_is_suggested_and_forgiven_a_slip(seed_client: TestClient) -> None:
    warning = ("warnings", "botulinum-toxin-distant-spread-us")
    for typed in ("difficulty in sw", "swallow", "double vis", "Death"):
        items = seed_client.get("/v1/suggest", params={"q": typed}).json()["items"][:5]
        found = next(item for item in items if item["kind"] == "warnings")
        assert (found["id"], found["count"], found["name"]) == (None, 1, found["label"]), typed
        assert keys(seed_client.get(found["url"]).json()) == [warning], typed
    assert search(seed_client, "difficulty swalowing")["corrected"] == {"swalowing": ["swallowing"]}
    assert keys(search(seed_client, "difficulty swalowing"))[0] == warning
    assert not seed_client.get("/v1/suggest", params={"q": "swallow", "kind": "side-effects"}).json()["items"]


# The pure parts


def test_codes_are_found_in_any_text_and_never_too_much_of_it() -> None:
    assert "10.1/x" not in codes_in("10.1/x y")
    assert codes_in("see 10.1212/a(1)b).") >= {"10.1212/a(1)b"}
    assert codes_in("NCT00156910 and PMC12, PMID: 7") >= {"nct00156910", "pmc12", "7"}
    assert codes_in("") == codes_in(" .") - {"."} == set()
    assert not any("\x00" in code for code in codes_in("10.1212/%00"))
    assert all(len(code) <= 300 for code in codes_in("10.1234/" + "a/" * 240))
    assert keys_in("https://example.org/v1/claims/c20/#x") == [("claims", "c20")]
    assert keys_in("claims about /c20") == []


def test_a_token_is_halved_between_letters_and_digits_or_anywhere_inside() -> None:
    assert halves("sf36") == [("sf", "36")]
    assert halves("backpain") == [("bac", "kpain"), ("back", "pain"), ("backp", "ain")]
    assert halves("2010") == halves("botox") == []


def test_a_question_is_parted_with_its_places_kept(seed_client: TestClient) -> None:
    parted = parse_query('the backpain "neck pain" botox*').parted({1: ("back", "pain")})
    assert parted.words == ("the", "back", "pain", "neck", "pain", "botox")
    assert [(piece.words, piece.start) for piece in parted.pieces] == [
        (("back",), 1),
        (("pain",), 2),
        (("neck", "pain"), 3),
        (("botox",), 5),
    ]
    assert search(seed_client, f'"{"pain " * 40}" backpain')["corrected"] == {"backpain": ["back pain"]}
    assert tokens("soft\u00adhyphen \u200f") == ["softhyphen"]
