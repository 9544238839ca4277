"""Copies of the whole dataset that never change: to be cited, downloaded, and read with `release=`."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import Path, Request
from fastapi import Query as Parameters
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app import LICENCE
from app.errors import EXAMPLE_ADDRESS, BadCursor, InvalidParameter, NotAcceptable, NotFound, RangeNotSatisfiable
from app.formats.dataset_citation import CitedRelease, bibtex, dataset_csl_item, text
from app.json_codec import to_json
from app.models.types import ReleaseName
from app.models.vocabulary import ChangeType
from app.releases.pool import ReleasePool
from app.store.examples import CHECKED_ON, RELEASE, seed_records
from app.store.read.cursors import read_cursor, unreadable, write_cursor
from app.store.read.query import MOST_ROWS, USUAL_ROWS, NoParameters
from app.store.read.releases import Release, list_releases
from app.web import etags
from app.web.files import file_answer
from app.web.late_routes import LateRouter
from app.web.negotiation import accepted, choose
from app.web.openapi.responses import HEADERS, documented, problem_responses
from app.web.parameters import refuse_repeated
from app.web.read_context import json_read
from app.web.read_source import answered_from
from app.web.responses import JSON

SQLITE = "application/vnd.sqlite3"
CitationFormat = Literal["json", "csl-json", "bibtex", "text"]
MARK = "releases"
"""The namespace of the list's cursors."""
MEDIA_TYPES: dict[CitationFormat, str] = {
    "json": JSON,
    "csl-json": "application/vnd.citationstyles.csl+json",
    "bibtex": "application/x-bibtex",
    "text": "text/plain; charset=utf-8",
}
Name = Annotated[ReleaseName, Path(description="The release's name.", examples=[RELEASE])]

router = LateRouter(prefix="/v1", tags=["Releases"])


class ReleaseDifference(BaseModel):
    """What changed between the release before and this one, each record compared once; by plural."""

    since: int = Field(description="The revision of the release before; 0 when this is the first one.")
    created: dict[str, int] = Field(description="How many records are new.")
    withdrawn: dict[str, int] = Field(description="How many records were withdrawn.")
    changed: dict[str, int] = Field(description="How many records were changed.")
    by_type: dict[ChangeType, int] = Field(description="How many changes of each type there are.")


class ReleaseCitation(BaseModel):
    """How to cite a release."""

    text: str = Field(description="One line of text.")
    bibtex: str = Field(description="A BibTeX entry.")
    csl_json: dict[str, Any] = Field(description="An item of CSL-JSON, of type `dataset`.")


class ReleaseEntry(BaseModel):
    """A copy of the whole dataset that never changes."""

    name: str = Field(description="Its name, for `release=` and for citing.")
    url: str = Field(description="Where it is described.")
    at: str = Field(description="When it was made (UTC, RFC 3339).")
    revision: int = Field(description="The revision of the dataset that it holds.")
    previous: str | None = Field(description="The name of the release before; null for the first one.")
    sha256: str = Field(description="SHA-256 of the file.")
    size: int = Field(description="Bytes of the file.")
    counts: dict[str, int] = Field(description="How many published records each resource has in it.")
    difference: ReleaseDifference = Field(description="What changed since the release before.")
    file_url: str = Field(description="The file: one SQLite database.")
    changes_url: str = Field(description="Each change since the release before, one by one.")
    licence: str = Field(description="The licence of the records.")
    notes: str | None = Field(description="The purpose of the release, where one was given.")
    cite_as: ReleaseCitation = Field(description="How to cite it.")


class ReleasePage(BaseModel):
    """One page of the releases."""

    items: list[ReleaseEntry] = Field(description="The releases, the newest first.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


class ReleasesParams(BaseModel):
    """The query parameters of the list of releases."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(USUAL_ROWS, ge=1, le=MOST_ROWS, description=f"How many, 1–{MOST_ROWS}.")
    cursor: str | None = Field(None, max_length=4000, description="Where to go on: the `next` of the page before.")


class ReleaseParams(BaseModel):
    """The query parameters of one release."""

    model_config = ConfigDict(extra="forbid")
    format: CitationFormat | None = Field(
        None, description="`json`, or how to cite it: `csl-json`, `bibtex`, `text`. Goes before the Accept header."
    )


def entry(public_url: str, release: Release) -> ReleaseEntry:
    """A release as its response model."""
    cited = _cited_release(public_url, release)
    changes = f"{public_url}/v1/changes?since={release.difference['since']}&until={release.revision}"
    return ReleaseEntry(
        **{name: value for name, value in vars(release).items() if name != "difference"},
        difference=ReleaseDifference(**release.difference),
        url=cited.url,
        file_url=f"{cited.url}/dataset.sqlite3",
        changes_url=changes,
        licence=LICENCE,
        cite_as=ReleaseCitation(text=text(cited), bibtex=bibtex(cited), csl_json=dataset_csl_item(cited)),
    )


def _cited_release(public_url: str, release: Release) -> CitedRelease:
    url = f"{public_url}/v1/releases/{release.name}"
    return CitedRelease(release.name, release.at[:10], release.revision, release.sha256, url)


def _example() -> ReleaseEntry:
    """A release of the seed, for the OpenAPI document: real counts, and an obviously made-up hash."""
    counts = dict(Counter(plural for plural, _ in seed_records()))
    difference = {
        "since": 0,
        "created": counts,
        "withdrawn": {},
        "changed": {},
        "by_type": {"created": sum(counts.values())},
    }
    digest = "0123456789abcdef" * 4
    return entry(EXAMPLE_ADDRESS, Release(RELEASE, CHECKED_ON, 1, None, digest, 3_000_000, counts, difference, None))


@router.get(
    "/releases",
    operation_id="list_releases",
    summary="List releases",
    document=documented(
        ReleasePage,
        "The releases, the newest first.",
        BadCursor,
        content=lambda: {JSON: {"example": to_json({"items": [_example()], "next": None}).decode()}},
    ),
)
async def list_all_releases(request: Request, params: Annotated[ReleasesParams, Parameters()]) -> Response:
    """Every release of the dataset, the newest first. Each is a whole dataset: add `release=<name>` to any read."""
    read = json_read(request, ReleasesParams)
    after = _cursor_position(read_cursor(params.cursor, MARK)) if params.cursor else None
    found = await read.fetch(lambda connection: list_releases(connection, params.limit + 1, after))
    more, page = len(found) > params.limit, found[: params.limit]
    following = write_cursor(MARK, (page[-1].at, page[-1].name)) if more else None
    content = ReleasePage(items=[entry(_public_url(request), release) for release in page], next=following)
    return read.answer(content, following=following)


@router.get(
    "/releases/{name}",
    operation_id="get_release",
    summary="Get one release, or how to cite it",
    document=documented(
        ReleaseEntry,
        "The release.",
        NotFound,
        content=lambda: {
            JSON: {"example": to_json(_example()).decode()},
            MEDIA_TYPES["csl-json"]: {"schema": {"type": "array", "items": {"type": "object"}}},
            MEDIA_TYPES["bibtex"]: {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    ),
)
async def get_release(request: Request, name: Name, params: Annotated[ReleaseParams, Parameters()]) -> Response:
    """What a release holds, its hash, what changed since the one before, where its file is, and how to cite it."""
    refuse_repeated(request, ReleaseParams)
    chosen = (
        choose(accepted(request), list(MEDIA_TYPES.values())) if params.format is None else MEDIA_TYPES[params.format]
    )
    release = await _release_pool(request).row(name)
    cited = _cited_release(_public_url(request), release)
    contents = {
        JSON: to_json(entry(_public_url(request), release)),
        MEDIA_TYPES["csl-json"]: to_json([dataset_csl_item(cited)]),
        MEDIA_TYPES["bibtex"]: bibtex(cited).encode(),
        MEDIA_TYPES["text"]: f"{text(cited)}\n".encode(),
    }
    return etags.response_with_etag(request, contents[chosen], chosen)


@router.get(
    "/releases/{name}/dataset.sqlite3",
    operation_id="get_release_file",
    summary="Download a release",
    response_class=Response,
    responses={
        200: {
            "description": "The file: one SQLite database, for ever the same bytes.",
            "headers": HEADERS,
            "content": {SQLITE: {"schema": {"type": "string", "format": "binary"}}},
        },
        206: {
            "description": "The range of the file that was asked for.",
            "content": {SQLITE: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problem_responses(NotAcceptable, NotFound, RangeNotSatisfiable, InvalidParameter),
    },
)
async def get_release_file(
    request: Request,
    name: Name,
    params: Annotated[NoParameters, Parameters()],  # noqa: ARG001  # refuses parameters
) -> Response:
    """The whole dataset as it was, in one file; `Repr-Digest` is its hash, and a download may go on with `Range`."""
    choose(accepted(request), [SQLITE])
    release = await _release_pool(request).row(name)
    path = await _release_pool(request).file(release)
    answered_from(request, release)
    shown = f"treatment-evidence-{name}.sqlite3"
    return file_answer(request, path, size=release.size, sha256=release.sha256, media_type=SQLITE, name=shown)


def _public_url(request: Request) -> str:
    return str(request.app.state.settings.public_url)


def _release_pool(request: Request) -> ReleasePool:
    pool: ReleasePool = request.app.state.releases
    return pool


def _cursor_position(values: Sequence[Any]) -> tuple[str, str]:
    """Validate a cursor's values: time and name of the previous page's last release; BadCursor for anything else."""
    match values:
        case [str(at), str(name)] if "\x00" not in at + name:
            return at, name
    raise unreadable()
