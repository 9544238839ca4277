"""The files of embeds: what stands inside a card, and what other people's pages load, under names that never change."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256, sha384

from markupsafe import Markup

from app.pages.templates import STATIC

FOLDER = STATIC / "embed"
ELEMENT, RESIZER = "treatment-evidence.js", "resize.js"
SCRIPT_PATH = "/embed/v1"
"""Where scripts are; a script that asks more of a page than before gets another one."""


@dataclass(frozen=True)
class Script:
    """A script for other people's pages, under a name with the hash of its content."""

    path: str
    content: bytes
    integrity: str
    """For the attribute `integrity` (Subresource Integrity, section 3)."""


@cache
def card_style() -> Markup:
    """The style of a card, for the page itself."""
    lines = (FOLDER / "card.css").read_text(encoding="utf-8").splitlines()
    return Markup("".join(line.strip() for line in lines))  # noqa: S704  # our own file


@cache
def card_script() -> Markup:
    """What a card does: it tells the page around it how high it is."""
    return Markup((FOLDER / "card.js").read_text(encoding="utf-8").strip())  # noqa: S704  # our own file


@cache
def card_policy() -> str:
    """The Content-Security-Policy of a card: its own style and script by their hashes, nothing loaded, any frame."""
    style, script = (f"'sha256-{_base64(sha256(text.encode()).digest())}'" for text in (card_style(), card_script()))
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; "
        "frame-ancestors *; base-uri 'none'; form-action 'none'"
    )


@cache
def current(name: str) -> Script:
    """A script as it is now."""
    return _script(name, (FOLDER / name).read_bytes())


@cache
def scripts() -> Mapping[str, Script]:
    """Every script that was ever published, by its path; the former ones lie in the folder `former`."""
    files = [*(FOLDER / name for name in (ELEMENT, RESIZER)), *(FOLDER / "former").glob("*.js")]
    published = [_script(f"{file.name.split('.')[0]}.js", file.read_bytes()) for file in files]
    return {script.path: script for script in published}


def _script(name: str, content: bytes) -> Script:
    digest = sha256(content).hexdigest()[:12]
    path = f"{SCRIPT_PATH}/{name.removesuffix('.js')}.{digest}.js"
    return Script(path, content, f"sha384-{_base64(sha384(content).digest())}")


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode()
