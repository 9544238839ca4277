"""The search page: a plain form that finds what the API finds, says what it searched for, and takes anything calmly."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from app.pages.templates import asset
from app.store.examples import RELEASE
from tests.pages.test_pages import get, read


def test_every_page_has_the_box_and_the_search_page_has_it_once(seed_client: TestClient) -> None:
    for path in ("/", "/claims", "/treatments/onabotulinumtoxina", "/problems", "/search", "/search?q=botox"):
        assert get(seed_client, path).text.count('<form class="search" role="search" action="/search">') == 1, path
    assert 'name="q" value="botox &lt;b&gt;"' in get(seed_client, "/search?q=botox+%3Cb%3E").text


def test_it_finds_what_the_api_finds_grouped_by_kind_with_the_match_marked(seed_client: TestClient) -> None:
    page = get(seed_client, "/search?q=dysphagia").text
    found = seed_client.get("/v1/search?q=dysphagia").json()
    for one in found["items"]:
        assert f"/{one['id']}" in page or f"#{one['id']}" in page, one
    for group in found["groups"]:
        if group["count"]:
            assert f'href="/search?q=dysphagia&amp;kind={group["kind"]}"' in page
            assert f"<b>{group['count']}</b>" in page
    headings = re.findall(r"<h2>([^<]+)</h2>", page)
    order = dict.fromkeys(item["kind"] for item in found["items"])
    assert [heading.lower().replace(" ", "-") for heading in headings] == list(order)
    assert re.search("<mark>[Dd]ysphagia</mark>", page)


def test_a_result_leads_to_the_page_that_shows_it_and_else_to_its_json(seed_client: TestClient) -> None:
    text = get(seed_client, "/search?q=dysphagia").text
    assert '<a href="/v1/outcomes/' in text
    assert '</a> <span class="quiet">JSON</span>' in text
    text = get(seed_client, "/search?q=migraine&kind=approvals").text
    target = "/indications/onabotulinumtoxina-chronic-migraine#onabotulinumtoxina-chronic-migraine-us"
    assert f'href="{target}"' in text
    assert target.partition("#")[2] in read(seed_client, target.partition("#")[0]).ids


def test_a_side_effect_leads_to_the_page_of_its_use_which_shows_every_row(seed_client: TestClient) -> None:
    target = "/indications/onabotulinumtoxina-chronic-migraine#compel-eyelid-ptosis"
    assert target in read(seed_client, "/search?q=botox+eyelid+ptosis").links
    assert "compel-eyelid-ptosis" in read(seed_client, target.partition("#")[0]).ids


def test_a_kind_narrows_and_stands_in_the_address(seed_client: TestClient) -> None:
    text = get(seed_client, "/search?q=migraine&kind=approvals").text
    assert re.findall(r"<h2>([^<]+)</h2>", text) == ["Approvals"]
    assert 'href="/search?q=migraine&amp;kind=approvals" aria-current="true"' in text
    assert get(seed_client, "/search?q=dysphagia&kind=&cursor=&release=").status_code == 200


def test_the_pages_of_a_search_give_every_result_once(seed_client: TestClient) -> None:
    found = seed_client.get("/v1/search?q=botox&kind=side-effects&limit=200").json()
    wanted = {item["id"] for item in found["items"]}
    assert len(wanted) > 20
    address, shown = "/search?q=botox&kind=side-effects", []
    while address:
        page = read(seed_client, address)
        shown += [
            link.partition("#")[2]
            for link in page.links
            if link.startswith(("/treatments/", "/indications/")) and "#" in link
        ]
        address = next((link for link in page.links if "cursor=" in link), "")
        if address:
            assert parse_qs(urlsplit(address).query)["kind"] == ["side-effects"]
    assert sorted(shown) == sorted(wanted)
    assert "/search?q=botox&kind=side-effects" in page.links, "the way back"


def test_it_says_what_it_searched_for_instead(seed_client: TestClient) -> None:
    words = read(seed_client, "/search?q=botoks").words
    assert "No record says botoks. Searched for botox instead." in words
    assert "botox is also called" in words
    assert "No record holds all these words." in read(seed_client, "/search?q=blepharospasm+zzzzqqqq").words


@pytest.mark.parametrize("asked", ["", "?q=", "?q=%20%20", "?q=&kind=claims"])
def test_without_a_question_it_says_how_to_ask_one(seed_client: TestClient, asked: str) -> None:
    page = read(seed_client, f"/search{asked}")
    assert "words stand together" in page.words
    examples = [link for link in page.links if link.startswith("/search?q=")]
    assert examples
    assert all("Nothing matches" not in read(seed_client, example).words for example in examples)


@pytest.mark.parametrize(
    "asked",
    [
        "zzzzqqqqzzzz",
        "%22",
        "*",
        "%F0%9F%92%89",
        "'%20OR%201=1%20--",
        "%3Cb%3Ex%3C/b%3E",
        "((",
        "NEAR(a",
        "a" * 500,
    ],
    ids=range(9),
)
def test_odd_questions_are_told_calmly(seed_client: TestClient, asked: str) -> None:
    page = read(seed_client, f"/search?q={asked}")
    assert "Search" in page.words
    assert not [link for link in page.links if link.startswith("javascript:")]


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("q=" + "a" * 501, 422, "500"),
        ("q=%00", 400, "NUL"),
        ("q=botox&kind=nothing", 422, "kind"),
        ("q=botox&cursor=strange", 400, "cursor"),
        (f"q=botox&release={RELEASE[:-1]}", 404, RELEASE),
    ],
)
def test_what_cannot_be_asked_is_a_page_that_says_so(
    seed_client: TestClient, asked: str, status: int, said: str
) -> None:
    assert said in read(seed_client, f"/search?{asked}", status).words


def test_a_release_stays_in_the_form_and_in_every_result(seed_client: TestClient) -> None:
    text = get(seed_client, f"/search?q=dysphagia&release={RELEASE}").text
    assert f'<input type="hidden" name="release" value="{RELEASE}">' in text
    results = [
        link for link in read(seed_client, f"/search?q=dysphagia&release={RELEASE}").links if "/assets/" not in link
    ]
    records = [link for link in results if link.startswith(("/v1/search", "/claims/", "/search?", "/study-results/"))]
    assert len(records) > 5
    assert [link for link in records if f"release={RELEASE}" not in link] == ["/search?q=dysphagia"], "out of it"


def test_the_script_is_small_and_makes_no_markup_of_an_answer() -> None:
    script = asset("search.js")
    assert len(script) < 4_000
    assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


def test_it_is_narrowed_to_a_treatment_and_a_condition_in_the_address(seed_client: TestClient) -> None:
    text = get(seed_client, "/search?q=pain&condition=chronic-neck-pain&treatment=&utm_source=x").text
    found = seed_client.get("/v1/search?q=pain&condition=chronic-neck-pain&facet=treatment,condition").json()
    for name in ("treatment", "condition"):
        for value in found["facets"][name]["values"]:
            assert f'<option value="{value["value"]}"' in text
            assert f"({value['count']})" in text
    assert '<option value="chronic-neck-pain" selected>Chronic neck pain (' in text
    page = read(seed_client, "/search?q=pain&condition=chronic-neck-pain&treatment=botulinum-toxin")
    both = seed_client.get("/v1/search?q=pain&condition=chronic-neck-pain&treatment=botulinum-toxin").json()
    assert both["items"] != found["items"]
    assert all(any(item["id"] in link for link in page.links) for item in both["items"])
    kinds = [link for link in page.links if "&kind=" in link]
    assert kinds
    assert all({"treatment", "condition"} <= parse_qs(urlsplit(link).query).keys() for link in kinds)
    following = [link for link in page.links if "cursor=" in link]
    assert all("treatment=botulinum-toxin" in link for link in following)
    assert read(seed_client, "/search?q=pain&treatment=no-such-treatment", 422).words
    assert read(seed_client, "/search?q=pain&treatment=Not%20An%20Id", 422).words
