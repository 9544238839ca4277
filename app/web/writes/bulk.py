"""What a batch does: many records, read line by line as they arrive, saved in one transaction or not at all."""

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
from app.web.writes.admission import admitted, idempotency_key, line_of, live_database, submit, tell_revision
from app.web.writes.edits import Reasoned
from app.web.writes.ndjson import BatchReader

NDJSON = MEDIA_TYPES["ndjson"]


class BatchAsked(Reasoned):
    """The query parameters of a batch."""

    kind: Kind | None = Field(
        None,
        description="The resource of all lines: each line then is a record itself, as `format=ndjson` and `tev export` "
        'give it. Without it a line is `{"kind": …, "record": …}`.',
    )
    replace: bool = Field(
        False,
        description="Whether a record that is there may be replaced by a line that names no `version`, whoever changed "
        "it meanwhile. A line that names a version is held to it in any case.",
    )


async def save_batch(request: Request, asked: BatchAsked) -> Response:
    """Save every record of the body, or none."""
    caller = admitted(request, BatchAsked)
    named = idempotency_key(request)
    refuse_other_format(request, (NDJSON,))
    reader = BatchReader(asked.kind)
    asks = sha256(line_of(request))
    try:
        async for piece in request.stream():
            asks.update(piece)
            await to_thread.run_sync(reader.feed, piece)
    except ClientDisconnect as gone:
        raise BadRequest("The body broke off; nothing was stored.") from gone
    entries = await to_thread.run_sync(reader.finish)
    work = partial(
        save_many,
        live_database(request),
        {key: entry.record for key, entry in entries.items()},
        versions={key: entry.version for key, entry in entries.items() if entry.version is not None},
        replace=asked.replace,
        author=caller.name,
        reason=asked.reason,
        idempotency=None if named is None else IdempotencyKey(caller.id, named, asks.hexdigest()),
    )
    try:
        kept = await submit(request, work)
    except Problem as problem:
        reader.locate(problem)
        raise
    tell_revision(request, kept.revision)
    headers = {"Cache-Control": "no-store"} | ({"Idempotency-Replayed": "true"} if kept.is_replayed else {})
    return Response(kept.document, media_type=JSON, headers=headers)
