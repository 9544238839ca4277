"""The lines that put a record into another page, one for each rung of the ladder, ready to be copied."""

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
"""How high an element is; it scrolls within."""
ROOM = (
    '<template shadowrootmode="open"><table role="presentation" width="100%" '
    f'height="{ELEMENT_PIXELS}" cellpadding="0" cellspacing="0"><td><slot></slot></td></table></template>'
)
"""A shadow tree that is there before any script (HTML, `shadowrootmode`); attributes alone, for policies on styles."""
FLUID_PIXELS = 320
"""The width for which a frame that takes all there is keeps its height."""


@dataclass(frozen=True)
class Wish:
    """What somebody picked: the record, and how it is to look."""

    plural: str
    id: str
    theme: str
    size: str
    lang: str
    release: str | None


@dataclass(frozen=True)
class Snippet:
    """One rung: its name, when it is the right one, and the line."""

    name: str
    use: str
    code: str


@dataclass(frozen=True)
class PreviewFrame:
    """The preview: address, size."""

    src: str
    width: str
    height: int
    title: str


def frame_of_card(card: Card, wish: Wish, home: str) -> PreviewFrame:
    """The frame of the card as it was wished; `auto` and English are what a card is anyway."""
    asked = {
        "theme": wish.theme if wish.theme != "auto" else "",
        "lang": wish.lang if wish.lang != "en" else "",
        "release": wish.release or "",
    }
    given = urlencode({name: value for name, value in asked.items() if value})
    src = f"{home}/embed/{wish.plural}/{quote(wish.id)}" + (f"?{given}" if given else "")
    pixels = FLUID_PIXELS if wish.size == FLUID else int(wish.size)
    return PreviewFrame(src, wish.size, card_height(card, pixels), f"{card.kind}: {card.title}")


def badge_address(wish: Wish, home: str) -> str:
    """Where the badge is."""
    pinned = f"?{urlencode({'release': wish.release})}" if wish.release else ""
    return f"{home}/badge/{wish.plural}/{quote(wish.id)}.svg{pinned}"


def snippets(card: Card, badge: Badge, wish: Wish, home: str) -> list[Snippet]:
    """All rungs, the plainest first."""
    frame = frame_of_card(card, wish, home)
    framed = frame_html(frame.src, title=frame.title, width=frame.width, height=frame.height, lang=wish.lang)
    image = badge_address(wish, home)
    page, title, alt = escape(card.page), escape(card.title), escape(badge.title)
    size = f'width="{badge_width(badge.label, badge.message)}" height="{HEIGHT}"'
    drawn = f'<a href="{page}"><img src="{escape(image)}" alt="{alt}" {size}></a>'
    resizer = script_tag(RESIZER, home, "async")
    return [
        Snippet("A link", "It always works, in a mail, too.", f'<a href="{page}">{title}</a>'),
        Snippet("A badge", "Verdict, certainty or approval in a line of text.", drawn),
        Snippet("A badge in Markdown", "For a readme or a wiki.", f"[![{_plain(badge.title)}]({image})]({card.page})"),
        Snippet("An address that unfolds", "For a system that knows oEmbed: paste this alone on a line.", card.page),
        Snippet("A card in a frame", "Nothing of ours runs in your page.", framed),
        Snippet("A frame as high as its card", "The script sets its height, and does nothing else.", framed + resizer),
        Snippet("An element", ELEMENT_USE, _element(card, wish, home)),
    ]


def script_tag(name: str, home: str, how: str) -> str:
    """The tag that loads one of our scripts, and refuses any other content."""
    script = current(name)
    checked = f'integrity="{script.integrity}" crossorigin="anonymous"'
    return f'\n<script {how} src="{escape(home)}{script.path}" {checked}></script>'


def _element(card: Card, wish: Wish, home: str) -> str:
    theme = f' theme="{escape(wish.theme)}"' if wish.theme != "auto" else ""
    page = escape(card.page)
    inside = f'{ROOM}<a href="{page}">{escape(card.title)}</a>'
    given = f'src="{page}"{theme} lang="{escape(wish.lang)}" height="{ELEMENT_PIXELS}"'
    tag = f"<treatment-evidence {given}>{inside}</treatment-evidence>"
    return tag + script_tag(ELEMENT, home, 'type="module"')


def _plain(text: str) -> str:
    """The text without what means something in Markdown."""
    return "".join(character for character in text if character not in "[]()\\`*_<>")
