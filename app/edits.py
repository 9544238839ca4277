"""What an editor's request does: create, replace, amend or withdraw one record, in the name of a key."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app import cache
from app.accept import accepted, choose
from app.answers import JSON, refuse_repeated
from app.auth import Caller, caller_of
from app.batch import error_at, name_of
from app.bodies import entry_of, invalid, read_body
from app.db import Database
from app.errors import MOST_ERRORS, InvalidParameter, InvalidRecord
from app.models.base import Record, Row
from app.models.types import Line
from app.preconditions import expected_versions
from app.store import Kept, Once, change_one, create_one, withdraw_one
from app.strict_json import read_json

T = TypeVar("T")
PATCHES = ("application/merge-patch+json", JSON)
"""What PATCH reads, and means the same in both: RFC 7396."""
SHORT_BODY = 8_192
"""Bytes that are checked in less time than it takes to hand them to a thread and back."""
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")


class Reasoned(BaseModel):
    """The query parameters of a change."""

    model_config = ConfigDict(extra="forbid")
    reason: Line | None = Field(None, description="Why; it stands in the history beside the name of your key.")


class Withdrawal(BaseModel):
    """The query parameters of a withdrawal."""

    model_config = ConfigDict(extra="forbid")
    reason: Line = Field(
        description="Why; whoever asks for the record from now on is told.", examples=["Entered twice."]
    )


async def create(request: Request, resource: type[Row], asked: Reasoned) -> Response:
    """Save a new record; the same request sent again with its Idempotency-Key gets the same answer."""
    caller = _admitted(request, Reasoned)
    named = _idempotency_key(request)
    content = await read_body(request)
    record = await _checked(content, lambda: record_of(resource, _object(content)))
    once = None if named is None else Once(caller.id, named, _fingerprint(request, content))
    work = partial(create_one, _database(request), record, author=caller.name, reason=asked.reason, once=once)
    kept = await _submit(request, work)
    answer = _answer(request, kept, 201)
    root = request.app.state.settings.public_url
    answer.headers["Location"] = f"{root}/v1/{resource.plural}/{record.id}"
    if kept.is_replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


async def replace(request: Request, resource: type[Row], record_id: str, asked: Reasoned) -> Response:
    """Put a whole record in the place of the one that the caller read."""
    content = await _changing(request, (JSON,))
    record = await _checked(content, lambda: record_of(resource, _object(content), record_id))
    return await _change(request, resource, record_id, asked, lambda _held: record)


async def amend(request: Request, resource: type[Row], record_id: str, asked: Reasoned) -> Response:
    """Change some fields of the record that the caller read."""
    content = await _changing(request, PATCHES)
    patch = await _checked(content, lambda: _object(content))
    _refuse_other_id(resource, patch, record_id)

    def change(held: dict[str, Any]) -> Record:
        return record_of(resource, merged(held, patch), record_id)

    return await _change(request, resource, record_id, asked, change)


async def withdraw(request: Request, resource: type[Row], record_id: str, asked: Withdrawal) -> Response:
    """Take back the record that the caller read."""
    caller = caller_of(request, "write")
    refuse_repeated(request, Withdrawal)
    expected = expected_versions(request.headers.getlist("if-match"))
    key = (resource.plural, record_id)
    work = partial(withdraw_one, _database(request), key, expected=expected, author=caller.name, reason=asked.reason)
    revision = await _submit(request, work)
    _tell_revision(request, revision)
    return Response(status_code=204)


# The steps of a change


def _admitted(request: Request, parameters: type[BaseModel]) -> Caller:
    """The caller, when they may write and can take the answer."""
    caller = caller_of(request, "write")
    refuse_repeated(request, parameters)
    choose(accepted(request), [JSON])
    return caller


async def _changing(request: Request, media_types: tuple[str, ...]) -> bytes:
    """The body of a change, read once everything else about the request is in order."""
    _admitted(request, Reasoned)
    expected_versions(request.headers.getlist("if-match"))
    return await read_body(request, media_types)


async def _change(
    request: Request,
    resource: type[Row],
    record_id: str,
    asked: Reasoned,
    change: Callable[[dict[str, Any]], Record],
) -> Response:
    work = partial(
        change_one,
        _database(request),
        (resource.plural, record_id),
        change,
        expected=expected_versions(request.headers.getlist("if-match")),
        author=caller_of(request, "write").name,
        reason=asked.reason,
    )
    return _answer(request, await _submit(request, work), 200)


async def _checked(content: bytes, work: Callable[[], T]) -> T:
    """What a body says; a long one is looked at off the event loop."""
    return work() if len(content) <= SHORT_BODY else await to_thread.run_sync(work)


def _database(request: Request) -> Database:
    """Where writes go: never to a release."""
    database: Database = request.app.state.database
    return database


async def _submit(request: Request, work: Callable[[], T]) -> T:
    submitted: T = await request.app.state.queue.submit(work)
    return submitted


def _answer(request: Request, kept: Kept, status: int) -> Response:
    """The record as a GET gives it now, with its tag and the revision that holds it."""
    content = kept.document.encode()
    _tell_revision(request, kept.revision)
    headers = {"ETag": cache.tag_of(content, JSON, kept.version), "Cache-Control": "no-store"}
    return Response(content, status_code=status, media_type=JSON, headers=headers)


def _tell_revision(request: Request, revision: int) -> None:
    """Let the answer carry the revision that the write made, not the one before it."""
    request.scope["dataset"]["Dataset-Revision"] = str(revision)


# What was sent


def _object(content: bytes) -> dict[str, Any]:
    values = read_json(content)
    if not isinstance(values, dict):
        raise invalid([{"pointer": "", "detail": "a record is a JSON object"}])
    return values


def record_of(resource: type[Row], values: Mapping[str, Any], record_id: str | None = None) -> Record:
    """The record that the values say, under the id of the address where there is one; InvalidRecord with each fault."""
    if record_id is not None:
        _refuse_other_id(resource, values, record_id)
        values = {**values, "id": record_id}
    model = resource.record_class()
    try:
        return model.model_validate(values)
    except ValidationError as failure:
        named = values.get("id")
        name = name_of((resource.plural, named[:120] if isinstance(named, str) else "?"))
        found = failure.errors(include_url=False)[:MOST_ERRORS]
        errors = [{"record": name, **entry_of(model, error)} for error in found]
        first = errors[0]
        raise InvalidRecord(f"{first['pointer'] or 'The record'}: {first['detail']}.", errors=errors) from failure


def _refuse_other_id(resource: type[Row], values: Mapping[str, Any], record_id: str) -> None:
    if values.get("id", record_id) != record_id:
        wrong = f"the address says {record_id!r}; a record is renamed by those who run the service"
        errors = [error_at((resource.plural, record_id), "/id", wrong)]
        raise InvalidRecord(f"/id: {wrong}.", errors=errors)


def merged(held: Any, patch: Any) -> Any:
    """The value after a merge patch (RFC 7396 section 2): objects are merged, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(held) if isinstance(held, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _idempotency_key(request: Request) -> str | None:
    lines = request.headers.getlist("idempotency-key")
    if not lines:
        return None
    if len(lines) > 1 or not _IDEMPOTENCY_KEY.fullmatch(lines[0]):
        wrong = "one key of 1 to 255 visible ASCII characters is needed"
        raise InvalidParameter(f"Idempotency-Key: {wrong}.", errors=[{"parameter": "Idempotency-Key", "detail": wrong}])
    return lines[0]


def _fingerprint(request: Request, content: bytes) -> str:
    """The hash of what a request asks: method, path, query and body."""
    head = f"{request.method} {request.url.path}?{request.url.query}\n"
    return sha256(head.encode() + content).hexdigest()
