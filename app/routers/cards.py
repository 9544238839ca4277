"""Records as cards: a few lines of text, ready to be shown in another page."""

from functools import partial
from typing import Annotated, Any

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from app.errors import Gone, NotFound
from app.fields import singular
from app.models.base import Row
from app.pages.cards import Card
from app.reports.cards import EMBEDDED, SYNTHESES
from app.routers.syntheses import InputHash
from app.store.read.query import ReadParameters
from app.web import etags
from app.web.embeds import shown_record, shown_synthesis
from app.web.late_routes import Endpoint, LateRouter, record_id
from app.web.negotiation import accepted, choose
from app.web.openapi.responses import documented
from app.web.responses import JSON

router = LateRouter(prefix="/v1", tags=["Cards"])


class CardParams(BaseModel):
    """Refuses every query parameter."""

    model_config = ConfigDict(extra="forbid")


def _card_of(row: type[Row], is_documented: bool) -> Endpoint:
    id_type = record_id(row, is_documented, f"The id of the {singular(row.plural).replace('_', ' ')}.")

    async def endpoint(
        request: Request,
        id: id_type,  # type: ignore[valid-type]  # made at run time; the path says {id}
        params: Annotated[ReadParameters, Parameters()],  # noqa: ARG001  # refuses other parameters
    ) -> Response:
        choose(accepted(request), [JSON])
        shown = await shown_record(request, row.plural, id)
        return etags.response_with_etag(request, shown.card.model_dump_json().encode(), JSON, version=shown.version)

    return endpoint


@router.get(
    f"/{SYNTHESES}/{{hash}}/card",
    operation_id="get_kept_synthesis_card",
    summary="Get a synthesis of a release as a card",
    document=documented(Card, "The card.", NotFound),
)
async def synthesis_card(request: Request, hash: InputHash, params: Annotated[CardParams, Parameters()]) -> Response:  # noqa: ARG001  # refuses parameters
    """The pooled answer in natural words with its interval, how many studies and people, what was accepted.

    `picture` is the forest plot. `marks` says when a source was retracted since, and when there is a newer release.
    """
    choose(accepted(request), [JSON])
    shown = await shown_synthesis(request, hash)
    return etags.response_with_etag(request, shown.card.model_dump_json().encode(), JSON, version=shown.version)


def _card_options(row: type[Row]) -> dict[str, Any]:
    name = singular(row.plural)
    return {
        "operation_id": f"get_{name}_card",
        "summary": f"Get a {name.replace('_', ' ')} as a card",
        "description": "What matters for trust, as plain text in a few lines: the facts with their numbers, regulatory "
        "status by jurisdiction, verdict and certainty, what a reader must know first, sources, how old the data is. "
        "The element `<treatment-evidence>` shows it; a front end of your own may, too.",
        **documented(Card, "The card.", NotFound, Gone)(),
    }


for _row in EMBEDDED.values():
    router.declare("GET", f"/{_row.plural}/{{id}}/card", partial(_card_of, _row), partial(_card_options, _row))
