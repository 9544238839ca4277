"""Answers: a page, a record or a whole selection, in the format that was asked for, with its tag and links."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import Request
from pydantic import BaseModel
from pydantic_core import from_json, to_json
from sqlalchemy import Connection
from starlette.responses import Response

from app import cache
from app.accept import accepted, choose
from app.db import Database
from app.errors import InvalidParameter
from app.fields import uses
from app.listing import Page, export_chunk, fetch, included, list_rows
from app.query import Format, Query
from app.releases import Release
from app.render.table import csv_header, csv_lines, ndjson_lines, project

T = TypeVar("T")
JSON = "application/json"
MEDIA_TYPES: dict[Format, str] = {"json": JSON, "csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


class ReleaseReads:
    """Reads from the release that a request names; the headers of the answer will say so."""

    def __init__(self, request: Request, name: str) -> None:
        self.request = request
        self.name = name

    async def fetch(self, work: Callable[[Connection], T], *, short: bool = False) -> T:  # noqa: ARG002  # as Reads
        """Run a read; NotFound for an unknown release, Unavailable for one whose file is missing or altered."""
        frozen = await self.request.app.state.releases.take(self.name)
        answered_from(self.request, frozen.release)
        self.request.scope["marks"] = frozen.followed
        found: T = await frozen.fetch(work)
        return found


def answered_from(request: Request, release: Release) -> None:
    """Let the answer say that it comes from a release."""
    request.scope["revision"] = release.revision
    request.scope["dataset"] |= {"Dataset-Revision": str(release.revision), "Dataset-Release": release.name}


def database_of(request: Request) -> Database | ReleaseReads:
    """Where this request reads: from the application's database, or from the release that it names."""
    name = release_of(request)
    if name is not None:
        return ReleaseReads(request, name)
    database: Database = request.app.state.database
    return database


def release_of(request: Request) -> str | None:
    """The release that a read of records names; pages for people pass over what they do not know."""
    named = request.query_params.getlist("release") if request.url.path.startswith("/v1") else []
    if len(named) > 1:
        raise _once_only("release")
    return named[0] if named else None


def address_of(request: Request, path: str) -> str:
    """An absolute address of ours that stays in the release of this request."""
    name = release_of(request)
    return f"{request.app.state.settings.public_url}{path}" + ("" if name is None else f"?release={name}")


def refuse_repeated(request: Request, parameters: type[BaseModel]) -> None:
    """Refuse a parameter that stands there twice although it takes one value."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        if "list" not in str(parameters.model_fields[name].annotation):
            raise _once_only(name)


def _once_only(name: str) -> InvalidParameter:
    wrong = "this parameter may stand there once only"
    return InvalidParameter(f"{name}: {wrong}.", errors=[{"parameter": name, "detail": wrong}])


def format_of(request: Request, asked: BaseModel) -> Format:
    """The format of the answer: `format=` before the Accept header."""
    named: Format | None = getattr(asked, "format", None)
    if named is not None:
        return named
    chosen = choose(accepted(request), list(MEDIA_TYPES.values()))
    return next(name for name, media_type in MEDIA_TYPES.items() if media_type == chosen)


async def list_answer(request: Request, query: Query, asked: Any) -> Response:
    """A list in the format that was asked for; CSV and NDJSON without a limit give the whole selection."""
    form = format_of(request, asked)
    if form != "json" and (query.include or query.count):
        raise _needs_json("include" if query.include else "count")
    if form != "json" and asked.limit is None:
        return await export_answer(request, query, form)
    page = await database_of(request).fetch(lambda connection: list_rows(connection, query))
    links = [f'<{next_url(request, page.next)}>; rel="next"'] if page.next else []
    content = envelope(page, query) if form == "json" else table(page.documents, query, form, first=True)
    return cache.answer(request, content.encode(), MEDIA_TYPES[form], links=links)


async def single_answer(request: Request, query: Query, record_id: str, asked: BaseModel) -> Response:
    """One record in the format that was asked for."""
    form = format_of(request, asked)
    if form != "json" and query.include:
        raise _needs_json("include")

    def read(connection: Connection) -> tuple[str, int, dict[str, Any]]:
        document, version = fetch(connection, query.resource, record_id)
        found = included(connection, query.resource, [document], query.include) if query.include else {}
        return document, version, found

    document, version, found = await database_of(request).fetch(read, short=True)
    if form == "json":
        content = project(document, query.fields) if query.fields else document
        if query.include:
            content = _text(from_json(content) | {"included": found})
    else:
        content = table([document], query, form, first=True)
    links = report_links(request, query.resource.plural, record_id, version)
    return cache.answer(request, content.encode(), MEDIA_TYPES[form], version=version, links=links)


def _needs_json(parameter: str) -> InvalidParameter:
    detail = f"{parameter} needs format=json"
    return InvalidParameter(f"{detail}.", errors=[{"parameter": parameter, "detail": detail}])


async def export_answer(request: Request, query: Query, form: Format) -> Response:
    """A whole selection, streamed in constant memory: each chunk is a read of its own."""
    database = database_of(request)
    documents, rest = await database.fetch(lambda connection: export_chunk(connection, query))
    first = table(documents, query, form, first=True)
    if rest is None:
        return cache.answer(request, first.encode(), MEDIA_TYPES[form])

    async def stream(following: Query | None) -> AsyncIterator[str]:
        yield first
        while following is not None:
            more, following = await database.fetch(partial(export_chunk, query=following))
            yield table(more, query, form, first=False)

    mark = f"{query.fingerprint()}.{','.join(query.fields)}.{request.scope.get('marks')}"
    return cache.streamed(request, stream(rest), MEDIA_TYPES[form], mark=mark)


def envelope(page: Page, query: Query) -> str:
    """A page as JSON: the stored documents, joined without being parsed, and what goes with them."""
    documents = [project(document, query.fields) for document in page.documents] if query.fields else page.documents
    rest: dict[str, Any] = {"next": page.next}
    for name in ("total", "included", "not_found"):
        if getattr(page, name) is not None:
            rest[name] = getattr(page, name)
    return f'{{"items":[{",".join(documents)}],{_text(rest)[1:]}'


def table(documents: Sequence[str], query: Query, form: Format, *, first: bool) -> str:
    """Documents as lines of CSV or NDJSON; the first part of a CSV begins with the names of its columns."""
    if form == "ndjson":
        return ndjson_lines(project(document, query.fields) if query.fields else document for document in documents)
    columns = query.fields or tuple(uses(query.resource))
    return (csv_header(columns) if first else "") + csv_lines(documents, columns)


def next_url(request: Request, cursor: str) -> str:
    """The absolute address of the next page."""
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.app.state.settings.public_url}{request.url.path}?{urlencode([*rest, ('cursor', cursor)])}"


def report_links(request: Request, plural: str, record_id: str, version: int) -> list[str]:
    """Where a reader reports an error in this version of this record, where the operator named a place for it."""
    contact = request.app.state.settings.contact_url
    if not contact:
        return []
    mark = urlencode({"record": f"{plural}/{record_id}", "version": version})
    joint = "&" if "?" in contact else "?"
    return [f'<{contact}{joint}{mark}>; rel="help"; title="Report an error"']


def _text(content: Any) -> str:
    return to_json(content).decode()
