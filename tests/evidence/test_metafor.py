"""The same numbers as R metafor: on made-up studies, whose answers stand in metafor.json, and on published data sets.

The published ones and what metafor makes of them are not ours to ship; they are read from `../shared/data/meta`.
"""

import csv
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.evidence.statistics.analysis import Analysis, MetaAnalysis, analyse
from app.evidence.statistics.measures import MEASURES
from app.evidence.statistics.pooling import Plan, Pooled
from app.evidence.statistics.study_data import Row
from tests.conftest import ROOT

KNOWN: dict[str, Any] = json.loads((Path(__file__).parent / "metafor.json").read_text(encoding="utf-8"))
PUBLISHED = ROOT.parent / "shared" / "data" / "meta"
NAMES = {
    "RR": "risk-ratio",
    "OR": "odds-ratio",
    "RD": "risk-difference",
    "MD": "mean-difference",
    "SMD": "standardized-mean-difference",
    "ZCOR": "fisher-z",
}
COLUMNS: dict[str, Callable[[dict[str, str]], dict[str, Any]]] = {
    "ai=ai,n1i=n1i,ci=ci,n2i=n2i": lambda row: counts(row["ai"], row["n1i"], row["ci"], row["n2i"]),
    "ai=ep1t,n1i=nt,ci=ep1c,n2i=nc": lambda row: counts(row["ep1t"], row["nt"], row["ep1c"], row["nc"]),
    "ai=tpos,bi=tneg,ci=cpos,di=cneg": lambda row: counts(
        row["tpos"], int(row["tpos"]) + int(row["tneg"]), row["cpos"], int(row["cpos"]) + int(row["cneg"])
    ),
    "m1i,sd1i,n1i,m2i,sd2i,n2i": lambda row: {
        "mean1": float(row["m1i"]),
        "sd1": float(row["sd1i"]),
        "n1": int(row["n1i"]),
        "mean2": float(row["m2i"]),
        "sd2": float(row["sd2i"]),
        "n2": int(row["n2i"]),
    },
    "ri,ni": lambda row: {"r": float(row["ri"]), "n": int(row["ni"])},
    "yi,vi": lambda row: {"estimate": float(row["yi"]), "se": float(row["vi"]) ** 0.5},
}
"""How the columns of a published data set become the fields of a study."""


def counts(events1: Any, n1: Any, events2: Any, n2: Any) -> dict[str, int]:
    return {"events1": int(events1), "n1": int(n1), "events2": int(events2), "n2": int(n2)}


def rows_of(measure: str, studies: list[dict[str, Any]]) -> list[Row]:
    return [MEASURES[measure].shape(**study) for study in studies]


def analysed(measure: str, studies: list[dict[str, Any]], *also: Any, **plan: Any) -> Analysis:
    question = MetaAnalysis(MEASURES[measure], Plan(measure, **plan), rows_of(measure, studies), also=frozenset(also))
    return analyse(question)


def numbers(pooled: Pooled) -> dict[str, float | None]:
    """Every number of a pooled result by its name in the answer."""
    own = ("estimate", "se", "ci_low", "ci_high", "p_value", "prediction_low", "prediction_high")
    of_heterogeneity = ("tau2", "tau2_ci_low", "tau2_ci_high", "i2", "i2_ci_low", "i2_ci_high", "h2", "q", "q_p")
    found = {name: getattr(pooled, name) for name in own}
    return found | {name: getattr(pooled.heterogeneity, name) for name in of_heterogeneity}


def assert_same(found: dict[str, float | None], known: dict[str, float]) -> None:
    """Estimates to a millionth, τ², I², H² and Q to a hundred-thousandth, relative; p-values to ten digits absolute."""
    for name, value in known.items():
        floor = 1e-3 if name.startswith("tau2") else 1e-2
        loose = name.startswith(("tau2", "i2", "h2")) or name == "q"
        assert found[name] == pytest.approx(value, rel=1e-5 if loose else 1e-6, abs=floor * 1e-6), name


@pytest.mark.parametrize("row", KNOWN["pooled"], ids=lambda row: f"{row['measure']} {row['command'][:60]}")
def test_made_up_studies_give_what_metafor_gives(row: dict[str, Any]) -> None:
    plan = {name: row[name] for name in ("model", "method", "estimator", "interval")}
    found = numbers(analysed(row["measure"], KNOWN["datasets"][row["dataset"]], **plan).pooled)
    assert_same(found, {name: row[name] for name in found if name in row})


def test_eggers_test_is_metafors() -> None:
    egger = analysed("generic", KNOWN["datasets"]["generic"], "egger").egger
    assert egger is not None
    for name, value in KNOWN["egger"].items():
        if name != "command":
            assert getattr(egger, name) == pytest.approx(value, rel=1e-9), name


@pytest.mark.parametrize("name", ["leave_one_out", "cumulative"])
def test_leaving_out_and_adding_studies_is_metafors(name: str) -> None:
    analysis = analysed("generic", KNOWN["datasets"]["generic"], name.replace("_", "-"), estimator="dl")
    found = [attempt.pooled.estimate for attempt in getattr(analysis, name)]
    assert found == pytest.approx(KNOWN[name]["estimates"], rel=1e-9)


def test_trim_and_fill_is_metafors() -> None:
    known = KNOWN["trim_and_fill"]
    found = analysed("generic", known["studies"], "trim-and-fill", estimator="dl").trim_and_fill
    assert found is not None
    assert (found.side, len(found.filled)) == (known["side"], known["k0"])
    assert (found.pooled.estimate, found.pooled.se) == pytest.approx((known["estimate"], known["se"]), rel=1e-9)


@cache
def published(name: str, table: str, columns: str) -> list[dict[str, Any]]:
    """The studies of a published data set; rows with an empty cell are left out, as R leaves out what is missing."""
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not table or row["table"] == table]
    used = [part.split("=")[-1] for part in columns.split(",")]
    return [COLUMNS[columns](row) for row in rows if all(row[column] not in ("", "NA") for column in used)]


def expected() -> Iterator[dict[str, str]]:
    with (PUBLISHED / "expected_metafor.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


needs_published = pytest.mark.skipif(not PUBLISHED.exists(), reason="../shared/data/meta is not there")


@needs_published
@pytest.mark.parametrize("measure", NAMES)
def test_published_data_sets_give_what_metafor_gives(measure: str) -> None:
    renamed = {"ci_lb": "ci_low", "ci_ub": "ci_high", "pval": "p_value", "I2": "i2", "H2": "h2", "Q": "q", "Qp": "q_p"}
    renamed |= {"pi_lb": "prediction_low", "pi_ub": "prediction_high"}
    compared = 0
    for row in expected():
        if row["measure"] != measure:
            continue
        table = row["subset"].partition('"')[2].rstrip('"')
        studies = published(row["csv"], table, row["columns"])
        name = "generic" if row["columns"] == "yi,vi" else NAMES[measure]
        is_random = row["method"] != "EE"
        plan = {
            "model": "random-effects" if is_random else "common-effect",
            "method": row["model"].lower(),
            "estimator": row["method"].lower() if is_random else "dl",
            "interval": "knapp-hartung" if row["test"] == "knha" else "wald",
        }
        pooled = analysed(name, studies, **plan).pooled
        assert pooled.k == int(row["k"])
        known = {renamed.get(key, key): value for key, value in row.items()}
        found = numbers(pooled)
        assert_same(found, {key: float(known[key]) for key in found if known.get(key)})
        compared += 1
    assert compared >= 17


@needs_published
def test_no_row_of_the_reference_is_passed_over() -> None:
    assert {row["measure"] for row in expected()} == NAMES.keys()
    assert all(row["columns"] in COLUMNS and row["k"] for row in expected())


@needs_published
def test_published_estimates_are_the_printed_ones() -> None:
    """As printed by their authors, where metafor computes the same from the shipped figures."""
    compared = 0
    for row in json.loads((PUBLISHED / "expected_published.json").read_text(encoding="utf-8")):
        table = row["subset"].partition('"')[2].rstrip('"')
        studies = published(row["csv"], table, row["columns"])
        name = "generic" if row["columns"] == "yi,vi" else NAMES[row["measure"]]
        is_random = row["tau2_method"] != "EE"
        method = {"inverse-variance": "inverse-variance", "Peto": "peto", "MH": "mantel-haenszel"}[row["pooling"]]
        model = "random-effects" if is_random else "common-effect"
        pooled = analysed(name, studies, model=model, method=method, estimator="reml").pooled
        computed, printed = row["computed"], row["printed"]
        for key, found in (("estimate", pooled.estimate), ("se", pooled.se)):
            digits = len(str(printed[key]).partition(".")[2])
            if abs(computed[key] - printed[key]) <= 0.6 * 10**-digits:
                assert found == pytest.approx(printed[key], abs=0.6 * 10**-digits), row["dataset"]
                compared += 1
    assert compared >= 20
