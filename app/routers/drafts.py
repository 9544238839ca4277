"""Drafts and their review: changes that editors propose, to be published or discarded."""

from typing import Annotated, Any

from fastapi import Path, Request
from fastapi import Query as Parameters
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.api_keys import allows
from app.errors import (
    EXAMPLE_ADDRESS,
    BadCursor,
    Conflict,
    Decided,
    Gone,
    InvalidRecord,
    NotAcceptable,
    NotFound,
    PreconditionFailed,
)
from app.fields import Kind
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.types import Line, Slug
from app.models.vocabulary import DraftState
from app.store.examples import CHECKED_ON, example_of
from app.store.read.drafts import Draft, DraftPage, DraftSummary, list_drafts, read_draft
from app.store.read.query import MOST_ROWS, USUAL_ROWS
from app.store.write.drafts import discard_draft, publish_draft
from app.web import etags
from app.web.addresses import next_url
from app.web.auth import Caller
from app.web.late_routes import LateRouter
from app.web.openapi.responses import HEADERS, documented, problem_responses
from app.web.openapi.writes import ALWAYS, FOR_ADMINS, KEYED, WRITING
from app.web.responses import JSON
from app.web.writes.admission import admitted, live_database, set_revision_header, submit

router = LateRouter(prefix="/v1", tags=["Drafts"])
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="The draft's number.", examples=[1])]
REVISION = {"Dataset-Revision": HEADERS["Dataset-Revision"]}


class DraftsParams(BaseModel):
    """The query parameters of the list of drafts."""

    model_config = ConfigDict(extra="forbid")
    state: Annotated[list[DraftState], Field(max_length=3)] | None = Field(
        None, description="Only drafts in this state, `open` unless told. Repeat it for any of several."
    )
    kind: Kind | None = Field(None, description="Only drafts of records of this resource.")
    record: Slug | None = Field(None, description="Only drafts of records with this id.")
    limit: int = Field(USUAL_ROWS, ge=1, le=MOST_ROWS, description=f"How many, 1–{MOST_ROWS}.")
    cursor: str | None = Field(None, max_length=4000, description="Where to go on: the `next` of the page before.")


class SingleDraftParams(BaseModel):
    """Refuses every query parameter."""

    model_config = ConfigDict(extra="forbid")


class PublishParams(BaseModel):
    """The query parameters of a publication."""

    model_config = ConfigDict(extra="forbid")
    note: Line = Field(
        description="The reviewer's note, shown in the history beside the author's reason.", examples=["Checked."]
    )


class DiscardParams(BaseModel):
    """The query parameters of discarding a draft."""

    model_config = ConfigDict(extra="forbid")
    reason: Line = Field(
        description="The reason; everybody who may see the draft can read it.", examples=["Sent twice."]
    )


def holder_of(caller: Caller) -> str | None:
    """The id of the key to which the caller's view of drafts is limited; None for a reviewer, who may see all."""
    return None if allows(caller.scope, "admin") else caller.id


def example_draft() -> dict[str, Any]:
    """A draft that withdraws the first record of the seed, for the OpenAPI document."""
    plural, row = next(iter(RESOURCES.items()))
    record = example_of(row)
    return {
        **{"id": 1, "state": "open", "action": "withdraw", "kind": plural, "record": record["id"], "base_version": 1},
        **{"at": CHECKED_ON, "author": "Ana Example", "reason": "Entered twice."},
        **dict.fromkeys(("decided_at", "decided_by", "note", "revision")),
        **{"url": f"{EXAMPLE_ADDRESS}/v1/drafts/1", "present_version": 1},
        "changes": [{"type": "record-withdrawn", "field": "state", "old": "published", "new": "withdrawn"}],
        "proposed": {**record, "version": 2, "state": "withdrawn"},
    }


def _example(**changes: Any) -> dict[str, Any]:
    return {JSON: {"example": to_json(example_draft() | changes).decode()}}


def _example_page() -> dict[str, Any]:
    shown = {name: example_draft()[name] for name in DraftSummary.model_fields}
    return {JSON: {"example": to_json({"items": [shown], "next": None}).decode()}}


@router.get(
    "/drafts",
    operation_id="list_drafts",
    summary="List drafts",
    openapi_extra=KEYED,
    document=documented(DraftPage, "The drafts that you may see.", *ALWAYS, BadCursor, content=_example_page),
)
async def list_open(request: Request, params: Annotated[DraftsParams, Parameters()]) -> Response:
    """Your drafts, newest first; with a key of the scope `admin` everybody's. Drafts are in no other list."""
    holder = holder_of(admitted(request, DraftsParams))
    conditions: dict[str, tuple[Any, ...]] = {"state": tuple(sorted(set(params.state or ["open"])))}
    for name, value in (("kind", params.kind), ("record", params.record), ("holder", holder)):
        if value is not None:
            conditions[name] = (value,)
    page = await live_database(request).fetch(
        lambda connection: list_drafts(connection, conditions, params.limit, params.cursor, _root(request))
    )
    links = [f'<{next_url(request, page.next)}>; rel="next"'] if page.next else []
    return etags.response_with_etag(request, to_json(page), JSON, links=links)


@router.get(
    "/drafts/{id}",
    operation_id="get_draft",
    summary="Get one draft",
    openapi_extra=KEYED,
    document=documented(Draft, "The draft.", *ALWAYS, NotFound, content=_example),
)
async def get(request: Request, id: Number, params: Annotated[SingleDraftParams, Parameters()]) -> Response:  # noqa: ARG001  # refuses parameters
    """A draft with the proposed record, its changes and its decision; yours, or with the scope `admin` anybody's."""
    holder = holder_of(admitted(request, SingleDraftParams))
    draft = await live_database(request).fetch(
        lambda connection: read_draft(connection, id, holder, _root(request)), short=True
    )
    return etags.response_with_etag(request, to_json(draft), JSON)


@router.post(
    "/drafts/{id}/publish",
    operation_id="publish_draft",
    summary="Publish one draft",
    response_model=Draft,
    openapi_extra=FOR_ADMINS,
    responses={
        200: {
            "description": "The draft, which is published.",
            "headers": REVISION,
            "content": _example(
                state="published", decided_at=CHECKED_ON, decided_by="Bo Example", note="Checked.", revision=2
            ),
        },
        **problem_responses(
            *WRITING, NotAcceptable, NotFound, Conflict, Decided, Gone, PreconditionFailed, InvalidRecord
        ),
    },
)
async def publish(request: Request, id: Number, params: Annotated[PublishParams, Parameters()]) -> Response:
    """Save the proposed record, as if its author had written it now. Needs a key of the scope `admin`.

    The history of the record names the author with the reason, and the reviewer with the note. 412 when the record has
    moved on since the draft was made, 409 when its id is taken by now or the draft was decided before: of two who
    publish at once, one does.
    """
    caller = admitted(request, PublishParams, "admin")

    def work() -> Any:
        return publish_draft(
            live_database(request),
            id,
            reviewer=caller.name,
            note=params.note,
            render=lambda connection, number: read_draft(connection, number, None, _root(request)).model_dump_json(),
        )

    stored = await submit(request, work)
    set_revision_header(request, stored.revision)
    return Response(stored.document, media_type=JSON)


@router.delete(
    "/drafts/{id}",
    operation_id="discard_draft",
    summary="Discard one draft",
    status_code=204,
    response_model=None,
    openapi_extra=KEYED,
    responses={
        204: {"description": "The draft is discarded.", "headers": REVISION},
        **problem_responses(*WRITING, NotAcceptable, NotFound, Decided),
    },
)
async def discard(request: Request, id: Number, params: Annotated[DiscardParams, Parameters()]) -> Response:
    """Discard a draft: your own, or with the scope `admin` anybody's. It stays readable with the reason."""
    caller = admitted(request, DiscardParams)
    holder = holder_of(caller)
    await submit(
        request,
        lambda: discard_draft(live_database(request), id, holder=holder, by=caller.name, reason=params.reason),
    )
    return Response(status_code=204)


def _root(request: Request) -> str:
    root: str = request.app.state.settings.public_url
    return root
