"""Rules of records beyond their types: a record that breaks one is refused, or kept and flagged for a curator.

A model, or a nested part of one, declares a rule as a method that yields what is wrong:

    @flagged("percent-contradicts-counts")
    def _percent_follows(self) -> Iterator[Wrong]:
        if …:
            yield Wrong("/percent", "12 is not 3/40")

`flagged` keeps the record and gives the reason in `review_reasons`. `refused` is for what cannot be true: `store`
refuses a new record or a changed one that breaks it, and keeps and flags one that was stored before there was the rule.
Rules are looked at in valid records only, so they may rely on types and validators.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field

Method = TypeVar("Method", bound=Callable[[Any], Iterator["Wrong"]])


class Wrong(NamedTuple):
    """What is wrong: a JSON pointer below the model that declares the rule (`""`: the model itself), and the detail."""

    pointer: str
    detail: str


@dataclass(frozen=True)
class Rule:
    """A named rule; `is_refused` says whether a new record that breaks it is refused."""

    name: str
    is_refused: bool


class ReviewReason(BaseModel):
    """A reason why a curator must look at a record."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)
    rule: str = Field(description="The rule that it breaks: `refers-to-withdrawn`, `percent-contradicts-counts`, …")
    pointer: str = Field(description="Where, as a JSON pointer (RFC 6901) into the record; empty: the record itself.")
    detail: str = Field(description="What is wrong, in words.")


_RULES: dict[Any, Rule] = {}
"""The declared rules, by method or, for those that look at other records too, by name."""


def rule(name: str, *, is_refused: bool) -> Rule:
    """Declare a rule that looks at what a record refers to; `Row.contradictions` yields its breaches."""
    return _RULES.setdefault(name, Rule(name, is_refused))


def refused(name: str) -> Callable[[Method], Method]:
    """Declare a rule that no new record may break."""
    return _declare(Rule(name, is_refused=True))


def flagged(name: str) -> Callable[[Method], Method]:
    """Declare a rule whose breach is a reason for a review."""
    return _declare(Rule(name, is_refused=False))


def broken_rules(model: BaseModel, at: str = "") -> Iterator[tuple[Rule, ReviewReason]]:
    """The rules that a record or one of its parts breaks, with where (`at` is the model's own JSON pointer) and why."""
    methods, nested = _declared(type(model))
    for name, rule in methods:
        for wrong in getattr(model, name)():
            yield rule, ReviewReason(rule=rule.name, pointer=at + wrong.pointer, detail=wrong.detail)
    for name in nested:
        content = getattr(model, name)
        for index, part in enumerate(content) if isinstance(content, list) else ((None, content),):
            if isinstance(part, BaseModel):
                yield from broken_rules(part, f"{at}/{name}" + ("" if index is None else f"/{index}"))


def rule_names() -> frozenset[str]:
    """The names of all declared rules: their reasons follow from the record and are derived at each rendering."""
    return frozenset(rule.name for rule in _RULES.values())


def _declare(rule: Rule) -> Callable[[Method], Method]:
    def declare(method: Method) -> Method:
        _RULES[method] = rule
        return method

    return declare


@cache
def _declared(model: type[BaseModel]) -> tuple[tuple[tuple[str, Rule], ...], tuple[str, ...]]:
    """The methods of a model that are rules, and its fields with nested models that have rules."""
    methods = {
        name: _RULES[method]
        for base in reversed(model.__mro__)
        for name, method in vars(base).items()
        if callable(method) and method in _RULES
    }
    nested = [
        name
        for name, info in model.model_fields.items()
        if any(any(_declared(part)) for part in _models_in(info.annotation))
    ]
    return tuple(methods.items()), tuple(nested)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
