"""Pool the results of studies: ours with their sources, or the numbers that you send."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal, get_args

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import FastAPI, Path, Request
from fastapi import Query as Parameters
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from app.db.database import Database
from app.errors import (
    ContentTooLarge,
    Gone,
    InvalidBody,
    InvalidParameter,
    NotAcceptable,
    NotComparable,
    NotFound,
    RequestTimeout,
    Unavailable,
    UnsupportedMediaType,
)
from app.evidence.calculator.answer import analysis_of, csv_of, synthesis_of
from app.evidence.calculator.plots import forest_of, funnel_of
from app.evidence.calculator.request import EXAMPLE, SynthesisRequest
from app.evidence.calculator.schemas import Synthesis
from app.json_codec import to_json
from app.reports.synthesis.answer import Answered, example_answer, gather, pooled_answer
from app.reports.synthesis.archive import compress_forms, decompress_forms, find_archived, read_archived
from app.reports.synthesis.content import Gathered, without_permalink
from app.reports.synthesis.formats import Form, rendered_answer
from app.reports.synthesis.question import EvidenceQuestion
from app.reports.synthesis.schemas import EvidenceSynthesis
from app.store.write.syntheses import archive_synthesis
from app.web import etags
from app.web.bodies import json_body, parse, read_body
from app.web.late_routes import LateRouter
from app.web.negotiation import accepted, choose
from app.web.openapi.responses import HEADERS, documented, problem_responses
from app.web.parameters import refuse_repeated
from app.web.read_source import ReleaseReads, answered_from, database_of
from app.web.responses import JSON

CSV, SVG = "text/csv; charset=utf-8", "image/svg+xml"
MEDIA_TYPES = {"json": JSON, "csv": CSV, "svg": SVG}
PLOTS = {"forest": forest_of, "funnel": funnel_of}

_at_once = CapacityLimiter(1)
"""One synthesis is computed at a time in a process; others wait, reads do not."""
MOST_WAITING = 20
"""Most requests that wait for the computation; further ones get a 503."""
FORMS: tuple[Form, ...] = get_args(Form)
ARCHIVED_CACHE_CONTROL = "public, max-age=86400"
"""Cache-Control of an archived synthesis: a day, so that a retraction shows in `Source-Status` a day later at most."""
LONGEST_ARCHIVING_SECONDS = 2.0
"""Longest wait for archiving an answer; after it the response is sent without a permalink."""
STATUS_HEADERS = {
    "Source-Status": {
        "description": "The worst status today among the sources of the results: `current`, `corrected`, `concern` or "
        "`retracted`.",
        "schema": {"type": "string"},
    },
    "Link": {"description": 'The same question today, as `rel="latest-version"`.', "schema": {"type": "string"}},
}
_EXAMPLE = example_answer()
_OTHER_FORMATS: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}, SVG: {"schema": {"type": "string"}}}

InputHash = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    Path(description="The `input_hash` of the answer.", examples=[_EXAMPLE.content["input_hash"]]),
]

router = LateRouter(prefix="/v1", tags=["Syntheses"])


class SynthesisParams(BaseModel):
    """The query parameters of a synthesis: the format of the response."""

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
            "description": "The pooled result, each study, and the sensitivity analyses.",
            "headers": {"Dataset-Revision": HEADERS["Dataset-Revision"]},
            "content": _OTHER_FORMATS,
        },
        **problem_responses(NotAcceptable, RequestTimeout, ContentTooLarge, UnsupportedMediaType, InvalidBody),
    },
)
async def create_synthesis(request: Request, params: Annotated[SynthesisParams, Parameters()]) -> Response:
    """Pool the effects of up to 1,000 studies that you send; nothing is stored and no key is needed.

    Estimates, intervals and tests agree with R metafor. `estimate`, `se` and the intervals are on the scale of the
    analysis (ratios are natural logarithms); `display` holds the same as people read it. Empty cells get ½ as metafor
    does by default, and `notes` says so. `also` adds leave-one-out, cumulative, subgroups, Egger's test, trim and fill.

    As SVG it is a forest plot, or with `plot=funnel` a funnel plot; `title`, `arm1`, `arm2` and `direction` name their
    parts.
    """
    refuse_repeated(request, SynthesisParams)
    media_type = _media_type(request, params)
    _refuse_when_busy()
    content = await read_body(request)
    rendered = await to_thread.run_sync(
        _pool_request_body, content, media_type, params.plot or "forest", limiter=_at_once
    )
    return Response(rendered, media_type=media_type, headers={"Cache-Control": "no-store"})


def _media_type(request: Request, params: SynthesisParams | EvidenceQuestion) -> str:
    """The media type of the response, from `format` or Accept; InvalidParameter for a plot that is not SVG."""
    offered = choose(accepted(request), list(MEDIA_TYPES.values())) if params.format is None else None
    media_type = offered or MEDIA_TYPES[params.format or "json"]
    if params.plot is not None and media_type != SVG:
        detail = "plot needs format=svg"
        raise InvalidParameter(f"{detail}.", errors=[{"parameter": "plot", "detail": detail}])
    return media_type


def _refuse_when_busy() -> None:
    if _at_once.statistics().tasks_waiting >= MOST_WAITING:
        raise Unavailable("Too many syntheses wait already.", headers={"Retry-After": "5"})


def _pool_request_body(content: bytes, media_type: str, plot: str) -> bytes:
    """Parse the request body and render the response; runs in a thread, because it takes up to a second."""
    request_body = parse(SynthesisRequest, content)
    analysis = analysis_of(request_body)
    synthesis = synthesis_of(request_body.captions(), analysis)
    if media_type == SVG:
        return PLOTS[plot](request_body.captions(), analysis, synthesis).encode()
    return to_json(synthesis) if media_type == JSON else csv_of(synthesis).encode()


# Over our own study results


@router.get(
    "/syntheses",
    operation_id="get_evidence_synthesis",
    summary="Pool our study results",
    document=documented(
        EvidenceSynthesis,
        "The pooled result with every result that counts and every one that does not.",
        NotFound,
        Gone,
        NotComparable,
        content=lambda: {JSON: {"example": to_json(_EXAMPLE.content).decode()}, **_OTHER_FORMATS},
    ),
)
async def get_evidence_synthesis(request: Request, params: Annotated[EvidenceQuestion, Parameters()]) -> Response:
    """Our study results on one question, pooled where they may be: each with its numbers, source and weight.

    Results that must not be pooled are refused (`not-comparable`): each reason names the results on both sides and what
    would be right. `accept` names the reasons that you accept; the answer lists them as `caveats`. One study is
    shown, not pooled. Results that do not count are under `excluded` with their reasons.

    With `release=` the answer has an address of its own, `links.permalink`, which gives the same bytes for ever. As SVG
    it is a forest plot, or with `plot=funnel` a funnel plot; `audience` adds the answer in words.
    """
    refuse_repeated(request, EvidenceQuestion)
    media_type = _media_type(request, params)
    _refuse_when_busy()
    form = _form(media_type, params.plot)
    public_url = str(request.app.state.settings.public_url)
    gathered = await database_of(request).fetch(lambda connection: gather(connection, params, public_url))
    forms = (form,) if params.release is None else FORMS
    computed, shown_as = await to_thread.run_sync(_compute_synthesis, gathered, forms, limiter=_at_once)
    content = shown_as[form]
    if params.release is not None:
        archived = await _find_or_archive(request.app, computed.content["input_hash"], params.release, shown_as)
        bare = replace(computed, content=without_permalink(computed.content, gathered))
        content = archived[form].encode() if archived else rendered_answer(bare, form)
    return etags.response_with_etag(request, content, media_type)


@router.get(
    "/syntheses/{hash}",
    operation_id="get_kept_synthesis",
    summary="Get a synthesis of a release again",
    document=documented(
        EvidenceSynthesis,
        "The same bytes as when it was first answered.",
        NotFound,
        content=lambda: {JSON: {"example": to_json(_EXAMPLE.content).decode()}, **_OTHER_FORMATS},
        headers=STATUS_HEADERS,
    ),
)
async def get_kept_synthesis(
    request: Request,
    hash: InputHash,
    params: Annotated[SynthesisParams, Parameters()],
) -> Response:
    """A synthesis of a release, byte for byte as it was first answered, whatever became of the dataset since.

    `Source-Status` is the worst status of its sources today: `retracted` when one of them was retracted. The Link
    with `rel="latest-version"` asks the same question today.
    """
    refuse_repeated(request, SynthesisParams)
    media_type = _media_type(request, params)
    database: Database = request.app.state.database
    archived = await database.fetch(lambda connection: read_archived(connection, hash))
    answered_from(request, await request.app.state.releases.row(archived.release))
    links = [f'<{archived.live}>; rel="latest-version"']
    answer = etags.response_with_etag(
        request, archived.forms[_form(media_type, params.plot)].encode(), media_type, links=links
    )
    answer.headers["Cache-Control"] = ARCHIVED_CACHE_CONTROL
    answer.headers["Source-Status"] = archived.source_status
    return answer


async def archive_answer(request: Request, params: EvidenceQuestion, release: str) -> str:
    """Compute a synthesis over a release and archive it; returns its input hash. Unavailable where archiving fails."""
    _refuse_when_busy()
    public_url, question = str(request.app.state.settings.public_url), params.model_copy(update={"release": release})
    gathered = await ReleaseReads(request, release).fetch(lambda connection: gather(connection, question, public_url))
    computed, forms = await to_thread.run_sync(_compute_synthesis, gathered, FORMS, limiter=_at_once)
    digest: str = computed.content["input_hash"]
    if await _find_or_archive(request.app, digest, release, forms) is None:
        raise Unavailable("This answer cannot be kept just now.", headers={"Retry-After": "5"})
    return digest


def _form(media_type: str, plot: Literal["forest", "funnel"] | None) -> Form:
    return plot or "forest" if media_type == SVG else "json" if media_type == JSON else "csv"


def _compute_synthesis(gathered: Gathered, forms: Sequence[Form]) -> tuple[Answered, dict[Form, bytes]]:
    """Compute a synthesis and render it in `forms`; runs in a thread, because it takes up to a second."""
    computed = pooled_answer(gathered)
    return computed, {form: rendered_answer(computed, form) for form in forms}


async def _find_or_archive(app: FastAPI, digest: str, release: str, forms: dict[Form, bytes]) -> dict[Form, str] | None:
    """The archived answer for an input hash, archiving this one if there is none; None where that fails."""
    database: Database = app.state.database
    try:
        found = await database.fetch(lambda connection: find_archived(connection, digest))
        if found is None:
            with fail_after(LONGEST_ARCHIVING_SECONDS):
                archive = partial(archive_synthesis, database, digest, release, compress_forms(forms))
                found = await app.state.queue.submit(archive)
    except (Unavailable, TimeoutError):
        return None  # reads still work where the database cannot be written to
    return None if found is None else decompress_forms(found)
