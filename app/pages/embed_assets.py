"""Static files of embeds: a card's inline style and script, and the published scripts that other sites load."""

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
"""Path prefix of the scripts; a script that requires more of the embedding page than before gets a new prefix."""


@dataclass(frozen=True)
class Script:
    """A script for other sites, under an immutable path with the hash of its content."""

    path: str
    content: bytes
    integrity: str
    """SHA-384 for the attribute `integrity` (Subresource Integrity, section 3)."""


@cache
def card_style() -> Markup:
    """The inline style sheet of a card."""
    lines = (FOLDER / "card.css").read_text(encoding="utf-8").splitlines()
    return Markup("".join(line.strip() for line in lines))  # noqa: S704  # our own file


@cache
def card_script() -> Markup:
    """The inline script of a card, which tells the embedding page the card's height."""
    return Markup((FOLDER / "card.js").read_text(encoding="utf-8").strip())  # noqa: S704  # our own file


@cache
def card_policy() -> str:
    """The Content-Security-Policy of a card: its inline style and script by hash, no other resource, any embedder."""
    style, script = (f"'sha256-{_base64(sha256(text.encode()).digest())}'" for text in (card_style(), card_script()))
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; "
        "frame-ancestors *; base-uri 'none'; form-action 'none'"
    )


@cache
def current(name: str) -> Script:
    """The current version of a script, by file name."""
    return _script(name, (FOLDER / name).read_bytes())


@cache
def scripts() -> Mapping[str, Script]:
    """Every script that was ever published, by its path; former versions are in the folder `former`."""
    files = [*(FOLDER / name for name in (ELEMENT, RESIZER)), *(FOLDER / "former").glob("*.js")]
    published = [_script(f"{file.name.split('.')[0]}.js", file.read_bytes()) for file in files]
    return {script.path: script for script in published}


def _script(name: str, content: bytes) -> Script:
    digest = sha256(content).hexdigest()[:12]
    path = f"{SCRIPT_PATH}/{name.removesuffix('.js')}.{digest}.js"
    return Script(path, content, f"sha384-{_base64(sha384(content).digest())}")


def _base64(digest: bytes) -> str:
    return b64encode(digest).decode()
