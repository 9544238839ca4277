"""The website: landing page, documentation, problem types; and files for programs, such as /llms.txt."""

from importlib.resources import files
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi import Query as Parameters
from markupsafe import Markup
from starlette.responses import Response

from app.errors import NotFound, nearest, problems
from app.formats.registry import LINKED_DATA
from app.json_codec import to_json
from app.models import RESOURCES
from app.pages.lists import dataset_document, landing_values
from app.pages.templates import ASSETS, asset, asset_named, page
from app.reports.record_page import read_landing
from app.web import etags
from app.web.html import PageParameters, page_answer, page_settings, prefers_linked_data
from app.web.late_routes import LateRouter
from app.web.negotiation import HTML
from app.web.read_source import database_of
from app.web.responses import JSON

DOCS_FILES = {"swagger-ui.css": "text/css; charset=utf-8", "swagger-ui-bundle.js": "text/javascript; charset=utf-8"}
EXAMPLE_QUERIES = (
    ("What is Botox, and which unit is it measured in?", "/v1/treatments/onabotulinumtoxina"),
    (
        "Where is it approved for chronic migraine?",
        "/v1/approvals?treatment=onabotulinumtoxina&condition=chronic-migraine",
    ),
    (
        "Was that an approved use in the United States on 14 October 2010?",
        "/v1/regulatory-status?treatment=onabotulinumtoxina&condition=chronic-migraine&jurisdiction=US&on=2010-10-14",
    ),
    ("Which intervals are 12 weeks or less?", "/v1/dosing-intervals?interval_days_lte=84&sort=interval_days"),
    ("Which side effects are very common?", "/v1/side-effects?frequency=very-common&sort=-percent"),
    (
        "What did trials find in chronic low back pain?",
        "/v1/study-results?condition=chronic-low-back-pain&include=study,sources",
    ),
    ("Where do its records not fit together?", "/v1/gaps?treatment=onabotulinumtoxina"),
    ("Which claims of the article are contradicted?", "/v1/claims?verdict=contradicted"),
    (
        "Everything about one treatment, in one answer",
        "/v1/treatments/onabotulinumtoxina/dossier?condition=chronic-migraine",
    ),
)

router = LateRouter(tags=["Service"])


def _settings(request: Request) -> Any:
    return request.app.state.settings


@router.get("/", include_in_schema=False)
async def landing(request: Request, params: Annotated[PageParameters, Parameters()]) -> Response:  # noqa: ARG001  # refuses a release that has no name
    """The landing page; the dataset as JSON-LD where the Accept header prefers it."""
    where = page_settings(request)
    found = await database_of(request).fetch(read_landing)
    linked = dataset_document(found.as_of, where)
    if prefers_linked_data(request):
        return etags.response_with_etag(request, linked.encode(), LINKED_DATA)
    values = landing_values(found, where) | {"tries": EXAMPLE_QUERIES, "linked": Markup(linked)}  # noqa: S704  # `<` is escaped
    return await page_answer(request, "landing.html", values)


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """Swagger UI for /openapi.json."""
    return etags.response_with_etag(request, page("docs.html", {}), HTML)


@router.get("/docs/{name}", include_in_schema=False)
async def docs_file(request: Request, name: str) -> Response:
    """The static files of Swagger UI, from the package `fastapi_swagger`."""
    if name == "start.js":
        return etags.response_with_etag(request, asset(name), DOCS_FILES["swagger-ui-bundle.js"])
    if name not in DOCS_FILES:
        raise NotFound(f"There is no page /docs/{name}.")
    content = (files("fastapi_swagger") / "resources" / name).read_bytes()
    return etags.response_with_etag(request, content, DOCS_FILES[name])


@router.get("/assets/{name}", include_in_schema=False)
async def page_asset(request: Request, name: str) -> Response:
    """A static asset of pages: cached for ever under a name with its hash, for a minute under its plain name."""
    found = asset_named(name)
    if found is None:
        raise NotFound(f"There is no page /assets/{name}.")
    file, is_lasting = found
    answer = etags.response_with_etag(request, asset(file), ASSETS[file])
    if is_lasting:
        answer.headers["Cache-Control"] = etags.FOR_EVER
    return answer


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document."""
    return etags.response_with_etag(request, to_json(request.app.openapi()), JSON)


@router.get("/problems", include_in_schema=False)
async def problem_index(request: Request) -> Response:
    """The list of all problem types."""
    return await page_answer(request, "problems.html", {"problems": list(problems())})


@router.get("/problems/{name}", include_in_schema=False)
async def problem_page(request: Request, name: Annotated[str, Path(max_length=100)]) -> Response:
    """One problem type: its meaning and what to do about it."""
    kinds = {kind.name: kind for kind in problems()}
    if name not in kinds:
        close = nearest(name, kinds)
        raise NotFound(f"There is no problem {name!r}." + (f" Did you mean {close!r}?" if close else ""))
    values = {"problem": kinds[name], "public_url": _settings(request).public_url}
    return await page_answer(request, "problem.html", values)


@router.get("/llms.txt", include_in_schema=False)
async def llms(request: Request) -> Response:
    """The service described in plain text for language models (llmstxt.org)."""
    summaries = {plural: row.summary() for plural, row in RESOURCES.items()}
    values = {"public_url": _settings(request).public_url, "resources": summaries, "tries": EXAMPLE_QUERIES}
    return etags.response_with_etag(request, page("llms.txt", values), "text/plain; charset=utf-8")
