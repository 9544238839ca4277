"""What every write asks of its request: who sends it, whether they can take the answer, and how it is sent again."""

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
    """The caller, when they may do it and can take the answer."""
    caller = caller_of(request, needed)
    refuse_repeated(request, parameters)
    choose(accepted(request), [JSON])
    return caller


def live_database(request: Request) -> Database:
    """Where writes go: never to a release."""
    database: Database = request.app.state.database
    return database


async def submit(request: Request, work: Callable[[], T], about: Collection[Key] = ()) -> T:
    """What a write gives once its turn has come; `about` names the records that it is going to ask for."""
    submitted: T = await request.app.state.queue.submit(work, about)
    return submitted


def tell_revision(request: Request, revision: int) -> None:
    """Let the answer carry the revision that the write made, not the one before it."""
    request.scope["dataset"]["Dataset-Revision"] = str(revision)


def idempotency_key(request: Request) -> str | None:
    """The name that the caller gave to this request; InvalidParameter when it is none."""
    lines = request.headers.getlist("idempotency-key")
    if not lines:
        return None
    if len(lines) > 1 or not _IDEMPOTENCY_KEY.fullmatch(lines[0]):
        wrong = "one key of 1 to 255 visible ASCII characters is needed"
        raise InvalidParameter(f"Idempotency-Key: {wrong}.", errors=[{"parameter": "Idempotency-Key", "detail": wrong}])
    return lines[0]


def line_of(request: Request) -> bytes:
    """Method, path and query: with the body, what a request asks."""
    return f"{request.method} {request.url.path}?{request.url.query}\n".encode()
