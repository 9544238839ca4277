"""Exception handlers: every failure of a request becomes an `application/problem+json` response (RFC 9457)."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.api_keys import mask_keys
from app.errors import (
    MEDIA_TYPE,
    MOST_ERRORS,
    BadRequest,
    InvalidParameter,
    MethodNotAllowed,
    Moved,
    NotAcceptable,
    NotFound,
    Problem,
    nearest,
)
from app.json_codec import to_json
from app.pages.templates import page
from app.web.negotiation import HTML, accepted, choose
from app.web.path_classes import path_class
from app.web.route_table import RouteTable

logger = logging.getLogger("app")


def respond(problem: Problem, request: Request) -> Response:
    """The response for a problem: problem details, or an HTML page for browsers; not cacheable by default."""
    public_url = str(request.scope["app"].state.settings.public_url) if "app" in request.scope else ""
    body = problem.body(public_url, request_path(request.scope))
    headers = {"Cache-Control": "no-store", **problem.headers}
    if problem.links(public_url):
        headers["Link"] = ", ".join(problem.links(public_url))
    if wants_page(request):
        content = mask_keys(page("wrong.html", {"problem": problem, "body": body}).decode())
        return Response(content, status_code=problem.status, media_type=HTML, headers=headers)
    content = mask_keys(to_json(body, indent=2).decode())
    return Response(content, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def wants_page(request: Request) -> bool:
    """Whether an error is shown as an HTML page: outside the API, when Accept prefers HTML to problem details."""
    if path_class(request.url.path).is_for_programs:
        return False
    try:
        return choose(accepted(request), [MEDIA_TYPE, "application/json", HTML]) == HTML
    except NotAcceptable:
        return False


def request_path(scope: Scope) -> str:
    """The request path, percent-encoded, as a URI reference that cannot name another host (RFC 9457, 3.1.5)."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    return "/" + quote(raw, safe="%/:@!$&'()*+,;=~").lstrip("/")


def install(app: FastAPI) -> None:
    """Register the exception handlers of the application."""
    app.add_exception_handler(Problem, _respond_to_problem)
    app.add_exception_handler(Moved, _redirect)
    app.add_exception_handler(RequestValidationError, _respond_to_parameters)
    app.add_exception_handler(HTTPException, _respond_to_http)


async def _respond_to_problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)  # noqa: S101  # registered for this class alone
    return respond(problem, request)


async def _redirect(request: Request, moved: Exception) -> Response:
    """A 308 redirect to the same request with the record's new id in the path, else in the query parameters."""
    assert isinstance(moved, Moved)  # noqa: S101  # registered for this class alone
    path, query = request.url.path, request.scope["query_string"].decode("latin-1")
    root = "/v1" if path.startswith("/v1/") else ""
    former, present = f"{root}/{moved.plural}/{moved.former}", f"{root}/{moved.plural}/{moved.present}"
    if path == former or path.startswith(f"{former}/"):
        path = present + path.removeprefix(former)
    else:
        values = [(name, moved.present if value == moved.former else value) for name, value in parse_qsl(query)]
        query = urlencode(values)
    location = request.app.state.settings.public_url + path + (f"?{query}" if query else "")
    headers = {"Location": location, "Cache-Control": "public, max-age=60"}
    if wants_page(request):
        return Response(page("moved.html", {"location": location}), status_code=308, media_type=HTML, headers=headers)
    return Response(status_code=308, headers=headers)


async def _respond_to_http(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)  # noqa: S101  # registered for this class alone
    path = request.url.path
    if failure.status_code == 405:
        table: RouteTable = request.app.state.route_table
        methods = {(failure.headers or {}).get("Allow", "GET"), *table.methods(path)}
        headers = {"Allow": allow_header(", ".join(methods))}
        return respond(MethodNotAllowed(f"{request.method} is not allowed on {path}.", headers=headers), request)
    if failure.status_code == 404:
        return respond(NotFound(f"There is no page {path}." + _near_path(request)), request)
    return respond(BadRequest(str(failure.detail)), request)


def allow_header(methods: str) -> str:
    """The value of the Allow header; HEAD is added to GET (RFC 9110 section 9.3.2)."""
    names = {method.strip() for method in methods.split(",")}
    return ", ".join(sorted(names | ({"HEAD"} if "GET" in names else set())))


def _near_path(request: Request) -> str:
    """A hint for a mistyped resource name or a trailing slash; empty when there is none."""
    steps = request.url.path.strip("/").split("/")
    if len(steps) < 2 or steps[0] != "v1":
        return ""
    table: RouteTable = request.app.state.route_table
    known = {route.path.split("/")[2] for route in table.routes if route.path.startswith("/v1/")}
    if steps[1] in known:
        return f" Did you mean /{'/'.join(steps)}?" if request.url.path.endswith("/") else ""
    close = nearest(steps[1], known)
    return f" Did you mean /v1/{close}?" if close else ""


async def _respond_to_parameters(request: Request, failure: Exception) -> Response:
    assert isinstance(failure, RequestValidationError)  # noqa: S101  # registered for this class alone
    errors = list(_parameter_errors(failure.errors(), known_parameters(request)))[:MOST_ERRORS]
    first = errors[0]
    return respond(InvalidParameter(f"{first['parameter']}: {first['detail']}.", errors=errors), request)


def known_parameters(request: Request) -> list[str]:
    """The query parameter names of the route of this request."""
    route = request.scope.get("route")
    names: list[str] = []
    for parameter in route.dependant.query_params if route is not None else ():
        model = parameter.field_info.annotation
        names += getattr(model, "model_fields", {parameter.alias: None})
    return names


def _parameter_errors(pydantic_errors: Sequence[Mapping[str, Any]], known: Sequence[str]) -> Iterator[dict[str, Any]]:
    for error in pydantic_errors:
        steps = [str(step) for step in error["loc"] if not isinstance(step, int)][1:]
        entry: dict[str, Any] = {"parameter": steps[0] if steps else "?", "detail": _message(error)}
        if error["type"] == "extra_forbidden":
            entry["detail"] = "this parameter is not known here"
            close = nearest(entry["parameter"], known)
            entry |= {"nearest": close} if close else {}
            entry["known"] = sorted(known)
        context = error.get("ctx") or {}
        if error["type"] == "literal_error":
            expected = str(context["expected"]).replace("' or '", "', '").strip("'").split("', '")
            close = nearest(str(error["input"]), expected)
            entry |= {"nearest": close} if close else {}
            entry["known"] = expected
        else:
            entry |= {name: context[name] for name in ("nearest", "known") if context.get(name)}
        yield entry


def _message(error: Mapping[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def problem_for(failure: Exception, scope: Scope) -> Problem:
    """The problem for an exception that nobody handled: its own, or a 500 problem and one log entry with traceback."""
    if isinstance(failure, Problem):
        return failure
    request_id = scope.get("request_id")
    logger.error(
        "unexpected failure on %s",
        mask_keys(scope["path"]),
        exc_info=failure,
        extra={"fields": {"request": request_id}},
    )
    return Problem(
        "Something failed that should not." + (f" Our log has it under the request {request_id}." if request_id else "")
    )
