"""The web side of embeds: what a card may be asked, how it is answered, and that what went wrong is a card, too."""

import re
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from fastapi import Request
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from app.api_keys import mask_keys
from app.errors import InvalidParameter, Moved, NotFound, Problem, nearest
from app.pages.cards import Card, card_of
from app.pages.embed_assets import card_policy, card_script, card_style
from app.pages.syntheses import VERSION, card_drawing, card_of_synthesis
from app.pages.templates import page
from app.reports.cards import SYNTHESES, embedded, newer_release, read_card
from app.reports.record_page import Facts, Record
from app.web import etags
from app.web.html import HTML, read_kept_synthesis, where_of
from app.web.read_source import ReleaseReads, database_of

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[str, ...] = get_args(Theme)
MOST_KEPT = 500
"""How many cards a process keeps; each is a few kilobytes."""
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


@dataclass(frozen=True)
class ShownRecord:
    """A record, its version, and its card."""

    record: Record
    version: int
    card: Card
    drawing: Markup | None = None
    """The picture of its numbers, to stand in the card itself."""


class CardCache:
    """The cards that were asked for last, each under the revision of the dataset and the day that it was made for."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, ShownRecord] = OrderedDict()

    def find(self, key: Hashable) -> ShownRecord | None:
        """The card, which is then the last one to be dropped."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: Hashable, shown: ShownRecord) -> None:
        """Keep a card, and drop the one that nobody asked for the longest."""
        self._kept[key] = shown
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


async def shown_record(request: Request, plural: str, record_id: str, release: str | None = None) -> ShownRecord:
    """A record with its card; NotFound, Gone or Moved when there is no such record.

    It comes from the release of the request, or from the one that is named.
    """
    if plural == SYNTHESES:
        return await shown_synthesis(request, record_id, release)
    row, where, revision = embedded(plural), where_of(request), request.scope["revision"]
    if release:
        where = replace(where, release=release)
    newer = await _newer(request, where.release)
    key = (plural, record_id, where, revision, newer)
    cards: CardCache = request.app.state.cards
    found = cards.find(key) if revision is not None else None
    reads = ReleaseReads(request, where.release) if where.release else database_of(request)
    if found is not None and not where.release:
        return found
    if found is not None:
        await reads.fetch(lambda _: None, short=True)  # the answer says which release it is of
        return found
    facts: Facts = await reads.fetch(lambda connection: read_card(connection, row, record_id))
    shown = ShownRecord(facts.record, facts.version, card_of(facts, where, newer))
    cards.keep(key, shown)
    return shown


async def shown_synthesis(request: Request, digest: str, release: str | None = None) -> ShownRecord:
    """A kept synthesis with its card; NotFound for an unknown hash, and where another release is asked than its own."""
    where, revision = where_of(request), request.scope["revision"]
    wanted = release or where.release
    facts, newer = await read_kept_synthesis(request, digest)
    if wanted not in (None, facts.kept.release):
        raise NotFound(f"This synthesis is of release {facts.kept.release}, and there is none of it in {wanted}.")
    key = (SYNTHESES, digest, where, revision, newer)
    cards: CardCache = request.app.state.cards
    found = cards.find(key) if revision is not None else None
    if found is None:
        standing = {"state": "published", "source_status": facts.kept.source_status, "superseded_by": None}
        found = ShownRecord(standing, VERSION, card_of_synthesis(facts, where, newer), card_drawing(facts))
        cards.keep(key, found)
    return found


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
    answer = etags.response_with_etag(request, page(template, values), HTML)
    answer.headers["Content-Security-Policy"] = card_policy()
    return answer


def problem_card(request: Request, problem: Problem, view: View) -> Response:
    """What went wrong as a small card with the problem's status."""
    home = request.app.state.settings.public_url
    told = {"view": view, "card": None, "problem": problem, "home": home}
    content = mask_keys(page("card_problem.html", told).decode())
    headers = {"Cache-Control": "no-store", **problem.headers, "Content-Security-Policy": card_policy()}
    return Response(content, status_code=problem.status, media_type=HTML, headers=headers)


def moved_answer(request: Request, moved: Moved, path: str) -> Response:
    """Leads to the same embed under the record's present id; what else was asked stays."""
    asked = request.scope["query_string"].decode("latin-1")
    location = request.app.state.settings.public_url + path.format(moved.present) + (f"?{asked}" if asked else "")
    return Response(status_code=308, headers={"Location": location, "Cache-Control": "public, max-age=60"})
