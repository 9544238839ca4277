"""Full-text search over all records, and suggestions for what a person is typing."""

from typing import Annotated, Any, Literal

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from app.errors import EXAMPLE_ADDRESS, BadCursor, NotFound
from app.fields import includable
from app.json_codec import to_json
from app.models import RESOURCES
from app.models.treatments import Treatment
from app.models.types import Slug
from app.reports.search.counts import NARROWING
from app.reports.search.results import read_search
from app.reports.search.schemas import FACETS, FIELDS, RECORD, SearchPage, SearchQuery
from app.reports.search.suggest import Suggestions, Typed, read_suggestions, suggested_kinds
from app.search.index_entries import kinds_in_order
from app.search.result_set import MOST_COUNTED
from app.store.examples import example_of
from app.store.read.query import MOST_ROWS, MOST_VALUES, ReadParameters, comma_list, split
from app.web.late_routes import LateRouter
from app.web.openapi.responses import documented
from app.web.read_context import json_read
from app.web.responses import JSON

router = LateRouter(prefix="/v1", tags=["Search"])

EXAMPLE = "botox migraine"
LONGEST = 500
"""Most characters of a query. Of more than twelve words, the first twelve count."""
Kind: Any = Literal[kinds_in_order()]
Suggested: Any = Literal[suggested_kinds()]
INCLUDES = (RECORD, *sorted({name for row in RESOURCES.values() for name in includable(row)}))


def _search_example() -> str:
    """The response to a search for a code of the seed's first treatment."""
    treatment = example_of(Treatment)
    hit = {
        "kind": Treatment.plural,
        "id": treatment["id"],
        "url": f"{EXAMPLE_ADDRESS}/v1/{Treatment.plural}/{treatment['id']}",
        "title": treatment["name"],
        "match": "identifier",
        "field": "codes.0.code",
        "snippet": [{"text": treatment["codes"][0]["code"], "is_match": True}],
    }
    groups = [{"kind": Treatment.plural, "count": 1, "is_at_least": False}]
    page: dict[str, Any] = {
        "items": [hit],
        "next": None,
        "matched": "all",
        "groups": groups,
        "corrected": {},
        "followed": {},
    }
    return to_json(page).decode()


def _suggest_example() -> str:
    """The suggestion for the first letters of a brand name."""
    treatment = example_of(Treatment)
    suggestion = {"kind": Treatment.plural, "id": treatment["id"], "name": treatment["name"]}
    suggestion |= {"label": treatment["brand_names"][0], "count": 1}
    suggestion["url"] = f"{EXAMPLE_ADDRESS}/v1/{Treatment.plural}/{treatment['id']}"
    return to_json({"items": [suggestion], "corrected": {}}).decode()


def about_parameter(name: str, example: str) -> Any:
    """The query parameter that filters by a treatment or condition."""
    text = f"Only records about this {name}, itself included. Repeat it for any of several."
    return Field(None, description=text, examples=[[example]])


class SearchQuestion(ReadParameters):
    """The query parameters of a search."""

    q: str = Field(
        max_length=LONGEST,
        description='What to look for: words (all of them), `"phrases"`, `begin*`, or an identifier (DOI, PMID, NCT, '
        "ATC, an id of ours). Case and diacritics do not matter; other names of a thing are followed.",
        examples=[EXAMPLE],
    )
    kind: Annotated[list[Kind], Field(max_length=MOST_VALUES)] | None = Field(
        None, description="Only records of this resource. Repeat it for any of several.", examples=[["approvals"]]
    )
    treatment: Annotated[list[Slug], Field(max_length=MOST_VALUES)] | None = about_parameter(
        "treatment", "onabotulinumtoxina"
    )
    condition: Annotated[list[Slug], Field(max_length=MOST_VALUES)] | None = about_parameter(
        "condition", "chronic-migraine"
    )
    limit: int = Field(20, ge=1, le=MOST_ROWS, description=f"How many, 1–{MOST_ROWS}.")
    cursor: str | None = Field(
        None, max_length=4000, description="Where to go on: the `next` of the page before, with the same question."
    )
    facet: comma_list(FACETS) = Field(  # type: ignore[valid-type]  # made at run time
        "",
        description="Counts the values of these under `facets`, as a comma list, whatever the filter of that name "
        f"says: {', '.join(FACETS)}. Counted among the first {MOST_COUNTED} records that match, for `kind` among "
        "as many of each kind (`counted`); `is_at_least` says that more match. Narrow the search for counts of all.",
    )
    fields: comma_list(FIELDS) = Field(  # type: ignore[valid-type]  # made at run time
        "", description=f"Only these fields of each hit (and `kind` and `id`), as a comma list: {', '.join(FIELDS)}."
    )
    include: comma_list(INCLUDES) = Field(  # type: ignore[valid-type]  # made at run time
        "",
        description="Adds records under `included`: `record`, the found ones themselves; the other values are "
        f"those of `include` in the lists of these kinds. Known: {', '.join(INCLUDES)}.",
    )


class SuggestQuestion(ReadParameters):
    """The query parameters of suggestions."""

    q: str = Field(max_length=LONGEST, description="What was typed so far.", examples=["bot"])
    kind: Annotated[list[Suggested], Field(max_length=MOST_VALUES)] | None = Field(
        None, description="Only this kind. Repeat it for any of several.", examples=[["treatments"]]
    )
    limit: int = Field(8, ge=1, le=20, description="How many, 1–20.")


@router.get(
    "/search",
    operation_id="list_search_results",
    summary="Search all records",
    document=documented(
        SearchPage, "The hits, best first.", BadCursor, NotFound, content=lambda: {JSON: {"example": _search_example()}}
    ),
)
async def search(request: Request, params: Annotated[SearchQuestion, Parameters()]) -> Response:
    """Find any record by its words: names, codes, outcomes, side effects, warnings, quotes, titles, authors.

    A treatment or condition itself comes before records about it, and those before records that only mention it. All
    words must match; where no record has them all, those with most of them are given (`matched: some`). A word that no
    record holds is taken for the nearest word of a name (`corrected`), and a name also finds the other names of the
    same thing (`followed`).
    Warnings of a class are found by the names of its products, too.
    A query without searchable words gives no records.
    """
    read = json_read(request, SearchQuestion)
    narrowing = {name: ids for name in NARROWING if (ids := getattr(params, name))}
    query = SearchQuery(
        text=params.q,
        kinds=tuple(params.kind or ()),
        narrowing=narrowing,
        limit=params.limit,
        cursor=params.cursor or None,
        fields=split(params.fields),
        include=split(params.include),
        facets=split(params.facet),
        release=params.release,
    )
    content, following = await read.fetch(lambda connection: read_search(connection, query, read.address))
    return read.answer(content, following=following)


@router.get(
    "/suggest",
    operation_id="list_suggestions",
    summary="Complete what a person is typing",
    document=documented(
        Suggestions,
        "Names that begin so, the best first.",
        NotFound,
        content=lambda: {JSON: {"example": _suggest_example()}},
    ),
)
async def suggest(request: Request, params: Annotated[SuggestQuestion, Parameters()]) -> Response:
    """Treatments, conditions, outcomes, and side-effect terms, also those of warnings, with a word that begins so.

    Small enough for each key press: ask from two letters on; a browser may keep the answer for a minute. When no
    name begins so, the nearest names are given.
    """
    read = json_read(request, SuggestQuestion)
    typed = Typed(params.q, tuple(params.kind or ()), params.limit)
    content = await read.fetch(lambda connection: read_suggestions(connection, typed, read.address), short=True)
    return read.answer(content)
