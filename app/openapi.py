"""The OpenAPI 3.1 document: what FastAPI derives from the routes, made smaller, with our name and problems."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from pydantic_core import to_json

from app import DISCLAIMER, __version__
from app.errors import MEDIA_TYPE
from app.schemas import ProblemDetails

DESCRIPTION = f"""Treatments, indications, approvals, doses, side effects and study results, as typed JSON in which
every number has a source.

**{DISCLAIMER}**

- A list answers `{{"items": […], "next": "<cursor>"}}`; follow `next` with `cursor=` until it is null.
- Filters are named after fields. `_gte` and `_lte` are bounds, a repeated filter means any of its values.
- An absent value is null; `missing` says why (`not-reported`, `no-limit`, …). Neither: nobody has looked yet.
- Everything that can go wrong answers `application/problem+json` (RFC 9457).
- Code: Apache-2.0. Records: CC BY 4.0.
"""
SUMMARY = (
    "What is known of treatments, what is approved where, how often something happens, and how sure anyone can be."
)

Json = dict[str, Any]


def describe(app: FastAPI) -> None:
    """Let the application give our document, made once when it is first asked for."""

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def document(app: FastAPI) -> Json:
    """The OpenAPI document of the application."""
    content = get_openapi(
        title="Treatment Evidence API",
        version=__version__,
        openapi_version="3.1.0",
        summary=SUMMARY,
        description=DESCRIPTION,
        routes=app.routes,
        license_info={"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        servers=[{"url": app.state.settings.public_url}],
    )
    components = content["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    _, definitions = models_json_schema(
        [(ProblemDetails, "serialization")], ref_template="#/components/schemas/{model}"
    )
    components["schemas"] = dict(sorted((components["schemas"] | definitions["$defs"]).items()))
    components["parameters"] = _share_parameters(content)
    components["responses"] = _share_problems(content)
    components["examples"] = _share_examples(content)
    tags = sorted({tag for operation in _operations(content) for tag in operation["tags"]})
    content["tags"] = [{"name": tag, "description": app.state.tags.get(tag, tag)} for tag in tags]
    return content


def _operations(content: Json) -> Iterator[Json]:
    for path in content["paths"].values():
        yield from path.values()


def _share_parameters(content: Json) -> Json:
    """Name what several operations take alike, and refer to it; answers the named parameters."""
    shared = _Shared("parameters")
    places = [
        (operation["parameters"], index)
        for operation in _operations(content)
        for index in range(len(operation.get("parameters", [])))
    ]
    for parameters, index in places:
        parameters[index]["schema"].pop("title", None)
    counts = Counter(to_json(parameters[index]) for parameters, index in places)
    for parameters, index in places:
        if counts[to_json(parameters[index])] > 1:
            parameters[index] = shared.refer(parameters[index], parameters[index]["name"])
    return shared.named


def _share_problems(content: Json) -> Json:
    """Name the problem answers, which many operations give alike."""
    shared = _Shared("responses")
    for operation in _operations(content):
        for status, response in operation["responses"].items():
            if MEDIA_TYPE in response.get("content", {}):
                operation["responses"][status] = shared.refer(response, f"problem_{status}")
    return shared.named


def _share_examples(content: Json) -> Json:
    """Name the examples, which lists of one resource give alike."""
    shared = _Shared("examples")
    for operation in _operations(content):
        for media_type, entry in operation["responses"]["200"].get("content", {}).items():
            if "example" in entry:
                name = f"{operation['tags'][0]} {media_type.split('/')[1]}".replace(" ", "_").replace("x-", "")
                entry["examples"] = {"seed": shared.refer({"value": entry.pop("example")}, name)}
    return shared.named


class _Shared:
    """Components of one kind: equal content gets one name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.named: Json = {}
        self.names: dict[bytes, str] = {}

    def refer(self, entry: Json, name: str) -> Json:
        """A reference to the entry, which is stored under the name, or the name with a number when that is taken."""
        text = to_json(entry)
        if text not in self.names:
            numbered = name
            number = 2
            while numbered in self.named:
                numbered, number = f"{name}_{number}", number + 1
            self.names[text] = numbered
            self.named[numbered] = entry
        return {"$ref": f"#/components/{self.kind}/{self.names[text]}"}
