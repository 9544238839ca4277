"""Pages for people: plain HTML from templates, without JavaScript."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from app import DISCLAIMER, __version__

PAGES = Path(__file__).parent.parent / "pages"
_environment = Environment(
    loader=FileSystemLoader(PAGES),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def marked(text: str) -> Markup:
    """The text with what stands between backticks as code; all of it is escaped."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped just before


_environment.filters["marked"] = marked


def page(name: str, values: Mapping[str, Any]) -> bytes:
    """The page of that name in UTF-8; in HTML every value is escaped."""
    return _environment.get_template(name).render(disclaimer=DISCLAIMER, version=__version__, **values).encode()


def asset(name: str) -> bytes:
    """A file that pages load: style sheet, icon, script."""
    return (PAGES / name).read_bytes()
