"""The guide: documentation in chapters, from the first API call to a working page."""

from typing import Annotated

from fastapi import Path, Request
from starlette.responses import Response

from app.errors import NotFound, nearest
from app.pages.guide import CHAPTERS, chapter
from app.web.html import page_answer
from app.web.late_routes import LateRouter
from app.web.negotiation import HTML, accepted, choose

router = LateRouter(tags=["Pages"])


@router.get("/guide", include_in_schema=False)
async def guide(request: Request) -> Response:
    """The table of contents."""
    choose(accepted(request), [HTML])
    public_url = request.app.state.settings.public_url
    return await page_answer(request, "guide.html", {"chapters": [chapter(name, public_url) for name in CHAPTERS]})


@router.get("/guide/{name}", include_in_schema=False)
async def guide_chapter(request: Request, name: Annotated[str, Path(max_length=100)]) -> Response:
    """One chapter; NotFound with the nearest name for an unknown one."""
    choose(accepted(request), [HTML])
    if name not in CHAPTERS:
        close = nearest(name, CHAPTERS)
        raise NotFound(f"The guide has no chapter {name!r}." + (f" Did you mean {close!r}?" if close else ""))
    public_url, place = request.app.state.settings.public_url, CHAPTERS.index(name)
    following = CHAPTERS[place + 1 : place + 2]
    values = {
        "chapter": chapter(name, public_url),
        "next": chapter(following[0], public_url) if following else None,
    }
    return await page_answer(request, "chapter.html", values)
