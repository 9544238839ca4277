"""The oEmbed endpoint: the URL of one of our pages in, the `iframe` of its card out."""

import re
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from fastapi import Request
from starlette.responses import Response

from app.errors import BadRequest, FormatNotOffered, Moved, NotFound
from app.formats.claim_review import NAME
from app.formats.oembed import WIDEST, as_json, as_xml, rich
from app.models.types import RELEASE_PATTERN
from app.pages.card_size import card_height
from app.reports.cards import EMBEDDABLE, SYNTHESES
from app.web import etags
from app.web.embeds import shown_record
from app.web.late_routes import LateRouter

FORMS = {"json": ("application/json", as_json), "xml": ("text/xml; charset=utf-8", as_xml)}
CACHE_SECONDS = 3600
PARAMETERS = ("url", "maxwidth", "maxheight", "format")
EMBEDDABLE_PATH = re.compile(rf"(?:/embed)?/({'|'.join(EMBEDDABLE)})/([^/]+)|/v1/({SYNTHESES})/([^/]+)")
"""Regular expression for the paths that have a card; of a synthesis also its permalink."""
router = LateRouter(tags=["Pages"])


@router.get("/oembed", include_in_schema=False)
async def oembed(request: Request) -> Response:
    """The oEmbed response for one of our pages (oEmbed 1.0, sections 2.2 and 2.3)."""
    params = {name: _single_value(request, name) for name in PARAMETERS}
    form = params["format"] or "json"
    if form not in FORMS:
        raise FormatNotOffered(f"format: there are json and xml, not {form[:40]!r}.")
    widest, highest = _pixels("maxwidth", params["maxwidth"]), _pixels("maxheight", params["maxheight"])
    plural, record_id, release = _page_of(request, params["url"])
    try:
        shown = await shown_record(request, plural, record_id, release)
    except Moved as moved:
        record_id = moved.present
        shown = await shown_record(request, plural, record_id, release)
    card, home = shown.card, request.app.state.settings.public_url
    pinned = f"?{urlencode({'release': release})}" if release else ""
    width = min(WIDEST, widest or WIDEST)
    height = card_height(card, width)
    content = rich(
        f"{home}/embed/{plural}/{quote(record_id)}{pinned}",
        card.page,
        title=f"{card.kind}: {card.title}",
        provider=NAME,
        home=home,
        size=(width, min(height, highest or height)),
        age=CACHE_SECONDS,
    )
    media_type, write = FORMS[form]
    return etags.response_with_etag(request, write(content), media_type)


def _single_value(request: Request, name: str) -> str | None:
    """The value of a query parameter, at most one; other parameters are ignored, as the specification says."""
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
    """Plural, id and release of the record at one of our page URLs; NotFound for any other URL."""
    if not url:
        raise BadRequest("url is missing: the address of the page to embed.")
    home = request.app.state.settings.public_url
    path = url.removeprefix(home) if url.startswith(f"{home}/") else ""
    try:
        parts = urlsplit(path)
    except ValueError:
        parts = urlsplit("")
    found = EMBEDDABLE_PATH.fullmatch(parts.path)
    if found is None:
        pages = ", ".join(f"{home}/{plural}/…" for plural in EMBEDDABLE)
        raise NotFound(f"{url[:200]!r} is no page of ours that can be embedded. These are: {pages}.")
    release = parse_qs(parts.query).get("release", [None])[-1]
    if release is not None and not re.fullmatch(RELEASE_PATTERN, release):
        raise NotFound(f"There is no release {release[:100]!r}.")
    return found[1] or found[3], found[2] or found[4], release
