"""oEmbed: the address of a page of ours becomes the frame of its card."""

import re
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import BadRequest, FormatNotOffered, Moved, NotFound
from app.formats.claim_review import NAME
from app.formats.oembed import WIDEST, as_json, as_xml, rich
from app.models.types import RELEASE_PATTERN
from app.pages.card_size import card_height
from app.reports.cards import EMBEDDABLE, SYNTHESES
from app.web import etags
from app.web.embeds import shown_record

FORMS = {"json": ("application/json", as_json), "xml": ("text/xml; charset=utf-8", as_xml)}
CACHE_SECONDS = 3600
TAKEN = ("url", "maxwidth", "maxheight", "format")
OURS = re.compile(rf"(?:/embed)?/({'|'.join(EMBEDDABLE)})/([^/]+)|/v1/({SYNTHESES})/([^/]+)")
"""The addresses that have a card; of a synthesis its permalink, too."""
router = APIRouter(tags=["Pages"])


@router.get("/oembed", include_in_schema=False)
async def oembed(request: Request) -> Response:
    """The frame of the card of one of our pages (oEmbed 1.0, sections 2.2 and 2.3)."""
    asked = {name: _one(request, name) for name in TAKEN}
    form = asked["format"] or "json"
    if form not in FORMS:
        raise FormatNotOffered(f"format: there are json and xml, not {form[:40]!r}.")
    widest, highest = _pixels("maxwidth", asked["maxwidth"]), _pixels("maxheight", asked["maxheight"])
    plural, record_id, release = _page_of(request, asked["url"])
    try:
        shown = await shown_record(request, plural, record_id, release)
    except Moved as moved:
        record_id = moved.present
        shown = await shown_record(request, plural, record_id, release)
    card, home = shown.card, request.app.state.settings.public_url
    pinned = f"?{urlencode({'release': release})}" if release else ""
    width = min(WIDEST, widest or WIDEST)
    height = card_height(card, width)
    told = rich(
        f"{home}/embed/{plural}/{quote(record_id)}{pinned}",
        card.page,
        title=f"{card.kind}: {card.title}",
        provider=NAME,
        home=home,
        size=(width, min(height, highest or height)),
        age=CACHE_SECONDS,
    )
    media_type, write = FORMS[form]
    return etags.response_with_etag(request, write(told), media_type)


def _one(request: Request, name: str) -> str | None:
    """The value of a parameter; the specification passes over those that it does not know, so we do."""
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise BadRequest(f"{name} may stand there once only.")
    return values[0] if values else None


def _pixels(name: str, value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", value):
        raise BadRequest(f"{name} is a whole number of pixels above 0, not {value[:40]!r}.")
    return int(value)


def _page_of(request: Request, url: str | None) -> tuple[str, str, str | None]:
    """Plural, id and release of the record that a page of ours shows; NotFound for any other address."""
    if not url:
        raise BadRequest("url is missing: the address of the page to embed.")
    home = request.app.state.settings.public_url
    rest = url.removeprefix(home) if url.startswith(f"{home}/") else ""
    try:
        parts = urlsplit(rest)
    except ValueError:
        parts = urlsplit("")
    found = OURS.fullmatch(parts.path)
    if found is None:
        pages = ", ".join(f"{home}/{plural}/…" for plural in EMBEDDABLE)
        raise NotFound(f"{url[:200]!r} is no page of ours that can be embedded. These are: {pages}.")
    release = parse_qs(parts.query).get("release", [None])[-1]
    if release is not None and not re.fullmatch(RELEASE_PATTERN, release):
        raise NotFound(f"There is no release {release[:100]!r}.")
    return found[1] or found[3], found[2] or found[4], release
