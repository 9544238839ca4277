"""Which media type an answer gets: the caller's `Accept` against what can be given (RFC 9110 section 12.5.1)."""

import re
from collections.abc import Sequence

from starlette.requests import Request

from app.errors import NotAcceptable

QUALITY = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
"""A weight, RFC 9110 section 12.4.2; whoever writes something else asks for nothing."""


def accepted(request: Request) -> str | None:
    """The Accept header; several lines of it are one list (RFC 9110 section 5.3)."""
    return ", ".join(request.headers.getlist("accept")) or None


def choose(header: str | None, offered: Sequence[str]) -> str:
    """The offered media type that the caller likes best, the first one among equals; NotAcceptable when there is none.

    `offered` is in our own order of preference; parameters of media types (`charset`) do not count.
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
    """The q of the most specific range that covers the media type; 0 when none does."""
    name = media_type.split(";", maxsplit=1)[0].strip().lower()
    for pattern in (name, f"{name.split('/')[0]}/*", "*/*"):
        found = [quality for media_range, quality in ranges if media_range == pattern]
        if found:
            return max(found)
    return 0.0
