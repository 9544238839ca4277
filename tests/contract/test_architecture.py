"""The rules of the house that a program can hold; each is a named check."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from app.models import RESOURCES
from app.routers import NAMES, module_named
from tests.conftest import ROOT

FILES = sorted(path for path in (ROOT / "app").rglob("*.py") if "versions" not in path.parts)
STORE = ROOT / "app" / "store" / "write"
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
STATEMENTS = {"insert", "update", "delete"}
"""What changes rows in SQLAlchemy Core; `session.add` and its kin are not used at all."""


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_imports_point_one_way() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout


def test_only_the_store_writes() -> None:
    for path in FILES:
        tree = tree_of(path)
        imported = {
            name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("sqlalchemy", "sqlmodel"))
            for name in node.names
        }
        asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if STORE not in path.parents:
            assert not imported & (STATEMENTS | {"Session"}), path
            assert not asked & {"commit", "merge", "add_all", "bulk_save_objects"}, path
        if STORE not in path.parents and path.name not in ("database.py", "make.py"):
            calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            assert not {call for call in calls if call.endswith("database.write")}, path


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_files_and_functions_stay_small_and_say_what_they_are(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST_FILE, "a file that long asks to be divided"
    tree = tree_of(path)
    docstring = ast.get_docstring(tree)
    assert docstring, "a file begins with one sentence"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= LONGEST_FUNCTION, f"{node.name} is too long for a screen"


def test_every_resource_has_one_file_of_each_kind() -> None:
    for plural, row in RESOURCES.items():
        file = plural.replace("-", "_") + ".py"
        assert (ROOT / "app" / "models" / file).exists()
        assert (ROOT / "app" / "routers" / file).exists()
        assert row.__module__ == f"app.models.{plural.replace('-', '_')}"
    assert [len(module_named(name).router.tags) for name in NAMES] == [1] * len(NAMES), "a module documents one tag"


HOMONYMS = {
    "main": "the entry point of a program, for tev and for the writer of migrations",
    "reindex": "the command and what it calls",
    "reinstate": "the command and what it calls",
    "rename": "the command and what it calls",
    "withdraw": "the command and what it calls",
}
"""Names of functions and classes that two modules may share, with the reason; at most fifteen."""


def test_no_name_means_two_things_in_two_modules() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in FILES:
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith(
                "_"
            ):
                places[node.name].append(str(path.relative_to(ROOT)))
    shared = {name: files for name, files in places.items() if len(files) > 1}
    assert shared.keys() == HOMONYMS.keys(), {name: shared.get(name) for name in shared.keys() ^ HOMONYMS.keys()}
    assert len(HOMONYMS) <= 15


def test_no_fixture_has_the_name_of_another() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef) and any("fixture" in ast.unparse(way) for way in node.decorator_list):
                places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


def test_one_module_imports_pydantic_core() -> None:
    importing = [path for path in FILES if "pydantic_core" in path.read_text(encoding="utf-8")]
    assert [str(path.relative_to(ROOT)) for path in importing] == ["app/json_codec.py"]
    assert len(list((ROOT / "app").glob("*.py"))) <= 8, "a loose module belongs into a package"


def asserting_in(path: Path) -> set[str]:
    """The functions of a file that assert something."""
    functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if any(isinstance(inner, ast.Assert) for inner in ast.walk(node))}


def test_no_test_is_without_an_assertion() -> None:
    shared = {"raises"} | asserting_in(ROOT / "tests" / "support" / "api.py")
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        functions = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef)]
        asserting = shared | asserting_in(path)
        for node in functions:
            called = {call.func for call in ast.walk(node) if isinstance(call, ast.Call)}
            names = {getattr(func, "id", None) or getattr(func, "attr", None) for func in called} | {node.name}
            assert not node.name.startswith("test_") or names & asserting, f"{path.name}: {node.name}"


def test_nobody_keeps_a_list_of_the_resources() -> None:
    for path in FILES:
        if path.parent.name == "models":
            continue
        words = {node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant)}
        named = {plural for plural in RESOURCES if plural in words}
        assert len(named) <= 2, f"{path} lists {named}"


LOCKS = (
    "requirements.lock", "requirements-dev.lock", "tests/js/package-lock.json",
    "bench/requirements.lock", "bench/peers/package-lock.json",
)  # fmt: skip


def test_no_file_carries_a_registrys_address_or_a_machines_path() -> None:
    for name in LOCKS:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "index-url" not in text
        assert "resolved" not in text
        assert "find-links" not in text
        assert str(ROOT.parent) not in text
