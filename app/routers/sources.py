"""The documents that records cite; and a source's text with its claims marked, for a page that highlights them."""

from typing import Annotated

from fastapi import Path, Request
from fastapi import Query as Parameters
from starlette.responses import Response

from app.errors import Gone, NotFound
from app.models.sources import Source
from app.models.types import Slug
from app.reports.annotated import AnnotatedText, read_annotated
from app.store.read.query import ReadParameters
from app.web.openapi.responses import documented
from app.web.read_context import json_read
from app.web.resources import resource_router

router = resource_router(Source, tag="Sources")


@router.get(
    "/sources/{id}/annotated",
    operation_id="get_annotated_source",
    summary="Get a source's text with its claims marked",
    document=documented(AnnotatedText, "The text in order.", NotFound, Gone),
)
async def get_annotated_source(
    request: Request,
    id: Annotated[Slug, Path(description="The source's id.", examples=["metropolmed-botox-neck-back-pain"])],
    params: Annotated[ReadParameters, Parameters()],  # noqa: ARG001  # refuses other parameters
) -> Response:
    """The text in segments, each with the claims that it belongs to, so that a page can colour them by verdict.

    Of a text that we may not serve (`text_served: quotes-only`), segments between claims have a position and no text.
    404 for a source without a stored text.
    """
    read = json_read(request, ReadParameters)
    content = await read.fetch(lambda connection: read_annotated(connection, id))
    return read.answer(content)
