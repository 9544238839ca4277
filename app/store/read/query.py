"""Query parameters of lists and single records: their models, validation, and the `Query` that they become."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, create_model

from app.errors import nearest
from app.fields import FieldUse, facets_of, id_filters, includable, is_cited, reference_filters, uses
from app.formats.registry import extra_formats
from app.json_codec import PydanticCustomError, to_json
from app.models.base import Row
from app.models.types import ReleaseName, Slug
from app.models.vocabulary import Verification

MOST_ROWS = 200
USUAL_ROWS = 20
MOST_VALUES = 200
"""Maximum number of values of one repeated parameter."""
BOUNDS = {"_gte": "above", "_lte": "below"}

Address = Callable[[str], str]
"""Turns a path, with or without parameters, into an absolute URL within the release of the request."""
Format = Literal["json", "csv", "ndjson"]
Scope = Literal["exact", "applies", "family"]
ABOUT = ("treatment", "condition")
"""The filters that a scope widens."""


_SCOPES = (
    "`exact`, records of these very ids; `applies`, also those of the classes above a treatment, of the conditions "
    "above a condition and, with both, those that name no condition; `family`, also those of what is below them."
)


@dataclass(frozen=True)
class Query:
    """A validated query to one resource: filters, sort keys, page size, cursor, fields and includes."""

    resource: type[Row]
    filters: Mapping[str, Any] = field(default_factory=dict)
    """Values by parameter name: a list for equality, one value for `_gte` and `_lte`."""
    sort: tuple[str, ...] = ()
    limit: int = USUAL_ROWS
    cursor: str | None = None
    fields: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    count: bool = False
    facets: tuple[str, ...] = ()
    release: str | None = None
    """The name of the release; None: the live dataset."""
    scope: Scope = "exact"
    """Which records beside the exact ones the filters on treatment and condition find (`scope.scoped`)."""

    @property
    def order(self) -> tuple[str, ...]:
        """The sort keys with the id as the last one, so that the order is total."""
        return self.sort if "id" in (key.lstrip("-") for key in self.sort) else (*self.sort, "id")

    def fingerprint(self) -> str:
        """A hash of resource, filters, order, release and scope, to which cursors are bound; not of `fields`."""
        filters = sorted((name, value) for name, value in self.filters.items())
        named: list[Any] = [self.resource.plural, filters, self.order, self.release]
        if self.scope != "exact" and "id" not in self.filters and any(name in self.filters for name in ABOUT):
            named.append(self.scope)
        return sha256(to_json(named)).hexdigest()[:12]


def default_scope(resource: type[Row]) -> Scope:
    """The scope of a list without `scope`: warnings of a class are found for its products, other records are not."""
    return "applies" if resource.holds_for_parts else "exact"


def has_scope(resource: type[Row]) -> bool:
    """Whether lists of the resource take `scope`: its records are about treatments or conditions."""
    return any(name in id_filters(resource) for name in ABOUT)


class NoParameters(BaseModel):
    """The model of an endpoint without query parameters: any parameter is refused."""

    model_config = ConfigDict(extra="forbid")


class ReadParameters(BaseModel):
    """The query parameters of every read of records; endpoints add their own."""

    model_config = ConfigDict(extra="forbid")
    release: ReleaseName | None = Field(
        None,
        description="Answer from this release instead of the dataset as it stands; `/v1/releases` names them. "
        "A record of a release shows today's `source_status`, and its `state` when it was withdrawn since.",
    )


@cache
def query_model(resource: type[Row], *, parent: str | None = None) -> type[BaseModel]:
    """The query parameter model of a resource's list; `parent` is the filter that a nested list has in its path."""
    definitions: dict[str, Any] = {}
    for use in uses(resource).values():
        if use.is_filter:
            definitions |= _filter_parameters(use)
    for name, plural in reference_filters(resource).items():
        text = f"Only records that mention this record of `{plural}`. Repeat it for any of several."
        definitions[name] = (_any_of(Slug), Field(None, description=text))
    if is_cited(resource):
        text = "Only records with this level of verification or a higher one."
        definitions["min_verification"] = (Verification | None, Field(None, description=text))
    text = f"Batch get: these ids, in one answer. Repeat it, up to {MOST_VALUES} times."
    definitions["id"] = (_any_of(Slug), Field(None, description=text))
    if has_scope(resource):
        text = f"What `treatment` and `condition` find: {_SCOPES} `{default_scope(resource)}` by default."
        definitions["scope"] = (Scope | None, Field(None, description=text))
    if parent is not None:
        del definitions[parent], definitions["id"]
    definitions |= _paging_parameters(resource) | shown_parameters(resource)
    name = f"{resource.__name__}Query" + (f"Under{parent.title()}" if parent else "")
    return create_model(name, __base__=ReadParameters, **definitions)


def _paging_parameters(resource: type[Row]) -> dict[str, Any]:
    """The parameters for sort order, pagination, count and facets."""
    sortable = [name for name, use in uses(resource).items() if use.is_sortable]
    order = f"Order, as a comma list; `-` reverses. Missing values come last. Known: {', '.join(sortable)}."
    order += "".join(f" `{use.name}`: {_one_unit(use)}" for use in uses(resource).values() if use.unit)
    size = f"How many, 1–{MOST_ROWS}; {USUAL_ROWS} by default. CSV and NDJSON give all that match without it."
    counted = list(facets_of(resource))
    counts = (
        "Counts the values of these fields under `facets`, as a comma list: of all records that match the filters but "
    )
    counts += f"the field's own. Known: {', '.join(counted)}."
    place = "Where to go on: the `next` of the page before, with the same filters and sort."
    return {
        "sort": (comma_list(sortable, signed=True), Field("", description=order)),
        "limit": (Annotated[int, Field(ge=1, le=MOST_ROWS)] | None, Field(None, description=size)),
        "cursor": (Annotated[str, StringConstraints(max_length=4000)] | None, Field(None, description=place)),
        "count": (Literal["exact"] | None, Field(None, description="`exact` adds `total`: all records that match.")),
        "facet": (comma_list(counted), Field("", description=counts)),
    }


def shown_parameters(resource: type[Row], *more: str) -> dict[str, Any]:
    """The parameters for the representation: `fields`, `include`, and `format` with additional values `more`."""
    values = (*get_args(Format), *more)
    formats = f"`{'`, `'.join(values[:-1])}` or `{values[-1]}`; goes before the Accept header."
    fields, includes = list(uses(resource)), list(includable(resource))
    known = ", ".join(includes) or "nothing"
    return {
        "fields": (comma_list(fields), Field("", description="Only these fields (and `id`), as a comma list.")),
        "include": (
            comma_list(includes),
            Field("", description=f"Adds the records that are named, each once, under `included`. Known: {known}."),
        ),
        "format": (Literal[values] | None, Field(None, description=formats)),
    }


@cache
def single_model(resource: type[Row]) -> type[BaseModel]:
    """The query parameters of a single record."""
    past = "The record as it was in this version, withdrawn records too. `/history` names all versions."
    number = Annotated[int, Field(ge=1, le=2**31 - 1)]
    version: dict[str, Any] = {"version": (number | None, Field(None, description=past))}
    name = f"{resource.__name__}Shown"
    shown = shown_parameters(resource, *extra_formats(resource))
    return create_model(name, __base__=ReadParameters, **shown, **version)


def _filter_parameters(use: FieldUse) -> dict[str, Any]:
    text = f"{use.description} {_one_unit(use)}" if use.unit else use.description
    equal = Field(None, description=f"{text} Equal; repeat it for any of several.")
    parameters: dict[str, Any] = {use.name: (_any_of(use.parameter), equal)}
    if use.is_bounded:
        for suffix, direction in BOUNDS.items():
            bound = Field(None, description=f"{text} That or {direction}.")
            parameters[use.name + suffix] = (use.parameter | None, bound)
    return parameters


def _one_unit(use: FieldUse) -> str:
    return f"Only within one unit: with one `{use.unit}`, or a `treatment`."


def _any_of(value_type: Any) -> Any:
    return Annotated[list[value_type], Field(max_length=MOST_VALUES)] | None


def comma_list(known: Sequence[str], *, signed: bool = False) -> Any:
    """The type of a comma-separated list of distinct known names; with `signed` each may have a leading `-`."""

    def check(value: str) -> str:
        words = [word for word in value.split(",") if word]
        for word in words:
            name = word.removeprefix("-") if signed else word
            if name not in known:
                close = nearest(name, known)
                context = {"word": name[:100], "nearest": close or "", "known": sorted(known)}
                raise PydanticCustomError("unknown_name", "{word} is not known here", context)
        if len({word.lstrip("-") for word in words}) != len(words):
            raise PydanticCustomError("name_twice", "a name occurs twice")
        return value

    return Annotated[str, StringConstraints(max_length=2000), AfterValidator(check)]


_NOT_FILTERS = frozenset(
    {"sort", "limit", "cursor", "count", "facet", "fields", "include", "format", "version", "release", "scope"}
)


def query_from(resource: type[Row], params: BaseModel, **fixed: Any) -> Query:
    """The query of validated parameters; `fixed` are the filters that come from the path."""
    given = {name: getattr(params, name) for name in sorted(params.model_fields_set)}  # the others are None or empty
    values = {name: value for name, value in given.items() if value not in (None, "")}
    filters = {name: value for name, value in values.items() if name not in _NOT_FILTERS}
    filters |= {name: [value] for name, value in fixed.items()}
    usual = min(len(filters["id"]), MOST_ROWS) if "id" in filters else USUAL_ROWS
    return Query(
        resource=resource,
        filters=filters,
        sort=split(values.get("sort")),
        limit=values.get("limit", max(usual, 1)),
        cursor=values.get("cursor"),
        fields=split(values.get("fields")),
        include=split(values.get("include")),
        count=values.get("count") == "exact",
        facets=split(values.get("facet")),
        release=values.get("release"),
        scope=values.get("scope", default_scope(resource)),
    )


def split(value: str | None) -> tuple[str, ...]:
    """The names in a comma-separated list."""
    return tuple([word for word in value.split(",") if word]) if value else ()
