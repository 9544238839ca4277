"""The embed builder: a page to pick a record and copy the code that embeds its card."""

from typing import Annotated, Any

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from app.errors import Moved, Problem
from app.pages.badges import badge_of
from app.pages.embed_code import FLUID, EmbedOptions, badge_address, frame_of_card, snippets
from app.pages.wording import titled
from app.reports.cards import EMBEDDABLE, SYNTHESES, read_choices
from app.web.embeds import THEMES, shown_record, view_of
from app.web.html import BLANK, PageParameters, page_answer
from app.web.late_routes import LateRouter
from app.web.path_classes import BUILDER, PAGE
from app.web.read_source import database_of

SIZES = (("280", "280 pixels"), ("400", "400 pixels"), ("600", "600 pixels"), (FLUID, "all there is"))
NO_RECORD_CHOSEN = (
    "No record is there to begin with.",
    "Paste the permalink of a synthesis, which its answer over a release names, or its hash.",
)
POLICY = f"{PAGE}; frame-src 'self'"
"""The Content-Security-Policy of a page, extended to frames of our own cards."""
router = LateRouter(tags=["Pages"])


Short = Annotated[str, Field(max_length=500)]


class BuilderParams(PageParameters):
    """The choices in the form; missing ones have defaults."""

    kind: Annotated[Short | None, BLANK] = None
    treatment: Annotated[Short | None, BLANK] = None
    id: Annotated[Short | None, BLANK] = None
    theme: Annotated[Short | None, BLANK] = None
    size: Annotated[Short | None, BLANK] = None
    lang: Annotated[Short | None, BLANK] = None


@router.get(BUILDER, include_in_schema=False)
async def builder(request: Request, params: Annotated[BuilderParams, Parameters()]) -> Response:
    """The form, with a preview of the chosen record's card and the code snippets; it works without JavaScript."""
    plural, record_id = _chosen_record(params)
    choices = await database_of(request).fetch(lambda connection: read_choices(connection, plural, params.treatment))
    size = params.size if params.size in dict(SIZES) else SIZES[2][0]
    release = None if plural == SYNTHESES else params.release  # a synthesis is of its own
    wish = EmbedOptions(plural, record_id or choices.first, params.theme or "auto", size, params.lang or "en", release)
    status, shown = await _preview(request, wish)
    values = {
        "kinds": [(word, titled(word)) for word in EMBEDDABLE],
        "treatments": choices.treatments,
        "treatment": params.treatment,
        "releases": choices.releases,
        "themes": THEMES,
        "sizes": SIZES,
        "wish": wish,
        **shown,
    }
    answer = await page_answer(request, "builder.html", values)
    answer.headers["Content-Security-Policy"] = POLICY
    if status != 200:
        answer.status_code = status
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _chosen_record(params: BuilderParams) -> tuple[str, str | None]:
    """Plural and id of the chosen record; `id` may also be the URL of a page, whose last two path segments count."""
    steps = (params.id or "").split("?")[0].rstrip("/").split("/")
    if len(steps) > 1 and steps[-2] in EMBEDDABLE:
        return steps[-2], steps[-1]
    kind = params.kind if params.kind in EMBEDDABLE else None
    return kind or EMBEDDABLE[0], params.id


async def _preview(request: Request, wish: EmbedOptions) -> tuple[int, dict[str, Any]]:
    """Status and template values: the preview with code snippets, or the message of the problem."""
    home = request.app.state.settings.public_url
    if not wish.id:
        return 200, {"frame": None, "problem": NO_RECORD_CHOSEN[wish.plural == SYNTHESES]}
    try:
        view_of({"theme": wish.theme, "lang": wish.lang})
        shown = await shown_record(request, wish.plural, wish.id)
    except Moved as moved:
        return 404, {"frame": None, "problem": f"{moved.former} is known as {moved.present} now."}
    except Problem as problem:
        return problem.status, {"frame": None, "problem": problem.detail}
    badge, card = badge_of(shown.card, shown.record), shown.card
    return 200, {
        "problem": None,
        "frame": frame_of_card(card, wish, ""),
        "badge": {"src": badge_address(wish, ""), "title": badge.title},
        "snippets": snippets(card, badge, wish, home),
    }
