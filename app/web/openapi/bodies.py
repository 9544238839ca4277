"""The shapes of what editors send: a record as people write it, and a patch of one."""

from typing import Any

from pydantic.json_schema import models_json_schema
from pydantic_core import from_json, to_json

from app.models import RESOURCES
from app.models.base import Row

Json = dict[str, Any]
REFERENCE = "#/components/schemas/"
NULL = {"type": "null"}


def body_name(row: type[Row]) -> str:
    """The name of the schema of a record as people write it."""
    return f"{row.__name__}Body"


def patch_name(row: type[Row]) -> str:
    """The name of the schema of a merge patch of a record."""
    return f"{row.__name__}Patch"


def body_schemas(answers: Json) -> Json:
    """The schemas of all bodies and of the parts that they need; `answers` are the schemas that are there already.

    A part has one name where it looks the same in a body and in an answer. Elsewhere the part of a body, in which
    fields may be left out, is called `…Body`.
    """
    models = [(row.record_class(), "validation") for row in RESOURCES.values()]
    found = models_json_schema(models, ref_template=REFERENCE + "{model}")[1]["$defs"]  # type: ignore[arg-type]  # a list of pairs
    names = {row.record_class().__name__: body_name(row) for row in RESOURCES.values()}
    names |= {name: f"{name}Body" for name in _differing(found, answers) - names.keys()}
    renamed = {names.get(name, name): _with_names(schema, names) for name, schema in found.items()}
    for name in names.values():
        renamed[name]["title"] = name
    for row in RESOURCES.values():
        body = renamed[body_name(row)]
        body["description"] = f"A {row.__name__} as people write it. {body['description']}"
        renamed[patch_name(row)] = _patch_of(row, body)
    return renamed


def _differing(found: Json, answers: Json) -> set[str]:
    """The schemas that are not the same in a body and in an answer, or refer to one that is not."""
    differing = {name for name, schema in found.items() if name in answers and answers[name] != schema}
    while more := {
        name
        for name, schema in found.items()
        if name not in differing and any(f'"{REFERENCE}{one}"' in to_json(schema).decode() for one in differing)
    }:
        differing |= more
    return differing


def _with_names(schema: Json, names: dict[str, str]) -> Json:
    """The schema with its references under their new names."""
    text = to_json(schema).decode()
    for old, new in names.items():
        text = text.replace(f'"{REFERENCE}{old}"', f'"{REFERENCE}{new}"')
    renamed: Json = from_json(text)
    return renamed


def _patch_of(row: type[Row], body: Json) -> Json:
    """The schema of a merge patch: any of the fields, and null to remove one."""
    properties = {name: _or_null(schema) for name, schema in body["properties"].items() if name != "id"}
    missing = properties["missing"]["anyOf"][0]
    missing["additionalProperties"] = _or_null(missing["additionalProperties"])
    return {
        "title": patch_name(row),
        "type": "object",
        "description": f"The fields of a {row.__name__} that change, as a JSON merge patch (RFC 7396).",
        "properties": properties,
        "additionalProperties": False,
    }


def _or_null(schema: Json) -> Json:
    """The schema, or null where it does not take null already."""
    kept = {name: value for name, value in schema.items() if name != "default"}
    if NULL in kept.get("anyOf", ()):
        return kept
    told: Json = {name: kept.pop(name) for name in ("title", "description", "examples") if name in kept}
    return {"anyOf": [kept, NULL], **told}
