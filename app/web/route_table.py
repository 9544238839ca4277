"""The table of routes: which route a path has, found in a dictionary by its steps instead of pattern by pattern.

FastAPI tries the patterns of its routers one after another, each twice. Here a path is looked up by the number of its
steps and by its first, second and last one, which leaves one or two patterns; these decide as before.
"""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

Steps = tuple[int, str, str, str]
"""How many steps a path has, and its first, second and last one; empty for one that no route names in this place."""


class RouteTable(BaseRoute):
    """All routes of the application as one; a request goes where Starlette's router would send it."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = [(_steps_of(route.path_format), route) for route in routes]
        self._names = {(steps[0], place, steps[place]) for steps, _ in self.routes for place in (1, 2, 3)}
        self._found: dict[Steps, tuple[Route, ...]] = {}

    def candidates(self, path: str) -> tuple[Route, ...]:
        """The routes whose patterns a path may match, in the order of their declaration."""
        count, *steps = _steps_of(path)
        first, second, last = (
            step if (count, place, step) in self._names else "" for place, step in enumerate(steps, start=1)
        )
        wanted = (count, first, second, last)  # as few as there are combinations of names, whatever is asked
        found = self._found.get(wanted)
        if found is None:
            found = self._found[wanted] = tuple(route for steps, route in self.routes if _may_match(steps, wanted))
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

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that was matched answer."""
        await scope["route"].handle(scope, receive, send)


def _steps_of(path: str) -> Steps:
    """The steps by which a path is looked up; a parameter of a template is an empty one."""
    steps = ["" if "{" in step else step for step in path.removeprefix("/").split("/")]
    return len(steps), steps[0], steps[1] if len(steps) > 1 else "", steps[-1]


def _may_match(route: Steps, wanted: Steps) -> bool:
    return route[0] == wanted[0] and all(step in ("", other) for step, other in zip(route[1:], wanted[1:], strict=True))
