"""What changed, from one revision to another: for mirrors, for subscribers, and as an Atom feed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field, ValidationInfo, field_validator
from starlette.responses import Response

from app.errors import BadCursor, NotFound
from app.fields import Kind
from app.formats.atom import FeedAddresses, FeedEntry, render_feed
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.types import Slug
from app.models.vocabulary import ChangeType
from app.reports.changes import (
    MOST_CHANGES,
    USUAL_CHANGES,
    ChangeItem,
    ChangePage,
    ChangeQuery,
    Order,
    example_change,
    read_changes,
)
from app.store.read.query import ReadParameters
from app.web import etags
from app.web.addresses import next_url
from app.web.late_routes import LateRouter
from app.web.negotiation import accepted, choose
from app.web.openapi.responses import documented
from app.web.parameters import refuse_repeated
from app.web.read_source import database_of
from app.web.responses import JSON, MEDIA_TYPES

Format = Literal["json", "ndjson", "atom"]
FORMATS: dict[Format, str] = {"json": JSON, "ndjson": MEDIA_TYPES["ndjson"], "atom": "application/atom+xml"}
NO_TIME = "1970-01-01T00:00:00Z"
"""The `updated` timestamp of a feed without entries."""

router = LateRouter(prefix="/v1", tags=["Changes"])


Revision = Annotated[int, Field(ge=0, le=2**31 - 1)]


class ChangesParams(ReadParameters):
    """The query parameters of the change feed."""

    since: Revision = Field(0, description="Only what came after this revision: the last one that you have seen.")
    until: Revision | None = Field(None, description="Only what came up to this revision.")
    kind: Annotated[list[Kind], Field(max_length=len(RESOURCES))] | None = Field(
        None, description="Only records of this resource, by its plural. Repeat it for any of several."
    )
    id: Slug | None = Field(
        None, description="Only the record with this id, present or former, of any resource or of the `kind`."
    )
    type: Annotated[list[ChangeType], Field(max_length=50)] | None = Field(
        None, description="Only changes of this type. Repeat it for any of several."
    )
    order: Order | None = Field(
        None, description="The default is `oldest-first`; for Atom `newest-first`, unless `since` is given."
    )
    limit: Annotated[int, Field(ge=1, le=MOST_CHANGES)] | None = Field(
        None,
        description=f"How many changes, 1–{MOST_CHANGES}; the default is {USUAL_CHANGES}, for NDJSON all.",
    )
    cursor: Annotated[str, Field(max_length=4000)] | None = Field(
        None, description="Where to go on: the `next` of the page before, with the same other parameters."
    )
    format: Format | None = Field(None, description="`json`, `ndjson` or `atom`; goes before the Accept header.")

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: int | None, info: ValidationInfo) -> int | None:
        if until is not None and until < info.data.get("since", 0):
            raise ValueError(f"{until} lies before since={info.data['since']}")
        return until

    def query(self, form: Format) -> ChangeQuery:
        """The query for these parameters in a format, on which the default order depends."""
        newest_first = form == "atom" and "since" not in self.model_fields_set
        return ChangeQuery(
            since=self.since,
            until=self.until,
            kinds=tuple(sorted(set(self.kind or ()))),
            id=self.id,
            types=tuple(sorted(set(self.type or ()))),
            order=self.order or ("newest-first" if newest_first else "oldest-first"),
            limit=self.limit or USUAL_CHANGES,
            cursor=self.cursor,
        )


@router.get(
    "/changes",
    operation_id="list_changes",
    summary="List what changed",
    document=documented(
        ChangePage,
        "The changes, in order.",
        BadCursor,
        NotFound,
        content=lambda: {
            JSON: {"example": to_json({"items": [example_change()], "next": None, "revision": 1}).decode()},
            FORMATS["ndjson"]: {"schema": {"type": "string"}},
            FORMATS["atom"]: {"schema": {"type": "string"}},
        },
    ),
)
async def list_changes(request: Request, params: Annotated[ChangesParams, Parameters()]) -> Response:
    """Every change of every record, one item each, in the order in which they happened.

    To keep a mirror, read on from the last revision that you have (`since`), page by page, and apply each item in
    turn: `created` brings the whole `record`; `renamed` moves it from the id in `old` to the one in `new`; every other
    one sets `field` to `new`. Then take `version` and `updated_at` over. The mirror then equals the lists here, where
    records whose `state` is `withdrawn` are not shown. Go on with `since=<revision>` of the last page.

    With `type` a page may be short, even empty, and yet have a `next`: a page looks at so many records only.
    """
    refuse_repeated(request, ChangesParams)
    form = params.format or _by_media_type(choose(accepted(request), list(FORMATS.values())))
    query, root = params.query(form), request.app.state.settings.public_url
    if form == "ndjson" and params.limit is None:
        return await _stream_all(request, query, root)
    page = await database_of(request).fetch(lambda connection: read_changes(connection, query, root))
    following = next_url(request, page.next) if page.next else None
    links = [f'<{following}>; rel="next"'] if following else []
    if form == "json":
        return etags.response_with_etag(request, to_json(page), JSON, links=links)
    if form == "ndjson":
        return etags.response_with_etag(request, _lines(page), FORMATS[form], links=links)
    return etags.response_with_etag(request, _feed(request, page, following, root), FORMATS[form], links=links)


def _by_media_type(chosen: str) -> Format:
    return next(name for name, media_type in FORMATS.items() if media_type == chosen)


async def _stream_all(request: Request, query: ChangeQuery, root: str) -> Response:
    """Stream all changes up to the present revision as NDJSON; each page is a read transaction of its own."""
    database = database_of(request)
    query = replace(query, limit=MOST_CHANGES)
    first = await database.fetch(lambda connection: read_changes(connection, query, root))
    if first.next is None:
        return etags.response_with_etag(request, _lines(first), FORMATS["ndjson"])
    newest = first.revision

    async def stream() -> AsyncIterator[str]:
        page = first
        yield _lines(page).decode()
        while page.next is not None:
            following = replace(query, cursor=page.next)
            page = await database.fetch(partial(read_changes, query=following, public_url=root, newest=newest))
            yield _lines(page).decode()

    return etags.streamed(request, stream(), FORMATS["ndjson"], mark=query.fingerprint())


def _lines(page: ChangePage) -> bytes:
    return b"".join(to_json(item) + b"\n" for item in page.items)


def _feed(request: Request, page: ChangePage, following: str | None, root: str) -> bytes:
    def address(*without: str, **more: Any) -> str:
        pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in without]
        query = urlencode([*pairs, *more.items()])
        return f"{root}{request.url.path}" + (f"?{query}" if query else "")

    addresses = FeedAddresses(
        root=root,
        feed=address("cursor", "limit", "format"),
        page=address(),
        next=following,
        json=address("cursor", "format", format="json"),
    )
    return render_feed([_entry(item) for item in page.items], addresses, updated=NO_TIME)


def _entry(item: ChangeItem) -> FeedEntry:
    return FeedEntry(
        mark=f"{item.revision}.{item.position}.{item.type}.{item.field or ''}",
        at=item.at,
        author=item.author,
        reason=item.reason,
        record=f"{item.kind}/{item.id}",
        type=item.type,
        field=item.field,
        old=item.old,
        new=item.new,
        url=item.url,
    )
