"""A router that finds the route of a path in a dictionary instead of matching one pattern after another.

FastAPI tries the patterns of its routers one after another, each twice. Here a path is looked up by the number of its
segments and by its first, second and last one, which leaves one or two patterns; these are matched as before.
"""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from app.web.late_routes import LateRoute

Steps = tuple[int, str, str, str]
"""The number of segments of a path, and its first, second and last one, each empty where no route has it literally."""


class RouteTable(BaseRoute):
    """All routes of the application as one; dispatches as Starlette's router would."""

    def __init__(self, routes: Sequence[LateRoute]) -> None:
        self.routes = tuple(routes)
        self._steps = [(_steps_of(route.path), route) for route in routes]
        self._names = {(steps[0], place, steps[place]) for steps, _ in self._steps for place in (1, 2, 3)}
        self._candidates: dict[Steps, tuple[LateRoute, ...]] = {}

    def candidates(self, path: str) -> tuple[LateRoute, ...]:
        """The routes whose patterns a path may match, in the order of their declaration."""
        count, *steps = _steps_of(path)
        first, second, last = (
            step if (count, place, step) in self._names else "" for place, step in enumerate(steps, start=1)
        )
        wanted = (count, first, second, last)  # bounded: only as many keys as combinations of literal segments
        found = self._candidates.get(wanted)
        if found is None:
            found = self._candidates[wanted] = tuple(route for steps, route in self._steps if _may_match(steps, wanted))
        return found

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first route that matches path and method, else the first one that matches the path."""
        partial: tuple[Match, Scope] = (Match.NONE, {})
        for route in self.candidates(scope["path"]) if scope["type"] == "http" else ():
            match, child_scope = route.matches(scope)
            if match == Match.FULL:
                return match, child_scope
            if match == Match.PARTIAL and partial[0] == Match.NONE:
                partial = (match, child_scope)
        return partial

    def template(self, path: str) -> str | None:
        """The path template of a URL path, such as `/v1/claims/{id}` for `/v1/claims/c20`; None when none matches."""
        return next((route.path for route in self.candidates(path) if route.matches_path(path)), None)

    def methods(self, path: str) -> set[str]:
        """The HTTP methods of all routes that match a URL path."""
        matching = (route for route in self.candidates(path) if route.matches_path(path))
        return {method for route in matching for method in route.methods}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the route that `matches` found."""
        await scope["route"].handle(scope, receive, send)


def _steps_of(path: str) -> Steps:
    """The look-up key of a path; a parameter of a template gives an empty segment."""
    steps = ["" if "{" in step else step for step in path.removeprefix("/").split("/")]
    return len(steps), steps[0], steps[1] if len(steps) > 1 else "", steps[-1]


def _may_match(route: Steps, wanted: Steps) -> bool:
    return route[0] == wanted[0] and all(step in ("", other) for step, other in zip(route[1:], wanted[1:], strict=True))
