"""Who is asking: the key of a request, what it may do, and the refusal when that does not suffice."""

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select
from starlette.datastructures import Headers
from starlette.requests import Request

from app.api_keys import Scope, allows, key_digest, public_id
from app.clock import now
from app.db.database import Database
from app.db.tables import API_KEY
from app.db.write_queue import WriteQueue
from app.errors import Forbidden, Problem, Unauthorized
from app.models import RESOURCES
from app.store.write.keys import SECONDS_BETWEEN_NOTES, note_use

_ADDRESS = re.compile(r"/v1/([^/]+)(/[^/]+)?")
ON_ALL, ON_ONE = frozenset({"POST"}), frozenset({"PUT", "PATCH", "DELETE"})
OTHERS: tuple[tuple[str, re.Pattern[str], Scope], ...] = (
    ("POST", re.compile(r"/v1/batch"), "write"),
    ("GET", re.compile(r"/v1/drafts(/[^/]+)?"), "write"),
    ("DELETE", re.compile(r"/v1/drafts/[^/]+"), "write"),
    ("POST", re.compile(r"/v1/drafts/[^/]+/publish"), "admin"),
)
"""What else needs a key: method, path and scope."""


@dataclass(frozen=True)
class Caller:
    """Who sent a request: the holder of a key that is valid now."""

    id: str
    name: str
    scope: Scope


def needed_scope(method: str, path: str) -> Scope | None:
    """What a request must be allowed to do before anything of it is read; None for what anybody may."""
    match = _ADDRESS.fullmatch(path)
    if match is not None and match[1] in RESOURCES:
        return "write" if method in (ON_ONE if match[2] else ON_ALL) else None
    return next((scope for verb, known, scope in OTHERS if verb == method and known.fullmatch(path)), None)


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


_WITH_ID = select(API_KEY).where(API_KEY.c.id == bindparam("id"))


def held_key(connection: Connection, public: str) -> Row[Any] | None:
    """What is held of the key with this public id."""
    return connection.execute(_WITH_ID, {"id": public}).one_or_none()


def caller_with(key: str, found: Row[Any] | None) -> Caller:
    """The holder of a key, by what is held of it; Unauthorized when there is no such key, or it opens nothing now."""
    held = found.digest if found is not None else key_digest("")
    if not compare_digest(key_digest(key), held) or found is None:
        raise Unauthorized("There is no such key.", error="invalid_token")
    if found.revoked_at is not None:
        raise Unauthorized(f"The key {found.name!r} was revoked at {found.revoked_at}.", error="invalid_token")
    if found.expires_at is not None and found.expires_at <= now():
        raise Unauthorized(f"The key {found.name!r} expired at {found.expires_at}.", error="invalid_token")
    return Caller(found.id, found.name, found.scope)


def list_keys(connection: Connection) -> list[Row[Any]]:
    """Every key there ever was, by name."""
    return list(connection.execute(select(API_KEY).order_by(API_KEY.c.name)))


class Authenticator:
    """Knows callers by their keys, and notes when a key was used."""

    def __init__(self, database: Database, queue: WriteQueue) -> None:
        self.database = database
        self.queue = queue
        self._noted: dict[str, float] = {}
        self._notes: set[asyncio.Task[None]] = set()

    async def authenticate(self, key: str) -> Caller:
        """The holder of the key, or Unauthorized; that it was used is noted while the caller goes on."""
        public = public_id(key) or ""
        found = await self.database.cached_read(("key", public), lambda connection: held_key(connection, public))
        caller = caller_with(key, found)
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
