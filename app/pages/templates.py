"""Render HTML with Jinja templates that escape every value, and serve static assets under content-hashed names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from app import DISCLAIMER, LICENCE, __version__

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
ASSETS = {
    "style.css": "text/css; charset=utf-8",
    "lists.css": "text/css; charset=utf-8",
    "plots.css": "text/css; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "builder.css": "text/css; charset=utf-8",
    "builder.js": "text/javascript; charset=utf-8",
    "search.js": "text/javascript; charset=utf-8",
    "combobox.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files that pages load, with their media types."""
JS_IMPORT = re.compile(rb'"\./([a-z]+\.js)"')
IMPLIED_END_TAG = re.compile(r"</(?:td|th|tr|tbody|thead|li|dt|dd)>\n?")
"""End tags that the next tag implies (HTML, 13.1.2.4); a tenth of a table. No text holds one, since `<` is escaped."""
JS_COMMENT = re.compile(rb"^\s*(//.*|/\*\*.*\*/)$", re.MULTILINE)
"""A line of a script that is only a comment."""
HASHED_NAME = re.compile(r"(?P<stem>[a-z]+)\.(?P<hash>[0-9a-f]{12})\.(?P<ending>[a-z]+)")


@dataclass(frozen=True)
class Site:
    """The layout's view of the service and the request: the URL for error reports and the release."""

    contact_url: str = ""
    release: str | None = None

    def to(self, path: str, **parameters: str) -> str:
        """A URL path with query parameters, plus `release` when the page shows a release."""
        query = parameters | ({} if self.release is None else {"release": self.release})
        return path + (f"?{urlencode(query)}" if query else "")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415  # for pages only

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"marked": marked, "capital": lambda text: text[:1].upper() + text[1:]}
    environment.globals |= {
        "asset_url": asset_url,
        "disclaimer": DISCLAIMER,
        "licence": LICENCE,
        "version": __version__,
    }
    return environment


def marked(text: str) -> Markup:
    """The text, escaped, with each part in backticks as a `code` element."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped just before


def page(name: str, values: Mapping[str, Any], site: Site | None = None) -> bytes:
    """Render a template to UTF-8; HTML has every value escaped, and no end tags that HTML makes optional."""
    text = re.sub(r"\n\s*\n+", "\n", _environment().get_template(name).render(site=site or Site(), **values))
    return (IMPLIED_END_TAG.sub("", text) if name.endswith(".html") else text).encode()


def asset(name: str) -> bytes:
    """The content of a static asset, style sheets and scripts minified.

    A script imports other scripts by their hashed names, so that a browser can cache both for ever.
    """
    content = (STATIC / name).read_bytes()
    if name.endswith(".js"):
        content = JS_IMPORT.sub(lambda found: f'"{asset_url(found[1].decode())}"'.encode(), content)
        return re.sub(rb"\s*\n\s*", b"\n", JS_COMMENT.sub(b"", content)).lstrip()
    if name.endswith(".css"):
        return re.sub(rb"\s*\n\s*", b"", re.sub(rb" ?([{};:,]) ", rb"\1", content)).replace(b";}", b"}")
    return content


@cache
def asset_url(name: str) -> str:
    """The path of a static asset with the hash of its content, whose response can be cached for ever."""
    stem, ending = name.rsplit(".", 1)
    return f"/assets/{stem}.{_hash(name)}.{ending}"


@cache
def _hash(name: str) -> str:
    return sha256(asset(name)).hexdigest()[:12]


def asset_named(requested: str) -> tuple[str, bool] | None:
    """The asset for a requested name, and whether the name has its current hash; None for an unknown asset.

    A hash of another version of the program finds the file of this one, so that a page cached for a minute still works.
    """
    found = HASHED_NAME.fullmatch(requested)
    name = f"{found['stem']}.{found['ending']}" if found else requested
    if name not in ASSETS:
        return None
    return name, found is not None and found["hash"] == _hash(name)


def report_address(contact_url: str, plural: str, record_id: str, version: int) -> str | None:
    """The URL for reporting an error in this version of a record; None where the operator configured none."""
    if not contact_url:
        return None
    query = urlencode({"record": f"{plural}/{record_id}", "version": version})
    return f"{contact_url}{'&' if '?' in contact_url else '?'}{query}"
