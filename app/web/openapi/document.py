"""The OpenAPI 3.1 document: derived by FastAPI from the routes, with shared components and problem responses.

Deriving it takes seconds, since every model of every response is made: `make openapi` does that, and `served` gives out
what it wrote.
"""

from collections.abc import Iterator
from hashlib import sha256

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from app import DISCLAIMER, __version__
from app.errors import MEDIA_TYPE
from app.json_codec import Json, from_json, to_json
from app.store.read.schemas import ProblemDetails
from app.web.bodies import MODELS
from app.web.openapi.bodies import body_schemas

DESCRIPTION = f"""Treatments, indications, approvals, doses, side effects and study results, as typed JSON in which
every number has a source.

**{DISCLAIMER}**

- A list answers `{{"items": […], "next": "<cursor>"}}`; follow `next` with `cursor=` until it is null.
- Filters are named after fields. `_gte` and `_lte` are bounds, a repeated filter matches any of its values.
- An absent value is null; `missing` says why (`not-reported`, `no-limit`, …). Neither: nobody has looked yet.
- Reading needs no key; writing needs `Authorization: Bearer <key>`, and `If-Match` to change an existing record.
- Every error is a response of type `application/problem+json` (RFC 9457).
- Code: Apache-2.0. Records: CC BY 4.0.
"""
SUMMARY = (
    "What is known of treatments, what is approved where, how often something happens, and how sure anyone can be."
)

BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key of the scope `write`, as `Authorization: Bearer tev_…`. The operator of the service "
    "creates keys with `tev key create`. Reading needs none.",
}


def openapi_document(app: FastAPI) -> Json:
    """The OpenAPI document of the application."""
    content = get_openapi(
        title="Treatment Evidence API",
        version=__version__,
        openapi_version="3.1.0",
        summary=SUMMARY,
        description=DESCRIPTION,
        routes=[route.build(True) for route in app.state.route_table.routes],
        license_info={"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        servers=[{"url": app.state.settings.public_url}],
    )
    content["security"] = []  # reading needs no key
    components = content["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    _, definitions = models_json_schema(
        [(ProblemDetails, "serialization"), *((model, "validation") for model in MODELS.values())],
        ref_template="#/components/schemas/{model}",
    )
    schemas = components["schemas"] | definitions["$defs"]
    components["schemas"] = dict(sorted((schemas | body_schemas(schemas)).items()))
    components["securitySchemes"] = {"bearer": BEARER}
    for name, schema in components["schemas"].items():
        if "const" in schema:  # an enumeration with one value so far
            schema["enum"] = [schema.pop("const")]
        if "enum" in schema:
            schema.setdefault("description", f"The closed list of words {name}; lists only grow.")
    components["parameters"] = _share_parameters(content)
    components["responses"] = _share_problems(content)
    components["examples"] = _share_examples(content)
    described = app.state.tags()
    tags = sorted({tag for operation in _operations(content) for tag in operation["tags"]})
    content["tags"] = [{"name": tag, "description": described.get(tag, tag)} for tag in tags]
    return content


def _operations(content: Json) -> Iterator[Json]:
    for path in content["paths"].values():
        yield from path.values()


def _share_parameters(content: Json) -> Json:
    """Replace parameters that several operations share by references; returns the named parameters.

    A parameter of one resource alone has its name as prefix (`claims_sort`), so that a new resource renames no other.
    """
    shared = _Shared("parameters")
    users: dict[bytes, list[str]] = {}
    for operation in _operations(content):
        for parameter in operation.get("parameters", []):
            parameter["schema"] = _query_schema(parameter["schema"])
            users.setdefault(to_json(parameter), []).append(_component_name(operation["tags"][0]))
    for operation in _operations(content):
        for index, parameter in enumerate(operation.get("parameters", [])):
            tags = users[to_json(parameter)]
            if len(tags) > 1:
                prefix = f"{tags[0]}_" if len(set(tags)) == 1 else ""
                operation["parameters"][index] = shared.refer(parameter, prefix + parameter["name"])
    return shared.named


def _query_schema(schema: Json) -> Json:
    """A parameter's schema without null, which a query string cannot express, and without title and description."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    constraints = {name: value for name, value in schema.items() if name not in ("title", "description", "anyOf")}
    constraints |= options[0] if len(options) == 1 else {"anyOf": options} if options else {}
    return {name: value for name, value in constraints.items() if (name, value) != ("default", "")}


def _component_name(text: str) -> str:
    return text.lower().replace(" ", "_").replace("/", "_").replace("x-", "").replace("+", "_")


def _share_problems(content: Json) -> Json:
    """Replace problem responses by references; returns the named responses."""
    shared = _Shared("responses")
    for operation in _operations(content):
        for status, response in operation["responses"].items():
            if MEDIA_TYPE in response.get("content", {}):
                operation["responses"][status] = shared.refer(response, f"problem_{status}")
    return shared.named


def _share_examples(content: Json) -> Json:
    """Replace response examples by references; returns the named examples.

    JSON examples are given as text: FastAPI drops every null from an example that is given as a value.
    """
    shared = _Shared("examples")
    for operation in _operations(content):
        success = next(entry for status, entry in operation["responses"].items() if status.startswith("2"))
        for media_type, entry in success.get("content", {}).items():
            if "example" in entry:
                name = _component_name(f"{operation['tags'][0]} {media_type.split('/')[1]}")
                text = entry.pop("example")
                value = from_json(text) if media_type.endswith(("/json", "+json")) else text
                entry["examples"] = {"seed": shared.refer({"value": value}, name)}
    return shared.named


class _Shared:
    """OpenAPI components of one kind; equal content has one name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.named: Json = {}
        self.names: dict[bytes, str] = {}

    def refer(self, entry: Json, name: str) -> Json:
        """A reference to the entry, stored under the name; different content under one name gets its hash as suffix."""
        text = to_json(entry)
        if text not in self.names:
            unique_name = name if name not in self.named else f"{name}_{sha256(text).hexdigest()[:6]}"
            self.names[text] = unique_name
            self.named[unique_name] = entry
        return {"$ref": f"#/components/{self.kind}/{self.names[text]}"}
