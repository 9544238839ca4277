"""What an editor's request does: create, replace, amend or withdraw one record, in the name of a key."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app import cache
from app.admission import admitted, idempotency_key, line_of, live_database, submit, tell_revision
from app.answers import JSON, refuse_repeated
from app.auth import caller_of
from app.bodies import object_in, read_body, record_of, refuse_other_id
from app.models.base import Record, Row
from app.models.types import Line
from app.preconditions import expected_versions
from app.store import Kept, Once, change_one, create_one, withdraw_one

PATCHES = ("application/merge-patch+json", JSON)
"""What PATCH reads, and means the same in both: RFC 7396."""


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
    caller = admitted(request, Reasoned)
    named = idempotency_key(request)
    content = await read_body(request)
    record = await to_thread.run_sync(lambda: record_of(resource, object_in(content)))
    asks = sha256(line_of(request) + content).hexdigest()
    once = None if named is None else Once(caller.id, named, asks)
    work = partial(create_one, live_database(request), record, author=caller.name, reason=asked.reason, once=once)
    kept = await submit(request, work)
    answer = _answer(request, kept, 201)
    root = request.app.state.settings.public_url
    answer.headers["Location"] = f"{root}/v1/{resource.plural}/{record.id}"
    if kept.is_replayed:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


async def replace(request: Request, resource: type[Row], record_id: str, asked: Reasoned) -> Response:
    """Put a whole record in the place of the one that the caller read."""
    content = await _changing(request, (JSON,))
    record = await to_thread.run_sync(lambda: record_of(resource, object_in(content), record_id))
    return await _change(request, resource, record_id, asked, lambda _held: record)


async def amend(request: Request, resource: type[Row], record_id: str, asked: Reasoned) -> Response:
    """Change some fields of the record that the caller read."""
    content = await _changing(request, PATCHES)
    patch = await to_thread.run_sync(lambda: object_in(content))
    refuse_other_id(resource, patch, record_id)

    def change(held: dict[str, Any]) -> Record:
        return record_of(resource, merged(held, patch), record_id)

    return await _change(request, resource, record_id, asked, change)


async def withdraw(request: Request, resource: type[Row], record_id: str, asked: Withdrawal) -> Response:
    """Take back the record that the caller read."""
    caller = caller_of(request, "write")
    refuse_repeated(request, Withdrawal)
    expected = expected_versions(request.headers.getlist("if-match"))
    key = (resource.plural, record_id)
    work = partial(
        withdraw_one, live_database(request), key, expected=expected, author=caller.name, reason=asked.reason
    )
    revision = await submit(request, work)
    tell_revision(request, revision)
    return Response(status_code=204)


# The steps of a change


async def _changing(request: Request, media_types: tuple[str, ...]) -> bytes:
    """The body of a change, read once everything else about the request is in order."""
    admitted(request, Reasoned)
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
        live_database(request),
        (resource.plural, record_id),
        change,
        expected=expected_versions(request.headers.getlist("if-match")),
        author=caller_of(request, "write").name,
        reason=asked.reason,
    )
    return _answer(request, await submit(request, work), 200)


def _answer(request: Request, kept: Kept, status: int) -> Response:
    """The record as a GET gives it now, with its tag and the revision that holds it."""
    content = kept.document.encode()
    tell_revision(request, kept.revision)
    headers = {"ETag": cache.tag_of(content, JSON, kept.version), "Cache-Control": "no-store"}
    return Response(content, status_code=status, media_type=JSON, headers=headers)


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
