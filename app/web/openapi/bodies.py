"""JSON Schemas of request bodies: a record without the fields that the server derives, and its merge patch."""

from pydantic.json_schema import models_json_schema

from app.json_codec import Json, from_json, to_json
from app.models import RESOURCES
from app.models.base import Row

REFERENCE = "#/components/schemas/"
NULL = {"type": "null"}


def body_name(row: type[Row]) -> str:
    """The schema name of a record in a request body."""
    return f"{row.__name__}Body"


def patch_name(row: type[Row]) -> str:
    """The schema name of a merge patch of a record."""
    return f"{row.__name__}Patch"


def body_schemas(response_schemas: Json) -> Json:
    """The schemas of all request bodies and of their nested models, by name.

    A nested model has one name where its schema is the same in request and response. Elsewhere that of the request, in
    which fields may be left out, is called `…Body`.
    """
    models = [(row.record_class(), "validation") for row in RESOURCES.values()]
    schemas = models_json_schema(models, ref_template=REFERENCE + "{model}")[1]["$defs"]  # type: ignore[arg-type]  # a list of pairs
    names = {row.record_class().__name__: body_name(row) for row in RESOURCES.values()}
    names |= {name: f"{name}Body" for name in _differing(schemas, response_schemas) - names.keys()}
    renamed = {names.get(name, name): _with_names(schema, names) for name, schema in schemas.items()}
    for name in names.values():
        renamed[name]["title"] = name
    for row in RESOURCES.values():
        body = renamed[body_name(row)]
        body["description"] = f"A {row.__name__} in a request body. {body['description']}"
        renamed[patch_name(row)] = _patch_of(row, body)
    return renamed


def _differing(schemas: Json, response_schemas: Json) -> set[str]:
    """The names of schemas that differ between request and response, or reference one that does."""
    differing = {
        name for name, schema in schemas.items() if name in response_schemas and response_schemas[name] != schema
    }
    while more := {
        name
        for name, schema in schemas.items()
        if name not in differing and any(f'"{REFERENCE}{other}"' in to_json(schema).decode() for other in differing)
    }:
        differing |= more
    return differing


def _with_names(schema: Json, names: dict[str, str]) -> Json:
    """The schema with its references renamed."""
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
    """The schema without its default, extended by null where it does not allow null already."""
    constraints = {name: value for name, value in schema.items() if name != "default"}
    if NULL in constraints.get("anyOf", ()):
        return constraints
    annotations: Json = {
        name: constraints.pop(name) for name in ("title", "description", "examples") if name in constraints
    }
    return {"anyOf": [constraints, NULL], **annotations}
