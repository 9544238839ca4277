"""Pages for people: they show what the API says, every link works, and nothing in a record becomes markup."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from app.db.database import Database
from app.main import create_app
from app.models import RESOURCES
from app.models.base import Row
from app.models.conditions import Condition
from app.models.indications import Indication
from app.models.treatments import Treatment
from app.models.vocabulary import Verdict
from app.pages.context import PAGED
from app.pages.templates import ASSETS, asset_url
from app.settings import Settings
from app.store.examples import RELEASE
from app.store.write.save import rename, save_all
from tests.conftest import KEPT
from tests.support.api import Api
from tests.support.hostile_records import ATTACK, hostile_records

HTML = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
"""What a browser sends."""
TREATMENT = "/treatments/onabotulinumtoxina"
USE = "/indications/onabotulinumtoxina-chronic-migraine"
SEARCH = "/search?q=botoks+migraine"
ARTICLE = "metropolmed-botox-neck-back-pain"
IMPLIES = {
    "td": ("td", "th"),
    "th": ("td", "th"),
    "tr": ("td", "th", "tr"),
    "tbody": ("td", "th", "tr", "thead", "tbody"),
    "li": ("li",),
    "dt": ("dt", "dd"),
    "dd": ("dt", "dd"),
}
"""Which open elements a start tag ends, where these are the innermost ones (HTML, 13.1.2.4)."""
IMPLIED = {name for names in IMPLIES.values() for name in names}
VOID = {"meta", "link", "input", "br", "rect", "path", "circle"}
MOST_BYTES = 60_000
every_kind = pytest.mark.parametrize("resource", PAGED, ids=lambda row: row.plural)


class Page(HTMLParser):
    """What a browser would make of a page: its elements, its words, its links; unbalanced tags fail."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(text)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.attributes |= named.keys()
        self.ids.update(value for name, value in attrs if name == "id" and value)
        self.links += [value for name, value in attrs if name in ("href", "src", "action") and value]
        self._end(IMPLIES.get(tag, ()))
        if tag == "script":
            self.scripts.append(named)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._end(IMPLIED - {tag})
            assert self.open.pop() == tag

    def _end(self, names: Iterable[str]) -> None:
        """End the innermost elements of these names."""
        while self.open and self.open[-1] in names:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "script" not in self.open:
            self.words += data


def get(client: TestClient, path: str, status: int = 200) -> Response:
    answer = client.get(path, headers=HTML, follow_redirects=False)
    assert answer.status_code == status, (path, answer.text[:300])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer


def read(client: TestClient, path: str, status: int = 200) -> Page:
    page = Page(get(client, path, status).text)
    assert all(count == 1 for count in page.ids.values()), [one for one, count in page.ids.items() if count > 1]
    run = [script.get("src") for script in page.scripts if script.get("type") != "application/ld+json"]
    assert run == [asset_url("search.js")], "the one script completes what is typed into the search box"
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}
    return page


def ids(client: TestClient, resource: type[Row]) -> list[str]:
    return [item["id"] for item in client.get(f"/v1/{resource.plural}?limit=200&fields=id").json()["items"]]


def some_pages(client: TestClient) -> Iterator[str]:
    """A page of every kind, with those that hold the most."""
    for resource in PAGED:
        yield from (f"/{resource.plural}/{one}" for one in ids(client, resource)[:3])
    yield from (
        "/",
        "/treatments",
        "/claims",
        "/search",
        "/guide",
        SEARCH,
        TREATMENT,
        f"/sources/{ARTICLE}",
        "/claims/c20",
        "/claims/c50",
    )


def test_every_page_is_whole_and_every_number_leads_to_its_source(seed_client: TestClient) -> None:
    for path in dict.fromkeys(some_pages(seed_client)):
        page = read(seed_client, path)
        assert "not medical advice" in page.words
        for link in page.links:
            assert link.startswith(("/", "#", "http://", "https://", "?")), link
            assert not link.startswith("#") or link == "#main" or link[1:] in page.ids, (path, link)


@pytest.mark.parametrize("path", [TREATMENT, SEARCH, "/claims/c50", "/sources/foster-2001"])
def test_every_link_of_a_page_leads_somewhere(seed_client: TestClient, path: str) -> None:
    targets = {link.partition("#")[0] for link in read(seed_client, path).links if link.startswith("/")}
    failed = {
        target: status for target in targets if (status := seed_client.get(target, headers=HTML).status_code) != 200
    }
    assert failed == {}
    assert len(targets) > 10


@every_kind
def test_a_page_says_how_old_it_is_how_to_cite_it_and_where_its_json_is(
    seed_client: TestClient, resource: type[Row]
) -> None:
    record = ids(seed_client, resource)[0]
    page = read(seed_client, f"/{resource.plural}/{record}")
    revision = seed_client.get("/v1").headers["dataset-revision"]
    assert f"Dataset revision {revision} of " in page.words
    assert f"http://127.0.0.1:8000/{resource.plural}/{record}" in page.words
    for wanted in ("", "/history", *(f"?format={word}" for word in ("vancouver", "csl-json", "ris", "bibtex"))):
        assert f"/v1/{resource.plural}/{record}{wanted}" in page.links
    assert "CC BY 4.0" in page.words


def test_a_treatment_shows_every_approval_with_country_date_and_status(seed_client: TestClient) -> None:
    page = read(seed_client, TREATMENT)
    approvals = seed_client.get("/v1/approvals?treatment=onabotulinumtoxina&limit=200").json()["items"]
    assert all(approval["id"] in page.ids for approval in approvals)
    assert "15 Oct 2010" in page.words
    assert "Not approved is not the same as not effective" in page.words
    for words in (
        "Botox, Botox Cosmetic",
        "Boxed warning",
        "155–195 Botox units per session; in 31–39 sites",
    ):
        assert words in page.words


def test_a_side_effect_stands_with_its_numerator_its_denominator_and_its_source(seed_client: TestClient) -> None:
    effect = seed_client.get("/v1/side-effects/compel-eyelid-ptosis").json()
    text = get(seed_client, USE).text
    row = text[text.index(f'id="{effect["id"]}"') :].split("<tr")[0]
    assert f"{effect['affected']} of {effect['at_risk']}" in row
    assert "2.5\u202f%" in row
    number = re.search(r'href="#s(\d+)"', row)
    assert number is not None
    source = text[text.index(f'id="s{number[1]}"') :].split("<li")[0]
    assert f"/sources/{effect['citations'][0]['source']}" in source


def test_a_treatments_page_cuts_side_effects_only_where_another_page_has_them_all(seed_client: TestClient) -> None:
    effects = seed_client.get(
        "/v1/side-effects?treatment=onabotulinumtoxina&condition=chronic-migraine&limit=200"
    ).json()
    whole, part = read(seed_client, USE), read(seed_client, TREATMENT)
    assert all(item["id"] in whole.ids for item in effects["items"])
    assert f"All {len(effects['items'])} side effects: Chronic migraine" in part.words
    results = seed_client.get("/v1/study-results?treatment=onabotulinumtoxina&limit=200").json()["items"]
    assert all(f"/study-results/{result['id']}" in part.links for result in results), "results are never cut"


def test_a_claim_shows_its_verdict_why_and_what_decides_it(seed_client: TestClient) -> None:
    claim = seed_client.get("/v1/claims/c20").json()
    page = read(seed_client, "/claims/c20")
    assert claim["quote"] in page.words
    assert claim["rationale"] in page.words
    assert "Contradicted" in page.words
    assert "Cervical dystonia, United States (FDA): approved since 21 December 2000" in page.words
    assert "/indications/onabotulinumtoxina-cervical-dystonia#onabotulinumtoxina-cervical-dystonia-us" in page.links


def test_a_claim_that_could_do_harm_says_so_first(seed_client: TestClient) -> None:
    for claim in seed_client.get("/v1/claims?limit=200").json()["items"][::3]:
        page = read(seed_client, f"/claims/{claim['id']}")
        assert claim["rationale"] in page.words
        assert ("Following this could do harm" in page.words) == claim["safety_flag"]


def test_the_article_shows_every_quote_in_order_and_no_word_that_is_not_ours_to_serve(seed_client: TestClient) -> None:
    page = read(seed_client, f"/sources/{ARTICLE}")
    annotated = seed_client.get(f"/v1/sources/{ARTICLE}/annotated").json()
    place = 0
    for segment in annotated["segments"]:
        if segment["text"] is not None:
            place = page.words.index(segment["text"], place) + len(segment["text"])
    for claim in ids(seed_client, RESOURCES["claims"]):
        assert f"/claims/{claim}" in page.links
    assert "only the words that were checked are shown" in page.words


def test_a_result_is_drawn_with_its_interval(seed_client: TestClient) -> None:
    page = read(seed_client, "/study-results/castelao-2017-dysphagia")
    assert "3.04 [1.68, 5.50]" in page.words
    assert "Risk ratio 3.04 (95\u202f% CI 1.68 to 5.5)" in page.words
    assert "Moderate certainty" in page.words


# Lists


def test_the_filters_of_a_list_stand_in_its_address_and_in_its_form(seed_client: TestClient) -> None:
    for verdict in Verdict.__value__.__args__:
        found = seed_client.get("/v1/claims", params={"verdict": verdict, "count": "exact", "limit": 30}).json()
        text = get(seed_client, f"/claims?verdict={verdict}&kind=&treatment=&utm_source=x").text
        assert f'<option value="{verdict}" selected>' in text
        assert f"{found['total']} claim" in text
        shown = re.findall(r'<li><a href="/claims/([^"]+)"><q>', text)
        assert shown == [item["id"] for item in found["items"]]


def test_a_list_goes_on_where_it_ends(seed_client: TestClient) -> None:
    first = read(seed_client, "/claims")
    following = next(link for link in first.links if "cursor=" in link)
    second = read(seed_client, following)
    shown = [link for page in (first, second) for link in page.links if re.fullmatch(r"/claims/[^?]+", link)]
    assert shown == [f"/claims/{one}" for one in sorted(ids(seed_client, RESOURCES["claims"]))]
    assert "No claim matches" in read(seed_client, "/claims?verdict=supported&safety_flag=true&kind=background").words


def test_a_treatment_is_found_by_kind_and_class(seed_client: TestClient) -> None:
    page = read(seed_client, "/treatments?kind=biologic&part_of=botulinum-toxin")
    found = seed_client.get("/v1/treatments?kind=biologic&part_of=botulinum-toxin").json()["items"]
    assert {f"/treatments/{one['id']}" for one in found} <= set(page.links)
    assert "No treatment matches" in read(seed_client, "/treatments?kind=device").words


# The wire


@pytest.mark.parametrize("path", ["/", "/treatments", "/claims", SEARCH, TREATMENT])
def test_a_page_has_a_tag_and_a_head_and_is_kept_for_a_minute(seed_client: TestClient, path: str) -> None:
    answer = get(seed_client, path)
    assert answer.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=600"
    assert answer.headers["vary"] == "Accept, Accept-Encoding"
    again = seed_client.get(path, headers=HTML | {"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = seed_client.head(path, headers=HTML)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])


@pytest.mark.parametrize("path", ["/", "/claims", SEARCH, TREATMENT, "/treatments/nothing", "/problems"])
def test_a_page_loads_only_what_is_ours_sets_no_cookie_and_is_in_no_frame(seed_client: TestClient, path: str) -> None:
    headers = seed_client.get(path, headers=HTML).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "set-cookie" not in headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    for shared in ("/v1/treatments", "/openapi.json", asset_url("style.css")):
        assert seed_client.get(shared).headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("name", ASSETS)
def test_a_file_of_pages_lies_for_ever_under_the_hash_of_its_content(seed_client: TestClient, name: str) -> None:
    lasting = seed_client.get(asset_url(name))
    assert lasting.headers["cache-control"] == "public, max-age=31536000, immutable"
    plain = seed_client.get(f"/assets/{name}")
    assert plain.content == lasting.content
    assert "immutable" not in plain.headers["cache-control"]
    former = seed_client.get(re.sub(r"\.[0-9a-f]{12}\.", ".000000000000.", asset_url(name)))
    assert former.content == lasting.content, "a page of another version of the program still has its style"
    assert "immutable" not in former.headers["cache-control"]


def loaded_with(client: TestClient, path: str) -> set[str]:
    """What a browser loads when it opens a page: style, scripts with what they import at once, pictures."""
    files = set(re.findall(r'(?:href|src)="(/assets/[^"]+|/badge/[^"]+)"', get(client, path).text))
    return files | {name for file in files for name in re.findall('from"? ?"(/assets/[^"]+)"', client.get(file).text)}


def test_every_page_with_all_that_it_loads_is_small(seed_client: TestClient) -> None:
    """`search.js` asks for `combobox.js` when somebody goes to the search box."""
    heavy = (Treatment, Condition, Indication)  # of the rest, which are small, some
    some = [(row, ids(seed_client, row)[:: 1 if row in heavy else 6]) for row in PAGED]
    records = [f"/{row.plural}/{one}" for row, own in some for one in own] + [f"/sources/{ARTICLE}"]
    guide = [link for link in read(seed_client, "/guide").links if link.startswith("/guide/")]
    synthesis = "/syntheses/" + seed_client.get(KEPT).json()["input_hash"]
    lists = ("/", "/treatments", "/claims", SEARCH, "/guide", "/problems", "/embed/builder")
    sizes: dict[str, int] = {}
    for path in (*records, *guide, *lists, synthesis):
        parts = loaded_with(seed_client, path)
        sizes |= {part: len(seed_client.get(part).content) for part in parts - sizes.keys()}
        whole = len(get(seed_client, path).content) + sum(sizes[part] for part in parts)
        assert whole <= MOST_BYTES, (path, whole)


@pytest.mark.parametrize("path", ["/", "/claims", SEARCH, TREATMENT])
def test_a_page_crosses_the_wire_as_a_third_of_that(seed_client: TestClient, path: str) -> None:
    transferred = 0
    for part in (path, *loaded_with(seed_client, path)):
        with seed_client.stream("GET", part, headers=HTML | {"Accept-Encoding": "br"}) as answer:
            transferred += sum(len(chunk) for chunk in answer.iter_raw())
    assert transferred <= MOST_BYTES / 3


def test_a_release_stays_in_every_link(seed_client: TestClient) -> None:
    answer = get(seed_client, f"{TREATMENT}?release={RELEASE}")
    assert answer.headers["dataset-release"] == RELEASE
    page = read(seed_client, f"{TREATMENT}?release={RELEASE}")
    assert f"Release {RELEASE}, revision" in page.words
    records = [link for link in page.links if re.match(r"/(v1/)?[a-z-]+/[a-z0-9-]+", link) and "/assets/" not in link]
    assert records
    assert all(f"release={RELEASE}" in link or link.startswith("/v1/changes") for link in records), records


def test_fields_of_a_form_that_were_left_empty_say_nothing(seed_client: TestClient) -> None:
    assert get(seed_client, "/claims?cursor=&verdict=&release=").status_code == 200


# What is not there


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/treatments/onabotulinumtoxin", 404, "onabotulinumtoxina"),
        ("/treatments/Botox%20%3Cb%3E", 404, "There is nothing here"),
        ("/no-such-page", 404, "There is nothing here"),
        ("/claims?verdict=wrong", 422, "verdict"),
        ("/claims?cursor=strange", 400, "cursor"),
        (f"{TREATMENT}?release=2026-11-2", 404, RELEASE),
        (f"{TREATMENT}?release=../x", 422, "release"),
    ],
)
def test_what_is_not_there_is_told_calmly(seed_client: TestClient, path: str, status: int, said: str) -> None:
    page = read(seed_client, path, status)
    assert said in page.words
    assert "/treatments" in page.links
    for accept in ("*/*", "application/json", "application/problem+json"):
        answer = seed_client.get(path, headers={"Accept": accept})
        assert answer.status_code in (status, 406)
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_api_tells_browsers_too_as_problem_details(seed_client: TestClient) -> None:
    answer = seed_client.get("/v1/treatments/nothing", headers=HTML)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_in_a_format_that_it_has_not_is_406(seed_client: TestClient) -> None:
    assert seed_client.get(TREATMENT, headers={"Accept": "text/csv"}).status_code == 406
    assert seed_client.get("/claims", headers={"Accept": "application/ld+json"}).status_code == 406


def test_a_withdrawn_record_is_gone_and_a_renamed_one_leads_on(api: Api) -> None:
    made = api.condition(name="made-up ache that goes")
    path = f"/conditions/{made['id']}"
    assert "made-up ache that goes" in read(api.client, path).words
    tag = api.client.get(f"/v1{path}").headers["etag"]
    gone = api.ask("DELETE", f"/v1{path}?reason=It%20was%20made%20up.", If_Match=tag)
    assert gone.status_code in (200, 204), gone.text
    page = read(api.client, path, 410)
    assert "made up" in page.words
    other = api.condition()
    rename(api.database, "conditions", other["id"], f"{other['id']}-now", author="test")
    moved = api.client.get(f"/conditions/{other['id']}?utm_source=x", headers=HTML, follow_redirects=False)
    assert moved.status_code == 308
    assert moved.headers["location"] == f"http://127.0.0.1:8000/conditions/{other['id']}-now?utm_source=x"
    assert f"/conditions/{other['id']}-now" in moved.text


# Marks, and what somebody could write into a record


@pytest.fixture
def hostile_pages_client(database: Database) -> Iterator[TestClient]:
    save_all(database, hostile_records(), author="test")
    contact = "https://example.org/report"
    app = create_app(Settings(database_url=database.url, contact_url=contact))
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield client


def test_whatever_stands_in_a_record_is_shown_as_text(hostile_pages_client: TestClient) -> None:
    paths = [f"/{row.plural}/{one}" for row in PAGED for one in ids(hostile_pages_client, row)]
    for path in (*paths, "/", "/claims", "/treatments"):
        page = read(hostile_pages_client, path)
        assert ATTACK in page.words, path
        assert "onerror" not in page.attributes, path  # and read() knows the one script
        assert not [link for link in page.links if not link.startswith(("/", "#", "https://", "http://"))], path


def texts(document: Any, schema: Any) -> Iterator[str]:
    """Where a schema has free text: the pointers of its strings without a pattern, a list of words or a format."""

    def below(part: Any, path: str) -> Iterator[str]:
        part = document["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
        for one in part.get("anyOf", []):
            yield from below(one, path)
        if part.get("type") == "string" and "maxLength" in part and not {"enum", "pattern", "format"} & part.keys():
            yield path
        if part.get("type") == "array":
            yield from below(part["items"], f"{path}/*")
        for name, one in part.get("properties", {}).items():
            yield from below(one, f"{path}/{name}")

    return below(schema, "")


def values_at(value: Any, path: str) -> list[Any]:
    """What stands at a pointer, `*` being any place of a list."""
    first, _, rest = path.removeprefix("/").partition("/")
    if value is None or not first:
        return [] if value is None else [value]
    parts = value if first == "*" else [value.get(first)]
    return [found for part in parts for found in values_at(part, rest)]


def test_every_field_of_text_of_every_record_is_attacked(hostile_pages_client: TestClient) -> None:
    document = hostile_pages_client.get("/openapi.json").json()
    for plural in RESOURCES:
        operation = document["paths"][f"/v1/{plural}/{{id}}"]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        records = hostile_pages_client.get(f"/v1/{plural}").json()["items"]
        for path in texts(document, schema):
            found = [text for record in records for text in values_at(record, path)]
            assert any(ATTACK in str(text) for text in found), (plural, path)


def test_what_rests_on_a_retracted_source_says_so_in_words(hostile_pages_client: TestClient) -> None:
    for path in ("/study-results/made-up-attack", "/claims/made-up-attack", "/sources/made-up-attack"):
        assert "retracted" in read(hostile_pages_client, path).words.lower(), path
    assert (
        "A source that this rests on was retracted."
        in read(hostile_pages_client, "/study-results/made-up-attack").words
    )


def test_a_page_links_to_where_an_error_is_reported(hostile_pages_client: TestClient) -> None:
    page = read(hostile_pages_client, "/claims/made-up-attack")
    assert "https://example.org/report?record=claims%2Fmade-up-attack&version=1" in page.links


def test_an_empty_dataset_has_pages_too(database: Database) -> None:
    with TestClient(create_app(Settings(database_url=database.url))) as client:
        for path in ("/", "/treatments", "/claims"):
            assert "not medical advice" in read(client, path).words


def test_the_pages_of_sources_name_the_records_that_cite_them(seed_client: TestClient) -> None:
    page = read(seed_client, "/sources/foster-2001")
    found = seed_client.get("/v1/study-results?source=foster-2001").json()["items"]
    assert len(found) > 1
    assert all(f"/study-results/{one['id']}" in page.links for one in found)
