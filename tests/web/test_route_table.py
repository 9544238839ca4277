"""The table of routes sends every request where trying all patterns in order would send it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import Match

from app.routers import ROUTES
from app.web.route_table import RouteTable

TABLE = RouteTable(ROUTES)
TEMPLATES = sorted({route.path for route in ROUTES})
WORDS = sorted({step for path in TEMPLATES for step in path.split("/") if step and "{" not in step})
STEPS = st.one_of(st.sampled_from(WORDS), st.text("ab1-.%{}é ", max_size=4))
PATHS = st.lists(STEPS, max_size=6).map(lambda steps: "/" + "/".join(steps))
VERBS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])


def scope_of(method: str, path: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "headers": []}


def found_in_order(scope: dict[str, Any]) -> tuple[Match, Any]:
    """The first full match of all routes, else the first partial one, as Starlette's router finds it."""
    matches = [route.matches(dict(scope)) for route in ROUTES]
    full = [found for found in matches if found[0] == Match.FULL]
    partial = [found for found in matches if found[0] == Match.PARTIAL]
    return (full or partial or [(Match.NONE, {})])[0]


def assert_same(method: str, path: str) -> None:
    scope = scope_of(method, path)
    expected, found = found_in_order(scope), TABLE.matches(dict(scope))
    assert found[0] == expected[0], path
    assert found[1].get("route") is expected[1].get("route"), path
    assert found[1].get("path_params") == expected[1].get("path_params"), path


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_route_is_found_by_each_method(template: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS"):
        assert_same(method, template)
        assert_same(method, template.replace("{", "").replace("}", ""))


@settings(max_examples=500)
@given(method=VERBS, path=PATHS)
def test_any_path_goes_where_the_patterns_in_order_send_it(method: str, path: str) -> None:
    assert_same(method, path)


def test_few_patterns_are_tried_and_no_path_makes_the_table_grow() -> None:
    assert max(len(TABLE.candidates(template)) for template in TEMPLATES) <= 6
    for template in TEMPLATES:
        TABLE.candidates(template)
    size = len(TABLE._candidates)
    for number in range(1000):
        TABLE.candidates(f"/v1/treatments/{number}")
        TABLE.candidates(f"/{number}/{number}/{number}")
    assert len(TABLE._candidates) <= size + 2
