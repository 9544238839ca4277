"""Base classes of records: citations, references to other records, and the fields that the server sets."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Nested
from sqlalchemy import Table
from sqlalchemy.orm import declared_attr
from sqlmodel import JSON, Field, SQLModel, Text
from sqlmodel._compat import SQLModelConfig
from sqlmodel.main import SQLModelMetaclass
from sqlmodel.sql.sqltypes import AutoString

from app.models.rules import ReviewReason, Rule
from app.models.types import Count, Day, Instant, Line, Pointer, Prose, RefersTo, Slug, SourceRef
from app.models.vocabulary import AbsenceReason, SourceStatus, State, Transformation, Verification

Key = tuple[str, str]
"""A record's plural and id."""


def reference(table: str, description: str, **options: Any) -> Any:
    """An indexed foreign key column to `table`."""
    return Field(foreign_key=f"{table}.id", index=True, description=description, **options)


def word(description: str, **options: Any) -> Any:
    """A column for one value of a controlled vocabulary."""
    return Field(sa_type=AutoString, description=description, **options)


def several(description: str, **options: Any) -> Any:
    """A JSON column for a list; the list may be empty, never null."""
    return Field(default_factory=list, sa_type=JSON, description=description, **options)


def structured(description: str, **options: Any) -> Any:
    """A nullable JSON column for one nested object."""
    return Field(default=None, sa_type=JSON(none_as_null=True), description=description, **options)


class DocumentOnly(JSON):
    """Marks a field without a column: it stands in the stored document, and nothing filters or sorts by it."""


def unfiltered(description: str, default: Any = None, **options: Any) -> Any:
    """A field without a column, null where it is absent."""
    return Field(default=default, sa_type=DocumentOnly, description=description, **options)


def unfiltered_list(description: str, **options: Any) -> Any:
    """A list without a column; it may be empty, never null."""
    return Field(default_factory=list, sa_type=DocumentOnly, description=description, **options)


def given(values: object) -> bool:
    """Whether a field holds a value: not null, not an empty list and not the word for a role that nobody gave."""
    return values is not None and values not in ([], "not-assigned")


def check_missing(model: BaseModel, missing: Mapping[str, str], core: frozenset[str] = frozenset()) -> None:
    """Validate `missing`: ValueError for an unknown field, a field with a value, and a core field with neither."""
    for name in missing:
        if name not in type(model).model_fields or name in ("id", "missing"):
            raise ValueError(f"missing names no field of this record: {name!r}")
        if given(getattr(model, name)):
            raise ValueError(f"{name} has a value and also a reason for being missing")
    for name in sorted(core):
        if not given(getattr(model, name)) and name not in missing:
            raise ValueError(f"{name} needs a value, or a reason under missing")


def ordered(low: float | str | None, high: float | str | None, names: str) -> None:
    """Validate a range: ValueError where `low` is above `high`; `names` are the fields, for the message."""
    if low is not None and high is not None and low > high:  # type: ignore[operator]  # both ends have one type
        raise ValueError(f"{names}: the lower end {low} lies above the upper end {high}")


class Part(BaseModel):
    """A nested object of a record."""

    model_config = ConfigDict(
        extra="forbid", json_schema_serialization_defaults_required=True, serialize_by_alias=True, defer_build=True
    )


class PartWithMissing(Part):
    """A nested object whose absent values may have reasons."""

    missing: dict[str, AbsenceReason] = Nested(
        default_factory=dict,
        description="Why a value is absent, by field name. Neither a value nor a reason: nobody has looked yet.",
    )

    @model_validator(mode="after")
    def _missing_is_valid(self) -> Self:
        check_missing(self, self.missing)
        return self


class Span(Part):
    """A place in a stored text: characters counted from 0, the end not included."""

    start: Count = Nested(description="First character, counted from 0.")
    end: Count = Nested(description="The character after the last one.")

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"span: the start {self.start} must lie before the end {self.end}")
        return self


class NumberBinding(Part):
    """Where one number of the record was read: its words in the quote, or its place in a structured source."""

    field: Pointer = Nested(description="The number's field in this record, as a JSON pointer.", examples=["/dose_min"])
    span: Span | None = Nested(default=None, description="Its words in the quote, counted from the quote's start.")
    pointer: Pointer | None = Nested(
        default=None, description="Its place in the source, where that is JSON, as a JSON pointer (RFC 6901)."
    )
    transformation: Transformation = Nested(
        default="as-written", description="How the words of the quote are converted to the number."
    )

    @model_validator(mode="after")
    def _stands_in_one_place(self) -> Self:
        if (self.span is None) == (self.pointer is None):
            raise ValueError("a number is bound by a span in the quote or by a pointer into the source, by one of them")
        return self


def check_bindings(numbers: Sequence[NumberBinding], quote: str | None) -> None:
    """Validate number bindings: ValueError for two of one field, overlapping spans, and spans without a quote.

    Two bindings may share the same span.
    """
    fields = [binding.field for binding in numbers]
    twice = next((field for field in fields if fields.count(field) > 1), None)
    if twice is not None:
        raise ValueError(f"numbers: {twice} is bound twice")
    spans = sorted({(binding.span.start, binding.span.end) for binding in numbers if binding.span is not None})
    if spans and quote is None:
        raise ValueError("numbers: a span needs the quote in which it lies")
    for (start, end), (following, last) in pairwise(spans):
        if following < end:
            raise ValueError(f"numbers: the spans {start}–{end} and {following}–{last} overlap")


class CuratorCheck(Part):
    """A check of the record against its sources by a curator."""

    by: Line = Nested(description="The curator.")
    on: Day = Nested(description="The day of the check.")


class Citation(PartWithMissing):
    """Where a statement was read: a source, a place in it, and its words where we hold them."""

    source: SourceRef = Nested(description="The id of the source.")
    locator: Line | None = Nested(default=None, description="Page, table, section, or a JSON pointer.")
    quote: Prose | None = Nested(default=None, description="The words of the source, verbatim.")
    span: Span | None = Nested(default=None, description="Where the quote stands in the stored text.")
    numbers: list[NumberBinding] = Nested(
        default_factory=list, description="Where each number of the record stands in the quote or in the source."
    )
    note: Prose | None = Nested(default=None, description="A note on this citation.")

    @model_validator(mode="after")
    def _span_has_a_quote(self) -> Self:
        if self.span is not None and self.quote is None:
            raise ValueError("a citation with a span needs the quote that stands there")
        check_bindings(self.numbers, self.quote)
        return self


class RecordRef(Part):
    """A reference to a record of any resource."""

    kind: Slug = Nested(description="The resource, as in the URL: `study-results`.", examples=["study-results"])
    id: Slug = Nested(description="The record's id.")


class Reference(NamedTuple):
    """A reference from one record to another: path of the field, plural of the resource, id."""

    path: str
    plural: str
    id: str


class Record(SQLModel):
    """The fields that a person, an importer or the seed may set: a request body and an entry of the seed."""

    model_config = SQLModelConfig(extra="forbid", json_schema_serialization_defaults_required=True, defer_build=True)
    core: ClassVar[frozenset[str]] = frozenset()
    """Fields that must have a value or a reason under `missing`."""
    derived_where_absent: ClassVar[frozenset[str]] = frozenset()
    """Fields that show what follows from the record where it says nothing; a mark beside each tells which it is."""

    id: Slug = Field(
        primary_key=True,
        description="Stable for ever: lower-case letters, digits and single hyphens.",
    )
    missing: dict[str, AbsenceReason] = Field(
        default_factory=dict,
        sa_type=JSON,
        description="Why a value is absent, by field name. Neither a value nor a reason: nobody has looked yet.",
    )

    curator_checked: CuratorCheck | None = structured("Who compared it with its sources, and when; null: nobody yet.")

    @model_validator(mode="before")
    @classmethod
    def _drop_server_fields(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        owned = Row.model_fields.keys() | {"included"} | cls.derived_names()
        return {name: value for name, value in values.items() if name in cls.model_fields or name not in owned}

    @model_validator(mode="after")
    def _absence_has_a_reason(self) -> Self:
        check_missing(self, self.missing, self.core - self.excused())
        return self

    def as_stated(self) -> dict[str, Any]:
        """The fields as JSON, without values that follow from others: what a merge patch is applied to."""
        return self.model_dump(mode="json")

    def excused(self) -> frozenset[str]:
        """Core fields that other values of this record make needless."""
        return frozenset()

    @classmethod
    def reasons_at_update(cls, document: Mapping[str, Any]) -> Iterator[ReviewReason]:
        """Reasons for a review that an update gives a record, from its document of before; kept until it is written."""
        yield from ()

    @classmethod
    @cache
    def derived_names(cls) -> frozenset[str]:
        """The fields that the table row has beyond the record: those of the server and derived ones."""
        return frozenset(name for row in cls.__subclasses__() for name in row.model_fields) - cls.model_fields.keys()

    def codes_held(self) -> Iterator[tuple[str, str]]:
        """The (system, code) pairs under which `/v1/lookup` finds this record."""
        for code in getattr(self, "codes", []):
            yield code.system, code.code


class CitedRecord(Record):
    """A factual record: it has at least one citation, or it is refused."""

    citations: list[Citation] = Field(min_length=1, sa_type=JSON, description="Where this was read. At least one.")


class RowMeta(SQLModelMetaclass):
    """Makes no columns of fields that are `DocumentOnly`."""

    def __init__(self, name: str, bases: tuple[type, ...], values: dict[str, Any], **options: Any) -> None:
        for field in self.model_fields:
            if isinstance(getattr(getattr(self, field, None), "type", None), DocumentOnly):
                delattr(self, field)
        super().__init__(name, bases, values, **options)


class Row(SQLModel, metaclass=RowMeta):
    """The fields that the server sets: added to the record, never taken from a request body."""

    model_config = SQLModelConfig(defer_build=True)
    plural: ClassVar[str]
    """The resource's name, in the URL and everywhere else."""
    search_rank: ClassVar[int]
    """The rank of the resource in search results: 1 first, unique."""
    hidden: ClassVar[frozenset[str]] = frozenset({"document", "digest"})
    """Columns that no response contains."""
    is_evidence: ClassVar[bool] = True
    """Whether records that refer to it take over its `source_status`; false for resources that only name things."""
    filled_by_migrations: ClassVar[frozenset[str]] = frozenset()
    """Columns that a migration fills from others, so that they have values in copies of earlier releases, too."""
    holds_for_parts: ClassVar[bool] = False
    """Whether a record about a class also applies to each member of the class."""

    version: int = Field(default=1, description="Rises by one with each change of the record.")
    created_at: Instant = Field(default="", description="When the record was first saved (UTC, RFC 3339).")
    updated_at: Instant = Field(default="", description="When the record was last changed (UTC, RFC 3339).")
    state: State = word("Whether readers see it.", default="published")
    verification: Verification | None = word("How far its citations were checked against their sources.", default=None)
    checked_on: Day | None = Field(
        default=None, index=True, description="The last day on which it was compared with its sources."
    )
    source_status: SourceStatus | None = word(
        "The worst status among its sources and those of the records that it rests on.",
        default=None,
        index=True,
    )
    needs_review: bool = Field(
        default=False, description="Whether a curator must look at it; `review_reasons` says why."
    )
    review_reasons: list[ReviewReason] = unfiltered_list(
        "Why a curator must look at it: values that contradict each other, a reference to a withdrawn record, …"
    )
    review_due: Day | None = Field(default=None, description="The day by which it should be checked again.")
    superseded_by: Slug | None = Field(default=None, description="The id of the record that replaces it.")
    digest: str = Field(default="", description="SHA-256 of the record alone: equal means unchanged.")
    document: str = Field(default="", sa_type=Text, description="The JSON that readers get, rendered when written.")

    @declared_attr.directive
    @classmethod
    def __tablename__(cls) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def summary(cls) -> str:
        """The first line of the record class's docstring."""
        return (cls.record_class().__doc__ or "").strip().splitlines()[0]

    @classmethod
    def table(cls) -> Table:
        """The SQLAlchemy table."""
        table: Table = cls.__table__  # type: ignore[attr-defined]  # SQLModel gives it to table classes
        return table

    @classmethod
    def record_class(cls) -> type[Record]:
        """The record class of this row."""
        return next(base for base in cls.__mro__ if issubclass(base, Record) and not issubclass(base, Row))

    @classmethod
    def shown(cls) -> tuple[str, ...]:
        """The public field names in order: the record's, then `missing` and `curator_checked`, then the server's."""
        server = [name for name in Row.model_fields if name not in cls.hidden]
        last = ("missing", "curator_checked")
        own = [name for name in cls.model_fields if name not in (*Row.model_fields, *last)]
        return (*own, *last, *server)

    @classmethod
    def derive(cls, record: Any, known: "Known") -> dict[str, Any]:
        """Compute columns from the record and the records that it refers to; ValueError where they disagree."""
        return {}

    @classmethod
    def contradictions(cls, record: Any, known: "Known") -> Iterator[tuple[Rule, ReviewReason]]:
        """The rules, made by `rules.rule`, that the record breaks by what it refers to."""
        yield from ()


Known = Callable[[str, str], Mapping[str, Any]]
"""Looks up the document of a referenced record by plural and id."""


def references(value: BaseModel, path: str = "") -> Iterator[Reference]:
    """Every reference to another record, at any depth, with its path (`arms.0.treatment`)."""
    if isinstance(value, RecordRef):
        yield Reference(path, value.kind, value.id)
        return
    for name, target in _reference_fields(type(value)):
        content = getattr(value, name)
        for index, entry in enumerate(content) if isinstance(content, list) else ((None, content),):
            place = ".".join(str(step) for step in (path, name, index) if step not in ("", None))
            if target is not None and isinstance(entry, str) and entry not in target.unless:
                yield Reference(place, target.plural, entry)
            elif isinstance(entry, BaseModel):
                yield from references(entry, place)


@cache
def _reference_fields(model: type[BaseModel]) -> tuple[tuple[str, RefersTo | None], ...]:
    """The fields of a model that hold references, directly or in nested models; each with the target of its ids."""
    found = []
    for name, info in model.model_fields.items():
        target = reference_target(model, name)
        if target is not None or _has_models(info.annotation):
            found.append((name, target))
    return tuple(found)


def _has_models(annotation: Any) -> bool:
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_model or any(_has_models(argument) for argument in get_args(annotation))


def reference_target(model: type[BaseModel], name: str) -> RefersTo | None:
    """The target of a field's ids, or None where it holds no ids."""
    info = model.model_fields[name]
    return next((mark for mark in (*info.metadata, *_metadata(info.annotation)) if isinstance(mark, RefersTo)), None)


def _metadata(annotation: Any) -> Iterator[Any]:
    for argument in get_args(annotation):
        yield argument
        yield from _metadata(argument)
