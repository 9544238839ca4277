"""OpenAPI descriptions of shared response headers and problem responses."""

from itertools import groupby
from typing import Any

from app.errors import MEDIA_TYPE, BadRequest, Problem, TooLong, TooManyRequests, Unavailable
from app.store.examples import EXAMPLE_ADDRESS
from app.store.read.schemas import ProblemDetails

HEADERS = {
    "ETag": {"description": "The strong tag of this representation.", "schema": {"type": "string"}},
    "Dataset-Revision": {"description": "The revision of the dataset that answered.", "schema": {"type": "integer"}},
    "Dataset-Release": {
        "description": "The release that answered, where `release` named one.",
        "schema": {"type": "string"},
    },
}
TEXT = {"type": "string"}
RATES = {
    "Retry-After": {"description": "In how many seconds to ask again.", "schema": {"type": "integer"}},
    "RateLimit-Policy": {"description": 'How much is allowed: `"writes";q=60000;w=60`.', "schema": TEXT},
    "RateLimit": {"description": 'What is left: `"writes";r=59999;t=42`, `t` in seconds.', "schema": TEXT},
}
MOVED: dict[int | str, dict[str, Any]] = {
    308: {
        "description": "The record has another id now: the same question is answered there.",
        "headers": {"Location": {"description": "The address with the present id.", "schema": {"type": "string"}}},
    }
}


def problem_responses(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses for the problems that an operation can give, by status, each kind with its example."""
    responses: dict[int | str, dict[str, Any]] = {}
    every: set[type[Problem]] = {BadRequest, TooLong, TooManyRequests, Problem, Unavailable, *kinds}
    in_order = sorted(every, key=lambda kind: (kind.status, kind.name))
    for status, same_status in groupby(in_order, key=lambda kind: kind.status):
        group = list(same_status)
        schema = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
        examples = {kind.name: {"value": kind.example().body(EXAMPLE_ADDRESS, "/v1/treatments")} for kind in group}
        responses[status] = {
            "description": " Or: ".join(f"{kind.title}. {kind.advice}" for kind in group),
            "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
        }
    responses[TooManyRequests.status]["headers"] = RATES
    return responses
