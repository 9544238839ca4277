"""Request bodies: JSON validated against a pydantic model or a record, with a JSON pointer for each error."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from app.errors import MOST_ERRORS, BadRequest, InvalidRecord, UnsupportedMediaType, invalid, nearest, pointer
from app.models.base import Record, Row
from app.store.write.batch import error_at, name_of
from app.web.strict_json import read_json

JSON = "application/json"
PATCHES = ("application/merge-patch+json", JSON)
"""Media types of PATCH; the body is a merge patch (RFC 7396) in both."""
MODELS: dict[str, type[BaseModel]] = {}
"""Pydantic models of request bodies by schema name, for the OpenAPI document."""

M = TypeVar("M", bound=BaseModel)


def json_body(model: type[BaseModel], examples: dict[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body is read with `read_body` and `parse`; registers the model in MODELS."""
    MODELS[model.__name__] = model
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": schema, "examples": examples}}}}


async def read_body(request: Request, media_types: Sequence[str] = (JSON,)) -> bytes:
    """The bytes of a request body in one of the media types; UnsupportedMediaType for another.

    `middleware.checks` has checked its size and content coding.
    """
    refuse_other_format(request, media_types)
    return await request.body()


def refuse_other_format(request: Request, media_types: Sequence[str]) -> None:
    """Raise UnsupportedMediaType unless Content-Type is one of the media types, in UTF-8."""
    content_type = request.headers.get("content-type", "")
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part.partition("=")[2].strip('" ') for part in parameters if part.startswith("charset")]
    if media_type not in media_types or any(charset not in ("utf-8", "utf8") for charset in charsets):
        reason = (
            f"Content-Type: {content_type[:200]} is not what we read" if content_type else "There is no Content-Type"
        )
        offered = ", ".join(media_types)
        header = "Accept-Patch" if request.method == "PATCH" else "Accept"  # RFC 5789 section 3.1
        raise UnsupportedMediaType(f"{reason}; send {' or '.join(media_types)} in UTF-8.", headers={header: offered})


def parse(model: type[M], content: bytes) -> M:
    """The body as an instance of its model.

    BadRequest when it is no JSON, InvalidBody when it violates the model or repeats a name in one object.
    """
    try:
        parsed = model.model_validate_json(content)
    except ValidationError as failure:
        errors = failure.errors(include_url=False, include_context=True)
        if errors[0]["type"] == "json_invalid":
            raise BadRequest(f"The body is no JSON: {errors[0]['ctx']['error']}.") from failure
        raise invalid([error_entry(model, error) for error in errors[:MOST_ERRORS]]) from failure
    read_json(content)  # refuses repeated names: which of the values was meant is unknown
    return parsed


def object_in(content: bytes) -> dict[str, Any]:
    """The JSON object in a body; InvalidBody for another JSON value, and the problems of `read_json`."""
    values = read_json(content)
    if not isinstance(values, dict):
        raise invalid([{"pointer": "", "detail": "a record is a JSON object"}])
    return values


def record_of(resource: type[Row], values: Mapping[str, Any], record_id: str | None = None) -> Record:
    """The validated record, with the id of the URL where there is one; InvalidRecord with up to MOST_ERRORS errors."""
    if record_id is not None:
        refuse_other_id(resource, values, record_id)
        values = {**values, "id": record_id}
    model = resource.record_class()
    try:
        return model.model_validate(values)
    except ValidationError as failure:
        given_id = values.get("id")
        name = name_of((resource.plural, given_id[:120] if isinstance(given_id, str) else "?"))
        pydantic_errors = failure.errors(include_url=False)[:MOST_ERRORS]
        errors = [{"record": name, **error_entry(model, error)} for error in pydantic_errors]
        first = errors[0]
        raise InvalidRecord(f"{first['pointer'] or 'The record'}: {first['detail']}.", errors=errors) from failure


def refuse_other_id(resource: type[Row], values: Mapping[str, Any], record_id: str) -> None:
    """Raise InvalidRecord when the body has another id than the URL."""
    if values.get("id", record_id) != record_id:
        detail = f"the address says {record_id!r}; a record is renamed by those who run the service"
        errors = [error_at((resource.plural, record_id), "/id", detail)]
        raise InvalidRecord(f"/id: {detail}.", errors=errors)


def error_entry(model: type[BaseModel], error: Any) -> dict[str, Any]:
    """A pydantic error as an entry of a 422 problem: JSON pointer, detail, and the nearest known name or value."""
    message = str(error["msg"]).removeprefix("Value error, ")
    entry: dict[str, Any] = {"pointer": pointer(*error["loc"]), "detail": message[:1].lower() + message[1:]}
    if error["type"] == "extra_forbidden":
        known = sorted(_model_at(model, error["loc"][:-1]).model_fields)
        entry |= {"detail": "this name is not known here", "known": known}
        entry |= _near(str(error["loc"][-1]), known)
    elif error["type"] == "literal_error":
        known = str(error["ctx"]["expected"]).replace("' or '", "', '").strip("'").split("', '")
        entry |= {"known": known} | _near(str(error["input"]), known)
    elif close := error.get("ctx", {}).get("nearest"):
        entry["nearest"] = close
    return entry


def _near(word: str, known: list[str]) -> dict[str, str]:
    close = nearest(word, known)
    return {"nearest": close} if close else {}


def _model_at(model: type[BaseModel], steps: tuple[str | int, ...]) -> type[BaseModel]:
    """The pydantic model at a path of field names and list indices."""
    for step in steps:
        if isinstance(step, str):
            model = next(_models_in(model.model_fields[step].annotation))
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
