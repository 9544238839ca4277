"""Routes that FastAPI builds when they are first used: importing a router analyses no parameter and makes no model.

A route is declared with what a request needs (path, method, endpoint) and what only the OpenAPI document needs (models
and examples of responses, texts). It is built from the first part alone when a request reaches it, and from both when
the document is made.
"""

import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match, compile_path
from starlette.types import Receive, Scope, Send

from app.models.base import Row
from app.models.types import Slug

Endpoint = Callable[..., Awaitable[Any]]
Build = Callable[[bool], APIRoute]
"""Makes FastAPI's route: with True the one that the OpenAPI document describes, with False the one that answers."""
RUNTIME = frozenset({"methods", "status_code"})
"""The options of a route that change how requests are answered; all others are documentation."""

_BUILDING = Lock()
"""Modules are imported and routes are built by one thread at a time."""


@contextmanager
def without_collection() -> Iterator[None]:
    """Switch garbage collection off: importing makes many objects, and hardly any of them is garbage."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class LateRoute(BaseRoute):
    """A path with its methods, and how to build FastAPI's route for it."""

    def __init__(self, path: str, methods: frozenset[str], build: Build) -> None:
        self.path = path
        self.methods = methods
        self.build = build
        self._built: APIRoute | None = None

    @cached_property
    def _pattern(self) -> tuple[Any, dict[str, Any]]:
        regex, _, convertors = compile_path(self.path)
        return regex, convertors

    def matches_path(self, path: str) -> bool:
        """Whether this is a path of the route, whatever the method."""
        return self._pattern[0].match(path) is not None

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As Starlette's routes: FULL for path and method, PARTIAL for the path alone."""
        regex, convertors = self._pattern
        found = regex.match(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            return Match.NONE, {}
        values = {name: convertors[name].convert(value) for name, value in found.groupdict().items()}
        match = Match.FULL if scope["method"] in self.methods else Match.PARTIAL
        return match, {"route": self, "path_params": {**scope.get("path_params", {}), **values}}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by FastAPI's route, which is built first, in a thread, since that may import a module."""
        if self._built is None:
            await to_thread.run_sync(self._build_once)
        assert self._built is not None  # noqa: S101  # built in the line above
        scope["route"], scope["endpoint"] = self._built, self._built.endpoint
        await self._built.handle(scope, receive, send)

    def _build_once(self) -> None:
        with _BUILDING, without_collection():
            self._built = self._built or self.build(False)


class LateRouter:
    """Declares the routes of one tag, as FastAPI's `APIRouter` does, and builds none of them."""

    def __init__(self, *, tags: list[str], prefix: str = "") -> None:
        self.tags = tags
        self.prefix = prefix
        self.routes: list[LateRoute] = []

    def declare(
        self,
        method: str,
        path: str,
        endpoint: Callable[[bool], Endpoint],
        document: Callable[[], dict[str, Any]] = dict,
        **options: Any,
    ) -> None:
        """Declare a route; `endpoint` makes its function, `document` the options that only documentation needs.

        `endpoint` is called with True when the route is documented: then parameters have their examples.
        """

        def build(is_documented: bool) -> APIRoute:
            more = document() if is_documented else {}
            given = options if is_documented else {name: options[name] for name in options.keys() & RUNTIME}
            plain = APIRouter(prefix=self.prefix, tags=[*self.tags])
            plain.add_api_route(path, endpoint(is_documented), methods=[method], **given, **more)
            [route] = plain.routes
            assert isinstance(route, APIRoute)  # noqa: S101  # add_api_route makes nothing else
            return route

        self.routes.append(LateRoute(self.prefix + path, frozenset({method}), build))

    def get(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare the decorated function as the endpoint of GET."""
        return self._decorator("GET", path, options)

    def post(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare the decorated function as the endpoint of POST."""
        return self._decorator("POST", path, options)

    def delete(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare the decorated function as the endpoint of DELETE."""
        return self._decorator("DELETE", path, options)

    def _decorator(self, method: str, path: str, options: dict[str, Any]) -> Callable[[Endpoint], Endpoint]:
        def declare(endpoint: Endpoint) -> Endpoint:
            self.declare(method, path, lambda _: endpoint, **options)
            return endpoint

        return declare


def record_id(resource: type[Row], is_documented: bool, description: str = "The id of the record.") -> Any:
    """The type of the path parameter `id`, with the example of the seed when the route is documented."""
    if not is_documented:
        return Slug
    from app.store.examples import example_of  # noqa: PLC0415  # examples are read from the seed

    return Annotated[Slug, Path(description=description, examples=[example_of(resource)["id"]])]
