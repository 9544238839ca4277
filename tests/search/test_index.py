"""The index of search: kept with each write, built anew to the same, mended where it was damaged, on both engines."""

from importlib import import_module

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import func, select, text

from app.cli.sample_data import SampleRecords
from app.cli.seed import seed_database
from app.db.database import Database
from app.db.tables import FACET, FACET_SIZE, SHAPE
from app.reports.audit import audit
from app.search.engine import every_place
from app.search.expressions import Token
from app.search.index_counts import NONE
from app.store.examples import SEED
from app.store.write.bulk_copy import fill
from app.store.write.reindex import reindex
from app.store.write.rerender import render_again
from app.store.write.save import reinstate, rename, withdraw
from tests.support.commands import tev

ANOTHER_DIGEST = "the record was changed past the store: its digest is another one"
"""What is known of a made-up record: its digest is of its document, as nobody saves it again."""


def execute(database: Database, statement: str) -> None:
    with database.write() as connection:
        connection.execute(text(statement))


def test_what_each_write_leaves_is_what_building_it_anew_gives(database: Database) -> None:
    seed_database(database, SEED)
    withdraw(database, "claims", "c20", author="test", reason="made up")
    withdraw(database, "conditions", "strabismus", author="test", reason="made up")
    reinstate(database, "claims", "c20", author="test", reason="made up")
    rename(database, "treatments", "onabotulinumtoxina", "ona", author="test")
    rename(database, "conditions", "chronic-migraine", "migraine-chronic", author="test")
    rebuilt = reindex(database)
    assert rebuilt.differences == []
    assert rebuilt.before == rebuilt.after
    counted = select(FACET.c.kind, FACET.c.scope, FACET.c.field, func.count()).where(FACET.c.value != NONE)
    with database.read() as connection:
        sizes = set(connection.execute(select(FACET_SIZE)).all())
        assert sizes == set(connection.execute(counted.group_by(FACET.c.kind, FACET.c.scope, FACET.c.field)).all())
    again = reindex(database)
    assert (again.after, again.records) == (rebuilt.after, rebuilt.records)


def test_reindexing_says_what_was_wrong_and_mends_it(database: Database) -> None:
    seed_database(database, SEED)
    whole = reindex(database).after
    damages = (
        "UPDATE search_entry SET words = 'nonsense' WHERE id = 'c20'",
        "DELETE FROM search_name WHERE label = 'Botox'",
        "UPDATE search_gram SET n = n + 1 WHERE word = 'botox'",
        "INSERT INTO facet_count VALUES ('claims', '', 'verdict', '\"made-up\"', 7)",
        "UPDATE facet_size SET n = n + 1 WHERE field = 'verdict'",
    )
    for damage in damages:
        execute(database, damage)
    rebuilt = reindex(database)
    assert rebuilt.before != whole
    told = {difference.split()[0].rstrip(":") for difference in rebuilt.differences}
    assert {"search_entry", "search_name", "search_gram", "facet_count", "facet_size"} <= told
    assert rebuilt.after == whole
    assert reindex(database).differences == []


def test_a_full_text_that_lost_its_words_is_noticed(database: Database) -> None:
    seed_database(database, SEED)
    lost = (
        "INSERT INTO search_words (search_words) VALUES ('delete-all')"
        if database.dialect == "sqlite"
        else "DELETE FROM search_vector"
    )
    execute(database, lost)
    with database.read() as connection:
        assert list(every_place(connection, Token("botox"))) == []
    assert reindex(database).differences != []
    with database.read() as connection:
        assert list(every_place(connection, Token("botox"))) != []


def test_a_database_from_before_gets_its_index_at_the_start(database: Database) -> None:
    seed_database(database, SEED)
    whole = reindex(database).after
    for statement in (
        "DELETE FROM search_name",
        "DELETE FROM facet_count",
        "DELETE FROM facet_size",
        f"DELETE FROM {SHAPE.name}",
    ):
        execute(database, statement)
    render_again(database, author="test")
    rebuilt = reindex(database)
    assert (rebuilt.before, rebuilt.differences) == (whole, [])


def test_the_schema_before_gets_the_numbers_of_values_with_the_next_one(database: Database) -> None:
    seed_database(database, SEED)
    execute(database, "DROP TABLE facet_size")
    with database.write() as connection, Operations.context(MigrationContext.configure(connection)):
        import_module("app.migrations.versions.0010_how_many_values_a_field_has").upgrade()
    assert reindex(database).differences == []


def test_the_command_says_so_and_exits_with_1_when_they_differed(empty_database_url: str) -> None:
    at = ("--database", empty_database_url)
    assert tev("seed", *at).returncode == 0
    equal = tev("reindex", *at)
    assert (equal.returncode, equal.stdout.splitlines()[-1]) == (0, "They are equal.")
    database = Database(empty_database_url)
    execute(database, "DELETE FROM search_gram")
    database.close()
    differed = tev("reindex", *at)
    assert differed.returncode == 1
    assert "search_gram" in differed.stdout


def test_made_up_records_are_records(database: Database) -> None:
    for first, others in SampleRecords(1000).batches():
        fill(database, first, others, author="test")
    report = audit(database)
    assert report.records == 1000
    assert {failure.detail for failure in report.failures} <= {ANOTHER_DIGEST}
    rebuilt = reindex(database)
    assert (rebuilt.differences, rebuilt.records) == ([], 1000)
