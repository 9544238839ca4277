"""The one writer, on both engines: all or nothing, once, in any order, and nothing that points to nothing."""

from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.cli.seed import seed_database
from app.db.database import Database
from app.db.tables import ALIAS, CODE, RECORD_VERSION, REFERENCE, REVISION
from app.errors import Gone, InvalidRecord, NotFound, Unavailable
from app.fields import uses
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.approvals import ApprovalRecord
from app.models.base import Record
from app.models.rules import ReviewReason
from app.models.sources import SourceRecord
from app.reports.audit import audit
from app.store.examples import SEED
from app.store.read.records import fetch, totals
from app.store.read.revision import revision_of
from app.store.write.rerender import render_again
from app.store.write.save import reinstate, rename, save_all, withdraw

TREATMENT = {"id": "example-toxin", "name": "Example toxin", "kind": "drug"}
CONDITION = {"id": "example-pain", "name": "Example pain"}
SOURCE = {"id": "example-article", "kind": "journal-article", "title": "An example article"}
INDICATION = {"id": "example-use", "treatment": "example-toxin", "condition": "example-pain", "purpose": "treatment"}
APPROVAL = {
    "id": "example-approval",
    "indication": "example-use",
    "jurisdiction": "US",
    "authority": "FDA",
    "status": "approved",
    "as_of": "2026-11-22",
    "citations": [{"source": "example-article"}],
}


def record(plural: str, values: dict[str, Any]) -> Record:
    return RESOURCES[plural].record_class().model_validate(values)


def small_set() -> list[Record]:
    """One record each, those that point to others first."""
    return [
        record("approvals", APPROVAL),
        record("indications", INDICATION),
        record("treatments", TREATMENT),
        record("conditions", CONDITION),
        record("sources", SOURCE),
    ]


def document(database: Database, plural: str, record_id: str) -> dict[str, Any]:
    with database.read() as connection:
        content: dict[str, Any] = from_json(fetch(connection, RESOURCES[plural], record_id)[0])
    return content


def test_records_of_one_batch_may_point_forward(database: Database) -> None:
    saved = save_all(database, small_set(), author="test")
    assert (saved.created, saved.changed, saved.unchanged, saved.revision) == (5, 0, 0, 1)
    assert document(database, "approvals", "example-approval")["treatment"] == "example-toxin"


def test_saving_the_same_again_changes_nothing(database: Database) -> None:
    save_all(database, small_set(), author="test")
    before = document(database, "approvals", "example-approval")
    saved = save_all(database, small_set(), author="test")
    assert (saved.created, saved.changed, saved.unchanged, saved.revision) == (0, 0, 5, 1)
    assert document(database, "approvals", "example-approval") == before


def test_a_change_raises_the_version_of_that_record_alone(database: Database) -> None:
    save_all(database, small_set(), author="test")
    changed = record("sources", {**SOURCE, "doi": "10.1000/example"})
    saved = save_all(database, [changed], author="test", reason="a DOI")
    assert (saved.changed, saved.revision) == (1, 2)
    assert document(database, "sources", "example-article")["version"] == 2
    assert document(database, "approvals", "example-approval")["version"] == 1
    with database.read() as connection:
        versions = connection.execute(
            select(RECORD_VERSION.c.version, RECORD_VERSION.c.revision).where(RECORD_VERSION.c.id == "example-article")
        ).all()
        reasons = connection.execute(select(REVISION.c.author, REVISION.c.reason).order_by(REVISION.c.number)).all()
        codes = connection.execute(select(CODE.c.code).where(CODE.c.id == "example-article")).scalars().all()
    assert sorted(versions) == [(1, 1), (2, 2)]
    assert reasons == [("test", None), ("test", "a DOI")]
    assert codes == ["10.1000/example"]


def test_what_a_record_shows_of_another_follows_it(database: Database) -> None:
    other = record("treatments", {**TREATMENT, "id": "other-toxin"})
    save_all(database, [*small_set(), other], author="test")
    save_all(database, [record("indications", {**INDICATION, "treatment": "other-toxin"})], author="test")
    approval = document(database, "approvals", "example-approval")
    assert approval["treatment"] == "other-toxin"
    assert approval["version"] == 1, "the approval itself did not change"


def test_the_standing_of_a_source_shows_on_what_cites_it_and_goes_again(database: Database) -> None:
    save_all(database, small_set(), author="test")
    assert document(database, "approvals", "example-approval")["source_status"] == "current"
    retracted = record("sources", {**SOURCE, "retraction": {"status": "retracted", "on": "2026-11"}})
    save_all(database, [retracted], author="test")
    assert document(database, "approvals", "example-approval")["source_status"] == "retracted"
    save_all(database, [record("sources", SOURCE)], author="test")
    assert document(database, "approvals", "example-approval")["source_status"] == "current"


def test_one_broken_record_keeps_the_whole_batch_out(database: Database) -> None:
    batch = [*small_set(), record("warnings", {**WARNING, "treatment": "exmple-toxin"})]
    with pytest.raises(InvalidRecord) as caught:
        save_all(database, batch, author="test")
    error = caught.value.errors[0]
    assert error["record"] == "warnings/example-warning"
    assert error["pointer"] == "/treatment"
    assert "did you mean 'example-toxin'" in error["detail"]
    with database.read() as connection:
        assert revision_of(connection) == 0
        assert set(totals(connection).values()) == {0}


def test_a_record_that_points_past_a_stored_one_is_told_the_nearest(database: Database) -> None:
    save_all(database, small_set(), author="test")
    with pytest.raises(InvalidRecord) as caught:
        save_all(database, [record("warnings", {**WARNING, "treatment": "example-toxim"})], author="test")
    assert "did you mean 'example-toxin'?" in caught.value.errors[0]["detail"]


WARNING = {
    "id": "example-warning",
    "treatment": "example-toxin",
    "kind": "warning",
    "jurisdiction": "US",
    "statement": "An example.",
    "citations": [{"source": "example-article"}],
}


def test_records_that_point_to_each_other_in_a_circle_are_refused(database: Database) -> None:
    circle = [
        record("treatments", {**TREATMENT, "id": "one", "part_of": "two"}),
        record("treatments", {**TREATMENT, "id": "two", "part_of": "one"}),
    ]
    with pytest.raises(InvalidRecord, match="circle"):
        save_all(database, circle, author="test")


def test_an_id_twice_in_a_batch_is_refused(database: Database) -> None:
    with pytest.raises(InvalidRecord, match="twice"):
        save_all(database, [record("sources", SOURCE), record("sources", SOURCE)], author="test")


def test_a_reference_to_an_unknown_resource_names_the_nearest(database: Database) -> None:
    claim = record(
        "claims",
        {
            "id": "example-claim",
            "source": "example-article",
            "quote": "An example.",
            "kind": "efficacy",
            "verdict": "supported",
            "rationale": "An example.",
            "evidence": [{"kind": "study-result", "id": "some"}],
        },
    )
    with pytest.raises(InvalidRecord) as caught:
        save_all(database, [record("sources", SOURCE), claim], author="test")
    assert caught.value.errors[0]["pointer"] == "/evidence/0"
    assert "did you mean 'study-results'" in caught.value.errors[0]["detail"]


def test_a_dose_in_another_products_unit_is_refused(database: Database) -> None:
    unit = {"code": "example-unit", "label": "units"}
    dosing = {
        "id": "example-dosing",
        "treatment": "example-toxin",
        "basis": "label",
        "dose_min": 1,
        "dose_max": 2,
        "dose_unit": "other-unit",
        "interval_min": 12,
        "interval_unit": "wk",
        "citations": [{"source": "example-article"}],
    }
    batch = [record("treatments", {**TREATMENT, "dose_unit": unit}), record("sources", SOURCE)]
    with pytest.raises(InvalidRecord, match="is not the unit of example-toxin"):
        save_all(database, [*batch, record("dosing-intervals", dosing)], author="test")
    save_all(database, [*batch, record("dosing-intervals", {**dosing, "dose_unit": "example-unit"})], author="test")
    assert document(database, "dosing-intervals", "example-dosing")["interval_days"] == 84


QUOTE = "Its author’s words."


@pytest.mark.parametrize(
    ("quote", "span", "wrong"),
    [
        ("Its author's words.", {"start": 7, "end": 26}, "typographic mark at character 17"),
        ("Its author's words.", None, "only by typographic marks"),
        ("No such words here.", {"start": 7, "end": 26}, "differs from the text at character 7"),
        ("No such words here.", None, "does not occur"),
        (QUOTE, {"start": 700, "end": 719}, "beyond the text"),
    ],
)
def test_a_quote_that_the_text_does_not_hold_is_refused(
    database: Database, quote: str, span: dict[str, int] | None, wrong: str
) -> None:
    with pytest.raises(InvalidRecord, match=wrong):
        save_all(database, quoting(quote, span), author="test", texts={"example-article": f"Before {QUOTE} After"})


def test_a_quote_that_the_text_holds_is_found(database: Database) -> None:
    texts = {"example-article": f"Before {QUOTE} After"}
    save_all(database, quoting(QUOTE, {"start": 7, "end": 26}), author="test", texts=texts)
    assert document(database, "warnings", "example-warning")["verification"] == "quote-found"
    changed = [item for item in quoting(QUOTE, None) if not isinstance(item, SourceRecord)]
    saved = save_all(database, changed, author="test")
    assert saved.changed == 1, "the text is read from the database the second time"


def quoting(quote: str, span: dict[str, int] | None) -> list[Record]:
    digest = sha256(f"Before {QUOTE} After".encode()).hexdigest()
    citation = {"source": "example-article", "quote": quote, **({"span": span} if span else {})}
    return [
        record("sources", {**SOURCE, "sha256": digest}),
        record("treatments", TREATMENT),
        record("warnings", {**WARNING, "citations": [citation]}),
    ]


def test_a_text_that_is_not_the_one_that_was_hashed_is_refused(database: Database) -> None:
    with pytest.raises(InvalidRecord, match="sha256"):
        save_all(database, [record("sources", SOURCE)], author="test", texts={"example-article": "another text"})


def test_a_text_without_its_source_is_refused(database: Database) -> None:
    with pytest.raises(InvalidRecord, match="no such source"):
        save_all(database, [record("sources", SOURCE)], author="test", texts={"no-such-source": "a text"})


def test_foreign_keys_are_enforced(database: Database) -> None:
    save_all(database, small_set(), author="test")
    for statement in ("DELETE FROM treatment", "DELETE FROM registry", "UPDATE indication SET condition = 'nothing'"):
        with pytest.raises(DBAPIError), database.write() as connection:
            connection.execute(text(statement))


def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(Unavailable), database.read() as connection:
        connection.execute(text("DELETE FROM reference"))


def test_the_seed_twice_changes_nothing(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    database.migrate()
    first = seed_database(database, SEED)
    second = seed_database(database, SEED)
    assert first.created == second.unchanged > 400
    assert (second.created, second.changed, second.revision) == (0, 0, first.revision)
    with database.read() as connection:
        assert connection.execute(select(REFERENCE.c.path).limit(1)).scalar()
    database.close()


def test_an_unknown_record_is_not_found(database: Database) -> None:
    save_all(database, small_set(), author="test")
    with pytest.raises(NotFound, match="Did you mean 'example-toxin'"):
        document(database, "treatments", "example-toxn")


CLAIM = {
    "id": "example-claim",
    "source": "example-article",
    "quote": "It is approved.",
    "kind": "approval",
    "verdict": "supported",
    "rationale": "An example.",
    "evidence": [{"kind": "approvals", "id": "example-approval"}],
}
LABEL = {"id": "example-label", "kind": "product-label", "title": "An example label"}


def test_a_retraction_reaches_what_rests_on_it_through_other_records(database: Database) -> None:
    approval = {**APPROVAL, "citations": [{"source": "example-label"}]}
    records = [*small_set()[1:], record("sources", LABEL), record("approvals", approval), record("claims", CLAIM)]
    save_all(database, records, author="test")
    retracted = record("sources", {**LABEL, "retraction": {"status": "retracted"}})
    save_all(database, [retracted], author="test")
    claim = document(database, "claims", "example-claim")
    assert (claim["source_status"], claim["version"]) == ("retracted", 1)
    assert document(database, "approvals", "example-approval")["source_status"] == "retracted"
    assert document(database, "treatments", "example-toxin")["source_status"] is None
    save_all(database, [record("sources", LABEL)], author="test")
    assert document(database, "claims", "example-claim")["source_status"] == "current"


def test_a_withdrawn_record_is_gone_and_what_points_to_it_needs_a_review(database: Database) -> None:
    save_all(database, [*small_set(), record("claims", CLAIM)], author="test")
    withdraw(database, "approvals", "example-approval", author="editor", reason="entered twice")
    with pytest.raises(Gone, match="entered twice"), database.read() as connection:
        fetch(connection, RESOURCES["approvals"], "example-approval")
    assert document(database, "claims", "example-claim")["needs_review"] is True
    with pytest.raises(InvalidRecord, match="withdrawn already"):
        withdraw(database, "approvals", "example-approval", author="editor", reason="again")
    unchanged = save_all(database, [record("approvals", APPROVAL)], author="seed")
    assert unchanged.unchanged == 1, "the same seed again does not bring it back"
    reinstate(database, "approvals", "example-approval", author="editor", reason="it was not")
    assert document(database, "approvals", "example-approval")["version"] == 3
    assert document(database, "claims", "example-claim")["needs_review"] is False


def test_nothing_new_may_point_to_a_withdrawn_record_and_it_does_not_change(database: Database) -> None:
    save_all(database, small_set(), author="test")
    withdraw(database, "approvals", "example-approval", author="editor", reason="entered twice")
    with pytest.raises(InvalidRecord, match="approvals/example-approval was withdrawn") as caught:
        save_all(database, [record("claims", CLAIM)], author="test")
    assert caught.value.errors[0]["pointer"] == "/evidence/0"
    with pytest.raises(InvalidRecord, match="reinstate it"):
        save_all(database, [record("approvals", {**APPROVAL, "status": "suspended"})], author="test")
    with pytest.raises(NotFound):
        withdraw(database, "approvals", "no-such", author="editor", reason="none")


def test_whoever_points_to_a_renamed_record_follows(database: Database) -> None:
    save_all(database, [*small_set(), record("claims", CLAIM)], author="test")
    rename(database, "approvals", "example-approval", "example-us", author="editor")
    rename(database, "sources", "example-article", "example-paper", author="editor")
    rename(database, "approvals", "example-us", "example-approval-us", author="editor")
    approval = document(database, "approvals", "example-approval-us")
    assert approval["citations"][0]["source"] == "example-paper"
    claim = document(database, "claims", "example-claim")
    assert claim["evidence"] == [{"kind": "approvals", "id": "example-approval-us"}]
    assert claim["source"] == "example-paper"
    with database.read() as connection:
        former = connection.execute(select(ALIAS.c.id, ALIAS.c.to_id).order_by(ALIAS.c.id)).all()
        editions = connection.execute(
            select(RECORD_VERSION.c.version).where(RECORD_VERSION.c.id == "example-approval-us")
        ).scalars()
        assert former == [
            ("example-approval", "example-approval-us"),
            ("example-article", "example-paper"),
            ("example-us", "example-approval-us"),
        ]
        assert sorted(editions) == [1, 2, 3, 4], "its history goes along"


@pytest.mark.parametrize("new", ["Bad Id", "", "a--b", "a\n", "ä", "x" * 121])
def test_a_new_name_must_be_an_id(database: Database, new: str) -> None:
    save_all(database, small_set(), author="test")
    with pytest.raises(InvalidRecord, match="an id is lower-case letters") as caught:
        rename(database, "sources", "example-article", new, author="editor")
    assert caught.value.errors[0]["pointer"] == "/id"
    assert document(database, "approvals", "example-approval")["version"] == 1


def test_a_withdrawal_says_why(database: Database) -> None:
    save_all(database, small_set(), author="test")
    with pytest.raises(InvalidRecord, match="needs a reason"):
        withdraw(database, "approvals", "example-approval", author="editor", reason="  ")
    assert document(database, "approvals", "example-approval")["state"] == "published"


def test_a_former_id_is_never_given_away(database: Database) -> None:
    save_all(database, small_set(), author="test")
    rename(database, "sources", "example-article", "example-paper", author="editor")
    with pytest.raises(InvalidRecord, match="is the former id of sources/example-paper"):
        save_all(database, [record("sources", SOURCE)], author="test")
    with pytest.raises(InvalidRecord) as caught:
        save_all(database, [record("warnings", WARNING)], author="test")
    assert caught.value.errors[0]["detail"] == "sources/example-article is now called sources/example-paper"
    for taken in ("example-paper", "example-article"):
        with pytest.raises(InvalidRecord, match="is taken"):
            rename(database, "sources", "example-paper", taken, author="editor")


def test_a_circle_through_stored_records_is_refused(database: Database) -> None:
    one = {**TREATMENT, "id": "one"}
    save_all(database, [record("treatments", one)], author="test")
    save_all(database, [record("treatments", {**TREATMENT, "id": "two", "part_of": "one"})], author="test")
    save_all(database, [record("treatments", {**TREATMENT, "id": "three", "part_of": "two"})], author="test")
    with pytest.raises(InvalidRecord, match="circle"):
        save_all(database, [record("treatments", {**one, "part_of": "three"})], author="test")
    assert document(database, "treatments", "one")["part_of"] is None


def test_documents_of_another_shape_are_rendered_again_once(database: Database) -> None:
    save_all(database, small_set(), author="test")
    assert render_again(database, author="tev") is None, "nothing differs yet"
    with database.writer.begin() as connection:
        connection.execute(text("UPDATE shape SET digest = 'of an older program'"))
        connection.execute(text("UPDATE source SET document = replace(document, '\"checked_on\"\\:null,', '')"))
        gone = text("UPDATE approval SET citations = '[]', document = replace(document, '\"numbers\"\\:[],', '')")
        connection.execute(gone)
    saved = render_again(database, author="tev")
    assert saved is not None
    assert saved.revision == 2
    assert document(database, "sources", "example-article")["checked_on"] is None
    assert document(database, "sources", "example-article")["version"] == 1
    assert audit(database).failures == [], "columns follow, too"
    assert render_again(database, author="tev") is None


def test_a_new_name_reaches_records_that_only_follow_from_those_that_point_to_it(database: Database) -> None:
    save_all(database, small_set(), author="test")
    rename(database, "treatments", "example-toxin", "sample-toxin", author="test")
    approval = document(database, "approvals", "example-approval")
    assert (approval["treatment"], approval["version"]) == ("sample-toxin", 1), "it names the indication alone"


OUTDATED = ReviewReason(rule="imported-without-page", pointer="/citations/0", detail="the import found no page")


def reasons_of(database: Database, record_id: str = "example-approval") -> list[dict[str, str]]:
    found = document(database, "approvals", record_id)
    assert found["needs_review"] is bool(found["review_reasons"])
    reasons: list[dict[str, str]] = found["review_reasons"]
    return reasons


def test_a_reason_that_follows_is_named_and_goes_with_its_cause(database: Database) -> None:
    save_all(database, [*small_set(), record("claims", CLAIM)], author="test")
    withdraw(database, "approvals", "example-approval", author="editor", reason="entered twice")
    assert document(database, "claims", "example-claim")["review_reasons"] == [
        {
            "rule": "refers-to-withdrawn",
            "pointer": "/evidence/0",
            "detail": "approvals/example-approval was withdrawn",
        }
    ]
    reinstate(database, "approvals", "example-approval", author="editor", reason="it was not")
    assert document(database, "claims", "example-claim")["review_reasons"] == []


def test_the_reason_of_an_import_stays_until_the_record_is_written(database: Database) -> None:
    key = ("approvals", "example-approval")
    save_all(database, small_set(), author="import", reasons={key: [OUTDATED]})
    save_all(database, [record("sources", {**SOURCE, "doi": "10.1000/example"})], author="test")
    assert save_all(database, [record("approvals", APPROVAL)], author="seed").unchanged == 1
    rename(database, "sources", "example-article", "example-paper", author="editor")
    withdraw(database, "approvals", "example-approval", author="editor", reason="entered twice")
    reinstate(database, "approvals", "example-approval", author="editor", reason="it was not")
    assert reasons_of(database) == [OUTDATED.model_dump()], "none of these was a look at it"
    cited = {**APPROVAL, "citations": [{"source": "example-paper", "locator": "p. 3"}]}
    save_all(database, [record("approvals", cited)], author="editor")
    assert reasons_of(database) == []
    assert audit(database).failures == []


def test_the_reason_of_an_update_is_given_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    save_all(database, small_set(), author="test")
    with database.writer.begin() as connection:  # as 0.3.0 wrote it
        connection.execute(text("UPDATE shape SET digest = 'of an older program'"))
        older = text("UPDATE approval SET document = replace(document, '\"review_reasons\"\\:[],', '')")
        connection.execute(older)
    monkeypatch.setattr(ApprovalRecord, "reasons_at_update", classmethod(lambda _class, _document: iter([OUTDATED])))
    render_again(database, author="tev")
    save_all(database, [record("sources", {**SOURCE, "doi": "10.1000/example"})], author="test")
    assert reasons_of(database) == [OUTDATED.model_dump()]
    assert document(database, "approvals", "example-approval")["version"] == 1
    save_all(database, [record("approvals", {**APPROVAL, "status": "suspended"})], author="editor")
    assert reasons_of(database) == [], "no update gives any to a document of its own shape"


def test_a_field_without_a_column_is_shown_and_no_filter() -> None:
    assert "review_reasons" not in RESOURCES["approvals"].table().c
    use = uses(RESOURCES["approvals"])["review_reasons"]
    assert (use.shape, use.is_filter, use.is_sortable) == ("nested", False, False)
