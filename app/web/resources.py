"""The routes that every resource has: lists, the single record with its history, and writes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi import Query as Parameters
from starlette.responses import Response

from app.errors import BadCursor, Gone, InvalidParameter, NotAcceptable, NotComparable, NotFound, Problem
from app.fields import reference_filters, singular, uses
from app.formats.csv_ndjson import csv_header, ndjson_lines
from app.formats.registry import extra_formats
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.base import Row
from app.models.types import Slug
from app.store.examples import EXAMPLE_ADDRESS, example_included, example_of
from app.store.read.history import History, HistoryAsked, read_history
from app.store.read.query import query_from, query_model, single_model
from app.store.read.records import fetch
from app.store.read.schemas import page_model, single_schema
from app.store.read.units import compares_amounts
from app.web import etags
from app.web.negotiation import accepted, choose
from app.web.openapi.responses import HEADERS, MOVED, problem_responses
from app.web.parameters import refuse_repeated
from app.web.read_source import database_of
from app.web.responses import JSON, absolute_url, list_answer, next_url, single_answer
from app.web.writes.routes import add_writes

FILTERS = "Filters are named after fields; a repeated filter matches any of its values."
LINK = {"Link": {"description": 'The next page, as `rel="next"`.', "schema": {"type": "string"}}}
VERSIONS = {
    "Link": {
        "description": "The current version of the record (`latest-version`), its history (`version-history`) and the "
        "version before this one (`predecessor-version`), after RFC 5829; other formats (`alternate`).",
        "schema": {"type": "string"},
    }
}
Endpoint = Callable[..., Awaitable[Response]]


def resource_router(resource: type[Row], *, tag: str) -> APIRouter:
    """All routes of a resource: `/v1/{plural}`, `/v1/{plural}/{id}`, its history and writes, and its nested lists."""
    router = APIRouter(prefix="/v1", tags=[tag])
    _add_list(router, resource)
    _add_single(router, resource)
    _add_history(router, resource)
    add_writes(router, resource)
    for name, parent in parents(resource).items():
        _add_nested(router, resource, name, parent)
    return router


def parents(resource: type[Row]) -> dict[str, type[Row]]:
    """The resources under which this one is listed, those that it references, by the name of the filter."""
    filters = {name for name, use in uses(resource).items() if use.is_filter} | reference_filters(resource).keys()
    return {
        singular(plural): row
        for plural, row in RESOURCES.items()
        if singular(plural) in filters and row is not resource
    }


def _plural_name(resource: type[Row]) -> str:
    return resource.plural.replace("-", " ")


def _add_list(router: APIRouter, resource: type[Row]) -> None:
    parameters = query_model(resource)

    async def endpoint(request: Request, params: Annotated[parameters, Parameters()]) -> Response:  # type: ignore[valid-type]  # made at run time
        refuse_repeated(request, parameters)
        return await list_answer(request, query_from(resource, params), params)

    _declare_list(
        router,
        f"/{resource.plural}",
        endpoint,
        resource,
        operation_id=f"list_{resource.plural.replace('-', '_')}",
        summary=f"List {_plural_name(resource)}",
        description=f"{resource.record_class().__doc__}\n\n{FILTERS}",
        problems=(BadCursor, NotAcceptable, NotFound, InvalidParameter),
    )


def _add_nested(router: APIRouter, resource: type[Row], name: str, parent: type[Row]) -> None:
    parameters = query_model(resource, parent=name)

    async def endpoint(
        request: Request,
        id: Annotated[
            Slug, Path(description=f"The id of the {name.replace('_', ' ')}.", examples=[example_of(parent)["id"]])
        ],  # the path says {id}
        params: Annotated[parameters, Parameters()],  # type: ignore[valid-type]  # made at run time
    ) -> Response:
        refuse_repeated(request, parameters)
        await database_of(request).fetch(lambda connection: fetch(connection, parent, id), short=True)
        return await list_answer(request, query_from(resource, params, **{name: id}), params)

    _declare_list(
        router,
        f"/{parent.plural}/{{id}}/{resource.plural}",
        endpoint,
        resource,
        operation_id=f"list_{name}_{resource.plural.replace('-', '_')}",
        summary=f"List the {_plural_name(resource)} of one {name.replace('_', ' ')}",
        description=f"Like `/v1/{resource.plural}?{name}=…`, and 404 when there is no such {name.replace('_', ' ')}.",
        problems=(BadCursor, NotAcceptable, NotFound, Gone, InvalidParameter),
        more_responses=MOVED,
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
    more_responses: Mapping[int | str, dict[str, Any]] = MappingProxyType({}),
) -> None:
    page = {"items": [example_of(resource)], "next": None}
    content = {
        JSON: {"example": to_json(page).decode()},
        "text/csv": {"schema": {"type": "string"}, "example": csv_header(list(uses(resource)))},
        "application/x-ndjson": {
            "schema": {"type": "string"},
            "example": ndjson_lines([to_json(example_of(resource)).decode()]),
        },
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
                "description": f"The {_plural_name(resource)} that match, in order.",
                "content": content,
                "headers": HEADERS | LINK,
            },
            **more_responses,
            **problem_responses(*problems, *([NotComparable] if compares_amounts(resource) else [])),
        },
    )


def _add_single(router: APIRouter, resource: type[Row]) -> None:
    parameters = single_model(resource)

    async def endpoint(
        request: Request,
        id: Annotated[
            Slug, Path(description="The id of the record.", examples=[example_of(resource)["id"]])
        ],  # the path says {id}
        params: Annotated[parameters, Parameters()],  # type: ignore[valid-type]  # made at run time
    ) -> Response:
        refuse_repeated(request, parameters)
        return await single_answer(request, query_from(resource, params), id, params)

    content: dict[str, Any] = {
        JSON: {"example": to_json(example_of(resource)).decode()},
        "text/csv": {"schema": {"type": "string"}},
        "application/x-ndjson": {"schema": {"type": "string"}},
    }
    for extra in extra_formats(resource).values():
        included = example_included(resource, extra.reads)
        content[extra.media_type] = {"schema": extra.schema}
        if included or not extra.reads:  # else the first record of the seed has nothing to show here
            content[extra.media_type]["example"] = extra.render(example_of(resource), included, EXAMPLE_ADDRESS)
    router.add_api_route(
        f"/{resource.plural}/{{id}}",
        endpoint,
        methods=["GET"],
        operation_id=f"get_{singular(resource.plural)}",
        summary=f"Get one {singular(resource.plural).replace('_', ' ')}",
        description=resource.record_class().__doc__,
        response_model=single_schema(resource),
        responses={
            200: {"description": "The record.", "content": content, "headers": HEADERS | VERSIONS},
            **MOVED,
            **problem_responses(NotAcceptable, NotFound, Gone, InvalidParameter),
        },
    )


def _add_history(router: APIRouter, resource: type[Row]) -> None:
    async def endpoint(
        request: Request,
        id: Annotated[
            Slug, Path(description="The id of the record.", examples=[example_of(resource)["id"]])
        ],  # the path says {id}
        params: Annotated[HistoryAsked, Parameters()],
    ) -> Response:
        choose(accepted(request), [JSON])
        refuse_repeated(request, HistoryAsked)
        address = partial(absolute_url, request)
        history = await database_of(request).fetch(
            lambda connection: read_history(connection, resource, id, params, address)
        )
        links = [f'<{next_url(request, history.next)}>; rel="next"'] if history.next else []
        return etags.response_with_etag(request, to_json(history), JSON, links=links)

    name = singular(resource.plural)
    router.add_api_route(
        f"/{resource.plural}/{{id}}/history",
        endpoint,
        methods=["GET"],
        operation_id=f"get_{name}_history",
        summary=f"Get the history of one {name.replace('_', ' ')}",
        description="The changes of the record, newest first: what changed, when, by whom and why. A change that only "
        "follows from another record, as when a source is retracted, keeps the version and has an entry of its own "
        "(`is_new_version: false`). A withdrawn record has its history here, too.",
        response_model=History,
        responses={
            200: {"description": "One page of the history.", "headers": HEADERS | LINK},
            **MOVED,
            **problem_responses(BadCursor, NotAcceptable, NotFound, InvalidParameter),
        },
    )
