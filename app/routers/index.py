"""The index of the API: resources with their URLs, dataset revision, licence and disclaimer."""

from typing import Annotated

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app import DISCLAIMER, LICENCE, __version__
from app.errors import NotFound
from app.models import RESOURCES
from app.store.read.query import ReadParameters
from app.store.read.records import totals
from app.web.late_routes import LateRouter
from app.web.openapi.responses import documented
from app.web.read_context import json_read

router = LateRouter(prefix="/v1", tags=["Index"])


class ResourceEntry(BaseModel):
    """One resource of the API."""

    name: str = Field(description="The resource's name, as in the URL and in `kind`.")
    summary: str = Field(description="What one of its records is.")
    url: str = Field(description="The URL of its list.")
    total: int = Field(description="How many records it has.")


class Index(BaseModel):
    """The index of the API."""

    version: str = Field(description="The version of the program.")
    revision: int = Field(description="The dataset's revision.")
    licence: str = Field(description="The licence of the records.")
    disclaimer: str = Field(description="The disclaimer: information, not medical advice.")
    changes: str = Field(description="The URL of the change feed, for mirrors and subscribers.")
    documentation: str = Field(description="The URL of the documentation for people.")
    openapi: str = Field(description="The URL of the OpenAPI document.")
    releases: str = Field(description="The URL of the releases: copies of the dataset that never change.")
    resources: list[ResourceEntry] = Field(description="Every resource, by name.")


@router.get(
    "",
    operation_id="get_index",
    summary="See what there is",
    document=documented(Index, "The index.", NotFound),
)
async def get_index(request: Request, params: Annotated[ReadParameters, Parameters()]) -> Response:  # noqa: ARG001  # refuses other parameters
    """Every resource with its address and its number of records, the dataset's revision, the licence."""
    read = json_read(request, ReadParameters)
    counts = await read.fetch(totals)
    root = request.app.state.settings.public_url
    entries = [
        ResourceEntry(name=plural, summary=row.summary(), url=read.address(f"/v1/{plural}"), total=counts[plural])
        for plural, row in RESOURCES.items()
    ]
    content = Index(
        version=__version__,
        revision=request.scope["revision"],
        licence=LICENCE,
        disclaimer=DISCLAIMER,
        changes=f"{root}/v1/changes",
        documentation=f"{root}/docs",
        openapi=f"{root}/openapi.json",
        releases=f"{root}/v1/releases",
        resources=entries,
    )
    return read.answer(content)
