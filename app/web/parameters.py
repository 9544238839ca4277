"""Query parameters: a parameter with a single value may occur once."""

from functools import cache
from typing import Any, get_args, get_origin

from fastapi import Request
from pydantic import BaseModel

from app.errors import InvalidParameter


def refuse_repeated(request: Request, parameters: type[BaseModel]) -> None:
    """Raise InvalidParameter for a repeated query parameter that takes a single value."""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(set(names)) == len(names):
        return
    for name in sorted({name for name in names if names.count(name) > 1} - repeatable(parameters)):
        raise repeated_parameter(name)


@cache
def repeatable(parameters: type[BaseModel]) -> frozenset[str]:
    """The parameters of a model that take several values: those whose type has a list in it."""
    return frozenset(name for name, info in parameters.model_fields.items() if _takes_a_list(info.annotation))


def _takes_a_list(annotation: Any) -> bool:
    if get_origin(annotation) is list:
        return True
    return any(_takes_a_list(argument) for argument in get_args(annotation))


def repeated_parameter(name: str) -> InvalidParameter:
    """The 422 problem for a repeated query parameter that takes a single value."""
    detail = "this parameter may stand there once only"
    return InvalidParameter(f"{name}: {detail}.", errors=[{"parameter": name, "detail": detail}])
