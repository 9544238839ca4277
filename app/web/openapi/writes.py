"""What the OpenAPI document says of writes: their bodies, headers, responses and problems."""

from typing import Any

from app.errors import (
    Conflict,
    ContentTooLarge,
    Forbidden,
    Gone,
    IdempotencyMismatch,
    InsufficientStorage,
    InvalidBody,
    InvalidParameter,
    InvalidRecord,
    NotAcceptable,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Problem,
    RequestTimeout,
    Unauthorized,
    UnsupportedMediaType,
)
from app.fields import singular
from app.json_codec import Json, to_json
from app.models.base import Row
from app.store.examples import example_of, example_patch, example_record
from app.store.read.drafts import Draft
from app.store.read.schemas import public_model
from app.web.bodies import PATCHES
from app.web.openapi.bodies import body_name, patch_name
from app.web.openapi.responses import HEADERS, MOVED, problem_responses
from app.web.responses import JSON

KEYED: Json = {"security": [{"bearer": []}]}
FOR_ADMINS: Json = {"security": [{"bearer": ["admin"]}]}
"""The security requirement with the scope of the key (OpenAPI 3.1.1 section 4.8.30)."""
ALWAYS: tuple[type[Problem], ...] = (Unauthorized, Forbidden, InvalidParameter)
WRITING = (*ALWAYS, InsufficientStorage)
BODIES = (NotAcceptable, RequestTimeout, ContentTooLarge, UnsupportedMediaType, InvalidBody, InvalidRecord)
CHANGES = (NotFound, Gone, PreconditionFailed, PreconditionRequired)
IF_MATCH: Json = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the version that you read and change; `*` for any version.",
    "schema": {"type": "string", "minLength": 1},
}
IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name of your choice for this request, 1–255 visible ASCII characters. For 24 hours the same "
    "request sent again gets the same response, and nothing is saved twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
LOCATION: Json = {
    "Location": {"description": "The URL of the record.", "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "`true` when this is the stored response to an earlier request with the same `Idempotency-Key`.",
        "schema": {"type": "string"},
    },
}
PROPOSED: dict[int | str, Json] = {
    202: {
        "description": "With `draft=true`: the change is stored as a draft, which no reader sees.",
        "model": Draft,
        "headers": {"Location": {"description": "The URL of the draft.", "schema": {"type": "string"}}},
    }
}
SENT_BACK = (
    "The body is the whole record. Fields that the server adds (`version`, `verification`, derived ones) are ignored, "
    "so that a record can be sent back as it was read."
)
UNCHANGED = "When the record does not change, nothing is written and the response is 200 as well."


def create_options(resource: type[Row]) -> dict[str, Any]:
    """The documentation of POST."""
    return {
        "operation_id": f"create_{singular(resource.plural)}",
        "summary": f"Create one {_display_name(resource)}",
        "description": f"{SENT_BACK} The id is yours to choose, and stays.",
        "response_model": public_model(resource),
        "openapi_extra": {
            **KEYED,
            "parameters": [IDEMPOTENCY_KEY],
            "requestBody": _request_body((JSON,), body_name(resource), example_record(resource)),
        },
        "responses": {
            201: _record_response(resource, "The record as it was saved.", LOCATION),
            **PROPOSED,
            **problem_responses(*WRITING, *BODIES, Conflict, Gone, IdempotencyMismatch),
        },
    }


def replace_options(resource: type[Row]) -> dict[str, Any]:
    """The documentation of PUT."""
    body = _request_body((JSON,), body_name(resource), example_record(resource))
    description = f"{SENT_BACK} The `id` may be left out. {UNCHANGED}"
    return _change_options(resource, "replace", description, body)


def amend_options(resource: type[Row]) -> dict[str, Any]:
    """The documentation of PATCH."""
    body = _request_body(PATCHES, patch_name(resource), example_patch(resource))
    description = (
        "The body is a JSON merge patch (RFC 7396): the fields that it holds replace those of the record, null removes "
        "one, a list replaces the whole list. Then the whole record is checked. " + UNCHANGED
    )
    return _change_options(resource, "amend", description, body)


def _change_options(resource: type[Row], verb: str, description: str, body: Json) -> dict[str, Any]:
    return {
        "operation_id": f"{verb}_{singular(resource.plural)}",
        "summary": f"{verb.capitalize()} one {_display_name(resource)}",
        "description": description,
        "response_model": public_model(resource),
        "openapi_extra": {**KEYED, "parameters": [IF_MATCH], "requestBody": body},
        "responses": {
            200: _record_response(resource, "The changed record."),
            **PROPOSED,
            **MOVED,
            **problem_responses(*WRITING, *BODIES, *CHANGES),
        },
    }


def withdraw_options(resource: type[Row]) -> dict[str, Any]:
    """The documentation of DELETE."""
    return {
        "operation_id": f"withdraw_{singular(resource.plural)}",
        "summary": f"Withdraw one {_display_name(resource)}",
        "description": "Withdraws the record. Its URL responds 410 with the reason from then on; its versions and its "
        "history stay, and records that reference it are marked for review.",
        "response_model": None,
        "openapi_extra": {**KEYED, "parameters": [IF_MATCH]},
        "responses": {
            204: {
                "description": "The record is withdrawn.",
                "headers": {"Dataset-Revision": HEADERS["Dataset-Revision"]},
            },
            **PROPOSED,
            **MOVED,
            **problem_responses(*WRITING, *CHANGES),
        },
    }


def _display_name(resource: type[Row]) -> str:
    return singular(resource.plural).replace("_", " ")


def _record_response(resource: type[Row], description: str, headers: Json | None = None) -> Json:
    content = {JSON: {"example": to_json(example_of(resource)).decode()}}
    return {"description": description, "content": content, "headers": HEADERS | (headers or {})}


def _request_body(media_types: tuple[str, ...], name: str, example: Json) -> Json:
    entry = {"schema": {"$ref": f"#/components/schemas/{name}"}, "examples": {"seed": {"value": example}}}
    return {"required": True, "content": dict.fromkeys(media_types, entry)}
