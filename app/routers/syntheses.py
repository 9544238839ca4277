"""Pool the numbers of studies: a calculator for reviewers."""

from typing import Annotated, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi import Query as Parameters
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.responses import Response

from app.accept import accepted, choose
from app.answers import JSON, refuse_repeated
from app.bodies import json_body, parse, read_body
from app.calculator.answer import analysis_of, csv_of, synthesis_of
from app.calculator.plots import forest_of, funnel_of
from app.calculator.request import EXAMPLE, SynthesisRequest
from app.calculator.schemas import Synthesis
from app.errors import (
    ContentTooLarge,
    InvalidBody,
    InvalidParameter,
    NotAcceptable,
    RequestTimeout,
    Unavailable,
    UnsupportedMediaType,
)
from app.resources import HEADERS, problem_responses

CSV, SVG = "text/csv; charset=utf-8", "image/svg+xml"
MEDIA_TYPES = {"json": JSON, "csv": CSV, "svg": SVG}
PLOTS = {"forest": forest_of, "funnel": funnel_of}

_at_once = CapacityLimiter(1)
"""One synthesis is computed at a time in a process; others wait, reads do not."""
MOST_WAITING = 20

router = APIRouter(prefix="/v1", tags=["Syntheses"])


class SynthesisShape(BaseModel):
    """The query parameters of a synthesis: how it is answered."""

    model_config = ConfigDict(extra="forbid")
    format: Literal["json", "csv", "svg"] | None = Field(
        None, description="`json`, `csv` or `svg`; goes before the Accept header."
    )
    plot: Literal["forest", "funnel"] | None = Field(
        None, description="Which plot an SVG shows; `forest` unless told. It needs SVG."
    )


@router.post(
    "/syntheses",
    operation_id="create_synthesis",
    summary="Pool studies",
    response_model=Synthesis,
    openapi_extra=json_body(SynthesisRequest, {"made-up": {"value": EXAMPLE}}),
    responses={
        200: {
            "description": "The pooled result, each study, and what the result hangs on.",
            "headers": {"Dataset-Revision": HEADERS["Dataset-Revision"]},
            "content": {"text/csv": {"schema": {"type": "string"}}, SVG: {"schema": {"type": "string"}}},
        },
        **problem_responses(NotAcceptable, RequestTimeout, ContentTooLarge, UnsupportedMediaType, InvalidBody),
    },
)
async def create_synthesis(request: Request, asked: Annotated[SynthesisShape, Parameters()]) -> Response:
    """Pool the effects of up to 1,000 studies that you send; nothing is stored and no key is needed.

    Estimates, intervals and tests agree with R metafor. `estimate`, `se` and the intervals are on the scale of the
    analysis (ratios are natural logarithms); `display` holds the same as people read it. Empty cells get ½ as metafor
    does by default, and `notes` says so. `also` adds leave-one-out, cumulative, subgroups, Egger's test, trim and fill.

    As SVG it is a forest plot, or with `plot=funnel` a funnel plot; `title`, `arm1`, `arm2` and `direction` name their
    parts.
    """
    refuse_repeated(request, SynthesisShape)
    offered = choose(accepted(request), list(MEDIA_TYPES.values())) if asked.format is None else None
    media_type = offered or MEDIA_TYPES[asked.format or "json"]
    if asked.plot is not None and media_type != SVG:
        detail = "plot needs format=svg"
        raise InvalidParameter(f"{detail}.", errors=[{"parameter": "plot", "detail": detail}])
    if _at_once.statistics().tasks_waiting >= MOST_WAITING:
        raise Unavailable("Too many syntheses wait already.", headers={"Retry-After": "5"})
    content = await read_body(request)
    answered = await to_thread.run_sync(_answer, content, media_type, asked.plot or "forest", limiter=_at_once)
    return Response(answered, media_type=media_type, headers={"Cache-Control": "no-store"})


def _answer(content: bytes, media_type: str, plot: str) -> bytes:
    """The whole answer to a body; it takes up to a second, and so it has a thread of its own."""
    asked = parse(SynthesisRequest, content)
    analysis = analysis_of(asked)
    synthesis = synthesis_of(asked, analysis)
    if media_type == SVG:
        return PLOTS[plot](asked, analysis, synthesis).encode()
    return to_json(synthesis) if media_type == JSON else csv_of(synthesis).encode()
