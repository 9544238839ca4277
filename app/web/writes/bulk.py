"""Batch writes: many records as NDJSON, parsed while they are received and saved in one transaction or not at all."""

from functools import partial
from hashlib import sha256

from anyio import to_thread
from pydantic import Field
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.errors import BadRequest, Problem
from app.fields import Kind
from app.store.write.many import save_many
from app.store.write.one import IdempotencyKey
from app.web.bodies import refuse_other_format
from app.web.responses import JSON, MEDIA_TYPES
from app.web.writes.admission import admitted, idempotency_key, line_of, live_database, set_revision_header, submit
from app.web.writes.edits import Reasoned
from app.web.writes.ndjson import BatchReader

NDJSON = MEDIA_TYPES["ndjson"]


class BatchParameters(Reasoned):
    """The query parameters of a batch."""

    kind: Kind | None = Field(
        None,
        description="The resource of all lines: each line then is a record itself, as in `format=ndjson` and "
        '`tev export`. Without it a line is `{"kind": …, "record": …}`.',
    )
    replace: bool = Field(
        False,
        description="Whether a line without `version` may replace an existing record, even one that somebody else has "
        "changed meanwhile. A line with a `version` needs that version in any case.",
    )


async def save_batch(request: Request, params: BatchParameters) -> Response:
    """Save all records of the body in one transaction, or none; the response counts them."""
    caller = admitted(request, BatchParameters)
    key_name = idempotency_key(request)
    refuse_other_format(request, (NDJSON,))
    reader = BatchReader(params.kind)
    request_hash = sha256(line_of(request))
    try:
        async for chunk in request.stream():
            request_hash.update(chunk)
            await to_thread.run_sync(reader.feed, chunk)
    except ClientDisconnect as failure:
        raise BadRequest("The body broke off; nothing was stored.") from failure
    entries = await to_thread.run_sync(reader.finish)
    work = partial(
        save_many,
        live_database(request),
        {key: entry.record for key, entry in entries.items()},
        versions={key: entry.version for key, entry in entries.items() if entry.version is not None},
        replace=params.replace,
        author=caller.name,
        reason=params.reason,
        idempotency=None if key_name is None else IdempotencyKey(caller.id, key_name, request_hash.hexdigest()),
    )
    try:
        stored = await submit(request, work)
    except Problem as problem:
        reader.locate(problem)
        raise
    set_revision_header(request, stored.revision)
    headers = {"Cache-Control": "no-store"} | ({"Idempotency-Replayed": "true"} if stored.is_replayed else {})
    return Response(stored.document, media_type=JSON, headers=headers)
