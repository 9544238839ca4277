"""Treatments; the dossier, a whole page in one response; and the completeness of the records."""

from typing import Annotated

from fastapi import Path, Request
from fastapi import Query as Parameters
from pydantic import Field
from starlette.responses import Response

from app.errors import Gone, NotFound
from app.models.treatments import Treatment
from app.models.types import Slug
from app.reports.completeness import Completeness, read_completeness
from app.reports.dossier import dossier_model, read_dossier
from app.store.read.query import ReadParameters
from app.web.openapi.responses import documented
from app.web.read_context import json_read
from app.web.resources import resource_router

router = resource_router(Treatment, tag="Treatments")


class TreatmentReportParams(ReadParameters):
    """The query parameters of the reports on a treatment: dossier and completeness."""

    condition: Slug | None = Field(
        None,
        description="Only what concerns this condition, and what holds for all conditions.",
        examples=["chronic-migraine"],
    )


TreatmentId = Annotated[Slug, Path(description="The id of the treatment.", examples=["onabotulinumtoxina"])]


@router.get(
    "/treatments/{id}/dossier",
    operation_id="get_treatment_dossier",
    summary="Get everything known of one treatment",
    document=documented(dossier_model, "The dossier.", NotFound, Gone),
)
async def get_treatment_dossier(
    request: Request,
    id: TreatmentId,  # the path says {id}
    params: Annotated[TreatmentReportParams, Parameters()],
) -> Response:
    """A whole page in one answer: the treatment, its records of every kind, and all that they mention.

    Records of the class that the treatment belongs to are apart, under `inherited`, so that nobody takes them for the
    product's own. Each list has at most 200 records and the URL of the rest.
    """
    read = json_read(request, TreatmentReportParams)
    content = await read.fetch(lambda connection: read_dossier(connection, id, params.condition, read.address))
    return read.answer(content)


@router.get(
    "/treatments/{id}/completeness",
    operation_id="get_treatment_completeness",
    summary="See what is known, missing or never looked for",
    document=documented(Completeness, "The report.", NotFound, Gone),
)
async def get_treatment_completeness(
    request: Request,
    id: TreatmentId,  # the path says {id}
    params: Annotated[TreatmentReportParams, Parameters()],
) -> Response:
    """Field by field: how many records have a value, how many have none and why, and where nobody has looked.

    A resource without records was `never-looked`, unless a search is on record that found none. Searches that left a
    claim undecided are listed, too. Doses are counted here, never summed.
    """
    read = json_read(request, TreatmentReportParams)
    content = await read.fetch(lambda connection: read_completeness(connection, id, params.condition))
    return read.answer(content)
