"""Query parameters: one that takes a single value may stand in an address once."""

from fastapi import Request
from pydantic import BaseModel

from app.errors import InvalidParameter


def refuse_repeated(request: Request, parameters: type[BaseModel]) -> None:
    """Refuse a parameter that stands there twice although it takes one value."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        if "list" not in str(parameters.model_fields[name].annotation):
            raise repeated_parameter(name)


def repeated_parameter(name: str) -> InvalidParameter:
    """The 422 problem for a parameter that stands in the address twice and takes one value."""
    wrong = "this parameter may stand there once only"
    return InvalidParameter(f"{name}: {wrong}.", errors=[{"parameter": name, "detail": wrong}])
