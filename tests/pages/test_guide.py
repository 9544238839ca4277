"""The guide as pages: every chapter is there, its links and anchors work, and its complete page runs in a browser."""

import json
import re
import urllib.request
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.pages.guide import CHAPTERS, EXAMPLE_ADDRESS, GUIDE, chapter
from tests.pages.test_pages import get, read
from tests.support.node import JS, packages, program, run

CODE = re.compile(r"```(html|tsx)\n(.*?)```", re.DOTALL)
every_chapter = pytest.mark.parametrize("name", CHAPTERS)


def code(language: str) -> str:
    """The first block of that language in the first chapter: a complete file."""
    text = (GUIDE / "first-call.md").read_text(encoding="utf-8")
    return next(match[2] for match in CODE.finditer(text) if match[1] == language)


def test_every_chapter_is_in_the_table_of_contents(seed_client: TestClient) -> None:
    page = read(seed_client, "/guide")
    assert sorted(CHAPTERS) == sorted(file.stem for file in GUIDE.glob("*.md"))
    assert [link for link in page.links if link.startswith("/guide/")] == [f"/guide/{name}" for name in CHAPTERS]
    for path in ("/", "/claims", "/treatments/nothing"):
        assert 'href="/guide"' in seed_client.get(path, headers={"Accept": "text/html"}).text


@every_chapter
def test_a_chapter_is_whole_and_every_link_within_leads_somewhere(seed_client: TestClient, name: str) -> None:
    page = read(seed_client, f"/guide/{name}")
    text = (GUIDE / f"{name}.md").read_text(encoding="utf-8")
    titles = re.findall(r"^## (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    assert all(title.replace("`", "") in page.words for title in titles)
    assert len(set(page.ids)) >= len(titles)
    for link in page.links:
        target, _, anchor = link.partition("#")
        target = target.removeprefix("http://127.0.0.1:8000") or f"/guide/{name}"
        assert target.startswith(("/", "https://")), link
        if target.startswith("/guide"):
            other = read(seed_client, target)
            assert not anchor or anchor in other.ids or anchor == "main", link
        elif target.startswith("/"):
            assert seed_client.get(target).status_code == 200, link


@every_chapter
def test_code_scrolls_within_itself_and_the_keyboard_reaches_it(seed_client: TestClient, name: str) -> None:
    text = get(seed_client, f"/guide/{name}").text
    assert text.count("<pre") == text.count('<pre tabindex="0" role="group" aria-label="Code"')
    assert text.count("<table") == text.count('class="scroll" tabindex="0"')


def test_examples_ask_the_service_that_shows_them() -> None:
    shown = chapter("first-call", "https://evidence.example")
    assert "https://evidence.example/v1/treatments" in shown.html
    assert EXAMPLE_ADDRESS not in shown.html
    assert "server 127.0.0.1:8000;" in chapter("operating", "https://evidence.example").html


def test_code_in_a_chapter_is_text(seed_client: TestClient) -> None:
    assert "&lt;script type=&quot;module&quot;&gt;" in get(seed_client, "/guide/first-call").text


def test_a_chapter_that_there_is_not_names_the_nearest(seed_client: TestClient) -> None:
    assert "filtering" in read(seed_client, "/guide/filterin", 404).words
    assert seed_client.get("/guide/..%2f..%2fREADME").status_code == 404
    assert seed_client.get("/guide", headers={"Accept": "application/json"}).status_code == 406


def compiled(folder: Path, server: str) -> Path:
    """The component of the guide, compiled strictly against the types of React."""
    (folder / "App.tsx").write_text(code("tsx").replace(EXAMPLE_ADDRESS, server), encoding="utf-8")
    (folder / "node_modules").symlink_to(packages())
    options = {
        "strict": True,
        "jsx": "react-jsx",
        "target": "es2022",
        "module": "node16",
        "lib": ["es2023", "dom"],
        "types": [],
        "outDir": "out",
    }
    settings = {"compilerOptions": options, "files": ["App.tsx"]}
    (folder / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    answer = run([packages() / ".bin" / "tsc", "--project", folder], cwd=folder, seconds=90)
    assert answer.returncode == 0, answer.stdout
    return folder / "out" / "App.js"


def test_the_complete_page_and_the_component_run_in_a_browser(live_server: str, tmp_path: Path) -> None:
    file = tmp_path / "approvals.html"
    file.write_text(code("html").replace(EXAMPLE_ADDRESS, live_server), encoding="utf-8")
    answer = run(
        [program("node"), "guide.mjs", file, program("chromium"), compiled(tmp_path, live_server)], cwd=JS, seconds=90
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["complaints"] == []
    assert told["treatments"] > 5
    for shown in (told["first"], told["chosen"]):
        assert shown["told"] == f"{shown['rows']} decisions"
    assert ["Chronic migraine", "US", "approved", "2010-10-15"] in [row[:4] for row in told["chosen"]["cells"]]
    assert told["wrong"].startswith("treatment: "), "it shows what the problem says"
    react = told["react"]
    assert (react["alerts"], react["complaints"]) == (0, [])
    assert "chronic-migraine, US: approved 2010-10-15 (checked 2026-11-22)" in react["first"]
    with urllib.request.urlopen(f"{live_server}/v1/approvals?treatment=abobotulinumtoxina&limit=200") as answer:
        approvals = json.load(answer)["items"]
    assert len(react["chosen"]) == len(approvals) > 0
