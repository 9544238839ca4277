"""The routes that every resource has: lists, the single record with its history, and writes.

Parameter models are made when a route is first used, and the documentation of `web/openapi` is imported when the
OpenAPI document is made.
"""

from typing import Annotated, Any

from fastapi import Query as Parameters
from fastapi import Request
from starlette.responses import Response

from app.fields import reference_filters, singular, uses
from app.models import RESOURCES
from app.models.base import Row
from app.store.read.history import HistoryAsked, read_history
from app.store.read.query import query_from, query_model, single_model
from app.store.read.records import fetch
from app.web.late_routes import Endpoint, LateRouter, record_id
from app.web.parameters import refuse_repeated
from app.web.read_context import json_read
from app.web.read_source import database_of
from app.web.responses import list_answer, single_answer
from app.web.writes.routes import add_writes


def resource_router(resource: type[Row], *, tag: str) -> LateRouter:
    """All routes of a resource: `/v1/{plural}`, `/v1/{plural}/{id}`, its history and writes, and its nested lists."""
    router = LateRouter(prefix="/v1", tags=[tag])
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


def _add_list(router: LateRouter, resource: type[Row]) -> None:
    def make(_: bool) -> Endpoint:
        parameters = query_model(resource)

        async def endpoint(request: Request, params: Annotated[parameters, Parameters()]) -> Response:  # type: ignore[valid-type]  # made at run time
            refuse_repeated(request, parameters)
            return await list_answer(request, query_from(resource, params), params)

        return endpoint

    router.declare("GET", f"/{resource.plural}", make, lambda: _documentation().list_options(resource))


def _add_nested(router: LateRouter, resource: type[Row], name: str, parent: type[Row]) -> None:
    def make(is_documented: bool) -> Endpoint:
        parameters = query_model(resource, parent=name)
        parent_id = record_id(parent, is_documented, f"The id of the {name.replace('_', ' ')}.")

        async def endpoint(
            request: Request,
            id: parent_id,  # type: ignore[valid-type]  # made at run time; the path says {id}
            params: Annotated[parameters, Parameters()],  # type: ignore[valid-type]  # likewise
        ) -> Response:
            refuse_repeated(request, parameters)
            await database_of(request).fetch(lambda connection: fetch(connection, parent, id), short=True)
            return await list_answer(request, query_from(resource, params, **{name: id}), params)

        return endpoint

    path = f"/{parent.plural}/{{id}}/{resource.plural}"
    router.declare("GET", path, make, lambda: _documentation().nested_options(resource, name))


def _add_single(router: LateRouter, resource: type[Row]) -> None:
    def make(is_documented: bool) -> Endpoint:
        parameters, id_type = single_model(resource), record_id(resource, is_documented)

        async def endpoint(
            request: Request,
            id: id_type,  # type: ignore[valid-type]  # made at run time; the path says {id}
            params: Annotated[parameters, Parameters()],  # type: ignore[valid-type]  # likewise
        ) -> Response:
            refuse_repeated(request, parameters)
            return await single_answer(request, query_from(resource, params), id, params)

        return endpoint

    router.declare("GET", f"/{resource.plural}/{{id}}", make, lambda: _documentation().single_options(resource))


def _add_history(router: LateRouter, resource: type[Row]) -> None:
    def make(is_documented: bool) -> Endpoint:
        id_type = record_id(resource, is_documented)

        async def endpoint(
            request: Request,
            id: id_type,  # type: ignore[valid-type]  # made at run time; the path says {id}
            params: Annotated[HistoryAsked, Parameters()],
        ) -> Response:
            read = json_read(request, HistoryAsked)
            history = await read.fetch(lambda connection: read_history(connection, resource, id, params, read.address))
            return read.answer(history, following=history.next)

        return endpoint

    path = f"/{resource.plural}/{{id}}/history"
    router.declare("GET", path, make, lambda: _documentation().history_options(resource))


def _documentation() -> Any:
    from app.web.openapi import reads  # noqa: PLC0415  # it reads the seed and makes models of all responses

    return reads
