"""Exception handlers: every failure of a request becomes an `application/problem+json` response (RFC 9457)."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

logger = logging.getLogger("app")
FOR_PROGRAMS = frozenset({"v1", "assets", "openapi.json", "healthz", "readyz", "metrics", "oembed"})
"""First path segments of the API: errors there are problem details, not HTML pages, regardless of Accept."""


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
    if request.url.path.split("/")[1] in FOR_PROGRAMS:
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
        methods = {(failure.headers or {}).get("Allow", "GET"), *methods_at(path, request.app.state.methods)}
        headers = {"Allow": allow_header(", ".join(methods))}
        return respond(MethodNotAllowed(f"{request.method} is not allowed on {path}.", headers=headers), request)
    if failure.status_code == 404:
        return respond(NotFound(f"There is no page {path}." + _near_path(request)), request)
    return respond(BadRequest(str(failure.detail)), request)


def methods_at(path: str, known: Mapping[str, set[str]]) -> set[str]:
    """The methods of all path templates that match; the router itself knows only those of one route."""
    steps = path.split("/")
    found: set[str] = set()
    for template, methods in known.items():
        parts = template.split("/")
        if len(parts) == len(steps) and all(a == b or a.startswith("{") for a, b in zip(parts, steps, strict=True)):
            found |= methods
    return found


def allow_header(methods: str) -> str:
    """The value of the Allow header; HEAD is added to GET (RFC 9110 section 9.3.2)."""
    names = {method.strip() for method in methods.split(",")}
    return ", ".join(sorted(names | ({"HEAD"} if "GET" in names else set())))


def _near_path(request: Request) -> str:
    """A hint for a mistyped resource name or a trailing slash; empty when there is none."""
    steps = request.url.path.strip("/").split("/")
    if len(steps) < 2 or steps[0] != "v1":
        return ""
    known = {path.split("/")[2] for path in request.app.state.methods if path.startswith("/v1/")}
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


class UnhandledErrors:
    """ASGI middleware: an unhandled exception becomes a 500 problem and one log entry with its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request; once the response has started, exceptions are raised again."""
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except ClientDisconnect:
            return  # the client disconnected, or was refused already, in the middle of a body
        except Exception as failure:
            if scope["type"] != "http" or started:
                raise
            request_id = scope.get("request_id")
            logged = f" Our log has it under the request {request_id}." if request_id else ""
            detail = f"Something failed that should not.{logged}"
            problem = failure if isinstance(failure, Problem) else Problem(detail)
            if problem is not failure:
                logger.exception(
                    "unexpected failure on %s", mask_keys(scope["path"]), extra={"fields": {"request": request_id}}
                )
            response = respond(problem, Request(scope))
            await response(scope, receive, send)
