"""The guide as pages: chapters in Markdown become HTML with anchors, links between chapters, and code that scrolls."""

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

GUIDE = Path(__file__).parent.parent.parent / "docs" / "guide"
CHAPTERS = (
    "first-call",
    "reading",
    "records",
    "filtering",
    "caching",
    "errors",
    "bulk",
    "trust",
    "synthesis",
    "embedding",
    "writing",
    "operating",
)
"""The chapters in the order in which one reads them."""
EXAMPLE_ADDRESS = "http://127.0.0.1:8000"
OPERATOR_CHAPTERS = frozenset({"operating"})
"""Chapters about the machine that serves: there the example address is no address of the service."""
CHAPTER_LINK = re.compile(r"(?P<chapter>[a-z-]+)\.md(?P<anchor>#.*)?")
SCROLLING = '<div class="scroll" tabindex="0" role="group" aria-label="{}">'


@dataclass(frozen=True)
class Section:
    """A heading of the second level."""

    title: str
    anchor: str


@dataclass(frozen=True)
class Chapter:
    """A chapter: its name in the address, its title, its first paragraph as text, and its HTML."""

    name: str
    title: str
    summary: str
    sections: tuple[Section, ...]
    html: Markup


@cache
def chapter(name: str, public_url: str) -> Chapter:
    """The chapter of that name; its examples ask the service at `public_url`."""
    text = (GUIDE / f"{name}.md").read_text(encoding="utf-8")
    if name not in OPERATOR_CHAPTERS:
        text = text.replace(EXAMPLE_ADDRESS, public_url)
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    headings = _add_anchors(tokens)
    _rewrite_links(tokens)
    title = headings[0][1]
    summary = next(_plain_text(tokens[at + 1]) for at, token in enumerate(tokens) if token.type == "paragraph_open")
    html = reader.renderer.render(tokens, reader.options, {})
    sections = tuple(Section(words, anchor) for level, words, anchor in headings if level == "h2")
    return Chapter(name, title, summary, sections, Markup(_make_scrollable(html)))  # noqa: S704  # ours; raw HTML is off


def _plain_text(inline: Token) -> str:
    """The text of a line without its marks."""
    texts = (" " if child.type == "softbreak" else child.content for child in inline.children or ())
    return "".join(texts)


def _add_anchors(tokens: list[Token]) -> list[tuple[str, str, str]]:
    """Give each heading an id made of its words, as GitHub does; level, words and id of each."""
    headings: list[tuple[str, str, str]] = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            words = _plain_text(inline)
            anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            opening.attrSet("id", anchor)
            headings.append((opening.tag, words, anchor))
    return headings


def _rewrite_links(tokens: list[Token]) -> None:
    """Links to other chapters lead to their pages; what lies outside the guide is named and not linked."""
    for inline in tokens:
        children, rewritten = inline.children or [], []
        is_outside = False
        for child in children:
            if child.type == "link_open":
                target = str(child.attrGet("href"))
                chapter_link = CHAPTER_LINK.fullmatch(target)
                is_outside = chapter_link is None and not target.startswith(("#", "http://", "https://"))
                if chapter_link:
                    child.attrSet("href", f"/guide/{chapter_link['chapter']}{chapter_link['anchor'] or ''}")
            if not (is_outside and child.type in ("link_open", "link_close")):
                rewritten.append(child)
        if inline.children is not None:
            inline.children = rewritten


def _make_scrollable(html: str) -> str:
    """Code and tables scroll within themselves, which the keyboard must reach (WCAG 2.1.1)."""
    html = html.replace("<pre>", '<pre tabindex="0" role="group" aria-label="Code">')
    return html.replace("<table>", SCROLLING.format("Table") + "<table>").replace("</table>", "</table></div>")
