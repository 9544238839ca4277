"""oEmbed 1.0 answers as JSON and XML (https://oembed.com, section 2.3)."""

import re
from collections.abc import Mapping

from markupsafe import escape
from pydantic_core import to_json

Answer = Mapping[str, str | int]
WIDEST, NARROWEST = 600, 280
"""The width of a frame in pixels where nobody asks for less, and the least at which a card is made to be read."""
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold (XML 1.0, section 2.2)."""
SANDBOX = "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"
"""Scripts and an origin of its own, so that the card can tell its height and a page knows who tells it; and links."""


def frame_html(address: str, *, title: str, width: int | str, height: int, lang: str = "") -> str:
    """The frame of a card, for a page of somebody else; attributes alone, so that no policy on styles breaks it."""
    named = f' lang="{escape(lang)}"' if lang else ""
    return (
        f'<iframe src="{escape(address)}" title="{escape(title)}"{named} width="{width}" height="{height}" '
        f'frameborder="0" loading="lazy" referrerpolicy="no-referrer" sandbox="{SANDBOX}"></iframe>'
    )


def rich(address: str, page: str, *, title: str, provider: str, home: str, size: tuple[int, int], age: int) -> Answer:
    """The answer of type `rich`: the frame of a card of this width and height, to be kept for `age` seconds."""
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


def as_json(answer: Answer) -> bytes:
    """The answer in JSON."""
    return to_json(answer)


def as_xml(answer: Answer) -> bytes:
    """The answer in XML; every text is escaped."""
    fields = "".join(f"<{name}>{escape(NOT_XML.sub('', str(value)))}</{name}>" for name, value in answer.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{fields}</oembed>\n'.encode()
