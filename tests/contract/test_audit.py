"""`make audit` is green only when every pinned package was looked up, and none is vulnerable."""

from typing import Any

import pytest

from tests.support.audit import LOCK, SOUND, UNKNOWN, VULNERABLE, Package, judged, pins, rounds

FLAW = {"id": "MADE-UP-1", "fix_versions": ["1.1"], "aliases": [], "description": ""}
PACKAGES = [("alpha", "1.0"), ("beta", "2.0")]


def known(name: str, version: str, *flaws: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": version, "vulns": list(flaws)}


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ([known("alpha", "1.0"), known("beta", "2.0")], SOUND, "2 of 2"),
        ([known("alpha", "1.0", FLAW), known("beta", "2.0")], VULNERABLE, "alpha 1.0: MADE-UP-1, mended in 1.1"),
        ([known("alpha", "1.0", FLAW)], VULNERABLE, "NOT LOOKED UP, so nothing is known of: beta 2.0."),
        ([known("alpha", "1.0")], UNKNOWN, "1 of 2"),
        ([known("alpha", "1.0"), {"name": "beta", "skip_reason": "not found"}], UNKNOWN, "beta 2.0"),
        ([known("alpha", "1.0"), known("beta", "2.1")], UNKNOWN, "beta 2.0"),
        ([], UNKNOWN, "0 of 2"),
    ],
)
def test_what_was_not_looked_up_is_not_sound(answers: list[dict[str, Any]], status: int, words: str) -> None:
    found, said = judged(PACKAGES, answers)
    assert found == status
    assert words in said


def test_every_pin_of_the_lock_is_asked_about_once_and_no_name_twice_in_a_round() -> None:
    lock = LOCK.read_text(encoding="utf-8")
    packages = pins(lock)
    assert len(packages) == sum("==" in line.split(";")[0] for line in lock.splitlines()) > 40
    found: list[Package] = []
    for chosen in rounds(packages):
        assert len({name for name, _ in chosen}) == len(chosen)
        found += chosen
    assert sorted(found) == sorted(packages)
