"""What an editor's request does: create, replace, amend or withdraw one record, in the name of a key."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from app.models.base import Record, Row
from app.models.types import Line
from app.store.read.drafts import read_draft
from app.store.write.batch import referenced_keys
from app.store.write.drafts import Proposal, propose
from app.store.write.one import (
    IdempotencyKey,
    StoredRecord,
    change_one,
    change_within,
    create_one,
    create_within,
    withdraw_one,
    withdraw_within,
)
from app.web import etags
from app.web.auth import caller_of
from app.web.bodies import object_in, read_body, record_of, refuse_other_id
from app.web.parameters import refuse_repeated
from app.web.responses import JSON
from app.web.writes.admission import admitted, idempotency_key, line_of, live_database, submit, tell_revision
from app.web.writes.if_match import expected_versions

T = TypeVar("T")
AsDraft = Annotated[
    bool,
    Field(
        description="Whether to propose it only: it is checked and kept as a draft, which no reader sees until a key "
        "of the scope `admin` publishes it."
    ),
]
PATCHES = ("application/merge-patch+json", JSON)
"""What PATCH reads, and means the same in both: RFC 7396."""
SHORT_BODY = 8_192
"""Bytes that are checked in less time than it takes to hand them to a thread and back."""


class Reasoned(BaseModel):
    """The query parameters of a change."""

    model_config = ConfigDict(extra="forbid")
    reason: Line | None = Field(None, description="Why; it stands in the history beside the name of your key.")


class EditParameters(Reasoned):
    """The query parameters of a change of one record."""

    draft: AsDraft = False


class Withdrawal(BaseModel):
    """The query parameters of a withdrawal."""

    model_config = ConfigDict(extra="forbid")
    reason: Line = Field(
        description="Why; whoever asks for the record from now on is told.", examples=["Entered twice."]
    )
    draft: AsDraft = False


async def create_record(request: Request, resource: type[Row], asked: EditParameters) -> Response:
    """Save a new record; the same request sent again with its Idempotency-Key gets the same answer."""
    caller = admitted(request, EditParameters)
    named = idempotency_key(request)
    content = await read_body(request)
    record = await _checked(content, lambda: record_of(resource, object_in(content)))
    asks = sha256(line_of(request) + content).hexdigest()
    once = None if named is None else IdempotencyKey(caller.id, named, asks)
    if asked.draft:
        proposal = Proposal("create", (resource.plural, record.id), lambda write: create_within(write, record))
        return await _propose(request, proposal, asked.reason, once)
    work = partial(
        create_one, live_database(request), record, author=caller.name, reason=asked.reason, idempotency=once
    )
    key = (resource.plural, record.id)
    kept = await submit(request, work, {key, *referenced_keys({key: record})})
    answer = _answer(request, kept, 201)
    answer.headers["Location"] = f"{_root(request)}/v1/{resource.plural}/{record.id}"
    return answer


async def replace_record(request: Request, resource: type[Row], record_id: str, asked: EditParameters) -> Response:
    """Put a whole record in the place of the one that the caller read."""
    content = await _changing(request, (JSON,))
    record = await _checked(content, lambda: record_of(resource, object_in(content), record_id))
    return await _change(request, resource, record_id, asked, lambda _held: record)


async def amend_record(request: Request, resource: type[Row], record_id: str, asked: EditParameters) -> Response:
    """Change some fields of the record that the caller read."""
    content = await _changing(request, PATCHES)
    patch = await _checked(content, lambda: object_in(content))
    refuse_other_id(resource, patch, record_id)

    def change(held: dict[str, Any]) -> Record:
        return record_of(resource, merged(held, patch), record_id)

    return await _change(request, resource, record_id, asked, change)


async def withdraw_record(request: Request, resource: type[Row], record_id: str, asked: Withdrawal) -> Response:
    """Take back the record that the caller read."""
    caller = caller_of(request, "write")
    refuse_repeated(request, Withdrawal)
    expected = expected_versions(request.headers.getlist("if-match"))
    key = (resource.plural, record_id)
    if asked.draft:
        proposal = Proposal("withdraw", key, lambda write: withdraw_within(write, key, expected))
        return await _propose(request, proposal, asked.reason)
    work = partial(
        withdraw_one, live_database(request), key, expected=expected, author=caller.name, reason=asked.reason
    )
    revision = await submit(request, work, [key])
    tell_revision(request, revision)
    return Response(status_code=204)


# The steps of a change


async def _changing(request: Request, media_types: tuple[str, ...]) -> bytes:
    """The body of a change, read once everything else about the request is in order."""
    admitted(request, EditParameters)
    expected_versions(request.headers.getlist("if-match"))
    return await read_body(request, media_types)


async def _change(
    request: Request,
    resource: type[Row],
    record_id: str,
    asked: EditParameters,
    change: Callable[[dict[str, Any]], Record],
) -> Response:
    key = (resource.plural, record_id)
    expected = expected_versions(request.headers.getlist("if-match"))
    if asked.draft:
        proposal = Proposal("change", key, lambda write: change_within(write, key, change, expected))
        return await _propose(request, proposal, asked.reason)
    author = caller_of(request, "write").name
    work = partial(
        change_one, live_database(request), key, change, expected=expected, author=author, reason=asked.reason
    )
    return _answer(request, await submit(request, work, [key]), 200)


async def _checked(content: bytes, work: Callable[[], T]) -> T:
    """What a body says; a long one is looked at off the event loop."""
    return work() if len(content) <= SHORT_BODY else await to_thread.run_sync(work)


async def _propose(
    request: Request, proposal: Proposal, reason: str | None, once: IdempotencyKey | None = None
) -> Response:
    """Keep what would be done as a draft, and tell what it would change."""
    caller, root = caller_of(request, "write"), _root(request)
    work = partial(
        propose,
        live_database(request),
        proposal,
        holder=caller.id,
        author=caller.name,
        reason=reason,
        render=lambda connection, number: read_draft(connection, number, None, root).model_dump_json(),
        idempotency=once,
    )
    kept = await submit(request, work)
    tell_revision(request, kept.revision)
    headers = {"Location": f"{root}/v1/drafts/{kept.version}", **_replayed(kept)}
    return Response(kept.document, status_code=202, media_type=JSON, headers=headers)


def _root(request: Request) -> str:
    root: str = request.app.state.settings.public_url
    return root


def _replayed(kept: StoredRecord) -> dict[str, str]:
    return {"Idempotency-Replayed": "true"} if kept.is_replayed else {}


def _answer(request: Request, kept: StoredRecord, status: int) -> Response:
    """The record as a GET gives it now, with its tag and the revision that holds it."""
    content = kept.document.encode()
    tell_revision(request, kept.revision)
    headers = {"ETag": etags.tag_of(content, JSON, kept.version), "Cache-Control": "no-store", **_replayed(kept)}
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
