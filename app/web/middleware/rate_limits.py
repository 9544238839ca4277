"""How often somebody may ask: counted by key and by address, in this process or in Redis, told in every answer."""

import logging
from importlib import import_module
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from time import monotonic, time
from typing import Any, NamedTuple

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooManyRequests
from app.settings import OFF, Settings
from app.web.auth import needed_scope
from app.web.middleware.checks import Tell

logger = logging.getLogger("app")

MOST_COUNTED = 10_000
"""How many keys and addresses one process counts at a time; whoever is one more is let through uncounted."""
IN_MEMORY = "memory://"
SECONDS_OF_SILENCE = 5.0
"""For how long nobody is counted after the storage could not be reached: it must not slow every request down."""
SECONDS_TO_COUNT = 0.5
"""How long Redis has to answer."""


class RateLimitResult(NamedTuple):
    """What one more request came to."""

    policy: str
    limit: int
    window: int
    """Seconds for which the limit holds."""
    remaining: int
    reset: int
    """Seconds until it begins anew."""
    is_allowed: bool

    def headers(self) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-09: the policy, and what is left of it."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={self.window}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset}',
        }

    def problem(self, words: str) -> TooManyRequests:
        """What whoever asked too often is told."""
        detail = f"{words}: {self.limit} in {self.window} seconds are allowed. Try again in {self.reset} seconds."
        return TooManyRequests(detail, headers={**self.headers(), "Retry-After": str(self.reset)})


class RateLimiter:
    """The limits of the service, and where they are counted."""

    def __init__(self, settings: Settings) -> None:
        named = {"writes": settings.rate_writes, "reads": settings.rate_reads, "keys": settings.rate_failures}
        self.limits: dict[str, RateLimitItem] = {name: parse(text) for name, text in named.items() if text != OFF}
        self._pool = None if settings.rate_storage == IN_MEMORY else _redis_pool(settings.rate_storage)
        options = {"implementation": "redispy", "connection_pool": self._pool} if self._pool else {}
        self.storage: Any = storage_from_string(f"async+{settings.rate_storage}", wrap_exceptions=True, **options)
        self._limiter = FixedWindowRateLimiter(self.storage)
        self._silent_until = 0.0

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.aclose()

    async def spend(self, policy: str, who: str) -> RateLimitResult | None:
        """Count one more request; None when nothing limits it, or it cannot be counted."""
        return await self._look(policy, who, cost=1)

    async def look(self, policy: str, who: str) -> RateLimitResult | None:
        """What is left, without counting."""
        return await self._look(policy, who, cost=0)

    async def _look(self, policy: str, who: str, *, cost: int) -> RateLimitResult | None:
        item = self.limits.get(policy)
        if item is None or monotonic() < self._silent_until or not self._has_room(item.key_for(policy, who)):
            return None
        try:
            is_allowed = await (self._limiter.hit if cost else self._limiter.test)(item, policy, who)
            stats = await self._limiter.get_window_stats(item, policy, who)
        except StorageError:
            self._silent_until = monotonic() + SECONDS_OF_SILENCE
            logger.warning("requests are not counted: the storage of the rate limits cannot be reached")
            return None
        reset = max(1, ceil(stats.reset_time - time()))
        return RateLimitResult(policy, item.amount, item.get_expiry(), stats.remaining, reset, is_allowed)

    def _has_room(self, key: str) -> bool:
        """Whether the counter is there or may be made: the memory of a process has an end, Redis minds its own."""
        if not isinstance(self.storage, MemoryStorage):
            return True
        return key in self.storage.expirations or len(self.storage.expirations) < MOST_COUNTED


def _redis_pool(address: str) -> Any:
    """Connections to Redis that give up at once: whoever asks waits for them."""
    redis, retry = import_module("redis.asyncio"), import_module("redis.asyncio.retry")
    never = retry.Retry(import_module("redis.backoff").NoBackoff(), 0)
    seconds = {"socket_timeout": SECONDS_TO_COUNT, "socket_connect_timeout": SECONDS_TO_COUNT}
    return redis.ConnectionPool.from_url(address, retry=never, **seconds)


class FailureGuard:
    """Plain ASGI around the key guard: an address that has sent too many wrong keys is not looked up any more."""

    def __init__(self, app: ASGIApp, *, rates: RateLimiter, tell: Tell) -> None:
        self.app = app
        self.rates = rates
        self.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and count it when its key was refused."""
        if scope["type"] != "http" or "authorization" not in Headers(scope=scope):
            await self.app(scope, receive, send)
            return
        who = client_address(scope)
        spent = await self.rates.look("keys", who)
        if spent is not None and not spent.is_allowed:
            answer = await self.tell(Request(scope), spent.problem("Too many wrong keys came from this address"))
            await answer(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                await self.rates.spend("keys", who)
            await send(message)

        await self.app(scope, receive, counted)


class RateGuard:
    """Plain ASGI behind the key guard: counts the requests of a key, or of an address without one, before the body."""

    def __init__(self, app: ASGIApp, *, rates: RateLimiter, tell: Tell) -> None:
        self.app = app
        self.rates = rates
        self.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under `/v1`, with what is left in the answer, or tell that it is one too many."""
        if scope["type"] != "http" or not scope["path"].startswith("/v1"):
            await self.app(scope, receive, send)
            return
        policy = "reads" if needed_scope(scope["method"], scope["path"]) is None else "writes"
        caller = scope.get("caller")
        spent = await self.rates.spend(policy, client_address(scope) if caller is None else caller.id)
        if spent is None:
            await self.app(scope, receive, send)
            return
        if not spent.is_allowed:
            who = "from this address" if caller is None else "with this key"
            answer = await self.tell(Request(scope), spent.problem(f"Too many {policy} were asked {who}"))
            await answer(scope, receive, send)
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(raw=message["headers"]).update(spent.headers())
            await send(message)

        await self.app(scope, receive, told)


def client_address(scope: Scope) -> str:
    """Who sends a request, as the server gives it, which believes the proxies that it trusts and nobody else.

    One network of IPv6 (64 bits) is one sender: whoever has one address of it has them all.
    """
    host = (scope.get("client") or ("unknown",))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return str(host)
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((address.packed[:8] + bytes(8), 64)))
