"""Authentication by API key (bearer token) and authorization by the scope of the key."""

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
"""Further operations that need a key: HTTP method, path pattern and scope."""


@dataclass(frozen=True)
class Caller:
    """The authenticated sender of a request: id, name and scope of a valid API key."""

    id: str
    name: str
    scope: Scope


def needed_scope(method: str, path: str) -> Scope | None:
    """The key scope that an operation requires, by method and path; None for public operations."""
    match = _ADDRESS.fullmatch(path)
    if match is not None and match[1] in RESOURCES:
        return "write" if method in (ON_ONE if match[2] else ON_ALL) else None
    return next((scope for verb, pattern, scope in OTHERS if verb == method and pattern.fullmatch(path)), None)


def admit(caller: Caller | None, needed: Scope) -> Caller:
    """The caller, when its scope includes the needed one; Unauthorized without a key, Forbidden with a lesser scope."""
    if caller is None:
        raise Unauthorized(f"This needs a key of the scope {needed}; the request has none.")
    if not allows(caller.scope, needed):
        raise Forbidden(f"This needs a key of the scope {needed}; yours has the scope {caller.scope}.")
    return caller


def caller_of(request: Request, needed: Scope) -> Caller:
    """The authorized caller of a request: a second check, where an operation is done in their name."""
    return admit(request.scope.get("caller"), needed)


def bearer_key(headers: Headers) -> str | None:
    """The bearer token of a request (RFC 6750 section 2.1), or None; Unauthorized when there are several.

    Other authentication schemes are ignored: a proxy in front of the service may require a password of its own.
    """
    credentials = [line.strip().partition(" ") for line in headers.getlist("authorization")]
    keys = [token.strip() for scheme, _, token in credentials if scheme.lower() == "bearer"]
    if len(keys) > 1:
        raise Unauthorized("Authorization stands there more than once.", error="invalid_request")
    return next(iter(keys), None) or None


_WITH_ID = select(API_KEY).where(API_KEY.c.id == bindparam("id"))


def stored_key(connection: Connection, public: str) -> Row[Any] | None:
    """The row of the API key with this public id, or None."""
    return connection.execute(_WITH_ID, {"id": public}).one_or_none()


def caller_with(key: str, found: Row[Any] | None) -> Caller:
    """The caller for a key and its stored row; Unauthorized when it is unknown, revoked or expired."""
    stored_digest = found.digest if found is not None else key_digest("")
    if not compare_digest(key_digest(key), stored_digest) or found is None:
        raise Unauthorized("There is no such key.", error="invalid_token")
    if found.revoked_at is not None:
        raise Unauthorized(f"The key {found.name!r} was revoked at {found.revoked_at}.", error="invalid_token")
    if found.expires_at is not None and found.expires_at <= now():
        raise Unauthorized(f"The key {found.name!r} expired at {found.expires_at}.", error="invalid_token")
    return Caller(found.id, found.name, found.scope)


class Authenticator:
    """Authenticates API keys, and records when each was last used."""

    def __init__(self, database: Database, queue: WriteQueue) -> None:
        self.database = database
        self.queue = queue
        self._noted_at: dict[str, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def authenticate(self, key: str) -> Caller:
        """The caller of a key, or Unauthorized; the time of use is recorded in the background."""
        public = public_id(key) or ""
        found = await self.database.cached_read(("key", public), lambda connection: stored_key(connection, public))
        caller = caller_with(key, found)
        last = self._noted_at.get(caller.id)
        if last is None or time.monotonic() - last > SECONDS_BETWEEN_NOTES:
            self._noted_at[caller.id] = time.monotonic()
            task = asyncio.create_task(self._note(caller.id))
            self._tasks.add(task)  # the event loop holds only weak references to tasks
            task.add_done_callback(self._tasks.discard)
        return caller

    async def _note(self, public: str) -> None:
        with suppress(Problem):  # a database that cannot be written to can still serve reads
            await self.queue.submit(lambda: note_use(self.database, public))
