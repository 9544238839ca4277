"""The wire only grows: what the OpenAPI document of 0.3.0 promised is still there, but for the words that explain it.

`openapi-0.3.0.json.gz` is that document without descriptions, summaries, titles and examples.
"""

import gzip
import json
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.contract.test_openapi import document

PROMISED = ROOT / "tests" / "contract" / "openapi-0.3.0.json.gz"
MAY_BE_ABSENT = dict.fromkeys(("SideEffect", "SideEffectAnswer", "SideEffectFields", "SideEffectBody"), "treatment")
"""Properties that may be null since 0.3.0, because every value would be untrue: what was given in a study of several
treatments. Nothing else may join them without an entry in the change log."""
WORDS = {"description", "summary", "title", "example", "examples"}
"""What explains and does not promise; a property of one of these names is a schema and stays."""
NAMED_BY_HASH = ("parameters", "responses")
"""Shared components whose names carry a hash of their content, words included; they are compared in place."""


def promises_of(openapi: dict[str, Any]) -> dict[str, Any]:
    """Paths and schemas of an OpenAPI document without its words, shared parameters and responses in place."""
    components = openapi["components"]

    def bare(value: Any, *, is_map_of_names: bool = False) -> Any:
        if isinstance(value, list):
            return [bare(item) for item in value]
        if not isinstance(value, dict):
            return value
        reference = str(value.get("$ref", "")).split("/")
        if len(reference) == 4 and reference[2] in NAMED_BY_HASH:
            return bare(components[reference[2]][reference[3]])
        return {
            name: bare(inner, is_map_of_names=name in ("properties", "$defs") and not is_map_of_names)
            for name, inner in value.items()
            if is_map_of_names or name not in WORDS
        }

    return {"paths": bare(openapi["paths"]), "schemas": bare(components["schemas"], is_map_of_names=True)}


def broken(old: Any, new: Any, place: str = "") -> list[str]:
    """The places where something that was promised is missing or different."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            fault
            for name, value in old.items()
            for fault in (broken(value, new[name], f"{place}/{name}") if name in new else [f"{place}/{name}"])
        ]
    if isinstance(old, list) and isinstance(new, list):
        kept = [item for item in old if item in new or any(not broken(item, other) for other in new)]
        return [] if kept == old else [place]
    return [] if old == new else [f"{place}: {old!r} is {new!r}"]


def with_values(promises: dict[str, Any]) -> dict[str, Any]:
    """The promises of today, as if what may be absent (`MAY_BE_ABSENT`) were not."""
    for schema, name in MAY_BE_ABSENT.items():
        found = promises["schemas"][schema]
        (found["properties"][name],) = (kind for kind in found["properties"][name]["anyOf"] if kind["type"] != "null")
        found["required"] = sorted({*found["required"], name})
    return promises


@pytest.fixture(scope="module")
def promised() -> dict[str, Any]:
    with gzip.open(PROMISED, "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def test_all_that_was_promised_is_there(promised: dict[str, Any]) -> None:
    assert broken(promised, with_values(promises_of(document()))) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("paths", "/v1/claims", "get"), None),
        (("schemas", "Claim", "properties", "quote"), None),
        (("schemas", "Verdict", "enum"), ["supported"]),
        (("schemas", "Claim", "properties", "version", "type"), "string"),
    ],
)
def test_a_broken_promise_is_noticed(promised: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    now: Any = with_values(promises_of(document()))
    inner = now
    for step in place[:-1]:
        inner = inner[step]
    if value is None:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    assert broken(promised, now)
