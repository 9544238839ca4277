"""The shapes of the answers, made from the records: what the OpenAPI document shows and generated clients hold."""

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from app.models import RESOURCES
from app.models.base import Row


def _not_null(schema: dict[str, Any]) -> None:
    """A property that may be left out, but is never null."""
    for content in schema.get("properties", {}).values():
        content.pop("default", None)


PARTLY = ConfigDict(json_schema_extra=_not_null)
WHOLE = ConfigDict(json_schema_serialization_defaults_required=True)


@cache
def public_model(row: type[Row]) -> type[BaseModel]:
    """A record as readers get it: what people say of it and what the server adds, all fields always there."""
    shown = {name: (info.annotation, info) for name, info in row.model_fields.items() if name not in row.hidden}
    return create_model(row.__name__, __config__=WHOLE, __doc__=row.record_class().__doc__, **shown)


@cache
def sparse_model(row: type[Row]) -> type[BaseModel]:
    """A record of which only some fields were asked for (`fields=`)."""
    shown: dict[str, Any] = {
        name: (info.annotation if name == "id" else info.annotation | None, Field(... if name == "id" else None, description=info.description))
        for name, info in row.model_fields.items()
        if name not in row.hidden
    }
    doc = f"The fields of a {row.__name__} that were asked for; the id is always among them."
    return create_model(f"{row.__name__}Fields", __config__=PARTLY, __doc__=doc, **shown)


@cache
def included_model() -> type[BaseModel]:
    """The records that `include` added: by plural, then by id."""
    shown: dict[str, Any] = {
        plural.replace("-", "_"): (dict[str, public_model(row)], Field({}, alias=plural, description=f"{plural} by id."))  # type: ignore[misc]  # made at run time
        for plural, row in RESOURCES.items()
    }
    doc = "The records that `include` added, each once: by the plural of its resource, then by its id."
    return create_model("Included", __config__=PARTLY, __doc__=doc, **shown)


@cache
def single_schema(row: type[Row]) -> Any:
    """What a single record's address answers: the record, or its asked fields; with `include`, what it mentions too."""
    return public_model(row) | sparse_model(row)


@cache
def page_model(row: type[Row]) -> type[BaseModel]:
    """One page of a list."""
    entry = public_model(row) | sparse_model(row)
    return create_model(
        f"{row.__name__}Page",
        __config__=PARTLY,
        __doc__=f"One page of {row.plural}.",
        items=(list[entry], Field(..., description="The records, whole; with `fields`, only those fields.")),  # type: ignore[valid-type]  # made at run time
        next=(str | None, Field(..., description="The cursor of the next page; null on the last one.")),
        total=(int, Field(None, description="All records that match; only with `count=exact`.")),
        included=(included_model(), Field(None, description="Only with `include`.")),
        not_found=(list[str], Field(None, description="Only with `id`: the ids that no record has.")),
    )


class ProblemError(BaseModel):
    """One of the things that were wrong."""

    model_config = PARTLY
    parameter: str = Field(None, description="The parameter that was wrong.")
    pointer: str = Field(None, description="JSON pointer (RFC 6901) into the body or record.")
    record: str = Field(None, description="The record that broke a rule, as `plural/id`.")
    detail: str = Field(..., description="What was wrong.")
    nearest: str = Field(None, description="The nearest known name or value.")
    known: list[str] = Field(None, description="The names or values that are known.")


class ProblemDetails(BaseModel):
    """What went wrong, after RFC 9457; `type` is the address of a page that explains it."""

    model_config = PARTLY
    type: str = Field(..., description="The address of a page that explains this kind of problem.")
    title: str = Field(..., description="The kind of problem, in words.")
    status: int = Field(..., description="The HTTP status.")
    detail: str = Field(..., description="What was wrong this time.")
    instance: str = Field(..., description="The path that was asked for.")
    errors: list[ProblemError] = Field(None, description="Each thing that was wrong, where there are several or a place.")
