"""Embed snippets: HTML, Markdown and links that put a record's card or badge into another page, ready to copy."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from markupsafe import escape

from app.formats.badge import HEIGHT, badge_width
from app.formats.oembed import frame_html
from app.pages.badges import Badge
from app.pages.card_size import card_height
from app.pages.cards import Card
from app.pages.embed_assets import ELEMENT, RESIZER, current

FLUID = "100%"
ELEMENT_USE = (
    "In your page, without a frame. The link shows where scripts do not run; the template keeps its place until the "
    "script has come."
)
ELEMENT_PIXELS = 448
"""Height of the custom element in pixels; its content scrolls."""
SHADOW_ROOT = (
    '<template shadowrootmode="open"><table role="presentation" width="100%" '
    f'height="{ELEMENT_PIXELS}" cellpadding="0" cellspacing="0"><td><slot></slot></td></table></template>'
)
"""A declarative shadow root (HTML, `shadowrootmode`) that reserves the height before the script has loaded.

Presentational attributes instead of CSS, so that it works under a Content-Security-Policy that forbids inline styles.
"""
FLUID_PIXELS = 320
"""The width in pixels for which the height of a frame of 100 % width is computed."""


@dataclass(frozen=True)
class EmbedOptions:
    """The choices of the embed builder: the record, and the card's theme, width, language and release."""

    plural: str
    id: str
    theme: str
    size: str
    lang: str
    release: str | None


@dataclass(frozen=True)
class Snippet:
    """One snippet: its name, when to use it, and the code."""

    name: str
    use: str
    code: str


@dataclass(frozen=True)
class PreviewFrame:
    """The iframe of the card: URL, width, height in pixels, title."""

    src: str
    width: str
    height: int
    title: str


def frame_of_card(card: Card, options: EmbedOptions, base_url: str) -> PreviewFrame:
    """The iframe of the card with the options; the defaults (theme `auto`, English) are left out of its URL."""
    params = {
        "theme": options.theme if options.theme != "auto" else "",
        "lang": options.lang if options.lang != "en" else "",
        "release": options.release or "",
    }
    query = urlencode({name: value for name, value in params.items() if value})
    src = f"{base_url}/embed/{options.plural}/{quote(options.id)}" + (f"?{query}" if query else "")
    pixels = FLUID_PIXELS if options.size == FLUID else int(options.size)
    return PreviewFrame(src, options.size, card_height(card, pixels), f"{card.kind}: {card.title}")


def badge_address(options: EmbedOptions, base_url: str) -> str:
    """The URL of the badge."""
    query = f"?{urlencode({'release': options.release})}" if options.release else ""
    return f"{base_url}/badge/{options.plural}/{quote(options.id)}.svg{query}"


def snippets(card: Card, badge: Badge, options: EmbedOptions, base_url: str) -> list[Snippet]:
    """All snippets, the simplest first."""
    frame = frame_of_card(card, options, base_url)
    iframe = frame_html(frame.src, title=frame.title, width=frame.width, height=frame.height, lang=options.lang)
    image = badge_address(options, base_url)
    page, title, alt = escape(card.page), escape(card.title), escape(badge.title)
    size = f'width="{badge_width(badge.label, badge.message)}" height="{HEIGHT}"'
    badge_link = f'<a href="{page}"><img src="{escape(image)}" alt="{alt}" {size}></a>'
    resizer = script_tag(RESIZER, base_url, "async")
    return [
        Snippet("A link", "It always works, in a mail, too.", f'<a href="{page}">{title}</a>'),
        Snippet("A badge", "Verdict, certainty or approval in a line of text.", badge_link),
        Snippet("A badge in Markdown", "For a readme or a wiki.", f"[![{_plain(badge.title)}]({image})]({card.page})"),
        Snippet("An address that unfolds", "For a system that knows oEmbed: paste this alone on a line.", card.page),
        Snippet("A card in a frame", "Nothing of ours runs in your page.", iframe),
        Snippet("A frame as high as its card", "The script sets its height, and does nothing else.", iframe + resizer),
        Snippet("An element", ELEMENT_USE, _element(card, options, base_url)),
    ]


def script_tag(name: str, base_url: str, loading: str) -> str:
    """The `script` tag of a published script, with its integrity hash; `loading` is its attribute: `async`, a type."""
    script = current(name)
    integrity = f'integrity="{script.integrity}" crossorigin="anonymous"'
    return f'\n<script {loading} src="{escape(base_url)}{script.path}" {integrity}></script>'


def _element(card: Card, options: EmbedOptions, base_url: str) -> str:
    theme = f' theme="{escape(options.theme)}"' if options.theme != "auto" else ""
    page = escape(card.page)
    content = f'{SHADOW_ROOT}<a href="{page}">{escape(card.title)}</a>'
    attributes = f'src="{page}"{theme} lang="{escape(options.lang)}" height="{ELEMENT_PIXELS}"'
    tag = f"<treatment-evidence {attributes}>{content}</treatment-evidence>"
    return tag + script_tag(ELEMENT, base_url, 'type="module"')


def _plain(text: str) -> str:
    """The text without the characters that Markdown interprets."""
    return "".join(character for character in text if character not in "[]()\\`*_<>")
