"""Response models, generated from the record classes, for the OpenAPI document and generated clients."""

from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from app.models import RESOURCES
from app.models.base import Row
from app.store.read.facets import Facet


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


def _included_not_required(schema: dict[str, Any]) -> None:
    schema["required"].remove("included")


def optional_property(description: str) -> Any:
    """A property that may be absent, but is never null."""
    return Field(None, description=description, json_schema_extra=_without_default)


PARTLY = ConfigDict(defer_build=True)
WHOLE = ConfigDict(json_schema_serialization_defaults_required=True, defer_build=True)


Model = type[BaseModel]


def _create_model(name: str, doc: str | None, config: ConfigDict, fields: dict[str, Any]) -> Model:
    """A pydantic model created at run time; `name` is the schema name."""
    made: Model = create_model(name, __doc__=doc, __config__=config, **fields)
    return made


@cache
def public_model(row: type[Row]) -> Model:
    """The response model of a record: its own fields and those of the server, all required."""
    return _create_model(row.__name__, row.record_class().__doc__, WHOLE, _public_fields(row))


def _public_fields(row: type[Row]) -> dict[str, Any]:
    return {name: (row.model_fields[name].annotation, row.model_fields[name]) for name in row.shown()}


@cache
def sparse_model(row: type[Row]) -> Model:
    """The response model of a record with selected fields (`fields=`): only `id` is required."""
    shown: dict[str, Any] = {
        "included": (included_model(), optional_property("Only with `include`, on a single record."))
    }
    for name, (annotation, info) in _public_fields(row).items():
        shown[name] = (annotation, info) if name == "id" else (annotation, optional_property(info.description or ""))
    doc = f"The fields of a {row.__name__} selected with `fields`; the id is always among them."
    return _create_model(f"{row.__name__}Fields", doc, PARTLY, shown)


@cache
def included_model() -> Model:
    """The response model of `included`: records by plural, then by id."""
    shown: dict[str, Any] = {}
    for plural, row in RESOURCES.items():
        of_kind: Any = dict[str, public_model(row)]  # type: ignore[misc]  # made at run time
        description = f"{plural} by id; left out when there are none."
        by_id: Any = Field({}, alias=plural, description=description, json_schema_extra=_without_default)
        shown[plural.replace("-", "_")] = (of_kind, by_id)
    doc = "The records that `include` added, each once: by the plural of its resource, then by its id."
    return _create_model("Included", doc, PARTLY, shown)


@cache
def single_schema(row: type[Row]) -> Any:
    """The response schema of a single record: the whole record, with `include` its references, or selected fields."""
    added = {
        "included": (included_model(), optional_property("Only with `include`: the records that this one mentions."))
    }
    doc = f"One {row.__name__}, and with `include` the records that it mentions."
    config = ConfigDict(json_schema_serialization_defaults_required=True, json_schema_extra=_included_not_required)
    whole: Any = _create_model(f"{row.__name__}Answer", doc, config, _public_fields(row) | added)
    return whole | sparse_model(row)


class InheritedRecords(BaseModel):
    """Records that apply although they are not about the very treatment and condition; they stand under their own."""

    treatment: str | None = Field(description="Their treatment; null where none was asked for.")
    condition: str | None = Field(
        description="Their condition; null for records that name none, or where none was asked for."
    )
    url: str = Field(description="The list that holds them.")


class AppliesCounts(BaseModel):
    """How many records apply to the treatment and condition that were asked for, whatever the scope."""

    exact: int = Field(description="Records of these very ids.")
    inherited: int = Field(description="Records of classes above the treatment or of conditions above the condition.")
    general: int = Field(description="Records of the treatment or its classes that name no condition.")


@cache
def page_model(row: type[Row]) -> Model:
    """The response model of one page of a list."""
    entries: Any = list[public_model(row) | sparse_model(row)]  # type: ignore[misc]  # made at run time
    shown: dict[str, Any] = {
        "items": (entries, Field(..., description="The records; with `fields`, only the selected fields.")),
        "next": (str | None, Field(..., description="The cursor of the next page; null on the last one.")),
        "total": (int, optional_property("All records that match; only with `count=exact`.")),
        "facets": (dict[str, Facet], optional_property("Only with `facet`: the values of each field that was named.")),
        "included": (included_model(), optional_property("Only with `include`.")),
        "not_found": (
            list[str],
            optional_property(
                "Only with `id`: the ids that no published record has, under its present or a former one."
            ),
        ),
        "inherited": (
            list[InheritedRecords],
            optional_property(
                "What applies to the treatment and condition that were asked for, but is left out by the scope; "
                "absent where nothing is."
            ),
        ),
        "applies": (
            AppliesCounts,
            optional_property("Only with `count=exact` and a `treatment` or `condition`: how many records apply."),
        ),
        "unknown": (
            list[str],
            optional_property(
                "Only in a release: ids in filters that it does not have, while the dataset as it stands does."
            ),
        ),
    }
    return _create_model(f"{row.__name__}Page", f"One page of {row.plural}.", PARTLY, shown)


class ProblemRule(BaseModel):
    """A warning that forbids the requested comparison of doses."""

    id: str = Field(description="The id of the warning.")
    url: str = Field(description="Where the warning is.")
    statement: str = Field(description="What it says, in our own words.")
    sources: list[str] = Field(description="The ids of the sources that it cites.")


class ProblemSide(BaseModel):
    """Study results on one side of a reason against pooling."""

    what: str = Field(description="What they have in common.")
    results: list[str] = Field(description="The ids of the study results.")


class ProblemError(BaseModel):
    """One error of a request."""

    model_config = PARTLY
    parameter: str = optional_property("The invalid parameter.")
    pointer: str = optional_property("JSON pointer (RFC 6901) into the body or record.")
    record: str = optional_property("The record that broke a rule, as `plural/id`.")
    detail: str = Field(..., description="A description of the error.")
    nearest: str = optional_property("The nearest known name or value.")
    known: list[str] = optional_property("The known names or values, or those that would be valid.")
    rules: list[ProblemRule] = optional_property("The warnings that forbid the request.")
    reason: str = optional_property("The reason why results may not be pooled, as a value for `accept`.")
    sides: list[ProblemSide] = optional_property("The results on each side of that reason.")


class ProblemDetails(BaseModel):
    """Problem details (RFC 9457); `type` is the address of a page that explains the problem."""

    model_config = PARTLY
    type: str = Field(..., description="The address of a page that explains this kind of problem.")
    title: str = Field(..., description="The title of this kind of problem.")
    status: int = Field(..., description="The HTTP status.")
    detail: str = Field(..., description="A description of this occurrence of the problem.")
    instance: str = Field(..., description="The path of the request.")
    last_version: str = optional_property("Of a withdrawn record: the address of its last version.")
    errors: list[ProblemError] = optional_property(
        "The individual errors, where there are several or where one has a place in the request."
    )
