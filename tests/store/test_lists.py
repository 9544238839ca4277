"""Lists by prepared statements and indexes give the pages of the plainest SQL, on both engines, and never sort all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, inspect, select, text

from app.db.database import Database
from app.db.inline_reads import InlineReads, connect_file
from app.db.tables import REFERENCE
from app.errors import BadCursor, Unavailable
from app.fields import includable, is_cited, reference_filters, uses
from app.models import RESOURCES
from app.models.base import Row
from app.models.side_effects import SideEffect
from app.models.vocabulary import Verification
from app.store.read.cursors import write_cursor
from app.store.read.included import included, included_json, parsed
from app.store.read.indexes import SUBJECT, list_indexes
from app.store.read.list_statements import (
    _first_of_range,
    _ranges,
    is_bounded,
    list_shape,
    list_statement,
    list_values,
)
from app.store.read.lists import _after, list_now, list_rows
from app.store.read.prepared import InlineReader, Prepared
from app.store.read.query import MOST_VALUES, Query
from app.store.read.records import fetch, fetch_now
from app.store.write.save import rename, withdraw
from tests.conftest import ENGINES, PATIENT, DatabaseTemplates
from tests.support.plain_lists import plain_included, plain_page

every_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))
FORMER, PRESENT = "onabotulinumtoxina", "made-up-new-name"
UNKNOWN = "made-up-and-unknown"
EXAMPLES: dict[str, Any] = {"number": 3, "flag": True, "date": "2020", "time": "2020"}


@pytest.fixture(scope="module", params=ENGINES)
def changed_seed(
    request: pytest.FixtureRequest, database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """The seed with a treatment that was renamed and a side effect that was withdrawn."""
    url = database_templates.copy(request.param, tmp_path_factory.mktemp("lists"), is_seeded=True)
    database = Database(url, query_seconds=PATIENT)
    rename(database, "treatments", FORMER, PRESENT, author="test", reason="a test")
    with database.read() as connection:
        first = connection.execute(select(SideEffect.table().c.id).limit(1)).scalar_one()
    withdraw(database, "side-effects", first, author="test", reason="a test")
    yield database
    database.close()


# What is asked


def values_of(connection: Connection, resource: type[Row], name: str) -> list[Any]:
    """Two values of a column that records have."""
    column = resource.table().c[name]
    query = select(column).where(column.is_not(None)).distinct().order_by(column).limit(2)
    return list(connection.execute(query).scalars())


def referred_to_together(connection: Connection, resource: type[Row], plural: str) -> list[str]:
    """Records of a kind to which one record refers, which a list by them must give once."""
    query = select(REFERENCE.c.to_id).where(REFERENCE.c.from_kind == resource.plural, REFERENCE.c.to_kind == plural)
    most = query.with_only_columns(REFERENCE.c.from_id).group_by(REFERENCE.c.from_id)
    record_id = connection.execute(most.order_by(func.count().desc(), REFERENCE.c.from_id).limit(1)).scalar()
    return list(connection.execute(query.where(REFERENCE.c.from_id == record_id).distinct()).scalars())


def filters_of(connection: Connection, resource: type[Row]) -> Iterator[dict[str, Any]]:
    """Every filter with one value, several, none, unknown ones and former ones; every bound; and pairs of filters."""
    yield {}
    yield {"id": []}
    yield {"verification": []}
    single: dict[str, Any] = {}
    for name, use in uses(resource).items():
        if not use.is_filter:
            continue
        values = values_of(connection, resource, name)
        if values:
            single[name] = values[:1]
            yield {name: values[:1]}
            yield {name: values}
            if use.is_bounded:
                yield from ({name + suffix: values[-1]} for suffix in ("_gte", "_lte"))
                yield {f"{name}_gte": values[0], f"{name}_lte": values[-1]}
        if use.shape == "word":
            yield {name: [*values, UNKNOWN]}
            yield {name: [UNKNOWN]}
        if resource.table().c[name].nullable:
            yield {name: [*values[:1], None]}
            yield {name: [None]}
    for name, plural in reference_filters(resource).items():
        ids = values_of(connection, RESOURCES[plural], "id")
        yield from ({name: asked} for asked in (ids[:1], ids, [UNKNOWN], [ids[0], None]))
        yield {name: referred_to_together(connection, resource, plural)}
        single[name] = ids[:1]
    if is_cited(resource):
        yield from ({"min_verification": level} for level in Verification.__value__.__args__)
    yield from ({first: single[first], second: single[second]} for first, second in pairwise(single))
    if single.keys() >= set(SUBJECT):
        subjects = {name: single[name] for name in SUBJECT}
        yield subjects
        yield {name: [*values, UNKNOWN] for name, values in subjects.items()}
        yield {"treatment": [FORMER], "condition": subjects["condition"]}
    if "treatment" in single:
        yield {"treatment": [FORMER]}
        yield {"treatment": [FORMER, *single["treatment"]]}


def queries_of(connection: Connection, resource: type[Row]) -> Iterator[Query]:
    """Every filter in the order of the ids, and every order of all records and of those of one treatment."""
    for filters in filters_of(connection, resource):
        yield Query(resource, filters, limit=2)
    sortable = [name for name, use in uses(resource).items() if use.is_sortable]
    for name in sortable:
        for key in (name, f"-{name}"):
            yield Query(resource, {}, (key,), limit=2)
            if "treatment" in uses(resource):
                yield Query(resource, {"treatment": [PRESENT]}, (key,), limit=2)
            if uses(resource)[name].is_bounded:
                bound = next(iter(values_of(connection, resource, name)), EXAMPLES[uses(resource)[name].shape])
                yield Query(resource, {f"{name}_gte": bound}, (key,), limit=2)
    yield Query(resource, {}, ("-id",), limit=2)
    yield Query(resource, {}, (sortable[1], f"-{sortable[2]}"), limit=2)


@every_resource
def test_every_query_gives_the_pages_of_the_plainest_sql(changed_seed: Database, resource: type[Row]) -> None:
    with changed_seed.read() as connection:
        for query in list(queries_of(connection, resource)):
            following: str | None = None
            for _ in range(3):
                asked = replace(query, cursor=following)
                documents, following, not_found = plain_page(connection, asked)
                page = list_rows(connection, asked, is_answer=True)
                assert (page.documents, page.next, page.not_found) == (documents, following, not_found), asked
                assert list_now(changed_seed, asked) in (page, None), asked
                if following is None:
                    break


@every_resource
def test_included_records_are_those_that_are_referred_to(changed_seed: Database, resource: type[Row]) -> None:
    names = tuple(includable(resource))
    with changed_seed.read() as connection:
        for include in [*((name,) for name in names), names] if names else []:
            query = Query(resource, include=include, limit=7)
            page = list_rows(connection, query)
            assert page.included is not None
            expected = plain_included(connection, resource, page.documents, include)
            assert parsed(page.included) == expected
            assert [list(records) for records in page.included.values()] == [list(one) for one in expected.values()]
            assert list(page.included) == list(expected)
            assert list_now(changed_seed, query) in (page, None)
        assert included(connection, resource, page_of(connection, resource), ("version",)) == {}, (
            "which refers to nothing"
        )


def page_of(connection: Connection, resource: type[Row]) -> list[str]:
    return list_rows(connection, Query(resource)).documents


def test_included_records_stand_in_the_text_as_they_are_stored() -> None:
    found = {"conditions": {"a": '{"id":"a"}', "b": '{"id":"b"}'}, "sources": {"c": '{"id":"c"}'}}
    assert included_json(found) == '{"conditions":{"a":{"id":"a"},"b":{"id":"b"}},"sources":{"c":{"id":"c"}}}'
    assert included_json({}) == "{}"


@pytest.mark.parametrize("content", [[], ["x", "y"], [None], [1], ["a\x00"], [[]]])
def test_a_bad_cursor_is_refused_both_ways(changed_seed: Database, content: list[Any]) -> None:
    query = Query(SideEffect)
    forged = replace(query, cursor=write_cursor(query.fingerprint(), content))
    for cursor in (forged.cursor, "no cursor", write_cursor("another", ["x"])):
        with changed_seed.read() as connection, pytest.raises(BadCursor):
            list_rows(connection, replace(query, cursor=cursor))
        if changed_seed.inline is not None:
            with pytest.raises(BadCursor):
                list_now(changed_seed, replace(query, cursor=cursor))


@every_resource
def test_a_record_is_the_same_both_ways(changed_seed: Database, resource: type[Row]) -> None:
    with changed_seed.read() as connection:
        record_id = connection.execute(
            select(resource.table().c.id).where(resource.table().c.state == "published").limit(1)
        ).scalar_one()
        expected = fetch(connection, resource, record_id)
    assert fetch_now(changed_seed, resource, record_id) == (None if changed_seed.inline is None else expected)
    assert fetch_now(changed_seed, resource, UNKNOWN) is None


def test_what_no_index_bounds_is_not_read_at_once(changed_seed: Database) -> None:
    unbounded = [
        Query(SideEffect, count=True),
        Query(SideEffect, facets=("basis",)),
        Query(SideEffect, limit=201),
        Query(SideEffect, sort=("-percent",)),
        Query(SideEffect, {"treatment": ["x"], "basis": ["trial"]}),
        Query(SideEffect, {"treatment": ["x"]}, ("percent",)),
        Query(SideEffect, {"percent_gte": 1}),
        Query(SideEffect, {"treatment": [f"made-up-{number}" for number in range(MOST_VALUES)]}),
    ]
    assert [list_now(changed_seed, query) for query in unbounded] == [None] * len(unbounded)
    bounded = Query(SideEffect, {"treatment": ["x"], "condition": ["y", "z"]})
    assert (list_now(changed_seed, bounded) is None) == (changed_seed.inline is None)


def test_a_filter_takes_all_the_values_that_a_query_may_have(changed_seed: Database) -> None:
    values = [PRESENT, *(f"made-up-{number}" for number in range(MOST_VALUES - 1))]
    query = Query(SideEffect, {"treatment": values}, limit=3)
    with changed_seed.read() as connection:
        assert list_rows(connection, query).documents == plain_page(connection, query)[0] != []


# How it is read


def test_the_indexes_are_those_that_the_fields_ask_for(changed_seed: Database) -> None:
    found = inspect(changed_seed.reader)
    for resource in RESOURCES.values():
        columns = {
            str(index["name"]): tuple(index["column_names"]) for index in found.get_indexes(resource.table().name)
        }
        assert columns == {index.name: index.columns for index in list_indexes(resource)}


def single_filters(resource: type[Row]) -> Iterator[Query]:
    """A query by one value of each filter, by treatment and condition, and in each ascending order of one filter."""
    names = [name for name, use in uses(resource).items() if use.is_filter]
    for name in names:
        yield Query(resource, {name: [EXAMPLES.get(uses(resource)[name].shape, "x")]})
        yield Query(resource, {}, (name,))
    yield from (Query(resource, {name: ["x"]}) for name in reference_filters(resource))
    if set(names) >= set(SUBJECT):
        yield Query(resource, {name: ["x"] for name in SUBJECT})
        yield Query(resource, {name: ["x", "y"] for name in SUBJECT})
    yield Query(resource)


@every_resource
def test_no_page_by_one_filter_sorts_what_matches(changed_seed: Database, resource: type[Row]) -> None:
    """Each range of an index that a page is read from stands there in order, the first page and a later one."""
    for first in single_filters(resource):
        row = [EXAMPLES.get(uses(resource)[key].shape, "x") for key in first.order]
        for query in (first, replace(first, cursor=write_cursor(first.fingerprint(), row))):
            shape = list_shape(query, _after(query))
            values = list_values(query, _after(query), 21)
            if [part.name for part in shape.filters] == ["id"]:
                continue
            ranges = _ranges(shape)
            assert ranges, query
            assert is_bounded(shape), query
            for part in ranges:
                prepared = Prepared(_first_of_range(shape, part), changed_seed.reader.dialect)
                plan = plan_of(changed_seed, prepared, values)
                assert "Sort" not in plan, (query, plan)
                assert "TEMP B-TREE" not in plan, (query, plan)


def plan_of(database: Database, prepared: Prepared, values: dict[str, Any]) -> str:
    """The plan of a statement; on PostgreSQL without what it would rather do with so few rows."""
    if database.inline is not None:
        steps = database.inline.run(f"EXPLAIN QUERY PLAN {prepared.sql}", prepared.bind(values))
        return "\n".join(step[3] for step in steps)
    with database.reader.connect() as connection:
        for other in ("seqscan", "bitmapscan", "sort", "incremental_sort", "hashjoin", "mergejoin", "hashagg"):
            connection.execute(text(f"SET enable_{other} = off"))
        rows = connection.exec_driver_sql(f"EXPLAIN {prepared.sql}", prepared.bind(values)).scalars().all()
        connection.execute(text("RESET ALL"))
    return "\n".join(rows)


@pytest.fixture(scope="module")
def one_treatment(
    database_templates: DatabaseTemplates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Six thousand copies of a side effect, of one treatment and condition, with numbers and without."""
    folder = tmp_path_factory.mktemp("many")
    url = database_templates.copy("sqlite", folder, is_seeded=True)
    names = [column.name for column in SideEffect.table().columns if column.name not in ("id", "percent", "condition")]
    copied = ", ".join(f'"{name}"' for name in names)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as raw, raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        record_id, condition = raw.execute(
            "SELECT id, condition FROM side_effect WHERE condition IS NOT NULL"
        ).fetchone()
        raw.executemany(
            f"INSERT INTO side_effect (id, percent, condition, {copied})"  # our own names
            f" SELECT ?, ?, ?, {copied} FROM side_effect WHERE id = ?",
            [
                (f"made-up-{number:05}", None if number % 3 else number / 100, condition, record_id)
                for number in range(6000)
            ],
        )
    database = Database(url, query_seconds=PATIENT)
    yield database
    database.close()


@pytest.mark.parametrize("sort", [(), ("percent",), ("-percent",)], ids=["by id", "by percent", "by percent down"])
@pytest.mark.parametrize(
    "filters", [(), ("treatment",), ("basis",), SUBJECT], ids=["all", "treatment", "basis", "both"]
)
def test_a_later_page_takes_as_many_steps_as_the_first(
    one_treatment: Database, filters: tuple[str, ...], sort: tuple[str, ...]
) -> None:
    with one_treatment.read() as connection:
        row = connection.execute(
            select(SideEffect.table()).where(SideEffect.table().c.id == "made-up-00000")
        ).mappings()
        values = dict(row.one())
    query = Query(SideEffect, {name: [values[name]] for name in filters}, sort)
    first = steps_of(one_treatment, query)
    for percent in (0.0, 25.0, None):
        cursor = [percent, "made-up-03000"] if sort else ["made-up-03000"]
        later = replace(query, cursor=write_cursor(query.fingerprint(), cursor))
        assert steps_of(one_treatment, later) <= 1.5 * first


def steps_of(database: Database, query: Query) -> int:
    """The instructions of SQLite's virtual machine that a page takes."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    after = _after(query)
    prepared = Prepared(list_statement(list_shape(query, after)), InlineReader.dialect)
    with closing(sqlite3.connect(database.url.removeprefix("sqlite:///"))) as raw:
        raw.set_progress_handler(count, 1)
        rows = raw.execute(prepared.sql, prepared.bind(list_values(query, after, query.limit + 1))).fetchall()
    assert len(rows) == query.limit + 1
    return steps


# On the event loop's own connection, and on a server


def test_an_inline_read_is_cut_off_and_goes_on(one_treatment: Database) -> None:
    file = one_treatment.url.removeprefix("sqlite:///")
    inline = InlineReads(lambda: connect_file(file, seconds=0.1), query_seconds=0)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(Unavailable, match="took too long"):
        inline.run(endless, ())
    assert inline.run("SELECT ?", (1,)) == [(1,)]
    with inline.snapshot(), pytest.raises(Unavailable):
        inline.run(endless, ())
    assert inline.run("SELECT ?", (2,)) == [(2,)]
    inline.close()
    assert inline.run("SELECT ?", (3,)) == [(3,)]
    inline.close()


def test_an_inline_read_cannot_write_and_sees_the_latest_commit(one_treatment: Database) -> None:
    inline = one_treatment.inline
    assert inline is not None
    with pytest.raises(Unavailable):
        inline.run("DELETE FROM side_effect", ())
    ((outcome,),) = inline.run("SELECT min(id) FROM outcome", ())
    assert fetch_now(one_treatment, RESOURCES["outcomes"], PRESENT) is None
    rename(one_treatment, "outcomes", outcome, PRESENT, author="test", reason="a test")
    assert fetch_now(one_treatment, RESOURCES["outcomes"], PRESENT) is not None


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    inline = InlineReads(lambda: connect_file(f"{tmp_path}/no/folder", seconds=0.1), query_seconds=1)
    with pytest.raises(Unavailable, match="cannot be reached"):
        inline.run("SELECT 1", ())


@pytest.mark.parametrize("changed_seed", ["postgresql"], indirect=True)
def test_a_server_keeps_the_statements_of_pooled_connections_prepared(changed_seed: Database) -> None:
    """The driver prepares on the server what a connection has run five times; a checkout does not forget it."""
    for _ in range(7):
        with changed_seed.read() as connection:
            list_rows(connection, Query(SideEffect, {"treatment": [PRESENT]}))
    with changed_seed.read() as connection:
        kept = connection.execute(text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert any("side_effect" in statement for statement in kept)
