"""Documentation is a tested contract: examples are produced by running, settings and problems are complete."""

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer import Typer

from app.cli import app as tev
from app.cli.seed import seed_database
from app.db.database import Database
from app.errors import Problem, problems
from app.json_codec import to_json
from app.main import create_app
from app.models import RESOURCES
from app.pages.templates import asset_url
from app.routers.site import EXAMPLE_QUERIES
from app.settings import PREFIX, Settings
from app.store.examples import CHECKED_ON, SEED
from tests.conftest import ROOT

README = ROOT / "README.md"
LONGEST_README = 250
OPERATING = ROOT / "docs" / "guide" / "operating.md"
ADDRESS = "http://127.0.0.1:8000"
WITH_EXAMPLES = [README, *sorted((ROOT / "docs" / "guide").glob("*.md"))]
EXAMPLE = re.compile(
    r"```sh\n(?P<command>curl '(?P<address>[^']+)'"
    r"(?: -H 'Content-Type: application/json' -d '(?P<body>[^']+)')?)\n```\n"
    r"```(?P<language>json|csv|ndjson)\n(?P<printed>.*?)```",
    re.DOTALL,
)
HEAD = re.compile(
    r"```sh\n(?P<command>curl --head '(?P<address>[^']+)')(?: -H 'If-None-Match: (?P<tag>[^']+)')?\n```\n"
    r"```text\n(?P<printed>.*?)```",
    re.DOTALL,
)
SHOWN = ("ETag", "Cache-Control", "Vary", "Dataset-Revision")
COMMAND = re.compile(r"```sh\n(tev check)\n```\n```text\n(.*?)```", re.DOTALL)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
SETTINGS = re.compile(r"\| variable \| what it does \| default \|\n(?:\|.*\n)+")
PATH = re.compile(r"`((?:app|bench|tests|docs|data)/[^`\s*{]*)`")
RESULTS = ROOT / "bench" / "RESULTS.md"
WITH_PATHS = (
    README, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", RESULTS, *sorted((ROOT / "docs").rglob("*.md"))
)  # fmt: skip
COMMANDS = re.compile(r"\n## Commands\n\n```\n(.*?)```", re.DOTALL)


def examples() -> list[re.Match[str]]:
    """Every example of the README and the guide."""
    texts = [page.read_text(encoding="utf-8") for page in WITH_EXAMPLES]
    return [match for text in texts for match in EXAMPLE.finditer(text)]


def printed(client: TestClient, example: re.Match[str]) -> str:
    """What the documents print for an example: the answer, JSON indented; every time is that of the examples."""
    path, body = example["address"].removeprefix(ADDRESS), example["body"]
    headers = {"Content-Type": "application/json"}
    answer = client.post(path, content=body, headers=headers) if body else client.get(path)
    is_json = "json" in answer.headers["content-type"] and "ndjson" not in answer.headers["content-type"]
    text = to_json(answer.json(), indent=2).decode() + "\n" if is_json else answer.text.replace("\r\n", "\n")
    return TIME.sub(CHECKED_ON, text)


def head_of(client: TestClient, example: re.Match[str]) -> tuple[str, str]:
    """The tag that a document holds, and what it prints of an answer's head."""
    path, tag = example["address"].removeprefix(ADDRESS), client.head(example["address"]).headers["etag"]
    answer = client.head(path, headers={"If-None-Match": tag} if example["tag"] else {})
    lines = [f"{name}: {answer.headers[name]}" for name in SHOWN if name in answer.headers]
    return tag, "\n".join([f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}", *lines]) + "\n"


def settings_table() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {field.description} | {f'`{field.default}`' if field.default != '' else ''} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| variable | what it does | default |", "| --- | --- | --- |", *rows]) + "\n"


def test_readme_and_guide_print_what_the_service_answers(seed_client: TestClient) -> None:
    assert len(examples()) >= 28
    for example in examples():
        assert example["printed"] == printed(seed_client, example), (
            f"`python -m tests.docs.test_documents` writes: {example['address']}"
        )


def test_the_guide_prints_the_head_of_an_answer(seed_client: TestClient) -> None:
    found = [match for page in WITH_EXAMPLES for match in HEAD.finditer(page.read_text(encoding="utf-8"))]
    assert [bool(match["tag"]) for match in found] == [False, True]
    for match in found:
        tag, head = head_of(seed_client, match)
        assert match["tag"] in (None, tag)
        assert match["printed"] == head, "`python -m tests.docs.test_documents` writes it"


def test_the_guide_prints_what_a_command_says(seeded_database_url: str) -> None:
    found = [match for page in WITH_EXAMPLES for match in COMMAND.finditer(page.read_text(encoding="utf-8"))]
    assert found
    for match in found:
        assert match[2] == said(seeded_database_url), "`python -m tests.docs.test_documents` writes it"


def said(url: str) -> str:
    """What `tev check` says of a database."""
    command = [sys.executable, "-m", "app.cli", "check", "--database", url]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_readme_is_short_and_begins_with_three_examples() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_README, "the guide has room for it"
    assert len(EXAMPLE.findall(text)) == 3


def test_the_guide_explains_every_setting() -> None:
    found = SETTINGS.search(OPERATING.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == settings_table(), "`python -m tests.docs.test_documents` writes it"
    assert all(field.description for field in Settings.model_fields.values())


def commands_of(group: Typer, words: str) -> Iterator[str]:
    """The commands of a group and of those within it, as one types them."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{words} {command.name or command.callback.__name__}"
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        yield from commands_of(inner.typer_instance, f"{words} {inner.name}" if inner.name else words)


def test_the_guide_lists_every_command() -> None:
    found = COMMANDS.search(OPERATING.read_text(encoding="utf-8"))
    assert found is not None
    listed = found[1].splitlines()
    for command in commands_of(tev, "tev"):
        assert [line for line in listed if line.startswith(f"{command} ")], command


def links(text: str) -> Iterator[str]:
    yield from re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text)


@pytest.mark.parametrize("page", WITH_PATHS, ids=lambda page: page.name)
def test_every_path_that_a_document_names_is_there(page: Path) -> None:
    named = PATH.findall(page.read_text(encoding="utf-8"))
    assert named or page not in WITH_PATHS[:3]
    assert [path for path in named if not (ROOT / path.partition("::")[0]).exists()] == []


@pytest.mark.parametrize(
    "page", [*sorted(ROOT.glob("*.md")), RESULTS, *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda p: p.name
)
def test_every_link_between_documents_leads_somewhere(page: Path) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_every_dependency_is_named_with_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *project["optional-dependencies"]["build"],
    ]
    text = (ROOT / "docs/decisions/0001-dependencies.md").read_text(encoding="utf-8")
    for dependency in named:
        name = re.split(r"[\[<>=]", dependency)[0]
        assert f"**{name}**" in text, name


class Links(HTMLParser):
    """The addresses that a page points to, and whether it runs a script beside that of the search box."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        is_known = ("type", "application/ld+json") in attrs or ("src", asset_url("search.js")) in attrs
        self.scripts += tag == "script" and not is_known
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


def read_page(client: TestClient, path: str) -> Links:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    parser = Links()
    parser.feed(answer.text)
    return parser


@pytest.mark.parametrize("path", ["/", "/problems", "/problems/not-found"])
def test_a_page_runs_no_script_of_its_own_and_every_link_of_it_works(seed_client: TestClient, path: str) -> None:
    page = read_page(seed_client, path)
    assert page.scripts == 0
    for link in page.found:
        if not link.startswith(("http", "#")):
            assert seed_client.get(link).status_code == 200, link


def test_the_first_page_counts_what_is_there(seed_client: TestClient) -> None:
    text = seed_client.get("/").text
    for plural in RESOURCES:
        total = seed_client.get(f"/v1/{plural}", params={"count": "exact"}).json()["total"]
        assert f'<a href="/v1/{plural}"><b>{total}</b>' in text
    assert "not medical advice" in text


@pytest.mark.parametrize(("words", "path"), EXAMPLE_QUERIES)
def test_every_try_it_link_shows_something(seed_client: TestClient, words: str, path: str) -> None:
    content = seed_client.get(path).json()
    assert content.get("items", True), words


def test_the_documentation_page_loads_nothing_from_elsewhere(seed_client: TestClient) -> None:
    page = read_page(seed_client, "/docs")
    for link in page.found:
        assert link.startswith("/"), link
        assert seed_client.get(link).status_code == 200, link
    policy = seed_client.get("/docs").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("kind", list(problems()), ids=lambda kind: kind.name)
def test_every_kind_of_problem_has_a_page(seed_client: TestClient, kind: type[Problem]) -> None:
    text = seed_client.get(f"/problems/{kind.name}").text
    assert str(kind.status) in text


@pytest.mark.parametrize("path", ["/problems/nothing", "/assets/nothing", "/docs/nothing", "/nothing"])
def test_an_unknown_page_is_a_problem(seed_client: TestClient, path: str) -> None:
    answer = seed_client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_llms_txt_names_every_resource(seed_client: TestClient) -> None:
    text = seed_client.get("/llms.txt").text
    for plural in RESOURCES:
        assert f"{ADDRESS}/v1/{plural})" in text
    assert "not medical advice" in text


def test_pages_ignore_parameters_that_they_do_not_know(seed_client: TestClient) -> None:
    assert seed_client.get("/?utm_source=newsletter").status_code == 200


def with_head(client: TestClient, example: re.Match[str]) -> str:
    tag, head = head_of(client, example)
    asked = f" -H 'If-None-Match: {tag}'" if example["tag"] else ""
    return f"```sh\n{example['command']}{asked}\n```\n```text\n{head}```"


def write() -> None:
    """Write what the service answers into the README and the guide, and the table of settings into the guide."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/docs.db")
        database.migrate()
        seed_database(database, SEED)
        with TestClient(create_app(Settings(database_url=database.url))) as client:
            for page in WITH_EXAMPLES:
                text = EXAMPLE.sub(
                    lambda match: (
                        f"```sh\n{match['command']}\n```\n```{match['language']}\n{printed(client, match)}```"
                    ),
                    page.read_text(encoding="utf-8"),
                )
                text = HEAD.sub(partial(with_head, client), text)
                text = COMMAND.sub(
                    lambda match: f"```sh\n{match[1]}\n```\n```text\n{said(database.url)}```",
                    text,
                )
                text = SETTINGS.sub(lambda _: settings_table(), text)
                page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
