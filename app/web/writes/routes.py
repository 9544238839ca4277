"""The write routes of a resource, POST, PUT, PATCH and DELETE, declared once for all resources.

What handles them (`edits`, and with it the whole writer) is imported at the first write, and what documents them when
the OpenAPI document is made.
"""

from typing import Annotated, Any

from fastapi import Query as Parameters
from fastapi import Request
from starlette.responses import Response

from app.models.base import Row
from app.web.late_routes import Endpoint, LateRouter, record_id


def add_writes(router: LateRouter, resource: type[Row]) -> None:
    """Add the write routes of a resource to a router; each needs an API key of the scope `write`."""
    path = f"/{resource.plural}/{{id}}"

    def make_create(_: bool) -> Endpoint:
        edits = _edits()

        async def endpoint(request: Request, params: Annotated[edits.EditParameters, Parameters()]) -> Response:  # type: ignore[name-defined]  # imported late
            response: Response = await edits.create_record(request, resource, params)
            return response

        return endpoint

    def make_replace(is_documented: bool) -> Endpoint:
        return _change(resource, "replace_record", is_documented)

    def make_amend(is_documented: bool) -> Endpoint:
        return _change(resource, "amend_record", is_documented)

    def make_withdraw(is_documented: bool) -> Endpoint:
        return _change(resource, "withdraw_record", is_documented, "Withdrawal")

    router.declare(
        "POST", f"/{resource.plural}", make_create, lambda: _documentation().create_options(resource), status_code=201
    )
    router.declare("PUT", path, make_replace, lambda: _documentation().replace_options(resource))
    router.declare("PATCH", path, make_amend, lambda: _documentation().amend_options(resource))
    router.declare("DELETE", path, make_withdraw, lambda: _documentation().withdraw_options(resource), status_code=204)


def _change(resource: type[Row], handler: str, is_documented: bool, parameters: str = "EditParameters") -> Endpoint:
    """The endpoint of a change of one record, by the names of its handler and of its parameters in `edits`."""
    edits, id_type = _edits(), record_id(resource, is_documented)
    change, model = getattr(edits, handler), getattr(edits, parameters)

    async def endpoint(request: Request, id: id_type, params: Annotated[model, Parameters()]) -> Response:  # type: ignore[valid-type]  # made at run time
        response: Response = await change(request, resource, id, params)
        return response

    return endpoint


def _edits() -> Any:
    from app.web.writes import edits  # noqa: PLC0415  # the writer is imported at the first write

    return edits


def _documentation() -> Any:
    from app.web.openapi import writes  # noqa: PLC0415  # it reads the seed and makes models of all responses

    return writes
