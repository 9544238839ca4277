"""Responses for embedded cards: display parameters, the card cache, and problems shown as cards."""

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
from app.web.html import page_settings, read_kept_synthesis
from app.web.negotiation import HTML
from app.web.read_source import ReleaseReads, database_of

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[str, ...] = get_args(Theme)
MOST_KEPT = 500
"""Most cards in the cache of a process; each takes a few kilobytes."""
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
"""A language tag, RFC 5646 section 2.1, without the rarer forms."""


@dataclass(frozen=True)
class View:
    """Display parameters of a card: colour theme and language tag."""

    theme: str = "auto"
    lang: str = "en"

    @property
    def style(self) -> Markup:
        """The content of its `<style>` element."""
        return card_style()

    @property
    def script(self) -> Markup:
        """The content of its `<script>` element."""
        return card_script()


def view_of(params: Mapping[str, str]) -> View:
    """The view of the query parameters `theme` and `lang`; InvalidParameter for an unknown theme or no language tag."""
    theme, lang = params.get("theme") or "auto", params.get("lang") or "en"
    if theme not in THEMES:
        close = nearest(theme, THEMES)
        raise invalid_parameter(
            "theme", f"there are {', '.join(THEMES)}" + (f"; did you mean {close}?" if close else "")
        )
    if not LANGUAGE.fullmatch(lang):
        raise invalid_parameter("lang", "this is no language tag such as en or de-CH")
    return View(theme, lang)


def invalid_parameter(parameter: str, detail: str) -> InvalidParameter:
    """The 422 problem for one query parameter."""
    return InvalidParameter(f"{parameter}: {detail}.", errors=[{"parameter": parameter, "detail": detail}])


@dataclass(frozen=True)
class ShownRecord:
    """A record with its version and its rendered card."""

    record: Record
    version: int
    card: Card
    drawing: Markup | None = None
    """An SVG of its numbers, inlined in the card."""


class CardCache:
    """LRU cache of rendered cards, keyed by record, dataset revision, date and release."""

    def __init__(self) -> None:
        self._cards: OrderedDict[Hashable, ShownRecord] = OrderedDict()

    def find(self, key: Hashable) -> ShownRecord | None:
        """The cached card, now the most recently used, or None."""
        if key in self._cards:
            self._cards.move_to_end(key)
        return self._cards.get(key)

    def keep(self, key: Hashable, shown: ShownRecord) -> None:
        """Store a card, and evict the least recently used above MOST_KEPT."""
        self._cards[key] = shown
        while len(self._cards) > MOST_KEPT:
            self._cards.popitem(last=False)


def _cards(request: Request) -> CardCache:
    """The cards of this process; made with the first one."""
    state = request.app.state
    if not hasattr(state, "cards"):
        state.cards = CardCache()
    cards: CardCache = state.cards
    return cards


async def shown_record(request: Request, plural: str, record_id: str, release: str | None = None) -> ShownRecord:
    """A record with its card; NotFound, Gone or Moved when there is no such record.

    It is read from `release`, else from the release of the request, else from the live database.
    """
    if plural == SYNTHESES:
        return await shown_synthesis(request, record_id, release)
    row, where, revision = embedded(plural), page_settings(request), request.scope["revision"]
    if release:
        where = replace(where, release=release)
    newer = await _newer(request, where.release)
    key = (plural, record_id, where, revision, newer)
    cards = _cards(request)
    found = cards.find(key) if revision is not None else None
    reads = ReleaseReads(request, where.release) if where.release else database_of(request)
    if found is not None and not where.release:
        return found
    if found is not None:
        await reads.fetch(lambda _: None, short=True)  # sets the headers that name the release
        return found
    facts: Facts = await reads.fetch(lambda connection: read_card(connection, row, record_id))
    shown = ShownRecord(facts.record, facts.version, card_of(facts, where, newer))
    cards.keep(key, shown)
    return shown


async def shown_synthesis(request: Request, digest: str, release: str | None = None) -> ShownRecord:
    """An archived synthesis with its card; NotFound for an unknown hash, or for another release than its own."""
    where, revision = page_settings(request), request.scope["revision"]
    wanted = release or where.release
    facts, newer = await read_kept_synthesis(request, digest)
    if wanted not in (None, facts.kept.release):
        raise NotFound(f"This synthesis is of release {facts.kept.release}, and there is none of it in {wanted}.")
    key = (SYNTHESES, digest, where, revision, newer)
    cards = _cards(request)
    found = cards.find(key) if revision is not None else None
    if found is None:
        record = {"state": "published", "source_status": facts.kept.source_status, "superseded_by": None}
        found = ShownRecord(record, VERSION, card_of_synthesis(facts, where, newer), card_drawing(facts))
        cards.keep(key, found)
    return found


async def _newer(request: Request, release: str | None) -> str | None:
    """The name of a release newer than this one, or None."""
    if release is None:
        return None

    def read(connection: Connection) -> str | None:
        return newer_release(connection, release)

    found: str | None = await request.app.state.database.fetch(read, short=True)
    return found


def card_answer(request: Request, template: str, values: Mapping[str, Any]) -> Response:
    """The HTML response of a card, which any page may frame."""
    response = etags.response_with_etag(request, page(template, values), HTML)
    response.headers["Content-Security-Policy"] = card_policy()
    return response


def problem_card(request: Request, problem: Problem, view: View) -> Response:
    """A problem as a small card, with the status of the problem."""
    home = request.app.state.settings.public_url
    values = {"view": view, "card": None, "problem": problem, "home": home}
    content = mask_keys(page("card_problem.html", values).decode())
    headers = {"Cache-Control": "no-store", **problem.headers, "Content-Security-Policy": card_policy()}
    return Response(content, status_code=problem.status, media_type=HTML, headers=headers)


def moved_answer(request: Request, moved: Moved, path: str) -> Response:
    """A 308 redirect to the same embed with the record's new id and the same query string."""
    query = request.scope["query_string"].decode("latin-1")
    location = request.app.state.settings.public_url + path.format(moved.present) + (f"?{query}" if query else "")
    return Response(status_code=308, headers={"Location": location, "Cache-Control": "public, max-age=60"})
