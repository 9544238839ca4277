"""What people see: every page in a real browser, without JavaScript where we promise that, and Swagger UI in use."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.pages.test_embedded_syntheses import APART, REASONS
from tests.support.node import JS, kept_at, packages, program, run

Report = dict[str, Any]
SHOTS = ROOT / "build" / "screens"
PAGES = 17
"""How many pages the walk looks at: one of every kind."""


@pytest.fixture(scope="module")
def pages_report(live_server: str) -> Report:
    """What the browser saw on one walk through all pages; its screenshots stay in build/screens."""
    packages()
    SHOTS.mkdir(parents=True, exist_ok=True)
    hash = kept_at(live_server, **APART, accept=REASONS)
    command: list[str | Path] = [program("node"), "browser.mjs", live_server, program("chromium"), SHOTS, hash]
    answer = run(command, cwd=JS, seconds=480)
    assert answer.returncode == 0, answer.stderr
    told: Report = json.loads(answer.stdout)
    return told


def visits(report: Report) -> Iterator[Report]:
    """Each visit to a page, of any kind."""
    for entry in report.values():
        yield from entry if isinstance(entry, list) else [entry]


def test_no_page_causes_a_message_on_the_console_or_breaks_its_own_policy(pages_report: Report) -> None:
    assert [(visit["url"], visit["complaints"]) for visit in visits(pages_report) if visit["complaints"]] == []


def test_no_page_asks_another_origin_or_for_something_that_is_not_there(pages_report: Report) -> None:
    assert [(visit["url"], visit["foreign"]) for visit in visits(pages_report) if visit["foreign"]] == []
    assert [(visit["url"], visit["failed"]) for visit in visits(pages_report) if visit["failed"]] == []
    assert all(len(visit["asked"]) > 1 for visit in visits(pages_report)), "each page asked for its own style"


def test_pages_fit_a_phone_and_a_desk_in_both_schemes_without_javascript(pages_report: Report) -> None:
    assert len(pages_report["plain"]) == PAGES
    for visit in pages_report["plain"]:
        assert visit["title"]
        assert visit["scripts"] == 0, visit["url"]
        assert visit["marks"] == [], f"{visit['url']} shows its markup"
    for visit in [*pages_report["plain"], pages_report["docsShown"]]:
        for layout in visit["layouts"]:
            assert layout["outside"] == [], (visit["url"], layout["size"])
            assert layout["squeezed"] == [], (visit["url"], layout["size"])
            assert layout["scrollWidth"] <= layout["width"], (visit["url"], layout["size"])


def test_pages_have_no_barrier_that_axe_knows_in_either_scheme(pages_report: Report) -> None:
    assert len(pages_report["audits"]) == PAGES
    assert [(visit["url"], visit["violations"]) for visit in pages_report["audits"] if visit["violations"]] == []


def test_no_page_moves_while_it_loads_or_keeps_anything_in_the_browser(pages_report: Report) -> None:
    assert [(visit["url"], visit["shift"]) for visit in pages_report["audits"] if visit["shift"] > 0] == []
    assert [visit["url"] for visit in pages_report["audits"] if visit["cookies"]] == []


def test_the_tab_key_reaches_every_link_in_order_and_shows_where_it_is(pages_report: Report) -> None:
    assert [(visit["url"], visit["unreached"]) for visit in pages_report["audits"] if visit["unreached"]] == []


def test_the_search_box_completes_what_is_typed_as_a_combobox_does_and_moves_nothing(pages_report: Report) -> None:
    typing = pages_report["typing"]
    assert typing["before"] == ["false", None]
    assert typing["opened"] == ["true", None]
    assert typing["options"][0].startswith("Botox")
    assert typing["down"][1].startswith("Botox")
    assert typing["up"] == ["true", None]
    assert typing["escaped"] == [["false", None], "boto"]
    assert typing["chosen"] == "/treatments/onabotulinumtoxina"
    assert typing["searched"] == "?q=Dysphagia"
    assert typing["submitted"] == "?q=chronic+neck+pain"
    assert typing["headings"][0] == typing["headings"][1], "the list lies over the page"
    assert typing["violations"] == []
    assert typing["layout"]["outside"] == []


def test_swagger_ui_lists_every_operation_of_the_document(pages_report: Report, live_server: str) -> None:
    with urllib.request.urlopen(f"{live_server}/openapi.json", timeout=20) as answer:
        document = json.load(answer)
    assert pages_report["docs"]["operations"] == sum(len(path) for path in document["paths"].values())
    assert pages_report["docs"]["groups"] == len(document["tags"])


def test_an_operation_run_in_swagger_ui_shows_the_answer(pages_report: Report, live_server: str) -> None:
    with urllib.request.urlopen(f"{live_server}/v1/treatments/onabotulinumtoxina", timeout=20) as answer:
        record = json.load(answer)
    assert pages_report["docs"]["status"] == "200"
    assert json.loads(pages_report["docs"]["body"]) == record


def test_swagger_ui_works_under_another_name_of_the_host(pages_report: Report) -> None:
    assert pages_report["docsByName"]["url"].startswith("http://localhost:")
    assert pages_report["docsByName"]["status"] == "200"


def test_the_documentation_says_where_else_to_look_without_javascript(pages_report: Report) -> None:
    assert "/openapi.json" in pages_report["docsWithoutScript"]["text"]
