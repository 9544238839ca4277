"""Handlers for creating, replacing, amending and withdrawing one record, in the name of an API key."""

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
from app.web.bodies import PATCHES, object_in, read_body, record_of, refuse_other_id
from app.web.parameters import refuse_repeated
from app.web.responses import JSON
from app.web.writes.admission import admitted, idempotency_key, line_of, live_database, set_revision_header, submit
from app.web.writes.if_match import expected_versions

T = TypeVar("T")
AsDraft = Annotated[
    bool,
    Field(
        description="Whether to store the change as a draft only: it is validated, and no reader sees it until a key "
        "of the scope `admin` publishes it."
    ),
]
SHORT_BODY = 8_192
"""Bytes of a body up to which validation takes less time than handing it to a thread and back."""


class Reasoned(BaseModel):
    """The query parameters of a change."""

    model_config = ConfigDict(extra="forbid")
    reason: Line | None = Field(
        None, description="The reason of the change; the history shows it with the name of your key."
    )


class EditParameters(Reasoned):
    """The query parameters of a change of one record."""

    draft: AsDraft = False


class Withdrawal(BaseModel):
    """The query parameters of a withdrawal."""

    model_config = ConfigDict(extra="forbid")
    reason: Line = Field(
        description="The reason of the withdrawal; the 410 response for the record shows it.",
        examples=["Entered twice."],
    )
    draft: AsDraft = False


async def create_record(request: Request, resource: type[Row], params: EditParameters) -> Response:
    """Create a record (201), or a draft of it (202); a repeated Idempotency-Key gets the stored response."""
    caller = admitted(request, EditParameters)
    key_name = idempotency_key(request)
    content = await read_body(request)
    record = await _validated(content, lambda: record_of(resource, object_in(content)))
    request_hash = sha256(line_of(request) + content).hexdigest()
    idempotency = None if key_name is None else IdempotencyKey(caller.id, key_name, request_hash)
    if params.draft:
        proposal = Proposal("create", (resource.plural, record.id), lambda write: create_within(write, record))
        return await _propose(request, proposal, params.reason, idempotency)
    work = partial(
        create_one, live_database(request), record, author=caller.name, reason=params.reason, idempotency=idempotency
    )
    key = (resource.plural, record.id)
    stored = await submit(request, work, {key, *referenced_keys({key: record})})
    response = _record_response(request, stored, 201)
    response.headers["Location"] = f"{_root(request)}/v1/{resource.plural}/{record.id}"
    return response


async def replace_record(request: Request, resource: type[Row], record_id: str, params: EditParameters) -> Response:
    """PUT: replace the record; its version must match If-Match."""
    content = await _read_change(request, (JSON,))
    record = await _validated(content, lambda: record_of(resource, object_in(content), record_id))
    return await _change(request, resource, record_id, params, lambda _existing: record)


async def amend_record(request: Request, resource: type[Row], record_id: str, params: EditParameters) -> Response:
    """PATCH: apply a merge patch to the record; its version must match If-Match."""
    content = await _read_change(request, PATCHES)
    patch = await _validated(content, lambda: object_in(content))
    refuse_other_id(resource, patch, record_id)

    def change(existing: dict[str, Any]) -> Record:
        return record_of(resource, merged(existing, patch), record_id)

    return await _change(request, resource, record_id, params, change)


async def withdraw_record(request: Request, resource: type[Row], record_id: str, params: Withdrawal) -> Response:
    """DELETE: withdraw the record (204), or draft its withdrawal (202); its version must match If-Match."""
    caller = caller_of(request, "write")
    refuse_repeated(request, Withdrawal)
    expected = expected_versions(request.headers.getlist("if-match"))
    key = (resource.plural, record_id)
    if params.draft:
        proposal = Proposal("withdraw", key, lambda write: withdraw_within(write, key, expected))
        return await _propose(request, proposal, params.reason)
    work = partial(
        withdraw_one, live_database(request), key, expected=expected, author=caller.name, reason=params.reason
    )
    revision = await submit(request, work, [key])
    set_revision_header(request, revision)
    return Response(status_code=204)


# The steps of a change


async def _read_change(request: Request, media_types: tuple[str, ...]) -> bytes:
    """The body of a PUT or PATCH, read after authorization and If-Match have been checked."""
    admitted(request, EditParameters)
    expected_versions(request.headers.getlist("if-match"))
    return await read_body(request, media_types)


async def _change(
    request: Request,
    resource: type[Row],
    record_id: str,
    params: EditParameters,
    change: Callable[[dict[str, Any]], Record],
) -> Response:
    key = (resource.plural, record_id)
    expected = expected_versions(request.headers.getlist("if-match"))
    if params.draft:
        proposal = Proposal("change", key, lambda write: change_within(write, key, change, expected))
        return await _propose(request, proposal, params.reason)
    author = caller_of(request, "write").name
    work = partial(
        change_one, live_database(request), key, change, expected=expected, author=author, reason=params.reason
    )
    return _record_response(request, await submit(request, work, [key]), 200)


async def _validated(content: bytes, work: Callable[[], T]) -> T:
    """The result of parsing and validating a body, in a worker thread when it is longer than SHORT_BODY."""
    return work() if len(content) <= SHORT_BODY else await to_thread.run_sync(work)


async def _propose(
    request: Request, proposal: Proposal, reason: str | None, idempotency: IdempotencyKey | None = None
) -> Response:
    """Store a change as a draft; the 202 response is the draft with the changes that it would make."""
    caller, root = caller_of(request, "write"), _root(request)
    work = partial(
        propose,
        live_database(request),
        proposal,
        holder=caller.id,
        author=caller.name,
        reason=reason,
        render=lambda connection, number: read_draft(connection, number, None, root).model_dump_json(),
        idempotency=idempotency,
    )
    stored = await submit(request, work)
    set_revision_header(request, stored.revision)
    headers = {"Location": f"{root}/v1/drafts/{stored.version}", **_replayed(stored)}
    return Response(stored.document, status_code=202, media_type=JSON, headers=headers)


def _root(request: Request) -> str:
    root: str = request.app.state.settings.public_url
    return root


def _replayed(stored: StoredRecord) -> dict[str, str]:
    return {"Idempotency-Replayed": "true"} if stored.is_replayed else {}


def _record_response(request: Request, stored: StoredRecord, status: int) -> Response:
    """A response with the stored record as GET returns it, its ETag and its revision."""
    content = stored.document.encode()
    set_revision_header(request, stored.revision)
    headers = {"ETag": etags.tag_of(content, JSON, stored.version), "Cache-Control": "no-store", **_replayed(stored)}
    return Response(content, status_code=status, media_type=JSON, headers=headers)


def merged(target: Any, patch: Any) -> Any:
    """The target after a merge patch (RFC 7396 section 2): objects are merged, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
