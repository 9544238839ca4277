"""SVG badges: a label beside a message, with texts for screen readers and a light and a dark colour scheme."""

from hashlib import sha256
from math import ceil

from markupsafe import escape

from app.formats.text_width import fitted, text_width

HEIGHT, SIZE, PAD, SIGN_WIDTH = 22, 11, 8, 15
WIDEST = 300
"""Largest width of the message in SVG units, so that the badge fits in a line of text."""
COLOURS = {"good": "#155d36", "bad": "#96191d", "care": "#704300", "plain": "#3f4d59"}
DARK = {"good": "#98e0b5", "bad": "#ffb9b0", "care": "#f5d08e", "plain": "#c4cfd7"}
SIGNS = {"good": "M2 6l3 3 5-7", "bad": "M2.5 2.5l6 6m0-6l-6 6", "care": "M5.5 1.5v5m0 2.2v.6", "plain": "M1.5 5.5h8"}
"""SVG paths of the icon beside the message, so that the tone is not shown by colour alone."""
FONT = "Arial,Helvetica,&quot;Liberation Sans&quot;,sans-serif"


def badge_width(label: str, message: str) -> int:
    """The width of a badge in SVG units, so that a page can reserve its place."""
    texts = text_width(label, SIZE) + text_width(fitted(message, SIZE, WIDEST), SIZE)
    return ceil(texts + 4 * PAD + SIGN_WIDTH)


def badge_svg(label: str, message: str, tone: str, *, title: str, description: str) -> str:
    """Render a badge; `textLength` fits each text to its reserved width in any font of the reader."""
    width = badge_width(label, message)
    message = fitted(message, SIZE, WIDEST)
    label_width, message_width = text_width(label, SIZE), text_width(message, SIZE)
    left = label_width + 2 * PAD
    suffix = sha256(f"{title}{description}".encode()).hexdigest()[:8]
    style = (
        f".m{{fill:{COLOURS[tone]}}}.l{{fill:#e8ecef}}.t{{fill:#17212b}}.w{{fill:#fff}}.s{{stroke:#fff}}"
        f"@media(prefers-color-scheme:dark){{.m{{fill:{DARK[tone]}}}.l{{fill:#26313a}}.t{{fill:#e6ecf0}}"
        ".w{fill:#10161b}.s{stroke:#10161b}}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" '
        f'role="img" aria-labelledby="t{suffix} d{suffix}"><title id="t{suffix}">{escape(title)}</title>'
        f'<desc id="d{suffix}">{escape(description)}</desc><style>{style}</style>'
        f'<clipPath id="c{suffix}"><rect width="{width}" height="{HEIGHT}" rx="4"/></clipPath>'
        f'<g clip-path="url(#c{suffix})"><rect class="l" fill="#e8ecef" width="{left:.1f}" height="{HEIGHT}"/>'
        f'<rect class="m" fill="{COLOURS[tone]}" x="{left:.1f}" width="{width - left:.1f}" height="{HEIGHT}"/></g>'
        f'<path class="s" fill="none" stroke="#fff" stroke-width="1.8" transform="translate({left + PAD - 1:.1f} 5.5)" '
        f'd="{SIGNS[tone]}"/><g font-family="{FONT}" font-size="{SIZE}">'
        f"{_text_element(label, PAD, label_width, 't', '#17212b')}"
        f"{_text_element(message, left + PAD + SIGN_WIDTH, message_width, 'w', '#fff')}</g></svg>"
    )


def _text_element(text: str, x: float, width: float, kind: str, colour: str) -> str:
    return (
        f'<text class="{kind}" fill="{colour}" x="{x:.1f}" y="15" textLength="{width:.1f}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )
