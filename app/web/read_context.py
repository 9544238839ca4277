"""What a handler of a JSON read does around its own work: negotiation, where to read, addresses, and the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy import Connection
from starlette.responses import Response

from app.json_codec import to_json
from app.web import etags
from app.web.addresses import absolute_url, next_url
from app.web.negotiation import accepted, choose
from app.web.parameters import refuse_repeated
from app.web.read_source import database_of
from app.web.responses import JSON

T = TypeVar("T")


@dataclass(frozen=True)
class ReadContext:
    """One read of JSON; made by `json_read`, which has checked that the request can be answered."""

    request: Request

    async def fetch(self, work: Callable[[Connection], T], *, short: bool = False) -> T:
        """Read from the live database or from the release that the request names (see `Reads.fetch`)."""
        found: T = await database_of(self.request).fetch(work, short=short)
        return found

    def address(self, path: str) -> str:
        """The absolute URL of a path, within the release of the request."""
        return absolute_url(self.request, path)

    def answer(self, content: Any, *, following: str | None = None) -> Response:
        """The response with its ETag, or 304; `following` is the cursor of the next page, for the Link header.

        `content` is a model or value to serialise, or JSON as text or bytes.
        """
        links = [f'<{next_url(self.request, following)}>; rel="next"'] if following else []
        if isinstance(content, str):
            content = content.encode()
        body = content if isinstance(content, bytes) else to_json(content)
        return etags.response_with_etag(self.request, body, JSON, links=links)


def json_read(request: Request, parameters: type[BaseModel]) -> ReadContext:
    """The context of a read of JSON; NotAcceptable for another format, InvalidParameter for a repeated parameter."""
    choose(accepted(request), [JSON])
    refuse_repeated(request, parameters)
    return ReadContext(request)
