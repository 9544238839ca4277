"""OpenAPI descriptions of shared response headers and problem responses."""

from collections.abc import Callable
from itertools import groupby
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from app.errors import (
    EXAMPLE_ADDRESS,
    MEDIA_TYPE,
    BadCursor,
    BadRequest,
    Gone,
    InvalidParameter,
    NotAcceptable,
    Problem,
    TooLong,
    TooManyRequests,
    Unavailable,
)
from app.json_codec import Json
from app.store.read.schemas import ProblemDetails

HEADERS = {
    "ETag": {"description": "The strong ETag of this representation.", "schema": {"type": "string"}},
    "Dataset-Revision": {"description": "The dataset revision of this response.", "schema": {"type": "integer"}},
    "Dataset-Release": {
        "description": "The release that was read, when `release` names one.",
        "schema": {"type": "string"},
    },
}
LINK = {"Link": {"description": 'The next page, as `rel="next"`.', "schema": {"type": "string"}}}
TEXT = {"type": "string"}
RATES = {
    "Retry-After": {"description": "Seconds to wait before the next request.", "schema": {"type": "integer"}},
    "RateLimit-Policy": {
        "description": 'The limit: `"writes";q=60000;w=60` allows `q` requests in `w` seconds.',
        "schema": TEXT,
    },
    "RateLimit": {
        "description": 'What is left of the limit: `"writes";r=59999;t=42`, `r` requests in the next `t` seconds.',
        "schema": TEXT,
    },
}
MOVED: dict[int | str, dict[str, Any]] = {
    308: {
        "description": "The record has a new id: repeat the request at `Location`.",
        "headers": {"Location": {"description": "The URL with the new id.", "schema": {"type": "string"}}},
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


def documented(
    model: type[BaseModel] | Callable[[], Any],
    description: str,
    *problems: type[Problem],
    content: Callable[[], Json] = dict,
    headers: Json = MappingProxyType({}),  # type: ignore[assignment]  # an empty one that nobody can change
) -> Callable[[], dict[str, Any]]:
    """The `document=` of a read: its model, what the response is, and the problems beside those of every read.

    A read with pages (BadCursor) has the Link header, and one that finds a record gone also redirects from its former
    id (308). Nothing is made before the document is: `content` gives examples, and `model` may be made by a function.
    """

    def document() -> dict[str, Any]:
        shown = HEADERS | (LINK if BadCursor in problems else {}) | headers
        examples = content()
        success = {"description": description, "headers": shown} | ({"content": examples} if examples else {})
        return {
            "response_model": model if isinstance(model, type) else model(),
            "responses": {
                200: success,
                **(MOVED if Gone in problems else {}),
                **problem_responses(NotAcceptable, InvalidParameter, *problems),
            },
        }

    return document
