"""A database of 0.3.0 after an update: no record is lost, documents change in one revision, releases do not change.

`database-0.3.0.tar.gz` was made by that version: a few made-up records with a history, among them rows that later rules
refuse, a release, a renamed and a withdrawn record, and an open draft.
"""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, create_engine, select, text
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient

from app.db.database import Database
from app.db.schema import migrate_schema
from app.db.tables import DRAFT, RECORD_VERSION
from app.json_codec import from_json
from app.main import create_app
from app.models import RESOURCES
from app.reports.audit import audit
from app.settings import Settings
from app.store.write.rerender import render_again
from tests.conftest import ROOT
from tests.reports.test_changes import applied, items, lists, published
from tests.store.test_store import document

MADE = ROOT / "tests" / "store" / "database-0.3.0.tar.gz"
SCHEMA = "0010"
"""The newest migration of 0.3.0."""


@pytest.fixture
def outdated(empty_database_url: str, tmp_path: Path) -> Iterator[Database]:
    """The database of 0.3.0, on each engine, opened by this program and not yet migrated."""
    with tarfile.open(MADE) as archive:
        archive.extractall(tmp_path, filter="data")
    url = f"sqlite:///{tmp_path}/tev.db"
    if not empty_database_url.startswith("sqlite"):
        _copy(url, empty_database_url)
        url = empty_database_url
    database = Database(url)
    yield database
    database.close()


def _copy(source: str, target: str) -> None:
    """Copy all rows but those of the search index, which is built anew, to a PostgreSQL database of the same schema."""
    database = Database(target)
    with database.write() as connection:
        migrate_schema(connection, SCHEMA)
    database.close()
    engines = create_engine(source), create_engine(make_url(target).set(drivername="postgresql+psycopg"))
    with engines[0].connect() as old, engines[1].begin() as new:
        tables = [MetaData(), MetaData()]
        tables[0].reflect(old)
        tables[1].reflect(new)
        for table in tables[1].sorted_tables:
            if table.name in tables[0].tables and not table.name.startswith(("search_", "alembic")):
                new.execute(table.delete())
                rows = [dict(row) for row in old.execute(select(tables[0].tables[table.name])).mappings()]
                if rows:
                    new.execute(table.insert(), rows)
    for engine in engines:
        engine.dispose()


def documents(database: Database) -> dict[tuple[str, str], dict[str, Any]]:
    """Every stored document, also of withdrawn records."""
    with database.read() as connection:
        return {
            (plural, record_id): from_json(content)
            for plural, row in RESOURCES.items()
            for record_id, content in connection.execute(text(f"SELECT id, document FROM {row.table().name}"))
        }


def update(database: Database) -> Any:
    database.migrate()
    return render_again(database, author="tev")


@contextmanager
def serving(database: Database, folder: Path) -> Iterator[TestClient]:
    app = create_app(Settings(database_url=database.url, releases=str(folder / "releases")))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client


def rules(database: Database, plural: str, record_id: str) -> list[str]:
    return [reason["rule"] for reason in document(database, plural, record_id)["review_reasons"]]


def test_no_record_is_lost_and_the_revision_rises_once(outdated: Database) -> None:
    before = documents(outdated)
    saved = update(outdated)
    after = documents(outdated)
    assert after.keys() == before.keys()
    assert {key: content["version"] for key, content in after.items()} == {
        key: content["version"] for key, content in before.items()
    }
    with outdated.read() as connection:
        revisions = connection.execute(text("SELECT max(number), count(*) FROM revision")).one()
        drafts = connection.execute(select(DRAFT.c.record, DRAFT.c.state)).all()
        first = connection.execute(select(RECORD_VERSION.c.document).where(RECORD_VERSION.c.id == "rare-harm")).all()
    assert revisions[0] == saved.revision == 5
    assert drafts == [("drafted-harm", "open")]
    assert len(first) == 4, "two versions, one rendering after the renaming, one after the update"
    assert audit(outdated).failures == []
    assert render_again(outdated, author="tev") is None


def test_old_figures_come_right_and_old_rows_that_a_rule_refuses_are_flagged(outdated: Database) -> None:
    update(outdated)
    rare = document(outdated, "side-effects", "rare-harm")
    assert (rare["percent"], rare["frequency"], rare["frequency_derived"]) == (0.001, "very-rare", True)
    assert document(outdated, "side-effects", "derived-class")["frequency_derived"] is True
    assert document(outdated, "side-effects", "stated-class")["frequency_derived"] is False
    assert document(outdated, "dosing-intervals", "maximum-of-what")["sentence"] == (
        "10–15 mg per kg no sooner than every 6 hours; at most 75 mg a day (per body weight or in all: not recorded)"
    )
    for plural, record_id, rule in (
        ("side-effects", "stated-class", "frequency-contradicts-percent"),
        ("side-effects", "events-below-people", "events-below-people"),
        ("side-effects", "wrong-percent", "percent-contradicts-counts"),
        ("dosing-intervals", "maximum-of-what", "maximum-per-unknown"),
        ("dosing-intervals", "most-below-dose", "maximum-below-dose"),
        ("dosing-intervals", "no-time", "nothing-at-no-time"),
        ("dosing-intervals", "kg-and-m2", "per-kg-and-per-m2"),
        ("dosing-intervals", "claimed-dose", "claim-without-reference"),
        ("study-results", "no-outcome", "outcome-without-record"),
    ):
        assert rule in rules(outdated, plural, record_id), record_id
        assert document(outdated, plural, record_id)["needs_review"] is True


def test_a_mirror_built_on_0_3_0_that_reads_on_ends_equal(outdated: Database, tmp_path: Path) -> None:
    mirror = documents(outdated)
    last = update(outdated).revision - 1
    with serving(outdated, tmp_path) as client:
        assert published(applied(mirror, items(client, since=last))) == lists(client)


def test_a_release_of_0_3_0_keeps_its_documents_and_says_which_filters_it_cannot_answer(
    outdated: Database, tmp_path: Path
) -> None:
    file = tmp_path / "releases" / "2026-01.sqlite3"
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT id, document FROM side_effect ORDER BY id")).all()
    engine.dispose()
    update(outdated)
    with serving(outdated, tmp_path) as client:
        answer = client.get("/v1/side-effects?release=2026-01&format=ndjson")
        assert answer.headers["dataset-revision"] == "2"
        assert answer.text.splitlines() == [content for _, content in rows]
        assert client.get("/v1/side-effects?release=2026-01&percent_lte=3").status_code == 200
        for question in ("percent_max_lte=1", "sort=grade_min", "facet=severity"):
            refused = client.get(f"/v1/side-effects?release=2026-01&{question}")
            assert refused.status_code == 422, question
            assert "was made before there was" in refused.json()["detail"]
        for path in ("/treatments/example-drug", "/conditions/example-pain", "/v1/treatments/example-drug/dossier"):
            page = client.get(f"{path}?release=2026-01", headers={"Accept": "*/*"})
            assert page.status_code == 200, path
