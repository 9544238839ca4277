"""Preconditions shared by all writes: authorization, content negotiation, `Idempotency-Key`; and the write queue."""

import re
from collections.abc import Callable, Collection
from typing import TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from app.api_keys import Scope
from app.db.database import Database
from app.errors import InvalidParameter
from app.models.base import Key
from app.web.auth import Caller, caller_of
from app.web.negotiation import accepted, choose
from app.web.parameters import refuse_repeated
from app.web.responses import JSON

T = TypeVar("T")
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")


def admitted(request: Request, parameters: type[BaseModel], needed: Scope = "write") -> Caller:
    """The authorized caller of a write that accepts JSON.

    Raises Unauthorized or Forbidden for the key, InvalidParameter for a repeated parameter, NotAcceptable for Accept.
    """
    caller = caller_of(request, needed)
    refuse_repeated(request, parameters)
    choose(accepted(request), [JSON])
    return caller


def live_database(request: Request) -> Database:
    """The live database: writes never go to a release."""
    database: Database = request.app.state.database
    return database


async def submit(request: Request, work: Callable[[], T], about: Collection[Key] = ()) -> T:
    """Run a write in the write queue and return its result; `about` names the records to read ahead."""
    result: T = await request.app.state.queue.submit(work, about)
    return result


def set_revision_header(request: Request, revision: int) -> None:
    """Set `Dataset-Revision` of the response to the revision that the write created."""
    request.scope["dataset"]["Dataset-Revision"] = str(revision)


def idempotency_key(request: Request) -> str | None:
    """The `Idempotency-Key` of the request, or None; InvalidParameter when it is malformed or repeated."""
    lines = request.headers.getlist("idempotency-key")
    if not lines:
        return None
    if len(lines) > 1 or not _IDEMPOTENCY_KEY.fullmatch(lines[0]):
        detail = "one key of 1 to 255 visible ASCII characters is needed"
        raise InvalidParameter(
            f"Idempotency-Key: {detail}.", errors=[{"parameter": "Idempotency-Key", "detail": detail}]
        )
    return lines[0]


def line_of(request: Request) -> bytes:
    """Method, path and query string of a request; with the body they identify it for idempotency."""
    return f"{request.method} {request.url.path}?{request.url.query}\n".encode()
