"""API keys as text: generation, parsing, hashing, scopes, and masking in logs."""

import re
import secrets
from hashlib import sha256
from typing import Literal, get_args

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""The scopes of a key, each including those before it."""

_KEY = re.compile(r"tev_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
_LIKE_A_KEY = re.compile(r"tev_[0-9a-f]{16}_[A-Za-z0-9_-]+")


def new_key() -> tuple[str, str]:
    """Generate a key: its public id (64 random bits) and the whole key, which ends in 256 random bits."""
    public = secrets.token_hex(8)
    return public, f"tev_{public}_{secrets.token_urlsafe(32)}"


def public_id(key: str) -> str | None:
    """The public id in a key, by which it is looked up; None for text that is not a key."""
    match = _KEY.fullmatch(key)
    return match[1] if match else None


def key_digest(key: str) -> str:
    """The stored hash of a key: SHA-256, which suffices for a random text of this length."""
    return sha256(key.encode()).hexdigest()


def allows(scope: Scope, needed: Scope) -> bool:
    """Whether a key of `scope` may do what needs the scope `needed`."""
    return SCOPES.index(scope) >= SCOPES.index(needed)


def mask_keys(text: str) -> str:
    """Mask API keys in a text; for logs and problem details, which repeat input of the caller."""
    return _LIKE_A_KEY.sub("tev_***", text)
