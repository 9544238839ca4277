"""Rate limits by API key and by client address, counted in this process or in Redis, with `RateLimit` headers."""

import logging
from functools import cached_property
from importlib import import_module
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from time import monotonic, time
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.datastructures import Headers
from starlette.types import Scope

from app.errors import TooManyRequests
from app.settings import OFF, Settings
from app.web.auth import needed_scope
from app.web.middleware.gate import Check, Passage

if TYPE_CHECKING:
    from limits import RateLimitItem

logger = logging.getLogger("app")

MOST_COUNTED = 10_000
"""Most keys and addresses that one process counts at a time; requests of further ones pass uncounted."""
IN_MEMORY = "memory://"
SECONDS_OF_SILENCE = 5.0
"""Pause of counting after the storage could not be reached, so that not every request waits for the timeout."""
SECONDS_TO_COUNT = 0.5
"""Timeout of Redis, for connecting and for each command."""


class RateLimitResult(NamedTuple):
    """The state of a rate limit after a request was counted or looked up."""

    policy: str
    limit: int
    window: int
    """Length of the window in seconds."""
    remaining: int
    reset: int
    """Seconds until the next window."""
    is_allowed: bool

    def headers(self) -> dict[str, str]:
        """The `RateLimit-Policy` and `RateLimit` headers of draft-ietf-httpapi-ratelimit-headers-09."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={self.window}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset}',
        }

    def problem(self, reason: str) -> TooManyRequests:
        """The 429 problem for this limit, with `Retry-After`."""
        detail = f"{reason}: {self.limit} in {self.window} seconds are allowed. Try again in {self.reset} seconds."
        return TooManyRequests(detail, headers={**self.headers(), "Retry-After": str(self.reset)})


class RateLimiter:
    """The rate limits of the service and the storage of their counters.

    The package `limits` is imported when the first request is counted; Redis is set up at once, so that a wrong address
    stops the start.
    """

    def __init__(self, settings: Settings) -> None:
        policies = {"writes": settings.rate_writes, "reads": settings.rate_reads, "keys": settings.rate_failures}
        self._policies = {name: text for name, text in policies.items() if text != OFF}
        self._address = settings.rate_storage
        self._pool = None if settings.rate_storage == IN_MEMORY else _redis_pool(settings.rate_storage)
        self._silent_until = 0.0
        if self._pool is not None:
            assert self._limiter  # noqa: S101  # made here, not at the first request

    @cached_property
    def limits(self) -> "dict[str, RateLimitItem]":
        """The limits that are not off, by policy."""
        return {name: import_module("limits").parse(text) for name, text in self._policies.items()}

    @cached_property
    def storage(self) -> Any:
        """Where requests are counted."""
        options = {"implementation": "redispy", "connection_pool": self._pool} if self._pool else {}
        make = import_module("limits.storage").storage_from_string
        return make(f"async+{self._address}", wrap_exceptions=True, **options)

    @cached_property
    def _limiter(self) -> Any:
        return import_module("limits.aio.strategies").FixedWindowRateLimiter(self.storage)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.aclose()

    async def spend(self, policy: str, client: str) -> RateLimitResult | None:
        """Count one request of a key or address; None when there is no such limit, or no counter is available."""
        return await self._measure(policy, client, cost=1)

    async def look(self, policy: str, client: str) -> RateLimitResult | None:
        """The state of the limit, without counting a request."""
        return await self._measure(policy, client, cost=0)

    async def _measure(self, policy: str, client: str, *, cost: int) -> RateLimitResult | None:
        if policy not in self._policies or monotonic() < self._silent_until:
            return None
        item = self.limits[policy]
        if not self._has_room(item.key_for(policy, client)):
            return None
        try:
            is_allowed = await (self._limiter.hit if cost else self._limiter.test)(item, policy, client)
            stats = await self._limiter.get_window_stats(item, policy, client)
        except import_module("limits.errors").StorageError:
            self._silent_until = monotonic() + SECONDS_OF_SILENCE
            logger.warning("requests are not counted: the storage of the rate limits cannot be reached")
            return None
        reset = max(1, ceil(stats.reset_time - time()))
        return RateLimitResult(policy, item.amount, item.get_expiry(), stats.remaining, reset, is_allowed)

    def _has_room(self, key: str) -> bool:
        """Whether the counter exists or may be created: in memory up to MOST_COUNTED, in Redis always."""
        if self._address != IN_MEMORY:
            return True
        return key in self.storage.expirations or len(self.storage.expirations) < MOST_COUNTED


def _redis_pool(address: str) -> Any:
    """A connection pool with a short timeout and no retries, since requests wait for Redis."""
    redis, retry = import_module("redis.asyncio"), import_module("redis.asyncio.retry")
    no_retry = retry.Retry(import_module("redis.backoff").NoBackoff(), 0)
    seconds = {"socket_timeout": SECONDS_TO_COUNT, "socket_connect_timeout": SECONDS_TO_COUNT}
    return redis.ConnectionPool.from_url(address, retry=no_retry, **seconds)


def failed_keys(rates: RateLimiter) -> Check:
    """The check before that of the key: refuses keys (429) from an address that has sent too many invalid ones."""

    async def check(passage: Passage) -> None:
        if "authorization" not in Headers(scope=passage.scope):
            return
        client = client_address(passage.scope)
        limit = await rates.look("keys", client)
        if limit is not None and not limit.is_allowed:
            raise limit.problem("Too many wrong keys came from this address")

        async def count(status: int) -> None:
            if status == 401:
                await rates.spend("keys", client)

        passage.on_status = count

    return check


def request_rate(rates: RateLimiter) -> Check:
    """The check after that of the key: counts requests under `/v1` by key, else by address; 429 above the limit."""

    async def check(passage: Passage) -> None:
        if not passage.path.startswith("/v1"):
            return
        policy = "reads" if needed_scope(passage.scope["method"], passage.path) is None else "writes"
        caller = passage.caller
        limit = await rates.spend(policy, client_address(passage.scope) if caller is None else caller.id)
        if limit is None:
            return
        if not limit.is_allowed:
            sender = "from this address" if caller is None else "with this key"
            raise limit.problem(f"Too many {policy} were asked {sender}")
        passage.headers += [(name.lower().encode(), value.encode()) for name, value in limit.headers().items()]

    return check


def client_address(scope: Scope) -> str:
    """The IP address of the client, as uvicorn reports it, which believes the headers of trusted proxies only.

    An IPv6 address is given as its /64 network, because one subscriber usually holds all of its addresses.
    """
    host = (scope.get("client") or ("unknown",))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return str(host)
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((address.packed[:8] + bytes(8), 64)))
