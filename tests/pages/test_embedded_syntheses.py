"""Syntheses in other people's pages and on pages of ours: every rung of the ladder, and what is learnt later."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from app import DISCLAIMER
from app.db.database import Database
from app.main import create_app
from app.models.sources import SourceRecord
from app.releases.build import build_release
from app.settings import Settings
from app.store.examples import RELEASE
from app.store.write.save import save_all
from tests.conftest import KEPT
from tests.pages.test_embeds import MOST_CARD_BYTES, Elements, lines_of
from tests.pages.test_pages import get, read
from tests.support.api import ADDRESS
from tests.support.hostile_records import ATTACK, QUESTION, hostile_records
from tests.support.schema_org import check

APART = {
    "treatment": "onabotulinumtoxina",
    "condition": "chronic-low-back-pain",
    "outcome": "pain-relief-50",
    "release": RELEASE,
}
"""A question of the seed whose two results are of the same people at two times."""
REASONS = ["time-frames-apart", "overlapping-reports"]


def kept(client: TestClient, **question: Any) -> str:
    """The hash under which the answer to a question is kept."""
    answer = client.get("/v1/syntheses", params=question)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["input_hash"])


@pytest.fixture(scope="module")
def synthesis_against_warnings(seed_client: TestClient) -> str:
    """The synthesis of the seed that was joined against two warnings."""
    return kept(seed_client, **APART, accept=REASONS)


@pytest.fixture(scope="module")
def synthesis_of_one_result(seed_client: TestClient) -> str:
    """The synthesis of one result."""
    return str(seed_client.get(KEPT).json()["input_hash"])


@pytest.fixture(scope="module")
def client_after_retraction(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, str]]:
    """The application over hostile records, and a synthesis of theirs after a retraction and a newer release."""
    folder = tmp_path_factory.mktemp("later")
    database = Database(f"sqlite:///{folder}/later.db")
    database.migrate()
    save_all(database, hostile_records(), author="made-up")
    build_release(database, folder, "made-up-1")
    settings = Settings(
        database_url=database.url, releases=str(folder), contact_url="https://made-up.example/report?a=1"
    )
    with TestClient(create_app(settings), base_url=ADDRESS, raise_server_exceptions=False) as client:
        found = kept(client, **QUESTION, release="made-up-1")
        assert "retracted" not in client.get(f"/embed/syntheses/{found}").text.split("Sources")[0]
        retracted, sound = (record for record in hostile_records() if isinstance(record, SourceRecord))
        withdrawn = sound.model_copy(update={"retraction": retracted.retraction, "curator_checked": None})
        save_all(database, [withdrawn], author="made-up")
        build_release(database, folder, "made-up-2")
        yield client, found
    database.close()


def test_the_card_tells_the_pooled_answer_in_words_with_its_plot_and_what_was_accepted(
    seed_client: TestClient, synthesis_against_warnings: str
) -> None:
    answer = seed_client.get(f"/embed/syntheses/{synthesis_against_warnings}")
    page = Elements(answer.text)
    assert answer.status_code == 200
    assert len(answer.content) <= MOST_CARD_BYTES
    for said in (
        "OnabotulinumtoxinA increases",
        "Of 1,000 people, about 250 have the outcome with placebo",
        "Risk ratio 3.41 (95% CI 1.61 to 7.23)",
        "2 study results count, with 62 people. Some people are counted more than once.",
        "How certain this evidence is (GRADE) has not been rated.",
        "Joined against a warning: the time frames lie up to 35 days apart",
        "United States",
        f"Release {RELEASE}, revision 1 of ",
        DISCLAIMER,
    ):
        assert said in page.text, said
    assert len(page.all("svg")) == 1
    assert page.all("h1") == [{}]
    assert [tag for tag, given in page.tags if "src" in given or "style" in given or tag == "img"] == []
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    told = seed_client.get(f"/v1/syntheses/{synthesis_against_warnings}/card").json()
    assert told["picture"]["src"] == f"{ADDRESS}/v1/syntheses/{synthesis_against_warnings}?format=svg"
    assert seed_client.get(told["picture"]["src"]).headers["content-type"] == "image/svg+xml"
    assert told["judgements"][0] == {"text": "Favours OnabotulinumtoxinA", "tone": "care"}


def test_the_badge_says_what_the_interval_settles(
    seed_client: TestClient, synthesis_against_warnings: str, synthesis_of_one_result: str
) -> None:
    for found, said in (
        (synthesis_against_warnings, "favours onabotulinumtoxina"),
        (synthesis_of_one_result, "synthesis"),
    ):
        drawing = ET.fromstring(seed_client.get(f"/badge/syntheses/{found}.svg").text)
        assert said in "".join(drawing.itertext()).lower()


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("none", 404, "No synthesis has this hash."),
        ("0" * 64, 404, "No synthesis has this hash."),
        ("{}?release=2026-11-2", 404, f"This synthesis is of release {RELEASE}"),
        (f"{{}}?release={RELEASE}", 200, "Risk ratio"),
        ("{}?theme=drak", 422, "did you mean dark?"),
    ],
)
def test_what_is_no_synthesis_is_a_calm_card(
    seed_client: TestClient, synthesis_against_warnings: str, path: str, status: int, says: str
) -> None:
    answer = seed_client.get("/embed/syntheses/" + path.format(synthesis_against_warnings))
    assert answer.status_code == status
    assert says in Elements(answer.text).text
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert seed_client.get("/badge/syntheses/none.svg").status_code == 404
    assert seed_client.get(f"/v1/syntheses/{synthesis_against_warnings}/card?release={RELEASE}").status_code == 422


def test_its_page_names_every_result_with_its_numbers_or_the_reason(
    seed_client: TestClient, synthesis_against_warnings: str
) -> None:
    page = read(seed_client, f"/syntheses/{synthesis_against_warnings}")
    answer = seed_client.get(f"/v1/syntheses/{synthesis_against_warnings}").json()
    for one in (*answer["results"], *answer["excluded"]):
        assert f"/study-results/{one['id']}?release={RELEASE}" in page.links
    for said in ("11 of 15", "4 of 16", "2.93 (1.19 to 7.23)", "69.5\u202f%", "Random effects", "not medical advice"):
        assert said in page.words, said
    assert f"/v1/syntheses/{synthesis_against_warnings}" in page.links
    assert all(link.startswith(("/", "#", "http")) for link in page.links)
    assert "Foster L" in page.words, "its source, cited"
    assert get(seed_client, f"/syntheses/{synthesis_against_warnings}").headers["etag"]


def test_what_does_not_count_stands_on_the_page_with_its_reason(seed_client: TestClient) -> None:
    asked = {"treatment": "rimabotulinumtoxinb", "condition": "cervical-dystonia", "outcome": "twstrs-total"}
    found = kept(seed_client, **asked, release=RELEASE)
    answer = seed_client.get(f"/v1/syntheses/{found}").json()
    words = read(seed_client, f"/syntheses/{found}").words
    assert answer["results"] == []
    assert all(one["detail"] in words for one in answer["excluded"])
    assert "We hold no study with numbers that answer this." in words
    card = seed_client.get(f"/v1/syntheses/{found}/card").json()
    assert (card["picture"], card["judgements"][0]["text"]) == (None, "No study counts")


def test_its_page_is_json_ld_that_the_vocabulary_has(
    seed_client: TestClient, synthesis_against_warnings: str, synthesis_of_one_result: str
) -> None:
    for found in (synthesis_against_warnings, synthesis_of_one_result):
        answer = seed_client.get(f"/syntheses/{found}", headers={"Accept": "application/ld+json"})
        assert answer.headers["content-type"] == "application/ld+json"
        node = answer.json()
        check(node, {"Dataset"})
        assert node["version"] == RELEASE
        inside = get(seed_client, f"/syntheses/{found}").text.split('<script type="application/ld+json">')[1]
        assert inside.startswith(answer.text)


def test_oembed_knows_page_and_permalink(seed_client: TestClient, synthesis_against_warnings: str) -> None:
    links = {
        str(link.get("type")): str(link["href"])
        for link in Elements(get(seed_client, f"/syntheses/{synthesis_against_warnings}").text).all("link")
    }
    told = seed_client.get(links["application/json+oembed"]).json()
    assert Elements(told["html"]).all("iframe")[0]["src"] == f"{ADDRESS}/embed/syntheses/{synthesis_against_warnings}"
    for address in (
        f"{ADDRESS}/v1/syntheses/{synthesis_against_warnings}",
        f"{ADDRESS}/syntheses/{synthesis_against_warnings}?release={RELEASE}",
    ):
        other = seed_client.get("/oembed", params={"url": address})
        assert other.status_code == 200
        assert other.json()["title"] == told["title"]
    assert seed_client.get("/oembed", params={"url": f"{ADDRESS}/v1/claims/c20"}).status_code == 404


def test_the_builder_takes_a_permalink_and_gives_lines_whose_every_address_works(
    seed_client: TestClient, synthesis_against_warnings: str
) -> None:
    empty = seed_client.get("/embed/builder?kind=syntheses")
    assert empty.status_code == 200
    assert "Paste the permalink" in empty.text
    address = f"{ADDRESS}/v1/syntheses/{synthesis_against_warnings}"
    answer = seed_client.get("/embed/builder", params={"id": address, "release": RELEASE, "treatment": ""})
    lines = lines_of(answer.text)
    assert len(lines) == 7
    found = {url for line in lines for url in re.findall(rf"{ADDRESS}[^\s\"<)]+", unescape(line))}
    assert {seed_client.get(url).status_code for url in found} == {200}
    assert not [url for url in found if "release=" in url], "it is of one release"


def test_a_question_leads_to_the_page_of_its_answer(seed_client: TestClient, synthesis_against_warnings: str) -> None:
    asked = {name: value for name, value in APART.items() if name != "release"}
    page = get(seed_client, "/syntheses?" + "&".join(f"{name}={value}" for name, value in asked.items()))
    form = Elements(page.text)
    assert {field["value"] for field in form.all("input") if field.get("name") == "accept"} == set(REASONS)
    hidden = {str(field["name"]): field["value"] for field in form.all("input") if field.get("type") == "hidden"}
    assert hidden == APART
    moved = seed_client.get(
        "/syntheses", params=hidden | {"accept": REASONS}, headers={"Accept": "text/html"}, follow_redirects=False
    )
    assert moved.status_code == 303
    assert moved.headers["location"] == f"{ADDRESS}/syntheses/{synthesis_against_warnings}"
    assert read(seed_client, "/syntheses?treatment=none&condition=none&outcome=none", 422).words
    assert read(seed_client, "/syntheses?treatment=onabotulinumtoxina", 422).words


def test_pages_ask_for_the_pooled_answer_below_their_plots(seed_client: TestClient) -> None:
    links = [
        link for link in read(seed_client, "/conditions/chronic-neck-pain").links if link.startswith("/syntheses?")
    ]
    assert links
    assert {seed_client.get(link, headers={"Accept": "text/html"}).status_code for link in links} == {200}


def test_what_becomes_known_later_is_told_although_the_answer_stays(
    client_after_retraction: tuple[TestClient, str],
) -> None:
    client, found = client_after_retraction
    card = client.get(f"/v1/syntheses/{found}/card").json()
    assert card["marks"][0]["text"] == "A source that this rests on was retracted after it was computed."
    newer = next(mark for mark in card["marks"] if "A newer one exists: made-up-2." in mark["text"])
    assert newer["href"].startswith(f"{ADDRESS}/syntheses?treatment=")
    assert newer["href"].endswith("&release=made-up-2")
    assert card["sources"][0]["mark"] == "retracted"
    assert card["report"] == f"https://made-up.example/report?a=1&record=syntheses%2F{found}&version=1"
    assert "source retracted" in client.get(f"/badge/syntheses/{found}.svg").text
    assert "retracted" in read(client, f"/syntheses/{found}").words
    assert "retracted" not in client.get(f"/v1/syntheses/{found}").json()["included"]["sources"]["made-up-attack-2"]


def test_hostile_texts_are_text_on_card_and_page(client_after_retraction: tuple[TestClient, str]) -> None:
    client, found = client_after_retraction
    frame = Elements(client.get(f"/embed/syntheses/{found}").text)
    assert ATTACK.replace("\u202e", "")[:60] in frame.text
    assert "\u202e" not in frame.text
    assert len(frame.all("script")) == 1
    assert frame.all("img") == []
    page = read(client, f"/syntheses/{found}")
    assert ATTACK in page.words
    assert "onerror" not in page.attributes
