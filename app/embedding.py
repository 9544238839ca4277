"""The web side of embeds: what a card may be asked, how it is answered, and that what went wrong is a card, too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fastapi import Request
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from app import cache
from app.answers import ReleaseReads, database_of
from app.errors import InvalidParameter, Moved, Problem, nearest
from app.keys import masked
from app.people import HTML, where_of
from app.render.embed_files import card_policy, card_script, card_style
from app.render.pages import page
from app.reports.cards import embedded, newer_release, read_card
from app.reports.people import Facts
from app.views.cards import Card, card_of
from app.views.frame import Where

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[str, ...] = get_args(Theme)
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
"""A language tag, RFC 5646 section 2.1, without the rarer forms."""


@dataclass(frozen=True)
class View:
    """How a card is shown."""

    theme: str = "auto"
    lang: str = "en"

    @property
    def style(self) -> Markup:
        """What is between the tags of its style."""
        return card_style()

    @property
    def script(self) -> Markup:
        """What is between the tags of its script."""
        return card_script()


def view_of(asked: Mapping[str, str]) -> View:
    """How the card is asked to look; InvalidParameter for a theme that there is not, or for what is no language."""
    theme, lang = asked.get("theme") or "auto", asked.get("lang") or "en"
    if theme not in THEMES:
        close = nearest(theme, THEMES)
        raise wrong("theme", f"there are {', '.join(THEMES)}" + (f"; did you mean {close}?" if close else ""))
    if not LANGUAGE.fullmatch(lang):
        raise wrong("lang", "this is no language tag such as en or de-CH")
    return View(theme, lang)


def wrong(parameter: str, detail: str) -> InvalidParameter:
    """That a parameter is wrong."""
    return InvalidParameter(f"{parameter}: {detail}.", errors=[{"parameter": parameter, "detail": detail}])


async def facts_of(request: Request, plural: str, record_id: str, release: str | None = None) -> tuple[Facts, Card]:
    """The facts of a card, and the card; NotFound, Gone or Moved when there is no such record.

    They come from the release of the request, or from the one that is named.
    """
    row = embedded(plural)
    reads = ReleaseReads(request, release) if release else database_of(request)
    facts: Facts = await reads.fetch(lambda connection: read_card(connection, row, record_id))
    where = where_of(request)
    if release:
        where = Where(where.public_url, where.contact_url, release, where.today)
    newer = await _newer(request, where.release)
    return facts, card_of(facts, where, newer)


async def _newer(request: Request, release: str | None) -> str | None:
    """A release that was made after the one asked for."""
    if release is None:
        return None

    def read(connection: Connection) -> str | None:
        return newer_release(connection, release)

    found: str | None = await request.app.state.database.fetch(read, short=True)
    return found


def card_answer(request: Request, template: str, values: Mapping[str, Any]) -> Response:
    """A card that any page may frame."""
    answer = cache.answer(request, page(template, values), HTML)
    answer.headers["Content-Security-Policy"] = card_policy()
    return answer


def problem_card(request: Request, problem: Problem, view: View) -> Response:
    """What went wrong as a small card with the problem's status."""
    home = request.app.state.settings.public_url
    told = {"view": view, "card": None, "problem": problem, "home": home}
    content = masked(page("card_problem.html", told).decode())
    headers = {"Cache-Control": "no-store", **problem.headers, "Content-Security-Policy": card_policy()}
    return Response(content, status_code=problem.status, media_type=HTML, headers=headers)


def moved_answer(request: Request, moved: Moved, path: str) -> Response:
    """Leads to the same embed under the record's present id; what else was asked stays."""
    asked = request.scope["query_string"].decode("latin-1")
    location = request.app.state.settings.public_url + path.format(moved.present) + (f"?{asked}" if asked else "")
    return Response(status_code=308, headers={"Location": location, "Cache-Control": "public, max-age=60"})
