"""Render the guide: Markdown chapters to HTML with heading anchors, links between chapters, and scrollable code."""

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
"""The names of the chapters in reading order."""
EXAMPLE_ADDRESS = "http://127.0.0.1:8000"
OPERATOR_CHAPTERS = frozenset({"operating"})
"""Chapters for operators, in which the example address is not replaced by the service's public URL."""
CHAPTER_LINK = re.compile(r"(?P<chapter>[a-z-]+)\.md(?P<anchor>#.*)?")
SCROLLING = '<div class="scroll" tabindex="0" role="group" aria-label="{}">'


@dataclass(frozen=True)
class Section:
    """A heading of the second level."""

    title: str
    anchor: str


@dataclass(frozen=True)
class Chapter:
    """A chapter: its name in the URL, its title, its first paragraph as plain text, its sections and its HTML."""

    name: str
    title: str
    summary: str
    sections: tuple[Section, ...]
    html: Markup


@cache
def chapter(name: str, public_url: str) -> Chapter:
    """Render the chapter of that name; its examples use `public_url`."""
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
    """The text of an inline token without markup."""
    texts = (" " if child.type == "softbreak" else child.content for child in inline.children or ())
    return "".join(texts)


def _add_anchors(tokens: list[Token]) -> list[tuple[str, str, str]]:
    """Set the id of each heading from its text, as GitHub does; returns tag, text and id of each."""
    headings: list[tuple[str, str, str]] = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            words = _plain_text(inline)
            anchor = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            opening.attrSet("id", anchor)
            headings.append((opening.tag, words, anchor))
    return headings


def _rewrite_links(tokens: list[Token]) -> None:
    """Point links between chapters to their pages, and reduce links to files outside the guide to their text."""
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
    """Make code and tables scroll horizontally, and focusable so that the keyboard can scroll them (WCAG 2.1.1)."""
    html = html.replace("<pre>", '<pre tabindex="0" role="group" aria-label="Code">')
    return html.replace("<table>", SCROLLING.format("Table") + "<table>").replace("</table>", "</table></div>")
