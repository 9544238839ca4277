"""An update from 0.3.0: no record is lost, none is refused, and what a later rule would refuse is flagged."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.db.database import Database
from app.json_codec import from_json
from app.reports.audit import audit
from app.store.read.records import lookup, totals
from app.store.read.revision import revision_of
from app.store.write.rerender import render_again
from tests.conftest import DatabaseTemplates, new_database
from tests.support.earlier import database_of_0_3_0, edit


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier(
    request: pytest.FixtureRequest, database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The seed as 0.3.0 held it, on each engine."""
    folder = tmp_path_factory.mktemp("earlier")
    today = database_templates.copy(request.param, folder, is_seeded=True)
    database = database_of_0_3_0(today, new_database(request, request.param, folder))
    yield database
    database.close()


def documents(database: Database, table: str) -> dict[str, dict[str, Any]]:
    """The stored documents of a table by id."""
    with database.read() as connection:
        found = connection.execute(text(f'SELECT id, document FROM "{table}"'))
        return {record_id: from_json(document) for record_id, document in found}


def test_rows_of_before_stay_and_are_flagged(earlier: Database) -> None:
    one, two, three = "odergren-1998-tsui", "castelao-2017-dysphagia", "preempt-1"
    edit(earlier, "study-results", one, finding="no-difference")
    edit(earlier, "study-results", two, measure="odds-ratio", estimate=0, ci_low=None, ci_high=None)
    codes = [{"system": "nct", "code": "garbage", "display": None}]
    codes.append({"system": "eudract", "code": "EUCTR2008-005767-34-FR", "display": None})
    edit(earlier, "studies", three, registry_ids=codes)
    with earlier.read() as connection:
        before, revision = totals(connection), revision_of(connection)
    assert "is_controlled" not in documents(earlier, "study_result")[one]
    earlier.migrate()
    saved = render_again(earlier, author="tev")
    assert saved is not None
    assert saved.revision == revision + 1
    with earlier.read() as connection:
        assert totals(connection) == before
        found = lookup(connection, "eudract", "2008-005767-34")
        assert [(kind, record_id) for kind, record_id, _ in found] == [("studies", three)]
    results, studies = documents(earlier, "study_result"), documents(earlier, "study")
    rules = {
        name: [reason["rule"] for reason in record["review_reasons"]] for name, record in (results | studies).items()
    }
    assert rules[one] == ["null-before-not-significant"]
    assert "ratio-not-above-zero" in rules[two]
    assert rules[three] == ["malformed-registry-number"]
    assert results[one]["version"] == results[two]["version"] == studies[three]["version"] == 1
    assert studies[three]["registry_ids"][1]["code"] == "2008-005767-34"
    assert render_again(earlier, author="tev") is None
    assert audit(earlier).failures == []


def test_the_column_of_control_is_filled_before_any_document_is_rendered(earlier: Database) -> None:
    earlier.migrate()
    with earlier.read() as connection:
        counted = text("SELECT count(*) FROM study_result WHERE is_controlled AND comparator IN ('baseline', 'none')")
        assert connection.execute(counted).scalar() == 0
        counted = text("SELECT count(*) FROM study_result WHERE is_controlled AND comparator = 'placebo'")
        assert connection.execute(counted).scalar() != 0
