"""What the OpenAPI document says of the reads that every resource has: models, examples and problems of responses."""

from typing import Any

from app.errors import (
    EXAMPLE_ADDRESS,
    BadCursor,
    Gone,
    InvalidParameter,
    NotAcceptable,
    NotComparable,
    NotFound,
    Problem,
)
from app.fields import singular, uses
from app.formats.csv_ndjson import csv_header, ndjson_lines
from app.formats.registry import extra_formats
from app.json_codec import to_json
from app.models.base import Row
from app.store.examples import example_included, example_of
from app.store.read.history import History
from app.store.read.schemas import page_model, single_schema
from app.store.read.units import compares_amounts
from app.web.openapi.responses import HEADERS, LINK, MOVED, documented, problem_responses
from app.web.responses import JSON

FILTERS = "Filters are named after fields; a repeated filter matches any of its values."
VERSIONS = {
    "Link": {
        "description": "The current version of the record (`latest-version`), its history (`version-history`) and the "
        "version before this one (`predecessor-version`), after RFC 5829; other formats (`alternate`).",
        "schema": {"type": "string"},
    }
}


def list_options(resource: type[Row]) -> dict[str, Any]:
    """The documentation of a resource's list."""
    plural = resource.plural
    return {
        "operation_id": f"list_{plural.replace('-', '_')}",
        "summary": f"List {_plural_name(resource)}",
        "description": f"{resource.record_class().__doc__}\n\n{FILTERS}",
        **_page(resource),
    }


def nested_options(resource: type[Row], name: str) -> dict[str, Any]:
    """The documentation of a resource's list under one record of another, which is the filter `name`."""
    noun = name.replace("_", " ")
    return {
        "operation_id": f"list_{name}_{resource.plural.replace('-', '_')}",
        "summary": f"List the {_plural_name(resource)} of one {noun}",
        "description": f"Like `/v1/{resource.plural}?{name}=…`, and 404 when there is no such {noun}.",
        **_page(resource, Gone),
    }


def _page(resource: type[Row], *more: type[Problem]) -> dict[str, Any]:
    page = {"items": [example_of(resource)], "next": None}
    content = {
        JSON: {"example": to_json(page).decode()},
        "text/csv": {"schema": {"type": "string"}, "example": csv_header(list(uses(resource)))},
        "application/x-ndjson": {
            "schema": {"type": "string"},
            "example": ndjson_lines([to_json(example_of(resource)).decode()]),
        },
    }
    units = [NotComparable] if compares_amounts(resource) else []
    description = f"The {_plural_name(resource)} that match, in order."
    return documented(page_model(resource), description, BadCursor, NotFound, *units, *more, content=lambda: content)()


def _plural_name(resource: type[Row]) -> str:
    return resource.plural.replace("-", " ")


def single_options(resource: type[Row]) -> dict[str, Any]:
    """The documentation of one record."""
    content: dict[str, Any] = {
        JSON: {"example": to_json(example_of(resource)).decode()},
        "text/csv": {"schema": {"type": "string"}},
        "application/x-ndjson": {"schema": {"type": "string"}},
    }
    for extra in extra_formats(resource).values():
        included = example_included(resource, extra.reads)
        content[extra.media_type] = {"schema": extra.schema}
        if included or not extra.reads:  # else the first record of the seed has nothing to show here
            content[extra.media_type]["example"] = extra.render(example_of(resource), included, EXAMPLE_ADDRESS)
    name = singular(resource.plural)
    return {
        "operation_id": f"get_{name}",
        "summary": f"Get one {name.replace('_', ' ')}",
        "description": resource.record_class().__doc__,
        **documented(
            lambda: single_schema(resource), "The record.", NotFound, Gone, content=lambda: content, headers=VERSIONS
        )(),
    }


def history_options(resource: type[Row]) -> dict[str, Any]:
    """The documentation of the history of one record."""
    name = singular(resource.plural)
    return {
        "operation_id": f"get_{name}_history",
        "summary": f"Get the history of one {name.replace('_', ' ')}",
        "description": "The changes of the record, newest first: what changed, when, by whom and why. A change that "
        "only follows from another record, as when a source is retracted, keeps the version and has an entry of its "
        "own (`is_new_version: false`). A withdrawn record has its history here, too.",
        "response_model": History,
        "responses": {
            200: {"description": "One page of the history.", "headers": HEADERS | LINK},
            **MOVED,
            **problem_responses(BadCursor, NotAcceptable, NotFound, InvalidParameter),
        },
    }
