"""Treatments side by side: what compared them directly, what only through a third."""

import re
from typing import Annotated

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from starlette.responses import Response

from app.errors import Gone, NotFound
from app.evidence.comparability import WINDOW_DAYS
from app.json_codec import PydanticCustomError
from app.models.study_results import COMPARATORS, StudyResultRecord
from app.models.types import LONGEST_SLUG, SLUG_PATTERN, Slug
from app.reports.comparison import Comparison, read_comparison
from app.store.examples import seed_records
from app.store.read.query import ReadParameters
from app.web.late_routes import LateRouter
from app.web.openapi.responses import documented
from app.web.read_context import json_read

FEWEST, MOST = 2, 5
ID = re.compile(SLUG_PATTERN)
_ID_PATTERN = SLUG_PATTERN.strip("^$")

router = LateRouter(prefix="/v1", tags=["Comparisons"])


def _comma_list(value: str) -> str:
    names = value.split(",")
    if not FEWEST <= len(names) <= MOST or not all(ID.fullmatch(name) for name in names):
        message = "this takes {fewest} to {most} ids of treatments, with commas between them"
        raise PydanticCustomError("no_comma_list", message, {"fewest": FEWEST, "most": MOST})
    if len(set(names)) != len(names):
        raise PydanticCustomError("name_twice", "a treatment stands there twice")
    return value


def _example() -> StudyResultRecord:
    """The first result of the seed that compares two of our treatments."""
    results = (record for record in seed_records().values() if isinstance(record, StudyResultRecord))
    return next(result for result in results if result.comparator not in {None, *COMPARATORS})


_EXAMPLE = _example()
COMMA_LIST_SCHEMA = {
    "type": "string",
    "pattern": rf"^{_ID_PATTERN}(,{_ID_PATTERN}){{{FEWEST - 1},{MOST - 1}}}$",
    "examples": [f"{_EXAMPLE.treatment},{_EXAMPLE.comparator}"],
}


class ComparisonQuestion(ReadParameters):
    """The query parameters of a comparison."""

    treatments: Annotated[
        str,
        StringConstraints(max_length=MOST * (LONGEST_SLUG + 1)),
        AfterValidator(_comma_list),
        WithJsonSchema(COMMA_LIST_SCHEMA),
    ] = Field(description=f"The ids of {FEWEST} to {MOST} treatments, as a comma list, each once.")
    condition: Slug = Field(description="The condition's id.", examples=[_EXAMPLE.condition])
    window_days: float = Field(
        WINDOW_DAYS, ge=0, le=36_500, description="How many days apart the time frames of results may lie."
    )


@router.get(
    "/compare",
    operation_id="get_comparison",
    summary="See treatments side by side",
    document=documented(Comparison, "Direct and indirect evidence, and what stands alone.", NotFound, Gone),
)
async def get_comparison(request: Request, params: Annotated[ComparisonQuestion, Parameters()]) -> Response:
    """Study results of 2 to 5 treatments for one condition, direct comparisons apart from indirect ones.

    Each group says whether its rows may be compared with each other, and each reason against it with the results on
    both sides; a row without an effect says why. Nothing is ranked, and doses are never compared across products.
    """
    read = json_read(request, ComparisonQuestion)
    content = await read.fetch(
        lambda connection: read_comparison(
            connection,
            params.treatments.split(","),
            params.condition,
            window_days=params.window_days,
            address=read.address,
        )
    )
    return read.answer(content)
