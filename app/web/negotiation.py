"""Content negotiation: the best offered media type for an Accept header (RFC 9110 section 12.5.1)."""

import re
from collections.abc import Sequence

from starlette.requests import Request

from app.errors import NotAcceptable

HTML = "text/html; charset=utf-8"
QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
"""A quality value, RFC 9110 section 12.4.2; a malformed one counts as 0."""


def accepted(request: Request) -> str | None:
    """The Accept header; several lines of it are one list (RFC 9110 section 5.3)."""
    return ", ".join(request.headers.getlist("accept")) or None


def choose(header: str | None, offered: Sequence[str]) -> str:
    """The offered media type with the highest quality, the first one among equals; NotAcceptable when none is accepted.

    `offered` is in the server's order of preference; parameters of media types (`charset`) are ignored.
    """
    ranges = [_range(part) for part in (header or "*/*").split(",") if part.strip()]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges)) if ranges else offered[0]
    if ranges and _quality(best, ranges) <= 0:
        names = ", ".join(media_type.split(";")[0] for media_type in offered)
        raise NotAcceptable(f"Accept: {(header or '')[:200]} names nothing that we can give here. There is: {names}.")
    return best


def _range(part: str) -> tuple[str, float]:
    media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return media_type, float(value) if QUALITY.fullmatch(value.strip()) else 0.0
    return media_type, 1.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The quality value of the most specific media range that matches; 0 when none does."""
    name = media_type.split(";", maxsplit=1)[0].strip().lower()
    for pattern in (name, f"{name.split('/')[0]}/*", "*/*"):
        qualities = [quality for media_range, quality in ranges if media_range == pattern]
        if qualities:
            return max(qualities)
    return 0.0
