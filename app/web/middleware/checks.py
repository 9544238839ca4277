"""The checks of the gate: URL, Host, API key, content coding and announced size of a request, before it is parsed."""

import re
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import Scope

from app.errors import BadRequest, Misdirected, TooLong, UnsupportedMediaType
from app.web.auth import Caller, admit, bearer_key, needed_scope
from app.web.middleware.gate import Check, Passage, too_large
from app.web.path_classes import path_class

LONGEST_ADDRESS = 32_768
"""Most bytes of path and query string together: two hundred ids of the greatest length fit."""

LARGEST_BODY = 1_000_000
"""Most bytes of a request body: a thousand studies with long labels fit three times."""

WITH_BODY = ("POST", "PUT", "PATCH")
"""Methods whose request bodies are read; bodies of other methods are ignored."""
LARGER_BODIES = {"/v1/batch": 32_000_000}
"""Most bytes of a request body on paths with a limit of their own: ten thousand exported records fit."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::[0-9]{0,5})?")

Authenticate = Callable[[str], Awaitable[Caller]]


async def address(passage: Passage) -> None:
    """Refuse a URL that is too long (414), contains NUL or is not UTF-8 (400)."""
    raw = passage.scope.get("raw_path") or passage.path.encode()
    query = passage.scope["query_string"]
    if len(raw) + len(query) > LONGEST_ADDRESS:
        raise TooLong(f"The address has {len(raw) + len(query)} bytes; {LONGEST_ADDRESS} are allowed.")
    for part, part_name in ((raw, "path"), (query, "query")):
        decoded = unquote_to_bytes(part)
        if b"\x00" in decoded:
            raise BadRequest(f"The {part_name} holds a NUL character.")
        try:
            decoded.decode()
        except UnicodeDecodeError as failure:
            raise BadRequest(f"The {part_name} is not UTF-8 at byte {failure.start}.") from failure


def host_among(allowed: Sequence[str]) -> Check:
    """The check of the Host: a missing, repeated or malformed one is a 400; one not `allowed`, where any is, a 421."""

    async def host(passage: Passage) -> None:
        refuse_host(passage.scope, allowed)

    return host


def refuse_host(scope: Scope, allowed: Sequence[str]) -> None:
    """Raise the problem of the Host header, if there is one; HTTP/1.0 needs no Host (RFC 9112 section 3.2)."""
    hosts = Headers(scope=scope).getlist("host")
    if not hosts and scope["http_version"] == "1.0" and not allowed:
        return
    if len(hosts) != 1:
        raise BadRequest(f"A request has one Host; this one has {len(hosts) or 'none'}.")
    match = _HOST.fullmatch(hosts[0].strip())
    if match is None:
        raise BadRequest(f"Host: {hosts[0][:200]} is no name of a host.")
    if allowed and not path_class(scope["path"]).is_probe and not is_among(match[1].lower(), allowed):
        raise Misdirected(f"Host: {hosts[0][:200]} is none of the names under which this service answers.")


def is_among(host: str, allowed: Sequence[str]) -> bool:
    """Whether a host name matches the list; `*.example.org` matches every subdomain of example.org."""
    return any(host.endswith(name[1:]) if name.startswith("*.") else host == name for name in allowed)


def api_key(authenticate: Authenticate) -> Check:
    """The check of the API key: an invalid one (401), or a write without the needed scope (401, 403), is refused."""

    async def key(passage: Passage) -> None:
        sent = bearer_key(Headers(scope=passage.scope))
        caller = None if sent is None else await authenticate(sent)
        needed = needed_scope(passage.scope["method"], passage.path)
        if needed is not None:
            admit(caller, needed)
        passage.caller = caller

    return key


async def content_coding(passage: Passage) -> None:
    """Refuse a compressed request body (415, RFC 9110 section 12.5.3): a few bytes may decompress to any size."""
    if passage.method not in WITH_BODY:
        return
    coding = ", ".join(Headers(scope=passage.scope).getlist("content-encoding")).strip().lower()
    if coding not in ("", "identity"):
        detail = f"Content-Encoding: {coding[:200]} is not read here; send the body as it is."
        raise UnsupportedMediaType(detail, headers={"Accept-Encoding": "identity"})


async def announced_length(passage: Passage) -> None:
    """Refuse a body above the size limit (413) by its Content-Length; the gate counts what is received."""
    passage.largest_body = largest = LARGER_BODIES.get(passage.path, LARGEST_BODY)
    announced = Headers(scope=passage.scope).get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > largest:
        raise too_large(f"{announced[:20]} bytes", largest)
