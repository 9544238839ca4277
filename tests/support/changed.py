"""The tests beside what changed, which `make check` runs on SQLite with the rules of the tree.

A module of a package of `app` has the folder of the same name in `tests`; loose modules have those of the web. What is
slow (browsers, generated clients, schemathesis, reliability probes) is left to `make test` unless its own file changed.
"""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALWAYS = (
    "tests/contract/test_architecture.py",
    "tests/contract/test_contract.py",
    "tests/contract/test_openapi.py",
    "tests/docs/test_documents.py",
)
"""The rules of the tree, of every resource and of the documents."""
SLOW = ("tests/browser", "tests/contract", "tests/reliability")
"""Folders of which only a file that changed itself is run."""
LOOSE = "web"
"""Whose tests are those of `app/main.py` and the other modules at the root of `app`, and of routers."""
ELSEWHERE = {"routers": LOOSE, "migrations": "store"}
"""Packages of `app` whose tests stand in a folder of another name."""


def changed_files(base: str) -> list[str]:
    """The files that differ from a commit, and those that git does not know yet."""
    since = _git("diff", "--name-only", "--diff-filter=d", base)
    return since + _git("ls-files", "--others", "--exclude-standard")


def _git(*words: str) -> list[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def tests_beside(files: Iterable[str]) -> list[str]:
    """The files and folders of tests that belong to these files, with those that belong to every change."""
    chosen = set(ALWAYS)
    for file in files:
        top, *rest = Path(file).parts
        if top == "tests" and Path(file).name.startswith("test_"):
            chosen.add(file)
        elif top == "app":
            package = rest[0] if len(rest) > 1 else LOOSE
            chosen.add(f"tests/{ELSEWHERE.get(package, package)}")
        elif top == "bench":
            chosen.add("tests/bench")
        elif top == "tests" and len(rest) > 1 and rest[0] != "support":
            chosen.add(f"tests/{rest[0]}")
    return sorted(
        name
        for name in chosen
        if (ROOT / name).exists()
        and name not in SLOW
        and not any(name.startswith(f"{one}/") for one in chosen - {name})
    )


def main() -> None:
    """Print the tests beside what changed since a commit; where nothing did, since the commit before it."""
    base = sys.argv[1] if len(sys.argv) > 1 else "HEAD"
    print(" ".join(tests_beside(changed_files(base) or changed_files(f"{base}~1"))))


if __name__ == "__main__":
    main()
