"""Embeds over HTTP: cards as frames and as JSON, badges, oEmbed, scripts, and the page that gives the lines."""

import re
import xml.etree.ElementTree as ET
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256, sha384
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from httpx2 import Response
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app import DISCLAIMER
from app.db.database import Database
from app.formats.badge import badge_svg, badge_width
from app.formats.oembed import as_xml
from app.formats.text_width import fitted, text_width
from app.main import create_app
from app.pages.embed_assets import ELEMENT, RESIZER, current, scripts
from app.releases.build import build_release
from app.reports.cards import EMBEDDED
from app.settings import Settings
from app.store.examples import RELEASE, example_of
from app.store.write.save import rename, save_all, withdraw
from tests.conftest import ROOT
from tests.support.api import ADDRESS, Api
from tests.support.hostile_records import ATTACK, ID, hostile_records

MOST_CARD_BYTES = 15_000
PUBLISHED = {
    "/embed/v1/treatment-evidence.65712728eed3.js",
    "/embed/v1/treatment-evidence.64729bc2023d.js",
    "/embed/v1/resize.476ca8db001c.js",
}
"""Every script that a page somewhere loads with its hash: it is served for ever, so this list only grows."""
every_kind = pytest.mark.parametrize("plural", EMBEDDED)


def known(plural: str) -> str:
    """The id of a record of the seed."""
    return str(example_of(EMBEDDED[plural])["id"])


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its text without scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text that is shown."""
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of all tags of that name."""
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def hostile_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The application over hostile records and their release, with a place to report errors."""
    folder = tmp_path_factory.mktemp("attacked")
    url = f"sqlite:///{folder}/attacked.db"
    database = Database(url)
    database.migrate()
    save_all(database, hostile_records(), author="made-up")
    for name in ("made-up-1", "made-up-2"):
        build_release(database, folder, name)
    settings = Settings(database_url=url, releases=str(folder), contact_url="https://made-up.example/report?a=1")
    with TestClient(create_app(settings), base_url=ADDRESS, raise_server_exceptions=False) as client:
        yield client
    database.close()


@every_kind
def test_a_card_stands_by_itself_and_tells_what_matters_for_trust(seed_client: TestClient, plural: str) -> None:
    answer = seed_client.get(f"/embed/{plural}/{known(plural)}")
    card = seed_client.get(f"/v1/{plural}/{known(plural)}/card").json()
    page = Elements(answer.text)
    assert answer.status_code == 200
    assert len(answer.content) <= MOST_CARD_BYTES
    assert DISCLAIMER in page.text
    assert "Dataset revision 1 of " in page.text
    assert card["title"] in page.text
    for said in [*card["facts"], *card["places"], *card["judgements"], *card["sources"]]:
        assert all(text in page.text for name, text in said.items() if name in ("text", "status", "detail"))
    assert f"{ADDRESS}/{plural}/{known(plural)}" in [link["href"] for link in page.all("a")]
    assert {link["rel"] for link in page.all("a")} <= {"noopener", "noopener noreferrer", "license noopener noreferrer"}
    loaded = [tag for tag, attributes in page.tags if "src" in attributes or tag in ("img", "iframe", "object", "form")]
    assert loaded == []
    assert not [tag for tag, attributes in page.tags if "style" in attributes]


@every_kind
def test_only_cards_may_be_framed_and_they_run_only_their_own_script(seed_client: TestClient, plural: str) -> None:
    answer = seed_client.get(f"/embed/{plural}/{known(plural)}")
    policy = answer.headers["content-security-policy"]
    for tag in ("style", "script"):
        inside = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        assert len(inside) == 1
        assert f"{tag}-src 'sha256-{b64encode(sha256(inside[0].encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors *" in policy
    assert "unsafe" not in policy
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in answer.headers
    for path in (f"/{plural}/{known(plural)}", "/embed/builder", f"/badge/{plural}/{known(plural)}.svg", "/embed/none"):
        assert "frame-ancestors 'none'" in seed_client.get(path).headers["content-security-policy"], path
    assert seed_client.get("/embed/builder").headers["cross-origin-resource-policy"] == "same-origin"


@every_kind
def test_cards_and_badges_are_kept_by_caches_like_other_answers(seed_client: TestClient, plural: str) -> None:
    for path in (f"/embed/{plural}/{known(plural)}", f"/badge/{plural}/{known(plural)}.svg"):
        first = seed_client.get(path + "?utm_source=made-up")
        assert first.headers["cache-control"].startswith("public, max-age=")
        again = seed_client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        head = seed_client.head(path)
        assert head.headers["etag"] == first.headers["etag"]
        assert head.content == b""


def test_a_card_takes_a_theme_and_the_language_of_the_page_around_it(seed_client: TestClient) -> None:
    page = Elements(seed_client.get("/embed/claims/c20?theme=dark&lang=de-CH").text)
    assert page.all("html") == [{"lang": "de-CH", "data-theme": "dark"}]
    assert page.all("main") == [{"lang": "en"}], "the text itself is English"


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("claims/c200", 404, "Did you mean 'c20'?"),
        ("claim/c20", 404, "Did you mean 'claims'?"),
        ("sources/itwire-botox-chronic-migraine-2010", 404, "there are cards of treatments"),
        ("claims/c20?release=never", 404, "There is no release 'never'"),
        ("claims/c20?release=a&release=b", 422, "once only"),
        ("claims/c20?theme=drak", 422, "did you mean dark?"),
        ("claims/c20?lang=%3Cscript%3E", 422, "no language tag"),
        (quote("claims/<script>hit()"), 404, "There is no record '<script>hit()'"),
    ],
)
def test_what_cannot_be_shown_is_a_calm_card_that_says_why(
    seed_client: TestClient, path: str, status: int, says: str
) -> None:
    answer = seed_client.get(f"/embed/{path}")
    page = Elements(answer.text)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert says in page.text
    assert len(page.all("script")) == 1
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_badge_of_no_record_says_so(seed_client: TestClient) -> None:
    answer = seed_client.get("/badge/claims/none.svg")
    drawing = ET.fromstring(answer.text)
    assert answer.status_code == 404
    assert "unknown record" in "".join(drawing.itertext())


def test_a_badge_tells_what_is_wrong_as_a_badge(seed_client: TestClient) -> None:
    answer = seed_client.get("/badge/claims/c20.svg?release=never")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "There is no release" in answer.text


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("claims/c20", "Claim: contradicted"),
        ("indications/onabotulinumtoxina-chronic-migraine", "Indication, approved: GB, US"),
        (
            "indications/onabotulinumtoxina-chronic-low-back-pain",
            "Indication, approval: not approved in CA, GB, US",
        ),
        ("treatments/onabotulinumtoxina", "Treatment, approved: GB for 2 uses, US for 5 uses"),
        ("study-results/langevin-2011-pain-week-4", "Study result: difference not shown · high certainty"),
        (
            "study-results/foster-2001-pain-relief-50-week-3",
            "Study result: favours the treatment · certainty not rated",
        ),
    ],
)
def test_a_badge_tells_verdict_certainty_or_approval_to_all_readers(
    seed_client: TestClient, path: str, title: str
) -> None:
    drawing = ET.fromstring(seed_client.get(f"/badge/{path}.svg").text)
    svg = "{http://www.w3.org/2000/svg}"
    assert drawing.attrib["role"] == "img"
    named = {element.attrib["id"]: element.text for element in drawing if "id" in element.attrib and element.text}
    assert next(named[word] for word in drawing.attrib["aria-labelledby"].split()) == title
    assert all(
        float(text.attrib["x"]) + float(text.attrib["textLength"]) < float(drawing.attrib["width"])
        for text in drawing.iter(f"{svg}text")
    )


@given(st.text(max_size=200), st.text(max_size=400))
def test_a_badge_is_as_wide_as_its_text_whatever_it_says(label: str, message: str) -> None:
    clean = [re.sub("[^\\t\\n\\r -\\ud7ff\\ue000-\\ufffd]", "", text) for text in (label, message)]
    drawing = ET.fromstring(badge_svg(clean[0], clean[1], "good", title=clean[0], description=clean[1]))
    texts = [element for element in drawing.iter() if element.tag.endswith("}text")]
    ends = [float(one.attrib["x"]) + float(one.attrib["textLength"]) for one in texts]
    assert ends[0] < float(texts[1].attrib["x"])
    assert ends[1] <= float(drawing.attrib["width"]) == badge_width(clean[0], clean[1])
    assert text_width(fitted(clean[1], 11, 300), 11) <= 300


@every_kind
def test_hostile_records_are_text_in_every_embed(hostile_client: TestClient, plural: str) -> None:
    frame = hostile_client.get(f"/embed/{plural}/{ID}")
    page = Elements(frame.text)
    assert frame.status_code == 200
    assert ATTACK.replace("\u202e", "") in page.text, "what turns text around would turn ours, too"
    assert "\u202e" not in page.text
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert all(str(link["href"]).startswith(("http://", "https://")) for link in page.all("a"))
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    badge = ET.fromstring(hostile_client.get(f"/badge/{plural}/{ID}.svg").text)
    assert {element.tag.split("}")[1] for element in badge.iter()} <= {
        *("svg", "title", "desc", "style", "clipPath", "rect", "g", "path", "text")
    }
    builder = Elements(hostile_client.get(f"/embed/builder?kind={plural}&id={ID}").text)
    assert len(builder.all("img")) == 1, "the badge"
    for line in lines_of(hostile_client.get(f"/embed/builder?kind={plural}&id={ID}").text):
        assert all(str(image["src"]).startswith(ADDRESS) for image in Elements(line).all("img"))
        assert not [name for _, attributes in Elements(line).tags for name in attributes if name.startswith("on")]
    told = hostile_client.get(f"/oembed?url={ADDRESS}/{plural}/{ID}&format=xml")
    html = ET.fromstring(told.content).findtext("html") or ""
    assert [tag for tag, _ in Elements(html).tags] == ["iframe"]


def test_a_card_says_what_a_reader_must_know_first(hostile_client: TestClient) -> None:
    card = hostile_client.get(f"/v1/claims/{ID}/card?release=made-up-1").json()
    said = " ".join(mark["text"] for mark in card["marks"])
    assert "A source that this rests on was retracted." in said
    assert "A newer one exists: made-up-2." in said
    assert "Following this statement could do harm." in said
    assert [mark["href"] for mark in card["marks"] if "newer" in mark["text"]] == [
        f"{ADDRESS}/claims/{ID}?release=made-up-2"
    ]
    assert card["sources"][0]["mark"] == "retracted"
    assert card["report"] == f"https://made-up.example/report?a=1&record=claims%2F{ID}&version=1"
    assert card["as_of"].startswith("Release made-up-1, revision 1 of ")
    newest = hostile_client.get(f"/v1/claims/{ID}/card?release=made-up-2").json()
    assert not [mark for mark in newest["marks"] if "newer" in mark["text"]]
    badge = hostile_client.get(f"/badge/claims/{ID}.svg").text
    assert "source retracted" in badge
    frame = hostile_client.get(f"/embed/treatments/{ID}").text
    assert "Boxed warning: " in frame
    assert "Report an error" in frame


def test_a_withdrawn_record_is_gone_and_a_renamed_one_leads_on(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    database.migrate()
    save_all(database, hostile_records(), author="made-up")
    rename(database, "claims", ID, "made-up-new", author="made-up")
    withdraw(database, "study-results", ID, author="made-up", reason="Made-up reason <b>.")
    database.close()
    with TestClient(create_app(Settings(database_url=empty_database_url)), base_url=ADDRESS) as client:
        gone = client.get(f"/embed/study-results/{ID}")
        assert gone.status_code == 410
        assert "Made-up reason &lt;b&gt;." in gone.text
        assert "withdrawn" in client.get(f"/badge/study-results/{ID}.svg").text
        for path in ("/embed/claims/{}", "/badge/claims/{}.svg"):
            moved = client.get(path.format(ID) + "?theme=dark", follow_redirects=False)
            assert moved.status_code == 308
            assert moved.headers["location"] == ADDRESS + path.format("made-up-new") + "?theme=dark"
        told = client.get("/oembed", params={"url": f"{ADDRESS}/claims/{ID}"}).json()
        assert "/embed/claims/made-up-new" in told["html"]
        assert client.get("/oembed", params={"url": f"{ADDRESS}/study-results/{ID}"}).status_code == 410


def test_a_kept_card_shows_an_edit_at_once(api: Api) -> None:
    assert api.client.get("/embed/claims/c20").text == api.client.get("/embed/claims/c20").text
    version = api.client.get("/v1/claims/c20").headers["etag"]
    edited = api.ask("PATCH", "/v1/claims/c20", {"rationale": "Made-up reason."}, If_Match=version)
    assert edited.status_code == 200
    assert "Made-up reason." in api.client.get("/embed/claims/c20").text
    assert api.client.get("/v1/claims/c20/card").json()["summary"] == "Made-up reason."


def test_a_kept_card_of_a_release_still_says_which_one_it_is(seed_client: TestClient) -> None:
    answers = [seed_client.get(f"/embed/claims/c20?release={RELEASE}") for _ in range(2)]
    assert [answer.headers["dataset-release"] for answer in answers] == [RELEASE, RELEASE]
    assert "dataset-release" not in seed_client.get("/embed/claims/c20").headers


def asked(client: TestClient, **parameters: Any) -> Response:
    """What oEmbed answers."""
    return client.get("/oembed", params=parameters)


@every_kind
def test_oembed_describes_the_frame_of_a_page_in_json_and_xml(seed_client: TestClient, plural: str) -> None:
    address = f"{ADDRESS}/{plural}/{known(plural)}"
    page = Elements(seed_client.get(address, headers={"Accept": "text/html"}).text)
    links = {str(link.get("type")): str(link["href"]) for link in page.all("link")}
    found = seed_client.get(links["application/json+oembed"])
    told = found.json()
    assert found.headers["content-type"] == "application/json"
    assert (told["type"], told["version"], told["provider_url"]) == ("rich", "1.0", ADDRESS)
    frame = Elements(told["html"]).all("iframe")[0]
    assert frame["src"] == f"{ADDRESS}/embed/{plural}/{known(plural)}"
    assert frame["title"] == told["title"]
    assert (frame["width"], frame["height"]) == (str(told["width"]), str(told["height"]))
    assert frame["loading"] == "lazy"
    assert "allow-top-navigation" not in str(frame["sandbox"])
    assert "allow-forms" not in str(frame["sandbox"])
    written = seed_client.get(links["text/xml+oembed"])
    assert written.headers["content-type"] == "text/xml; charset=utf-8"
    assert {one.tag: one.text for one in ET.fromstring(written.content)} == {
        name: str(value) for name, value in told.items()
    }


def test_oembed_fits_into_the_room_that_there_is_and_keeps_the_release(seed_client: TestClient) -> None:
    told = asked(seed_client, url=f"{ADDRESS}/claims/c20?release={RELEASE}", maxwidth=320, maxheight="400").json()
    assert (told["width"], told["height"]) == (320, 400)
    assert f'src="{ADDRESS}/embed/claims/c20?release={RELEASE}"' in unescape(told["html"])
    assert asked(seed_client, url=f"{ADDRESS}/claims/c20", maxwidth=5000, utm_source="made-up").json()["width"] == 600


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"url": f"{ADDRESS}/claims/none"}, 404),
        ({"url": "https://made-up.example/claims/c20"}, 404),
        ({"url": f"{ADDRESS}.made-up.example/claims/c20"}, 404),
        ({"url": f"{ADDRESS}@made-up.example/claims/c20"}, 404),
        ({"url": f"{ADDRESS}/sources/itwire-botox-chronic-migraine-2010"}, 404),
        ({"url": f"{ADDRESS}/claims/c20?release=../x"}, 404),
        ({"url": f"{ADDRESS}//[/claims"}, 404),
        ({"url": "javascript:hit()"}, 404),
        ({}, 400),
        ({"url": ["a", "b"]}, 400),
        ({"url": f"{ADDRESS}/claims/c20", "maxwidth": "-1"}, 400),
        ({"url": f"{ADDRESS}/claims/c20", "maxwidth": "wide"}, 400),
        ({"url": f"{ADDRESS}/claims/c20", "maxheight": "0"}, 400),
        ({"url": f"{ADDRESS}/claims/c20", "maxheight": "1e9"}, 400),
        ({"url": f"{ADDRESS}/claims/c20", "format": "yaml"}, 501),
    ],
)
def test_oembed_refuses_what_it_cannot_describe(
    seed_client: TestClient, parameters: dict[str, Any], status: int
) -> None:
    answer = asked(seed_client, **parameters)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@given(st.text())
def test_oembed_in_xml_can_always_be_read(title: str) -> None:
    assert ET.fromstring(as_xml({"title": title, "width": 1})).findtext("width") == "1"


def test_scripts_are_small_and_lie_for_ever_under_their_hash(seed_client: TestClient) -> None:
    told = seed_client.get("/embed/element.json").json()
    for word, name in (("element", ELEMENT), ("resizer", RESIZER)):
        script = current(name)
        answer = seed_client.get(script.path, headers={"Accept-Encoding": "br"})
        assert answer.content == script.content
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["access-control-allow-origin"] == "*", "a page checks the hash of what it may read"
        assert script.integrity == f"sha384-{b64encode(sha384(answer.content).digest()).decode()}"
        assert told[word] == {"src": ADDRESS + script.path, "integrity": script.integrity, "crossorigin": "anonymous"}
    compressed = seed_client.get(current(ELEMENT).path, headers={"Accept-Encoding": "br"})
    assert compressed.headers["content-encoding"] == "br"
    assert int(compressed.headers["content-length"]) <= 4096
    assert len(current(RESIZER).content) <= 400
    assert seed_client.get("/embed/v1/treatment-evidence.000000000000.js").status_code == 404


def test_every_script_that_was_ever_published_is_still_there() -> None:
    assert scripts().keys() == PUBLISHED, "a new one is added to this list; the old file moves to the folder `former`"


def lines_of(page: str) -> list[str]:
    """The lines that the builder gives."""
    return [unescape(text) for text in re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)]


@every_kind
def test_the_builder_gives_lines_whose_every_address_works(seed_client: TestClient, plural: str) -> None:
    address = f"{ADDRESS}/{plural}/{known(plural)}?release={RELEASE}"
    answer = seed_client.get(
        "/embed/builder", params={"id": address, "theme": "dark", "size": "280", "release": RELEASE}
    )
    assert answer.status_code == 200
    lines = lines_of(answer.text)
    assert len(lines) == 7
    found = {url for line in lines for url in re.findall(rf"{ADDRESS}[^\s\"<)]+", unescape(line))}
    assert {url.split("/")[3] for url in found} == {plural, "embed", "badge"}
    assert {seed_client.get(url).status_code for url in found} == {200}
    pinned = [url for url in found if "/v1/" not in url]
    assert all(f"release={RELEASE}" in url for url in pinned)


def test_the_builder_says_what_is_wrong_and_fills_in_what_is_missing(seed_client: TestClient) -> None:
    plain = seed_client.get("/embed/builder")
    assert plain.status_code == 200
    assert len(lines_of(plain.text)) == 7
    empty = seed_client.get("/embed/builder?kind=claims&treatment=&id=&theme=&size=&lang=&release=&utm_source=made-up")
    assert "/embed/claims/" in empty.text
    unknown = seed_client.get("/embed/builder?kind=claims&id=c200")
    assert unknown.status_code == 404
    assert "Did you mean &#39;c20&#39;?" in unknown.text
    assert lines_of(unknown.text) == []
    narrowed = seed_client.get("/embed/builder?kind=indications&treatment=abobotulinumtoxina").text
    assert 'value="abobotulinumtoxina-cervical-dystonia"' in narrowed
    assert '<option value="onabotulinumtoxina-chronic-migraine"' not in narrowed


def test_the_guide_gives_the_lines_that_the_builder_gives(seed_client: TestClient) -> None:
    guide = (ROOT / "docs" / "guide" / "embedding.md").read_text(encoding="utf-8")
    link, badge, _, _, frame, framed, element = lines_of(seed_client.get("/embed/builder?kind=claims&id=c20").text)
    for line in (link, badge, frame, framed.removeprefix(frame).strip(), element):
        assert f"```html\n{line}\n```" in guide
