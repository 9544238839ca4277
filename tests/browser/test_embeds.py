"""Embeds in a real browser: cards alone, in a partner's strict page as frames and as an element, and the builder."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.seed import seed_database
from app.db.database import Database
from app.releases.build import build_release
from app.store.examples import RELEASE, SEED
from app.store.write.save import save_all
from tests.conftest import ROOT, free_port, serving, untraced
from tests.pages.test_embedded_syntheses import APART, REASONS
from tests.support.hostile_records import ATTACK, QUESTION, hostile_records
from tests.support.node import JS, kept_at, packages, program, run

Report = dict[str, Any]
SHOTS = ROOT / "build" / "screens"
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 27)"}


@pytest.fixture(scope="module")
def embeds_report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What the browser saw over the seed and hostile records; its screenshots stay in build/screens."""
    packages()
    SHOTS.mkdir(parents=True, exist_ok=True)
    folder = tmp_path_factory.mktemp("embeds")
    database = Database(f"sqlite:///{folder}/embeds.db")
    database.migrate()
    seed_database(database, SEED)
    save_all(database, hostile_records(), author="made-up")
    build_release(database, folder / "releases", RELEASE)
    database.close()
    named = {"TEV_DATABASE_URL": f"sqlite:///{folder}/embeds.db", "TEV_PORT": str(free_port())}
    with serving({**untraced(), **named}) as url:
        hashes = [kept_at(url, **QUESTION, release=RELEASE), kept_at(url, **APART, accept=REASONS)]
        command: list[str | Path] = [program("node"), "embeds.mjs", url, program("chromium"), SHOTS, RELEASE, *hashes]
        answer = run(command, cwd=JS, seconds=300)
    assert answer.returncode == 0, answer.stderr
    told: Report = json.loads(answer.stdout)
    return told


def visits(report: Report) -> Iterator[Report]:
    """Each visit, of any kind."""
    for entry in report.values():
        if isinstance(entry, list):
            yield from entry
        elif "url" in entry:
            yield entry
        else:
            yield from entry.values()


def test_no_embed_complains_asks_elsewhere_or_leaves_a_cookie(embeds_report: Report) -> None:
    assert [(visit["url"], visit["complaints"]) for visit in visits(embeds_report) if visit["complaints"]] == []
    assert {visit["cookies"] for visit in visits(embeds_report)} == {0}
    ours = embeds_report["plain"]["url"].split("/embed/")[0]
    partner = ours.replace("127.0.0.1", "localhost")
    assert {
        url for visit in visits(embeds_report) for url in visit["asked"] if not url.startswith((ours, partner))
    } == set()


def test_a_card_asks_for_nothing_but_itself(embeds_report: Report) -> None:
    assert [visit["asked"] for visit in embeds_report["cards"].values() if visit["asked"] != [visit["url"]]] == []


def test_cards_fit_from_280_pixels_on_in_both_themes_without_a_barrier_that_axe_knows(embeds_report: Report) -> None:
    for name, visit in embeds_report["cards"].items():
        assert visit["violations"] == [], name
        assert visit["themes"] == BACKGROUNDS, name
        assert visit["shift"] == 0, name
        assert len(visit["layouts"]) == 3
        for layout in visit["layouts"]:
            assert layout["outside"] == [], (name, layout["width"])
            assert layout["scrollWidth"] <= layout["width"], (name, layout["width"])


def test_a_card_says_all_without_javascript(embeds_report: Report) -> None:
    assert "Contradicted" in embeds_report["plain"]["text"]
    assert "not medical advice" in embeds_report["plain"]["text"]


def test_hostile_texts_are_shown_and_never_run(embeds_report: Report) -> None:
    straight = ATTACK.replace("\u202e", "")
    elements = [embeds_report["elements"][name] for name in ("attacked", "attackedPlot")]
    assert len(embeds_report["attacked"]) == 5 + 10, "cards and pages"
    for visit in [*embeds_report["attacked"], *elements]:
        is_page = "/embed/" not in visit["url"] and not visit["url"].endswith("/host")
        assert (visit["hit"], visit["dialogs"]) == (None, 0), visit["url"]
        assert (ATTACK if is_page else straight)[:130] in visit["text"], visit["url"]
        assert visit["outside"] == [], visit["url"]
        assert visit["shift"] == 0, visit["url"]


def test_the_element_renders_itself_in_a_page_that_forbids_all_style(embeds_report: Report) -> None:
    claim, treatment = embeds_report["elements"]["claim"], embeds_report["elements"]["treatment"]
    assert "Contradicted" in claim["text"]
    assert "not medical advice" in claim["text"]
    assert claim["border"] == "1px", "its style is there"
    assert (claim["background"], treatment["background"]) == (BACKGROUNDS["light"], BACKGROUNDS["dark"])
    for name in ("claim", "treatment", "synthesis", "attacked", "released"):
        assert embeds_report["elements"][name]["shift"] == 0, "it keeps its place, in a page that has no style for it"
    assert embeds_report["elements"]["synthesis"]["shapes"] > 5, "the forest plot"
    assert "Risk ratio 3.41 (95% CI 1.61 to 7.23)" in embeds_report["elements"]["synthesis"]["text"]
    assert embeds_report["elements"]["synthesis"]["violations"] == []
    assert len([url for url in claim["asked"] if url.endswith("/card")]) == 1
    assert claim["scrollWidth"] <= 320
    assert claim["badge"][0] == claim["badge"][1], "the badge's room, too"
    assert all(link.startswith(("http://", "https://")) for link in embeds_report["elements"]["attacked"]["links"])
    assert claim["violations"] == []


def test_the_element_asks_a_release_when_it_is_told_to(embeds_report: Report) -> None:
    released = embeds_report["elements"]["released"]
    assert f"Release {RELEASE}, revision " in released["text"]
    assert [url for url in released["asked"] if url.endswith(f"/card?release={RELEASE}")]


def test_the_element_is_calm_when_there_is_nothing_to_show(embeds_report: Report) -> None:
    for name in ("unknown", "nowhere"):
        assert "This record cannot be shown here." in embeds_report["elements"][name]["text"]
        assert embeds_report["elements"][name]["height"] == embeds_report["elements"]["claim"]["height"]
    assert "There is no record 'none' in claims." in embeds_report["elements"]["unknown"]["text"]


def test_the_link_within_the_element_stands_where_scripts_do_not_run(embeds_report: Report) -> None:
    assert "FDA-approved medication" in embeds_report["elements"]["plain"]["text"]


def test_each_frame_gets_the_height_of_its_own_card_and_no_other_message_counts(embeds_report: Report) -> None:
    frames = embeds_report["frames"]
    assert len(set(frames["wanted"])) == 2, "two frames of different heights, each of which the page came to have"
    assert 9 < frames["after"][0] < frames["wanted"][0], "it follows its card"
    assert frames["after"][1] == frames["wanted"][1]


def test_the_builder_shows_what_is_picked_and_copies_the_line(embeds_report: Report) -> None:
    assert embeds_report["builder"]["copied"].startswith("<treatment-evidence src=")
    assert 'theme="dark"' in embeds_report["builder"]["copied"]
    assert embeds_report["builder"]["preview"]
    assert embeds_report["builder"]["shift"] == 0
    assert embeds_report["builderShown"]["violations"] == []
    for layout in embeds_report["builderShown"]["layouts"]:
        assert layout["outside"] == []
        assert layout["scrollWidth"] <= layout["width"]


def test_the_builder_finds_records_by_words_with_the_keyboard(embeds_report: Report) -> None:
    builder = embeds_report["builder"]
    assert builder["suggested"][0].startswith("Botox")
    assert f"\n{builder['picked']} · claim" in builder["found"]
    assert builder["violations"] == []


def test_a_badge_is_drawn_of_every_record_even_of_one_that_there_is_not(embeds_report: Report) -> None:
    assert len(embeds_report["badges"]["widths"]) == 7
    assert all(width > 100 for width in embeds_report["badges"]["widths"])
