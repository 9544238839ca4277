"""What is given: classes of products, products, procedures; and the dossier, a whole page in one answer."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi import Query as Parameters
from pydantic import Field
from starlette.responses import Response

from app import cache
from app.accept import accepted, choose
from app.answers import JSON, address_of, database_of, refuse_repeated
from app.dossier import Dossier, read_dossier
from app.errors import InvalidParameter, NotAcceptable, NotFound
from app.models.treatments import Treatment
from app.models.types import Slug
from app.query import Reading
from app.resources import HEADERS, problem_responses, resource_router

router: APIRouter = resource_router(Treatment, tag="Treatments")


class DossierShown(Reading):
    """The query parameters of a dossier."""

    condition: Slug | None = Field(
        None,
        description="Only what concerns this condition, and what holds for all conditions.",
        examples=["chronic-migraine"],
    )


@router.get(
    "/treatments/{id}/dossier",
    operation_id="get_treatment_dossier",
    summary="Get everything known of one treatment",
    response_model=Dossier,
    responses={
        200: {"description": "The dossier.", "headers": HEADERS},
        **problem_responses(NotFound, NotAcceptable, InvalidParameter),
    },
)
async def get_treatment_dossier(
    request: Request,
    id: Annotated[
        Slug, Path(description="The id of the treatment.", examples=["onabotulinumtoxina"])
    ],  # the path says {id}
    asked: Annotated[DossierShown, Parameters()],
) -> Response:
    """A whole page in one answer: the treatment, its records of every kind, and all that they mention.

    Records of the class that the treatment belongs to stand apart, under `inherited`, so that nobody takes them for the
    product's own. Each list holds at most 200 records and says where the rest is.
    """
    choose(accepted(request), [JSON])
    refuse_repeated(request, DossierShown)
    content = await database_of(request).fetch(
        lambda connection: read_dossier(connection, id, asked.condition, partial(address_of, request))
    )
    return cache.answer(request, content.encode(), JSON)
