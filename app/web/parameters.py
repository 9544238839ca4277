"""Query parameters: a parameter with a single value may occur once."""

from fastapi import Request
from pydantic import BaseModel

from app.errors import InvalidParameter


def refuse_repeated(request: Request, parameters: type[BaseModel]) -> None:
    """Raise InvalidParameter for a repeated query parameter that takes a single value."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        if "list" not in str(parameters.model_fields[name].annotation):
            raise repeated_parameter(name)


def repeated_parameter(name: str) -> InvalidParameter:
    """The 422 problem for a repeated query parameter that takes a single value."""
    detail = "this parameter may stand there once only"
    return InvalidParameter(f"{name}: {detail}.", errors=[{"parameter": name, "detail": detail}])
