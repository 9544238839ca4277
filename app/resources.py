"""The routes that every resource has, written once: its list, its single record, its lists under a parent."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request
from fastapi import Query as Parameters
from pydantic import BaseModel
from pydantic_core import from_json, to_json
from sqlalchemy import Connection
from starlette.responses import Response

from app import cache
from app.accept import choose
from app.db import Database
from app.errors import MEDIA_TYPE, BadCursor, InvalidParameter, NotAcceptable, NotFound, Problem, Unavailable
from app.examples import example_of
from app.fields import mentions, singular, uses
from app.listing import Page, export_chunk, fetch, included, list_rows
from app.models import RESOURCES
from app.models.base import Row, Slug
from app.query import Format, Query, query_from, query_model, single_model
from app.render.table import csv_header, csv_lines, ndjson_lines, project
from app.schemas import ProblemDetails, page_model, single_schema

JSON = "application/json"
MEDIA_TYPES: dict[Format, str] = {"json": JSON, "csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
HEADERS = {
    "ETag": {"description": "The strong tag of this representation.", "schema": {"type": "string"}},
    "Dataset-Revision": {"description": "The revision of the dataset that answered.", "schema": {"type": "integer"}},
}
FILTERS = "Filters are named after fields; a repeated filter means any of its values."
LINK = {"Link": {"description": 'The next page, as `rel="next"`.', "schema": {"type": "string"}}}

Endpoint = Callable[..., Awaitable[Response]]


def resource_router(resource: type[Row], *, tag: str) -> APIRouter:
    """All routes of a resource: `/v1/{plural}`, `/v1/{plural}/{id}`, and the lists under what it refers to."""
    router = APIRouter(prefix="/v1", tags=[tag])
    _add_list(router, resource)
    _add_single(router, resource)
    for name, parent in parents(resource).items():
        _add_nested(router, resource, name, parent)
    return router


def parents(resource: type[Row]) -> dict[str, type[Row]]:
    """The resources under which this one is listed, by the filter that narrows it: whatever it points to."""
    own = {name for name, use in uses(resource).items() if use.is_filter} | mentions(resource).keys()
    return {
        singular(plural): row for plural, row in RESOURCES.items() if singular(plural) in own and row is not resource
    }


def problem_responses(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses for the problems that an operation can give, one for each status."""
    found: dict[int | str, dict[str, Any]] = {}
    all_kinds: set[type[Problem]] = {*kinds, Problem, Unavailable}
    for kind in sorted(all_kinds, key=lambda kind: kind.status):
        schema = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
        found[kind.status] = {
            "description": f"{kind.title}. {kind.advice}",
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
    return found


def _rows(resource: type[Row]) -> str:
    return resource.plural.replace("-", " ")


def _add_list(router: APIRouter, resource: type[Row]) -> None:
    parameters = query_model(resource)

    async def endpoint(request: Request, asked: Annotated[parameters, Parameters()]) -> Response:  # type: ignore[valid-type]
        refuse_repeated(request, parameters)
        return await list_answer(request, query_from(resource, asked), asked)

    _declare_list(
        router,
        f"/{resource.plural}",
        endpoint,
        resource,
        operation_id=f"list_{resource.plural.replace('-', '_')}",
        summary=f"List {_rows(resource)}",
        description=f"{resource.record_class().__doc__}\n\n{FILTERS}",
        problems=(BadCursor, NotAcceptable, InvalidParameter),
    )


def _add_nested(router: APIRouter, resource: type[Row], name: str, parent: type[Row]) -> None:
    parameters = query_model(resource, parent=name)

    async def endpoint(
        request: Request,
        id: Annotated[Slug, Path(description=f"The id of the {name.replace('_', ' ')}.")],  # the path says {id}
        asked: Annotated[parameters, Parameters()],  # type: ignore[valid-type]
    ) -> Response:
        refuse_repeated(request, parameters)
        await database_of(request).fetch(lambda connection: fetch(connection, parent, id), short=True)
        return await list_answer(request, query_from(resource, asked, **{name: id}), asked)

    _declare_list(
        router,
        f"/{parent.plural}/{{id}}/{resource.plural}",
        endpoint,
        resource,
        operation_id=f"list_{name}_{resource.plural.replace('-', '_')}",
        summary=f"List the {_rows(resource)} of one {name.replace('_', ' ')}",
        description=f"Like `/v1/{resource.plural}?{name}=…`, and 404 when there is no such {name.replace('_', ' ')}.",
        problems=(BadCursor, NotAcceptable, NotFound, InvalidParameter),
    )


def _declare_list(
    router: APIRouter,
    path: str,
    endpoint: Endpoint,
    resource: type[Row],
    *,
    operation_id: str,
    summary: str,
    description: str,
    problems: Sequence[type[Problem]],
) -> None:
    page = {"items": [example_of(resource)], "next": None}
    content = {
        JSON: {"example": page},
        "text/csv": {"schema": {"type": "string"}, "example": csv_header(list(uses(resource)))},
        "application/x-ndjson": {"schema": {"type": "string"}, "example": ndjson_lines([_text(example_of(resource))])},
    }
    router.add_api_route(
        path,
        endpoint,
        methods=["GET"],
        operation_id=operation_id,
        summary=summary,
        description=description,
        response_model=page_model(resource),
        responses={
            200: {
                "description": f"The {_rows(resource)} that match, in order.",
                "content": content,
                "headers": HEADERS | LINK,
            },
            **problem_responses(*problems),
        },
    )


def _add_single(router: APIRouter, resource: type[Row]) -> None:
    parameters = single_model(resource)

    async def endpoint(
        request: Request,
        id: Annotated[
            Slug, Path(description="The id of the record.", examples=[example_of(resource)["id"]])
        ],  # the path says {id}
        asked: Annotated[parameters, Parameters()],  # type: ignore[valid-type]
    ) -> Response:
        refuse_repeated(request, parameters)
        return await single_answer(request, query_from(resource, asked), id, asked)

    content = {
        JSON: {"example": example_of(resource)},
        "text/csv": {"schema": {"type": "string"}},
        "application/x-ndjson": {"schema": {"type": "string"}},
    }
    router.add_api_route(
        f"/{resource.plural}/{{id}}",
        endpoint,
        methods=["GET"],
        operation_id=f"get_{singular(resource.plural)}",
        summary=f"Get one {singular(resource.plural).replace('_', ' ')}",
        description=resource.record_class().__doc__,
        response_model=single_schema(resource),
        responses={
            200: {"description": "The record.", "content": content, "headers": HEADERS},
            **problem_responses(NotAcceptable, NotFound, InvalidParameter),
        },
    )


# Answers


def database_of(request: Request) -> Database:
    """The database of the application that serves this request."""
    database: Database = request.app.state.database
    return database


def refuse_repeated(request: Request, parameters: type[BaseModel]) -> None:
    """Refuse a parameter that stands there twice although it takes one value."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        if "list" not in str(parameters.model_fields[name].annotation):
            error = {"parameter": name, "detail": "this parameter may stand there once only"}
            raise InvalidParameter(f"{name}: this parameter may stand there once only.", errors=[error])


def format_of(request: Request, asked: BaseModel) -> Format:
    """The format of the answer: `format=` before the Accept header."""
    named: Format | None = getattr(asked, "format", None)
    if named is not None:
        return named
    chosen = choose(request.headers.get("accept"), list(MEDIA_TYPES.values()))
    return next(name for name, media_type in MEDIA_TYPES.items() if media_type == chosen)


async def list_answer(request: Request, query: Query, asked: Any) -> Response:
    """A list in the format that was asked for; CSV and NDJSON without a limit give the whole selection."""
    form = format_of(request, asked)
    if form != "json" and (query.include or query.count):
        word = "include" if query.include else "count"
        error = {"parameter": word, "detail": f"{word} needs format=json"}
        raise InvalidParameter(f"{word} needs format=json.", errors=[error])
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
        error = {"parameter": "include", "detail": "include needs format=json"}
        raise InvalidParameter("include needs format=json.", errors=[error])

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

    return cache.streamed(
        request, stream(rest), MEDIA_TYPES[form], mark=f"{query.fingerprint()}.{','.join(query.fields)}"
    )


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
