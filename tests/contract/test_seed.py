"""The first data set against its evidence: what must be there, with the numbers as they were read."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.json_codec import from_json
from app.store.examples import SEED, TEXTS, seed_records
from tests.conftest import ROOT

EVIDENCE = ROOT.parent / "shared" / "evidence"
ARTICLE = "metropolmed-botox-neck-back-pain"
PRODUCTS = {
    "onabotulinumtoxina",
    "abobotulinumtoxina",
    "incobotulinumtoxina",
    "rimabotulinumtoxinb",
    "daxibotulinumtoxina",
}


def evidence(name: str) -> Any:
    if not EVIDENCE.exists():
        pytest.skip(f"the evidence is not here: {EVIDENCE.name}/{name} is compared where it is")
    return from_json((EVIDENCE / name).read_bytes())


def one(client: TestClient, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def arms(client: TestClient, result: str) -> dict[str, tuple[int | None, int | None]]:
    content = one(client, f"/v1/study-results/{result}")
    return {arm["role"]: (arm["events"], arm["n"]) for arm in content["arms"]}


def test_all_51_claims_stand_in_the_stored_article() -> None:
    article = (TEXTS / f"{ARTICLE}.txt").read_bytes().decode()
    claims = [record.model_dump() for (plural, _), record in seed_records().items() if plural == "claims"]
    assert len(claims) == 51
    for claim in claims:
        assert claim["source"] == ARTICLE
        assert article[claim["span"]["start"] : claim["span"]["end"]] == claim["quote"]


def test_every_claim_has_the_quote_the_span_and_the_verdict_of_the_evidence(seed_client: TestClient) -> None:
    given = {claim["id"].lower(): claim for claim in evidence("claims.json")}
    held = {item["id"]: item for item in one(seed_client, "/v1/claims?limit=200")["items"]}
    assert held.keys() == given.keys()
    for claim_id, claim in given.items():
        assert held[claim_id]["quote"] == claim["quote"]
        assert held[claim_id]["span"] == {"start": claim["start"], "end": claim["end"]}
        verdict = {"partly": "partly-supported"}.get(claim["verdict"], claim["verdict"])
        if claim_id != "c38":  # its comparison has no source that could be loaded
            assert held[claim_id]["verdict"] == verdict, claim_id
        has_numbers = any(value["number"] is not None for value in held[claim_id]["values"])
        assert held[claim_id]["verification"] == ("number-in-quote" if has_numbers else "quote-found")
    assert held["c38"]["verdict"] == "unverifiable"


def test_the_article_is_the_one_that_was_read() -> None:
    if not EVIDENCE.exists():
        pytest.skip("the evidence is not here: the article is compared where it is")
    assert (TEXTS / f"{ARTICLE}.txt").read_bytes() == (EVIDENCE / "article.txt").read_bytes()


def test_the_two_intervals_below_twelve_weeks_carry_a_safety_flag(seed_client: TestClient) -> None:
    flagged = one(seed_client, "/v1/claims?safety_flag=true")["items"]
    assert {claim["quote"] for claim in flagged} == {
        "with each injection being given 1-2 weeks apart",
        "with each injection being given 3-4 weeks apart",
    }
    assert all(claim["verdict"] == "unverifiable" for claim in flagged)


def test_every_verdict_rests_on_records_that_open(seed_client: TestClient) -> None:
    claims = one(seed_client, "/v1/claims?limit=200&include=evidence")
    for claim in claims["items"]:
        for reference in claim["evidence"]:
            assert reference["id"] in claims["included"][reference["kind"]]


def test_the_five_products_belong_to_the_class_and_have_units_of_their_own(seed_client: TestClient) -> None:
    items = one(seed_client, "/v1/treatments?part_of=botulinum-toxin")["items"]
    assert {item["id"] for item in items} == PRODUCTS
    units = [item["dose_unit"] for item in items]
    assert len({unit["code"] for unit in units}) == 5
    assert all(unit["interchangeable_with"] == [] for unit in units)
    assert one(seed_client, "/v1/treatments/botulinum-toxin")["dose_unit"] is None


@pytest.mark.parametrize(
    ("condition", "jurisdiction", "status", "since", "as_of"),
    [
        ("chronic-migraine", "US", "approved", "2010-10-15", None),
        ("chronic-migraine", "GB", "approved", "2010-07-09", None),
        ("cervical-dystonia", "US", "approved", "2000-12-21", None),
        ("chronic-low-back-pain", "US", "not-approved", None, "2024-12-15"),
        ("chronic-low-back-pain", "CA", "not-approved", None, "2011-01-31"),
        ("chronic-neck-pain", "GB", "not-approved", None, "2026-11-22"),
    ],
)
def test_the_ledger_says_what_was_decided(
    seed_client: TestClient, condition: str, jurisdiction: str, status: str, since: str | None, as_of: str | None
) -> None:
    parameters = f"treatment=onabotulinumtoxina&condition={condition}&jurisdiction={jurisdiction}"
    rows = one(seed_client, f"/v1/approvals?{parameters}")["items"]
    assert [row["status"] for row in rows] == [status]
    assert rows[0]["valid_from"] == since
    assert as_of is None or rows[0]["as_of"] == as_of


def test_counts_are_counts_of_people(seed_client: TestClient) -> None:
    assert arms(seed_client, "foster-2001-pain-relief-50-week-3") == {"exposed": (11, 15), "comparator": (4, 16)}
    assert arms(seed_client, "foster-2001-pain-relief-50-week-8") == {"exposed": (9, 15), "comparator": (2, 16)}


def test_the_quartiles_of_cervical_dystonia_are_not_limits(seed_client: TestClient) -> None:
    rows = one(
        seed_client, "/v1/treatments/onabotulinumtoxina/dosing-intervals?condition=cervical-dystonia&dose_min=198"
    )["items"]
    assert [(row["dose_max"], row["dose_statistic"], row["dose_unit"]) for row in rows] == [
        (300, "iqr", "onabotulinumtoxina-unit")
    ]


def test_the_dose_for_migraine_is_a_range_with_sites(seed_client: TestClient) -> None:
    rows = one(seed_client, "/v1/dosing-intervals?condition=chronic-migraine&basis=label&jurisdiction=GB")["items"]
    row = rows[0]
    assert (row["dose_min"], row["dose_max"], row["sites_min"], row["sites_max"]) == (155, 195, 31, 39)
    assert (row["interval_min"], row["interval_unit"], row["interval_days"]) == (12, "wk", 84)


def test_a_review_names_the_trials_it_includes_and_is_not_one_of_them(seed_client: TestClient) -> None:
    pooled = one(seed_client, "/v1/studies/preempt-pooled")
    assert pooled["includes"] == ["preempt-1", "preempt-2"]
    migraine = one(seed_client, "/v1/study-results?study=herd-2018&condition=chronic-migraine")["items"]
    days = next(row for row in migraine if row["estimate"] is not None)
    assert (days["estimate"], days["ci_low"], days["ci_high"], days["participant_count"]) == (-2, -2.8, -1.1, 1384)
    assert days["synthesis"] != "none"
    soares = one(seed_client, "/v1/studies/soares-2014")
    assert {"deandres-2010", "gobel-2006", "ojala-2006"} <= set(soares["includes"])


def test_the_missed_and_the_met_primary_endpoint_are_told_apart(seed_client: TestClient) -> None:
    for study, finding in (("preempt-1", "not-significant"), ("preempt-2", "favours-treatment")):
        rows = one(seed_client, f"/v1/study-results?study={study}&is_primary=true")["items"]
        assert {row["finding"] for row in rows} == {finding}


def test_a_trial_with_negative_results_is_there(seed_client: TestClient) -> None:
    langevin = one(seed_client, "/v1/study-results?study=langevin-2011")["items"][0]
    assert (langevin["estimate"], langevin["ci_low"], langevin["ci_high"]) == (-0.07, -0.36, 0.21)
    assert langevin["finding"] == "not-significant"
    negative = one(seed_client, "/v1/study-results?finding=not-significant&count=exact")["total"]
    assert negative >= 10


def test_a_direction_alone_gives_reasons_for_what_is_missing(seed_client: TestClient) -> None:
    row = one(seed_client, "/v1/study-results?study=ferrante-2005")["items"][0]
    assert row["finding"] == "not-significant"
    assert row["estimate"] is None
    assert row["missing"]["estimate"]


def test_harms_have_one_row_a_term_with_people_and_denominators(seed_client: TestClient) -> None:
    rows = one(seed_client, "/v1/side-effects?study=compel&limit=200")["items"]
    assert len({row["term"] for row in rows}) == len(rows) >= 6
    assert {row["at_risk"] for row in rows} == {716}
    ptosis = next(row for row in rows if "ptosis" in row["term"].lower())
    assert (ptosis["percent"], ptosis["frequency"]) == (2.51, "common")
    printed = one(
        seed_client, "/v1/side-effects?treatment=onabotulinumtoxina&condition=cervical-dystonia&term=dysphagia"
    )
    assert [(row["percent"], row["affected"]) for row in printed["items"]] == [(19, None)]
    assert printed["items"][0]["arms"][0]["missing"]["affected"] == "not-reported"


def test_sources_have_the_identifiers_that_were_seen(seed_client: TestClient) -> None:
    checks = {check["study"]: check for check in evidence("corrections.json")["identifier_checks"]}
    held = {item["id"]: item for page in (1,) for item in one(seed_client, "/v1/sources?limit=200")["items"]}
    for study, check in checks.items():
        if study not in held or check["ok"] is not True:
            continue
        for name in ("pmid", "doi"):
            if check[name] is not None:
                assert held[study][name] == check[name].lower(), (study, name)
    for study in ("wheeler-2001", "odergren-1998"):
        assert held[study]["pmid"] is None
        assert held[study]["doi"] is None


def test_every_study_of_the_evidence_is_here(seed_client: TestClient) -> None:
    given = {study["id"].split(" ")[0] for study in evidence("facts.json")["studies"]} - {"aan-2008", "aan-2016"}
    held = {item["id"] for item in one(seed_client, "/v1/studies?limit=200&fields=id")["items"]}
    assert given <= held
    guidelines = {item["id"] for item in one(seed_client, "/v1/sources?kind=guideline")["items"]}
    assert {"aan-2008", "aan-2016"} <= guidelines


def test_no_two_records_say_the_same() -> None:
    told = Counter((plural, record.model_dump_json(exclude={"id"})) for (plural, _), record in seed_records().items())
    assert [key for key, count in told.items() if count > 1] == []


def test_the_seed_is_written_for_people_to_read() -> None:
    text = Path(SEED).read_text(encoding="utf-8")
    assert "\\u" not in text
    assert "MEMORY" not in text
    assert text.count("\n") > 5000
