"""Every number against its source: what the writer refuses, what `tev check` finds, on which rung a record stands."""

import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.cli.seed import seed_database
from app.db.database import Database
from app.errors import InvalidRecord
from app.json_codec import from_json
from app.reports.audit import audit
from app.store.examples import SEED
from app.store.write.save import save_all
from tests.conftest import ROOT
from tests.store.test_store import CONDITION, TREATMENT, document, record

ARTICLE = "An example toxin was given every three to four months. In all, 155 units were given to 2,5 people’s arms."
QUOTE = "given every three to four months"
STRUCTURED = json.dumps({"arms": [{"n": 155, "rate": "2.5", "name": "Example arm"}], "is": True})
UNITS = {"code": "example-unit", "label": "example units"}


def source(record_id: str, content: str) -> Any:
    digest = sha256(content.encode()).hexdigest()
    values = {"id": record_id, "kind": "web-article", "title": "An example", "sha256": digest}
    return record("sources", {**values, "retrieved_on": "2026-11-20"})


def interval(*citations: dict[str, Any], **values: Any) -> Any:
    usual = {"id": "example-interval", "treatment": "example-toxin", "basis": "trial", "interval_unit": "mo"}
    return record("dosing-intervals", {**usual, **values, "citations": list(citations)})


def quoted(quote: str, *numbers: dict[str, Any], start: int | None = None) -> dict[str, Any]:
    place = ARTICLE.index(quote) if start is None else start
    span = {"start": place, "end": place + len(quote)}
    return {"source": "example-article", "quote": quote, "span": span, "numbers": list(numbers)}


def bound(field: str, start: int, end: int, transformation: str = "as-written") -> dict[str, Any]:
    return {"field": field, "span": {"start": start, "end": end}, "transformation": transformation}


THREE = bound("/interval_min", 12, 17, "number-word")
FOUR = bound("/interval_max", 21, 25, "number-word")


@pytest.fixture
def database_with_texts(database: Database) -> Database:
    """A database with an article, a structured source, a treatment and a condition."""
    texts = {"example-article": ARTICLE, "example-registry": STRUCTURED}
    records = [source(name, content) for name, content in texts.items()]
    treatment = record("treatments", {**TREATMENT, "dose_unit": UNITS})
    save_all(database, [*records, treatment, record("conditions", CONDITION)], author="test", texts=texts)
    return database


def test_a_record_climbs_the_ladder_with_what_is_shown_of_it(database_with_texts: Database) -> None:
    for citation, rung in (
        ({"source": "example-article"}, "recorded"),
        (quoted(QUOTE), "quote-found"),
        (quoted(QUOTE, THREE), "quote-found"),
        (quoted(QUOTE, THREE, FOUR), "number-in-quote"),
    ):
        save_all(database_with_texts, [interval(citation, interval_min=3, interval_max=4)], author="test")
        shown = document(database_with_texts, "dosing-intervals", "example-interval")
        assert (shown["verification"], shown["checked_on"]) == (rung, "2026-11-20")
        assert shown["interval_days"] == 91.312


def test_numbers_of_a_structured_source_are_bound_by_pointers(database_with_texts: Database) -> None:
    numbers = [{"field": "/dose_min", "pointer": "/arms/0/n"}, {"field": "/dose_max", "pointer": "/arms/0/n"}]
    numbers.append({"field": "/interval_min", "pointer": "/arms/0/rate"})
    citation = {"source": "example-registry", "numbers": numbers}
    dosed = {"dose_min": 155, "dose_max": 155, "dose_unit": "example-unit", "interval_min": 2.5}
    save_all(database_with_texts, [interval(citation, **dosed)], author="test")
    assert document(database_with_texts, "dosing-intervals", "example-interval")["verification"] == "number-in-quote"


REGISTRY = "example-registry"
BROKEN: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    (quoted("given every three to four"), {"interval_min": 5}, "/interval_min", "5 stands in no quote"),
    (
        quoted(QUOTE, bound("/interval_min", 21, 25, "number-word")),
        {"interval_min": 3},
        "/citations/0/numbers/0",
        "says 4",
    ),
    (quoted(QUOTE, bound("/interval_min", 12, 17)), {"interval_min": 3}, "/citations/0/numbers/0", "number-word"),
    (quoted(QUOTE, bound("/no_such", 12, 17)), {"interval_min": 3}, "/citations/0/numbers/0", "/no_such is no number"),
    (quoted(QUOTE, bound("/interval_min", 12, 99)), {"interval_min": 3}, "/citations/0/numbers/0", "beyond the quote"),
    (quoted(QUOTE, start=0), {"interval_min": 3}, "/citations/0/quote", "differs from the text at character 0"),
    (quoted(QUOTE, start=99), {"interval_min": 3}, "/citations/0/quote", "reaches beyond the text"),
    (
        quoted("2,5 people's arms", start=87),
        {"interval_min": 2.5},
        "/citations/0/quote",
        "typographic mark at character 97",
    ),
    (
        quoted("2,5 people’s", bound("/interval_min", 0, 3)),
        {"interval_min": 2.5},
        "/citations/0/numbers/0",
        "decimal-comma",
    ),
    (
        {"source": REGISTRY, "numbers": [{"field": "/interval_min", "pointer": "/arms/1/n"}]},
        {"interval_min": 3},
        "/citations/0/numbers/0",
        "there is no '1' at /arms",
    ),
    (
        {"source": REGISTRY, "numbers": [{"field": "/interval_min", "pointer": "/arms/0/n"}]},
        {"interval_min": 3},
        "/citations/0/numbers/0",
        "says 155",
    ),
    (
        {"source": REGISTRY, "numbers": [{"field": "/interval_min", "pointer": "/is"}]},
        {"interval_min": 1},
        "/citations/0/numbers/0",
        "no number stands at /is",
    ),
    (
        {"source": "example-article", "numbers": [{"field": "/interval_min", "pointer": "/a"}]},
        {"interval_min": 3},
        "/citations/0/numbers/0",
        "not JSON",
    ),
]


@pytest.mark.parametrize(("citation", "values", "pointer", "words"), BROKEN, ids=[words for *_, words in BROKEN])
def test_the_writer_refuses_what_does_not_stand_there(
    database_with_texts: Database, citation: dict[str, Any], values: dict[str, Any], pointer: str, words: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        save_all(database_with_texts, [interval(citation, **values)], author="test")
    error = next(error for error in caught.value.errors if error["pointer"] == pointer)
    assert words in error["detail"]
    with database_with_texts.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM dosing_interval")).scalar_one() == 0


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([bound("/interval_min", 5, 5)], "must lie before the end"),
        ([bound("/interval_min", 9, 5)], "must lie before the end"),
        ([bound("/interval_min", 12, 17), bound("/interval_max", 15, 25)], "overlap"),
        ([bound("/interval_min", 12, 17), bound("/interval_min", 21, 25)], "bound twice"),
        ([{"field": "/interval_min"}], "by one of them"),
        ([{"field": "/interval_min", "pointer": "/a", "span": {"start": 0, "end": 1}}], "by one of them"),
        ([{"field": "interval_min", "pointer": "/a"}], "pattern"),
    ],
)
def test_bindings_that_make_no_sense_are_refused(numbers: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        interval(quoted(QUOTE, *numbers), interval_min=3)


def test_a_curators_check_does_not_go_along_with_a_change(database_with_texts: Database) -> None:
    checked = {"curator_checked": {"by": "Example Curator", "on": "2026-11-21"}}
    save_all(database_with_texts, [interval({"source": "example-article"}, interval_min=3, **checked)], author="test")
    assert document(database_with_texts, "dosing-intervals", "example-interval")["checked_on"] == "2026-11-21"
    with pytest.raises(InvalidRecord, match="before the change") as caught:
        save_all(
            database_with_texts, [interval({"source": "example-article"}, interval_min=4, **checked)], author="test"
        )
    assert caught.value.errors[0]["pointer"] == "/curator_checked"
    save_all(database_with_texts, [interval({"source": "example-article"}, interval_min=4)], author="test")
    assert document(database_with_texts, "dosing-intervals", "example-interval")["curator_checked"] is None


def test_the_seed_holds(seeded_database_url: str) -> None:
    database = Database(seeded_database_url)
    report = audit(database)
    database.close()
    assert report.failures == []
    assert (report.records, report.texts) == (501, 1)


def test_the_articles_twelve_claims_with_numbers_are_bound(seed_client: TestClient) -> None:
    items = seed_client.get("/v1/claims", params={"min_verification": "number-in-quote", "limit": 200}).json()["items"]
    assert [claim["id"] for claim in items] == [
        "c07", "c23", "c26", "c27", "c40", "c41", "c42", "c44", "c45", "c46", "c48", "c49",
    ]  # fmt: skip
    for claim in items:
        numbers = {f"/values/{i}/number" for i, value in enumerate(claim["values"]) if value["number"] is not None}
        assert {binding["field"] for binding in claim["numbers"]} == numbers
    duration = next(claim for claim in items if claim["id"] == "c23")
    assert [(v["number"], v["unit"], v["days"]) for v in duration["values"][:2]] == [
        (3, "mo", 91.312),
        (4, "mo", 121.75),
    ]


def swap(table: str, record_id: str, old: str, new: str, column: str = "document") -> tuple[str, dict[str, str]]:
    """A change past the store: other words in a document."""
    key = "source" if table == "source_text" else "id"
    statement = f"UPDATE {table} SET {column} = replace({column}, :old, :new) WHERE {key} = :id"
    return statement, {"old": old, "new": new, "id": record_id}


ARTICLE_ID = "metropolmed-botox-neck-back-pain"
LABEL_ROW = "onabotulinumtoxina-chronic-migraine-label-us"
PLANTED = {
    "a text that is not the one that was hashed": (
        swap("source_text", ARTICLE_ID, "155 units", "156 units", "text"),
        f"sources/{ARTICLE_ID}/sha256: sha256 is",
    ),
    "a quote that its source does not hold": (
        swap("source_text", ARTICLE_ID, "155 units", "156 units", "text"),
        "claims/c48/quote: the quote differs from the text at character",
    ),
    "a number that is not in its quote": (
        swap("claim", "c45", '"number":36', '"number":63'),
        "claims/c45/numbers/0: /values/0/number is 63, but the quote at 43–45 says 36",
    ),
    "a span that holds something else": (
        swap("claim", "c40", '"start":2,"end":6', '"start":2,"end":5'),
        "claims/c40/numbers/0: '201' at 2–5 is no whole number of the quote",
    ),
    "a column that says something else than the document": (
        ("UPDATE dosing_interval SET dose_min = 156 WHERE id = :id", {"id": LABEL_ROW}),
        f"dosing-intervals/{LABEL_ROW}/dose_min: the column holds 156",
    ),
    "a rung that the record does not stand on": (
        swap("claim", "c19", "quote-found", "number-in-quote"),
        "claims/c19/verification: 'number-in-quote' is shown, 'quote-found' follows",
    ),
    "a verdict that nobody saved": (
        swap("claim", "c20", '"verdict":"contradicted"', '"verdict":"supported"'),
        "claims/c20: the record was changed past the store",
    ),
    "a reference that is not kept": (
        ("DELETE FROM reference WHERE from_id = :id AND path = 'evidence.0'", {"id": "c21"}),
        "claims/c21: the table of references",
    ),
    "a history that ends elsewhere": (
        swap("edition", "c22", "partly-supported", "supported"),
        "claims/c22: the history does not end",
    ),
    "a word that no list knows": (
        swap("claim", "c24", '"kind":"dosing-interval"', '"kind":"nonsense"'),
        "claims/c24/kind: Input should be",
    ),
}


def test_the_check_finds_every_planted_fault(database: Database) -> None:
    seed_database(database, SEED)
    with database.writer.begin() as connection:
        for name, (planted, _) in PLANTED.items():
            statement, values = planted
            assert connection.execute(text(statement), values).rowcount, name
    failures = [f"{one.record}{one.pointer}: {one.detail}" for one in audit(database).failures]
    for name, (_, words) in PLANTED.items():
        assert any(failure.startswith(words) for failure in failures), (name, failures)


def test_the_check_of_a_pointer_finds_a_changed_source(database_with_texts: Database) -> None:
    citation = {"source": REGISTRY, "numbers": [{"field": "/interval_min", "pointer": "/arms/0/n"}]}
    save_all(database_with_texts, [interval(citation, interval_min=155)], author="test")
    assert audit(database_with_texts).failures == []
    with database_with_texts.writer.begin() as connection:
        connection.execute(
            text("UPDATE source_text SET text = replace(text, '155', '156') WHERE source = 'example-registry'")
        )
    details = {failure.detail for failure in audit(database_with_texts).failures}
    assert "/interval_min is 155, but example-registry at /arms/0/n says 156" in details


def test_a_real_registry_record_can_be_bound(database: Database) -> None:
    file = ROOT.parent / "shared" / "data" / "ctgov" / "studies" / "NCT03308968.json"
    if not file.exists():
        pytest.skip(f"{file.name} of the shared data is not here")
    content = file.read_text(encoding="utf-8")
    enrolled = from_json(content)["protocolSection"]["designModule"]["enrollmentInfo"]["count"]
    citation = {"source": "ctgov-nct03308968"}
    pointer = {"field": "/interval_min", "pointer": "/protocolSection/designModule/enrollmentInfo/count"}
    records = [source("ctgov-nct03308968", content), record("treatments", TREATMENT)]
    save_all(
        database,
        [*records, interval({**citation, "numbers": [pointer]}, interval_min=enrolled)],
        author="test",
        texts={"ctgov-nct03308968": content},
    )
    assert audit(database).numbers == 1


def test_the_scorecard_counts_rungs_and_the_age_of_checks(seed_client: TestClient) -> None:
    card = seed_client.get("/v1/scorecard").json()
    claims = next(entry for entry in card["resources"] if entry["resource"] == "claims")
    assert claims["rungs"] == {"recorded": 0, "quote-found": 39, "number-in-quote": 12}
    assert (claims["total"], claims["uncited"], claims["curator_checked"]) == (51, 0, 0)
    approvals = next(entry for entry in card["resources"] if entry["resource"] == "approvals")
    assert approvals["oldest_check"] == "2011-01-31"
    assert approvals["oldest_check_age_days"] > 5_000
    assert len(card["treatments"]) == 6
    botox = seed_client.get("/v1/scorecard", params={"treatment": "onabotulinumtoxina"}).json()["treatments"]
    assert [entry["treatment"] for entry in botox] == ["onabotulinumtoxina"]
    assert botox[0]["total"] == sum(entry["total"] for entry in botox[0]["resources"])
    wrong = seed_client.get("/v1/scorecard", params={"treatment": "onabotulinumtoxin"})
    assert (wrong.status_code, "onabotulinumtoxina" in wrong.json()["detail"]) == (404, True)


def test_every_cited_list_narrows_by_rung(seed_client: TestClient) -> None:
    for plural in ("approvals", "warnings", "dosing-intervals", "side-effects", "study-results", "claims"):
        every = seed_client.get(
            f"/v1/{plural}", params={"min_verification": "recorded", "count": "exact", "limit": 1}
        ).json()
        some = seed_client.get(f"/v1/{plural}", params={"min_verification": "quote-found", "limit": 200}).json()[
            "items"
        ]
        assert every["total"] >= len(some)
        assert {item["verification"] for item in some} <= {"quote-found", "number-in-quote"}
    assert seed_client.get("/v1/sources", params={"min_verification": "recorded"}).status_code == 422
