"""oEmbed 1.0 responses as JSON and XML (https://oembed.com, section 2.3)."""

import re
from collections.abc import Mapping

from markupsafe import escape

from app.json_codec import to_json

OEmbedResponse = Mapping[str, str | int]
WIDEST, NARROWEST = 600, 280
"""Default width of the frame and the least readable width of a card, in pixels."""
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that an XML document may not contain (XML 1.0, section 2.2)."""
SANDBOX = "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"
"""The frame's `sandbox`: scripts and an origin, so that a card can report its height and the page check
the sender; popups, for links."""


def frame_html(address: str, *, title: str, width: int | str, height: int, lang: str = "") -> str:
    """The `iframe` of a card for third-party pages; without inline style, which a page's security policy may forbid."""
    named = f' lang="{escape(lang)}"' if lang else ""
    return (
        f'<iframe src="{escape(address)}" title="{escape(title)}"{named} width="{width}" height="{height}" '
        f'frameborder="0" loading="lazy" referrerpolicy="no-referrer" sandbox="{SANDBOX}"></iframe>'
    )


def rich(
    address: str, page: str, *, title: str, provider: str, home: str, size: tuple[int, int], age: int
) -> OEmbedResponse:
    """A response of type `rich` with the card's `iframe`; `size` is width and height in pixels, `age` is in seconds."""
    width, height = size
    return {
        "type": "rich",
        "version": "1.0",
        "title": title,
        "author_url": page,
        "provider_name": provider,
        "provider_url": home,
        "cache_age": age,
        "html": frame_html(address, title=title, width=width, height=height),
        "width": width,
        "height": height,
    }


def as_json(response: OEmbedResponse) -> bytes:
    """The response as JSON."""
    return to_json(response)


def as_xml(response: OEmbedResponse) -> bytes:
    """The response as XML; every text is escaped."""
    fields = "".join(f"<{name}>{escape(NOT_XML.sub('', str(value)))}</{name}>" for name, value in response.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{fields}</oembed>\n'.encode()
