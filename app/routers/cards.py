"""Records as cards: a few lines of text, ready to be shown in another page."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi import Query as Parameters
from starlette.responses import Response

from app import cache
from app.accept import accepted, choose
from app.answers import JSON
from app.embedding import shown_record
from app.errors import Gone, InvalidParameter, NotAcceptable, NotFound
from app.examples import example_of
from app.fields import singular
from app.models.base import Row
from app.models.types import Slug
from app.query import Reading
from app.reports.cards import EMBEDDED
from app.resources import HEADERS, MOVED, problem_responses
from app.views.cards import Card

router = APIRouter(prefix="/v1", tags=["Cards"])


def _card_of(row: type[Row]) -> Callable[..., Awaitable[Response]]:
    noun = singular(row.plural).replace("_", " ")

    async def endpoint(
        request: Request,
        id: Annotated[Slug, Path(description=f"The id of the {noun}.", examples=[example_of(row)["id"]])],
        asked: Annotated[Reading, Parameters()],  # noqa: ARG001  # refuses other parameters
    ) -> Response:
        choose(accepted(request), [JSON])
        shown = await shown_record(request, row.plural, id)
        return cache.answer(request, shown.card.model_dump_json().encode(), JSON, version=shown.version)

    return endpoint


for _row in EMBEDDED.values():
    _name = singular(_row.plural)
    router.add_api_route(
        f"/{_row.plural}/{{id}}/card",
        _card_of(_row),
        methods=["GET"],
        operation_id=f"get_{_name}_card",
        summary=f"Get a {_name.replace('_', ' ')} as a card",
        description="What matters for trust, as plain text in a few lines: the facts with their numbers, regulatory "
        "status by jurisdiction, verdict and certainty, what a reader must know first, sources, how old the data is. "
        "The element `<treatment-evidence>` shows it; a front end of your own may, too.",
        response_model=Card,
        responses={
            200: {"description": "The card.", "headers": HEADERS},
            **MOVED,
            **problem_responses(NotFound, Gone, NotAcceptable, InvalidParameter),
        },
    )
