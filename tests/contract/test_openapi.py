"""The OpenAPI document is a contract: a snapshot holds it, and rules that every operation must keep."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.fields import singular
from app.json_codec import from_json, to_json
from app.main import create_app
from app.models import RESOURCES
from app.routers import INDEX, NAMES, ROUTES, index_of_routes, module_named
from app.settings import Settings
from app.store.examples import example_record
from app.web.openapi.document import openapi_document
from app.web.openapi.served import FILE
from tests.conftest import ROOT

SNAPSHOT = ROOT / "tests" / "openapi.json"


NAMING = ("/v1/changes", "/v1/scorecard")
"""Addresses that name a record in a parameter."""
MOVED_OR_GONE: dict[str, set[str]] = {"changes": set(), "history": {"308"}}
"""Which problems a withdrawn or renamed record gives, where that differs: both have a history and changes."""


OF_OTHERS: dict[str, set[str]] = {
    "save_batch": {"409", "412"},
    "list_drafts": set(),
    "get_draft": {"404"},
    "publish_draft": {"404", "409", "410", "412"},
    "discard_draft": {"404", "409"},
}
"""What needs a key and is no write of one record: which problems it gives, beyond those that every key can meet."""
VERBS = "list|get|lookup|create|replace|amend|withdraw|save|publish|discard"


def document() -> dict[str, Any]:
    """The document as it is now, over no database at all."""
    return openapi_document(application("http://127.0.0.1:8000"))


def application(public_url: str) -> FastAPI:
    return create_app(Settings(database_url="sqlite:///unused.db", public_url=public_url))


def as_text(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return document()


def operations(openapi: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, operation) for path, methods in openapi["paths"].items() for operation in methods.values()]


def resolved(openapi: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in entry:
        return entry
    part: Any = openapi
    for step in entry["$ref"].removeprefix("#/").split("/"):
        part = part[step]
    return resolved(openapi, part)


def required(openapi: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """The query parameters that an operation cannot do without."""
    parameters = [resolved(openapi, entry) for entry in operation.get("parameters", [])]
    return {parameter["name"] for parameter in parameters if parameter["in"] == "query" and parameter["required"]}


def reads(openapi: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(path, methods["get"]) for path, methods in openapi["paths"].items() if "get" in methods]


def is_keyed(operation: dict[str, Any]) -> bool:
    return any("bearer" in way for way in operation.get("security", []))


def takes_release(openapi: dict[str, Any], operation: dict[str, Any]) -> bool:
    return "release" in [resolved(openapi, entry)["name"] for entry in operation.get("parameters", [])]


def test_every_read_of_records_can_be_asked_of_a_release(openapi: dict[str, Any]) -> None:
    without = {
        path
        for path, operation in reads(openapi)
        if not takes_release(openapi, operation) and not is_keyed(operation)  # a release holds no drafts
    }
    of_one_release = ("/v1/releases", "/v1/syntheses/")
    assert without == {path for path, _ in reads(openapi) if path.startswith(of_one_release) or "/v1" not in path}


def test_the_document_is_the_snapshot(openapi: dict[str, Any]) -> None:
    assert as_text(openapi) == SNAPSHOT.read_text(encoding="utf-8"), "`make openapi` writes it; look at the difference"


def test_what_is_served_is_the_document_with_the_public_url(openapi: dict[str, Any]) -> None:
    served = application("https://evidence.example.org").openapi()
    assert served["servers"] == [{"url": "https://evidence.example.org"}]
    served["servers"] = openapi["servers"]
    assert as_text(served) == as_text(openapi), "`make openapi` writes the file that is served"


def test_no_setting_but_the_public_url_changes_the_document(openapi: dict[str, Any], tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"{tmp_path}/other.db",
        public_url="http://127.0.0.1:8000",
        contact_url="https://example.org/report",
        allowed_hosts="example.org",
        rate_writes="off",
        rate_reads="5/minute",
        rate_failures="off",
        metrics=True,
        workers=2,
    )
    assert openapi_document(create_app(settings)) == openapi


def test_the_index_of_routes_is_that_of_the_modules() -> None:
    assert from_json(INDEX.read_bytes()) == index_of_routes(), "`make openapi` writes app/routers/routes.json"


def test_the_index_gives_the_routes_that_the_modules_declare() -> None:
    declared = [(route.path, route.methods) for name in NAMES for route in module_named(name).router.routes]
    assert [(route.path, route.methods) for route in ROUTES] == declared


def test_every_operation_reads_well_in_a_generated_client(openapi: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(openapi)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(rf"({VERBS})_[a-z_]+", name) for name in ids), ids
    for plural in RESOURCES:
        assert f"list_{plural.replace('-', '_')}" in ids
        one = singular(plural)
        assert {f"{verb}_{one}" for verb in ("get", "create", "replace", "amend", "withdraw")} <= set(ids)


def test_every_operation_parameter_and_property_is_explained(openapi: dict[str, Any]) -> None:
    for path, operation in operations(openapi):
        assert operation["summary"], path
        assert operation["description"], path
        assert len(operation["tags"]) == 1, path
        for entry in operation.get("parameters", []):
            parameter = resolved(openapi, entry)
            assert parameter.get("description"), (path, parameter["name"])
    for name, schema in openapi["components"]["schemas"].items():
        assert schema.get("description"), name
        for field, content in schema.get("properties", {}).items():
            assert content.get("description") or "$ref" in content, (name, field)


def test_every_operation_names_the_problems_that_it_can_give(openapi: dict[str, Any]) -> None:
    for path, operation in operations(openapi):
        verb = operation["operationId"].split("_")[0]
        success = {"withdraw": "204", "discard": "204", "create": "201" if is_keyed(operation) else "200"}
        expected = {success.get(verb, "200")}
        expected |= {"400", "414", "429", "500", "503"}
        if path.startswith("/v1"):
            expected |= {"422"} if verb == "withdraw" else {"406", "422"}
        own = OF_OTHERS.get(operation["operationId"])
        if is_keyed(operation):
            usual = {"410"} | ({"409"} if verb == "create" else {"412", "428"})
            expected |= {"401", "403"} | (usual | {"202"} if own is None else own)
            expected |= set() if verb in ("list", "get") else {"507"}
        names_a_treatment = {"treatment", "treatments"} & required(openapi, operation)
        if own is None and ("{id}" in path or path in NAMING or names_a_treatment):
            expected |= {"404"} | MOVED_OR_GONE.get(path.split("/")[-1], {"308", "410"})
        if "{" in path or takes_release(openapi, operation):
            expected.add("404")
        if path.endswith(".sqlite3"):
            expected |= {"206", "416"}
        if "requestBody" in operation:
            expected |= {"408", "413", "415"}
        assert expected == operation["responses"].keys(), path
        for status, response in operation["responses"].items():
            content = resolved(openapi, response).get("content", {})
            assert ("application/problem+json" in content) == (status[0] != "2" and status != "308")


def test_a_body_is_what_people_write_and_a_patch_is_any_part_of_it(openapi: dict[str, Any]) -> None:
    schemas = openapi["components"]["schemas"]
    for row in RESOURCES.values():
        body, patch, answer = (schemas[f"{row.__name__}{kind}"] for kind in ("Body", "Patch", ""))
        assert set(body["properties"]) == set(row.record_class().model_fields)
        assert set(body["required"]) < set(answer["required"]), "what the server adds need not be sent"
        assert set(patch["properties"]) == set(body["properties"]) - {"id"}
        assert "required" not in patch
        for schema in patch["properties"].values():
            assert {"type": "null"} in schema["anyOf"], "null removes a field"


def test_schemas_have_plain_names_and_flat_unions(openapi: dict[str, Any]) -> None:
    text = as_text(openapi)
    assert "discriminator" not in text
    assert "oneOf" not in text
    for name in openapi["components"]["schemas"]:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name), name
        assert not name.endswith(("Record", "Input", "Output", "Row"))
        properties = openapi["components"]["schemas"][name].get("properties", {})
        assert not {"digest", "document"} & properties.keys(), "what the server keeps for itself must not leak"


def test_every_reference_of_the_document_resolves(openapi: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "(#[^"]+)"', as_text(openapi))):
        assert resolved(openapi, {"$ref": reference})


def test_every_operation_has_an_example_that_was_not_made_up(openapi: dict[str, Any]) -> None:
    for path, operation in operations(openapi):
        if operation["operationId"].startswith("list_"):
            content = operation["responses"]["200"]["content"]["application/json"]
            assert resolved(openapi, content["examples"]["seed"])["value"]["items"], path


def test_bodies_are_exemplified_by_records_of_the_seed(openapi: dict[str, Any]) -> None:
    for path, operation in operations(openapi):
        if is_keyed(operation) and "requestBody" in operation and operation["operationId"] not in OF_OTHERS:
            plural = path.split("/")[2]
            for content in operation["requestBody"]["content"].values():
                example = content["examples"]["seed"]["value"]
                record = example_record(RESOURCES[plural]) | example
                assert (
                    RESOURCES[plural].record_class().model_validate(record).id
                    == example_record(RESOURCES[plural])["id"]
                ), path


def test_examples_come_from_the_seed(openapi: dict[str, Any]) -> None:
    example = openapi["components"]["examples"]["treatments_json"]["value"]
    assert "onabotulinumtoxina" in json.dumps(example)


if __name__ == "__main__":
    content = document()
    SNAPSHOT.write_text(as_text(content), encoding="utf-8")
    FILE.write_bytes(to_json(content))
    INDEX.write_text(json.dumps(index_of_routes(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {SNAPSHOT}, {FILE} and {INDEX}")
