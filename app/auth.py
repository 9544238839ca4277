"""Who is asking: the key of a request, what it may do, and the refusal when that does not suffice."""

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.datastructures import Headers
from starlette.requests import Request

from app.clock import now
from app.db import Database
from app.errors import Forbidden, Problem, Unauthorized
from app.keys import Scope, allows, digest_of, public_id
from app.ledger import API_KEY
from app.models import RESOURCES
from app.queue import WriteQueue
from app.store import note_use
from app.store.keys import SECONDS_BETWEEN_NOTES

_ADDRESS = re.compile(r"/v1/([^/]+)(/[^/]+)?")
ON_ALL, ON_ONE = frozenset({"POST"}), frozenset({"PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Caller:
    """Who sent a request: the holder of a key that is valid now."""

    id: str
    name: str
    scope: Scope


def needed_scope(method: str, path: str) -> Scope | None:
    """What a request must be allowed to do before anything of it is read; None for what anybody may."""
    match = _ADDRESS.fullmatch(path)
    if match is None or match[1] not in RESOURCES:
        return None
    return "write" if method in (ON_ONE if match[2] else ON_ALL) else None


def admit(caller: Caller | None, needed: Scope) -> Caller:
    """The caller, when they may do it; Unauthorized without a key, Forbidden when its scope does not suffice."""
    if caller is None:
        raise Unauthorized(f"This needs a key of the scope {needed}; the request has none.")
    if not allows(caller.scope, needed):
        raise Forbidden(f"This needs a key of the scope {needed}; yours has the scope {caller.scope}.")
    return caller


def caller_of(request: Request, needed: Scope) -> Caller:
    """Whoever sends this request, when they may do it: asked again where something is done in their name."""
    return admit(request.scope.get("caller"), needed)


def bearer_key(headers: Headers) -> str | None:
    """The key that a request carries (RFC 6750 section 2.1); None when it carries none.

    Other schemes are not ours: a proxy in front of the service may ask for a password of its own.
    """
    found = [line.strip().partition(" ") for line in headers.getlist("authorization")]
    keys = [rest.strip() for scheme, _, rest in found if scheme.lower() == "bearer"]
    if len(keys) > 1:
        raise Unauthorized("Authorization stands there more than once.", error="invalid_request")
    return next(iter(keys), None) or None


def find_caller(connection: Connection, key: str) -> Caller:
    """The holder of a key; Unauthorized when there is no such key, or it opens nothing any more."""
    public = public_id(key)
    found = connection.execute(select(API_KEY).where(API_KEY.c.id == (public or ""))).one_or_none()
    held = found.digest if found is not None else digest_of("")
    if not compare_digest(digest_of(key), held) or found is None:
        raise Unauthorized("There is no such key.", error="invalid_token")
    if found.revoked_at is not None:
        raise Unauthorized(f"The key {found.name!r} was revoked at {found.revoked_at}.", error="invalid_token")
    if found.expires_at is not None and found.expires_at <= now():
        raise Unauthorized(f"The key {found.name!r} expired at {found.expires_at}.", error="invalid_token")
    return Caller(found.id, found.name, found.scope)


def list_keys(connection: Connection) -> list[Row[Any]]:
    """Every key there ever was, by name."""
    return list(connection.execute(select(API_KEY).order_by(API_KEY.c.name)))


class Doorkeeper:
    """Knows callers by their keys, and notes when a key was used."""

    def __init__(self, database: Database, queue: WriteQueue) -> None:
        self.database = database
        self.queue = queue
        self._noted: dict[str, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def identify(self, key: str) -> Caller:
        """The holder of the key, or Unauthorized; that it was used is noted while the caller goes on."""
        caller = await self.database.fetch(lambda connection: find_caller(connection, key), short=True)
        last = self._noted.get(caller.id)
        if last is None or time.monotonic() - last > SECONDS_BETWEEN_NOTES:
            self._noted[caller.id] = time.monotonic()
            note = asyncio.create_task(self._note(caller.id))
            self._notes.add(note)  # the event loop itself holds tasks weakly
            note.add_done_callback(self._notes.discard)
        return caller

    async def _note(self, public: str) -> None:
        with suppress(Problem):  # a database that cannot be written to can be read
            await self.queue.submit(lambda: note_use(self.database, public))
