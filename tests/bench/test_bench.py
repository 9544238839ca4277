"""The benchmarks run, from made-up records to a table in a page like RESULTS.md."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.contestants import BARE, NAIVE, wrk_is_missing
from bench.goals import GOALS
from bench.load import ContestantFailed, Target
from bench.report import RESULTS, between, goals_table
from bench.run import CASES
from tests.conftest import ROOT, untraced

SMALLEST = "1000"
"""Records; `tev bench data` makes no fewer."""


@pytest.mark.skipif(wrk_is_missing() is not None, reason=str(wrk_is_missing()))
def test_a_short_run_measures_ours_beside_bare_asgi_and_the_naive_application(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    shutil.copy(RESULTS, page)
    command = [sys.executable, "-m", "bench.run", "by-id", "--records", SMALLEST, "--rounds", "1"]
    finished = subprocess.run(
        [*command, "--peers", NAIVE.name, "--results", str(page)],
        cwd=ROOT, env={**untraced(), "BENCH_FOLDER": str(tmp_path)}, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    text, former = (file.read_text(encoding="utf-8") for file in (page, RESULTS))
    rows = [line.split(" | ") for line in between(text, "by-id").splitlines() if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == ["| ours, uncached", "| bare ASGI", f"| {NAIVE.name}"]
    assert all(float(row[2].replace(",", "")) > 0 for row in rows), "each took some of the processor's time"
    assert {row[-1] for row in rows} == {"0 |"}, "no answer failed"
    goals, before = (between(one, "goals").splitlines() for one in (text, former))
    assert any(line.startswith("| by id, of bare ASGI |") and not line.endswith(" | |") for line in goals)
    assert {line.partition(",")[0] for line in set(goals) - set(before)} <= {"| by id"}, "the others keep their figures"


def test_every_case_has_a_place_in_the_page_and_every_goal_a_row() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    assert [case for case in CASES if not between(text, case)] == []
    assert goals_table({}, between(text, "goals")) == between(text, "goals"), "`make bench` would write another table"


def test_a_goal_keeps_what_was_measured_before_until_it_is_measured_again() -> None:
    figures = {goal.figure: 123.0 for goal in GOALS}
    measured = goals_table(figures)
    assert measured.count("123") == len(GOALS)
    assert goals_table({}, measured) == measured
    again = goals_table({"by-id": 0.456}, measured, ["by-id", "start"])
    assert (again.count("123"), again.count("0.456"), again.count("not measured")) == (len(GOALS) - 3, 1, 2)


def test_a_wrong_answer_is_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.load.FOLDER", tmp_path)
    server = BARE.server(tmp_path).start()
    try:
        assert Target("right", server, ["/100"]).check(100) == 100
        with pytest.raises(ContestantFailed, match="100 bytes, where ours has 1000"):
            Target("too small", server, ["/100"]).check(1000)
        with pytest.raises(ContestantFailed, match="gave 200"):
            Target("another status", server, ["/100"], status=304).check()
        with pytest.raises(ContestantFailed, match="20 items wanted"):
            Target("not a list", server, ["/100"], items=[20]).check()
    finally:
        server.stop()
