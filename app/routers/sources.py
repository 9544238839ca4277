"""The documents that records cite; and a source's text with its claims marked, for a page that highlights them."""

from typing import Annotated

from fastapi import Path, Request
from fastapi import Query as Parameters
from starlette.responses import Response

from app.errors import Gone, InvalidParameter, NotAcceptable, NotFound
from app.models.sources import Source
from app.models.types import Slug
from app.reports.annotated import AnnotatedText, read_annotated
from app.store.read.query import ReadParameters
from app.web import etags
from app.web.negotiation import accepted, choose
from app.web.openapi.responses import HEADERS, MOVED, problem_responses
from app.web.read_source import database_of
from app.web.resources import resource_router
from app.web.responses import JSON

router = resource_router(Source, tag="Sources")


@router.get(
    "/sources/{id}/annotated",
    operation_id="get_annotated_source",
    summary="Get a source's text with its claims marked",
    response_model=AnnotatedText,
    responses={
        200: {"description": "The text in order.", "headers": HEADERS},
        **MOVED,
        **problem_responses(NotFound, Gone, NotAcceptable, InvalidParameter),
    },
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
    choose(accepted(request), [JSON])
    content = await database_of(request).fetch(lambda connection: read_annotated(connection, id))
    return etags.response_with_etag(request, content, JSON)
