"""Cards for frames, SVG badges, and the scripts that third-party pages load."""

from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from app.errors import Gone, Moved, NotFound, Problem
from app.formats.badge import badge_svg
from app.json_codec import to_json
from app.pages.badges import Badge, badge_of
from app.pages.embed_assets import ELEMENT, RESIZER, current, scripts
from app.web import etags
from app.web.embeds import View, card_answer, moved_answer, problem_card, shown_record, view_of
from app.web.late_routes import LateRouter
from app.web.responses import JSON

SVG = "image/svg+xml"
SCRIPT = "text/javascript; charset=utf-8"
router = LateRouter(tags=["Pages"])
Step = Annotated[str, Path(max_length=500)]


@router.get("/embed/element.json", include_in_schema=False)
async def embed_scripts(request: Request) -> Response:
    """The URLs of the newest scripts, each with its Subresource Integrity hash."""
    home = request.app.state.settings.public_url
    content = {
        word: {"src": home + current(name).path, "integrity": current(name).integrity, "crossorigin": "anonymous"}
        for word, name in (("element", ELEMENT), ("resizer", RESIZER))
    }
    return etags.response_with_etag(request, to_json(content), JSON)


@router.get("/embed/v1/{name}", include_in_schema=False)
async def embed_script(request: Request, name: Step) -> Response:
    """A script under the hash of its content, cached for ever; NotFound for an unknown hash."""
    known = scripts()
    if request.url.path not in known:
        newest = ", ".join(current(file).path for file in (ELEMENT, RESIZER))
        raise NotFound(f"There is no script {name!r}. The newest ones are {newest}.")
    answer = etags.response_with_etag(request, known[request.url.path].content, SCRIPT)
    answer.headers["Cache-Control"] = etags.FOR_EVER
    return answer


@router.get("/embed/{plural}/{id}", include_in_schema=False)
async def embed_card(request: Request, plural: Step, id: Step) -> Response:
    """A record as an HTML card for a frame; a problem is rendered as a card, too."""
    view = View()
    try:
        view = view_of(request.query_params)
        shown = await shown_record(request, plural, id)
    except Moved as moved:
        return moved_answer(request, moved, f"/embed/{plural}/{{}}")
    except Problem as problem:
        return problem_card(request, problem, view)
    return card_answer(request, "card.html", {"card": shown.card, "drawing": shown.drawing, "view": view})


@router.get("/badge/{plural}/{id}.svg", include_in_schema=False)
async def badge(request: Request, plural: Step, id: Step) -> Response:
    """A record as an SVG badge; a problem, such as an unknown record, is rendered as a badge, too."""
    try:
        shown = await shown_record(request, plural, id)
    except Moved as moved:
        return moved_answer(request, moved, f"/badge/{plural}/{{}}.svg")
    except Problem as problem:
        headers = {"Cache-Control": "no-store", **problem.headers}
        return Response(
            _badge_bytes(_problem_badge(problem)), status_code=problem.status, media_type=SVG, headers=headers
        )
    return etags.response_with_etag(request, _badge_bytes(badge_of(shown.card, shown.record)), SVG)


def _badge_bytes(badge: Badge) -> bytes:
    return badge_svg(badge.label, badge.message, badge.tone, title=badge.title, description=badge.description).encode()


def _problem_badge(problem: Problem) -> Badge:
    message = "withdrawn" if isinstance(problem, Gone) else problem.title.lower()
    message = "unknown record" if isinstance(problem, NotFound) else message
    return Badge("treatment evidence", message, "plain", f"Treatment evidence: {message}", problem.detail)
