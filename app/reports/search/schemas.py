"""The query and the response schemas of a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from pydantic import BaseModel, Field

from app.json_codec import to_json
from app.models.types import Slug
from app.reports.search.counts import NARROWING, SearchFacet, SearchGroup
from app.search.highlighting import Segment
from app.store.read.schemas import PARTLY, included_model, optional_property

FACETS = ("kind", *NARROWING)
FIELDS = ("kind", "id", "url", "title", "match", "field", "snippet")
RECORD = "record"
"""The value of `include` for the found records themselves."""

Match = Literal["identifier", "name", "about", "text"]


@dataclass(frozen=True)
class SearchQuery:
    """A validated search query."""

    text: str
    kinds: tuple[str, ...] = ()
    narrowing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Filter values: record ids by filter name."""
    limit: int = 20
    cursor: str | None = None
    fields: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()
    release: str | None = None

    def fingerprint(self) -> str:
        """The hash that binds a cursor to its query."""
        narrowing = sorted((name, sorted(ids)) for name, ids in self.narrowing.items())
        return sha256(to_json([self.text, sorted(self.kinds), narrowing, self.release])).hexdigest()[:12]


class SearchHit(BaseModel):
    """A record that was found."""

    model_config = PARTLY
    kind: str = Field(description="Its resource, as in the URL.")
    id: Slug = Field(description="Its id.")
    url: str = optional_property("Its URL.")
    title: str = optional_property("Its name; for a record without a name, its subject and the beginning of its text.")
    match: Match = optional_property(
        "How it was found: by an `identifier`; by its `name`; as a record `about` the query, through a record that it "
        "references; or somewhere in its `text`."
    )
    field: str | None = optional_property(
        "The matching field, as a path into the record; null when no single field matches."
    )
    snippet: list[Segment] = optional_property("The matching text, in segments; plain text, never HTML.")


class SearchPage(BaseModel):
    """One page of search hits."""

    model_config = PARTLY
    items: list[SearchHit] = Field(..., description="The records, best first.")
    next: str | None = Field(..., description="The cursor of the next page; null on the last one.")
    matched: Literal["all", "some"] = Field(
        ..., description="Whether the records match `all` parts of the query, or `some` because none matches all."
    )
    groups: list[SearchGroup] = Field(..., description="How many records of each kind match, ignoring `kind`.")
    corrected: dict[str, list[str]] = Field(
        ..., description="Words of the query that no record has, each with the words of names that replaced it."
    )
    followed: dict[str, list[str]] = Field(
        ..., description="Names in the query, each with the synonyms that were searched for too."
    )
    facets: dict[str, SearchFacet] = optional_property("Only with `facet`.")
    included: included_model() = optional_property("Only with `include`.")  # type: ignore[valid-type]  # made at run time
