"""The contract of every resource, driven by the seed on both engines: a new resource is tested without a line here."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from app.fields import FieldUse, includable, reference_filters, singular, uses
from app.models import RESOURCES
from app.models.base import CitedRecord, Row
from app.store.read.query import has_scope
from app.web.resources import parents

SOME = 12
"""How many parents are looked at: enough to meet full and empty lists."""

every_resource = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))


def pages(client: TestClient, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Every page of a list, from the first to the last."""
    cursor: str | None = None
    while True:
        answer = client.get(path, params={**parameters, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        page = cast(dict[str, Any], answer.json())
        yield page
        cursor = page["next"]
        if cursor is None:
            return


def all_of(client: TestClient, path: str, **parameters: Any) -> list[dict[str, Any]]:
    return [item for page in pages(client, path, limit=200, **parameters) for item in page["items"]]


Scope = tuple[dict[str, Any], list[dict[str, Any]]]


def scopes(items: list[dict[str, Any]], use: FieldUse) -> list[Scope]:
    """Within what a field can be compared: all records; an amount in a product's own unit, those of each unit."""
    if use.unit is None:
        return [({}, items)]
    units = sorted({item[use.unit] for item in items if item[use.unit] is not None})
    return [({use.unit: unit}, [item for item in items if item[use.unit] == unit]) for unit in units]


@every_resource
def test_the_list_is_not_empty_and_every_record_opens(seed_client: TestClient, resource: type[Row]) -> None:
    items = all_of(seed_client, f"/v1/{resource.plural}")
    assert items, f"the seed has no {resource.plural}"
    for item in items:
        answer = seed_client.get(f"/v1/{resource.plural}/{item['id']}")
        assert answer.status_code == 200
        assert answer.json() == item


@every_resource
def test_small_pages_give_each_record_once_and_in_order(seed_client: TestClient, resource: type[Row]) -> None:
    whole = [item["id"] for item in all_of(seed_client, f"/v1/{resource.plural}")]
    small = [item["id"] for page in pages(seed_client, f"/v1/{resource.plural}", limit=3) for item in page["items"]]
    assert small == whole == sorted(whole)


@every_resource
def test_every_sort_key_orders_both_ways_without_losing_a_record(seed_client: TestClient, resource: type[Row]) -> None:
    whole = all_of(seed_client, f"/v1/{resource.plural}")
    sortable = [use for use in uses(resource).values() if use.is_sortable]
    for name, scope, everything in [(use.name, *found) for use in sortable for found in scopes(whole, use)]:
        for sign in ("", "-"):
            parameters = {**scope, "sort": f"{sign}{name}", "limit": max(2, len(everything) // 3)}
            items = [
                item for page in pages(seed_client, f"/v1/{resource.plural}", **parameters) for item in page["items"]
            ]
            assert len(items) == len(everything), (name, sign)
            assert {item["id"] for item in items} == {item["id"] for item in everything}, (name, sign)
            values = [item[name] for item in items if item[name] is not None]
            key = (lambda value: value.encode()) if values and isinstance(values[0], str) else None
            assert values == sorted(values, key=key, reverse=bool(sign)), (name, sign)
            assert all(item[name] is None for item in items[len(values) :]), f"missing values come last: {name}"


@every_resource
def test_every_filter_gives_exactly_the_records_that_have_the_value(
    seed_client: TestClient, resource: type[Row]
) -> None:
    whole = all_of(seed_client, f"/v1/{resource.plural}")
    filters = [use for use in uses(resource).values() if use.is_filter]
    exact = {"scope": "exact"} if has_scope(resource) else {}
    for name, unit, everything in [(use.name, *found) for use in filters for found in scopes(whole, use)]:
        scope = unit | exact
        values = sorted({item[name] for item in everything if item[name] is not None}, key=str)
        for value in values[:3]:
            found = {item["id"] for item in all_of(seed_client, f"/v1/{resource.plural}", **scope, **{name: value})}
            assert found == {item["id"] for item in everything if item[name] == value}, (name, value)
        if len(values) > 1:
            found = {
                item["id"] for item in all_of(seed_client, f"/v1/{resource.plural}", **scope, **{name: values[:2]})
            }
            assert found == {item["id"] for item in everything if item[name] in values[:2]}, f"any of: {name}"


@every_resource
def test_every_bound_on_a_number_holds(seed_client: TestClient, resource: type[Row]) -> None:
    whole = all_of(seed_client, f"/v1/{resource.plural}")
    numbers = [use for use in uses(resource).values() if use.is_bounded and use.shape == "number"]
    for name, scope, everything in [(use.name, *found) for use in numbers for found in scopes(whole, use)]:
        values = sorted(item[name] for item in everything if item[name] is not None)
        if not values:
            continue
        middle = values[len(values) // 2]
        above = {
            item["id"] for item in all_of(seed_client, f"/v1/{resource.plural}", **scope, **{f"{name}_gte": middle})
        }
        below = {
            item["id"] for item in all_of(seed_client, f"/v1/{resource.plural}", **scope, **{f"{name}_lte": middle})
        }
        assert above == {item["id"] for item in everything if item[name] is not None and item[name] >= middle}, name
        assert below == {item["id"] for item in everything if item[name] is not None and item[name] <= middle}, name


@every_resource
def test_the_count_is_the_number_of_records(seed_client: TestClient, resource: type[Row]) -> None:
    page = seed_client.get(f"/v1/{resource.plural}", params={"count": "exact", "limit": 1}).json()
    assert page["total"] == len(all_of(seed_client, f"/v1/{resource.plural}"))
    assert "total" not in seed_client.get(f"/v1/{resource.plural}").json()


@every_resource
def test_a_batch_get_names_the_ids_that_no_record_has(seed_client: TestClient, resource: type[Row]) -> None:
    ids = [item["id"] for item in all_of(seed_client, f"/v1/{resource.plural}")][:30]
    page = seed_client.get(f"/v1/{resource.plural}", params={"id": [*ids, "no-such-id"]}).json()
    assert [item["id"] for item in page["items"]] == ids
    assert page["not_found"] == ["no-such-id"]
    assert page["next"] is None


@every_resource
def test_chosen_fields_are_shown_in_the_order_asked_for(seed_client: TestClient, resource: type[Row]) -> None:
    page = seed_client.get(f"/v1/{resource.plural}", params={"fields": "version,missing", "limit": 2}).json()
    assert [list(item) for item in page["items"]] == [["id", "version", "missing"]] * len(page["items"])
    one = seed_client.get(f"/v1/{resource.plural}/{page['items'][0]['id']}", params={"fields": "id"})
    assert one.json() == {"id": page["items"][0]["id"]}


@every_resource
def test_whatever_can_be_included_is_the_record_itself(seed_client: TestClient, resource: type[Row]) -> None:
    for name in includable(resource):
        page = seed_client.get(f"/v1/{resource.plural}", params={"include": name, "limit": 50}).json()
        for plural, records in page["included"].items():
            for record_id, record in list(records.items())[:3]:
                assert seed_client.get(f"/v1/{plural}/{record_id}").json() == record
    whole = ",".join(includable(resource))
    if whole:
        first = seed_client.get(f"/v1/{resource.plural}", params={"limit": 1}).json()["items"][0]
        one = seed_client.get(f"/v1/{resource.plural}/{first['id']}", params={"include": whole}).json()
        assert {name: value for name, value in one.items() if name != "included"} == first


@every_resource
def test_an_unchanged_list_and_record_answer_304(seed_client: TestClient, resource: type[Row]) -> None:
    first = seed_client.get(f"/v1/{resource.plural}").json()["items"][0]["id"]
    for path in (f"/v1/{resource.plural}", f"/v1/{resource.plural}/{first}"):
        tag = seed_client.get(path).headers["etag"]
        again = seed_client.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
        assert seed_client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@every_resource
def test_head_has_the_headers_of_get_and_no_body(seed_client: TestClient, resource: type[Row]) -> None:
    path = f"/v1/{resource.plural}"
    for parameters in ({}, {"format": "csv"}, {"format": "ndjson"}):
        get, head = seed_client.get(path, params=parameters), seed_client.head(path, params=parameters)
        assert head.status_code == 200
        assert head.content == b""
        assert head.headers["etag"] == get.headers["etag"]
        assert head.headers.get("content-length") == get.headers.get("content-length")


@every_resource
def test_csv_and_ndjson_give_the_whole_selection(seed_client: TestClient, resource: type[Row]) -> None:
    everything = all_of(seed_client, f"/v1/{resource.plural}")
    lines = seed_client.get(f"/v1/{resource.plural}", params={"format": "ndjson"}).text.splitlines()
    assert [json.loads(line) for line in lines] == everything
    answer = seed_client.get(f"/v1/{resource.plural}", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["id"] for row in rows] == [item["id"] for item in everything]
    assert list(rows[0]) == list(uses(resource))
    few = seed_client.get(f"/v1/{resource.plural}", params={"format": "ndjson", "limit": 2, "fields": "id"}).text
    assert few == "".join(f'{{"id":"{item["id"]}"}}\n' for item in everything[:2])


@every_resource
def test_lists_under_a_parent_are_the_filtered_list(seed_client: TestClient, resource: type[Row]) -> None:
    for name, parent in parents(resource).items():
        for record in all_of(seed_client, f"/v1/{parent.plural}", fields="id")[:SOME]:
            nested = all_of(seed_client, f"/v1/{parent.plural}/{record['id']}/{resource.plural}")
            assert nested == all_of(seed_client, f"/v1/{resource.plural}", **{name: record["id"]})
        assert seed_client.get(f"/v1/{parent.plural}/no-such-id/{resource.plural}").status_code == 404


@every_resource
def test_a_record_sent_back_is_the_same_record(seed_client: TestClient, resource: type[Row]) -> None:
    for item in all_of(seed_client, f"/v1/{resource.plural}"):
        record = resource.record_class().model_validate(item)
        sent = record.model_dump(mode="json")
        derived = {name for name in resource.record_class().derived_where_absent if sent[name] is None}
        assert {name: item[name] for name in sent.keys() - derived} == {
            name: sent[name] for name in sent.keys() - derived
        }


@every_resource
def test_every_citation_and_reference_resolves(seed_client: TestClient, resource: type[Row]) -> None:
    sources = {item["id"] for item in all_of(seed_client, "/v1/sources", fields="id")}
    for item in all_of(seed_client, f"/v1/{resource.plural}"):
        cited = [citation["source"] for citation in item.get("citations", [])]
        assert set(cited) <= sources
        if issubclass(resource.record_class(), CitedRecord):
            assert cited, f"{resource.plural}/{item['id']} cites nothing"


@every_resource
def test_who_cites_a_source_is_what_cites_it(seed_client: TestClient, resource: type[Row]) -> None:
    if "source" not in {**reference_filters(resource), **uses(resource)}:
        assert resource.plural == "sources"
        return
    for item in all_of(seed_client, f"/v1/{resource.plural}")[:10]:
        named = item.get("sources", [citation["source"] for citation in item.get("citations", [])])
        for source in named:
            found = all_of(seed_client, f"/v1/sources/{source}/{resource.plural}", fields="id")
            assert {"id": item["id"]} in found


@every_resource
def test_every_record_has_a_history_and_its_versions(seed_client: TestClient, resource: type[Row]) -> None:
    for item in all_of(seed_client, f"/v1/{resource.plural}")[:SOME]:
        path = f"/v1/{resource.plural}/{item['id']}"
        entries = [entry for page in pages(seed_client, f"{path}/history", limit=1) for entry in page["items"]]
        assert [entry["version"] for entry in entries] == sorted((e["version"] for e in entries), reverse=True)
        assert entries[0]["version"] == item["version"]
        assert entries[-1]["changes"][0]["type"] == "created"
        for entry in entries:
            past = seed_client.get(path, params={"version": entry["version"]})
            assert (past.status_code, past.json()["version"]) == (200, entry["version"])
        assert seed_client.get(path, params={"version": item["version"]}).json() == item
    assert seed_client.get(f"/v1/{resource.plural}/no-such-id/history").status_code == 404


def test_the_singular_of_every_resource_names_its_table() -> None:
    assert {singular(plural): plural for plural in RESOURCES}.keys() >= {"treatment", "study", "side_effect"}
