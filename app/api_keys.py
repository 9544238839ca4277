"""API keys as text: how one is made, recognised, hashed and hidden."""

import re
import secrets
from hashlib import sha256
from typing import Literal, get_args

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""What a key may do; each word includes those before it."""

_KEY = re.compile(r"tev_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
_LIKE_A_KEY = re.compile(r"tev_[0-9a-f]{16}_[A-Za-z0-9_-]+")


def new_key() -> tuple[str, str]:
    """A public id, and the key that begins with it and goes on with 256 random bits."""
    public = secrets.token_hex(8)
    return public, f"tev_{public}_{secrets.token_urlsafe(32)}"


def public_id(key: str) -> str | None:
    """The part of a key by which it is looked up; None for what is no key."""
    match = _KEY.fullmatch(key)
    return match[1] if match else None


def key_digest(key: str) -> str:
    """What is stored of a key: SHA-256, which suffices for a random text of this length."""
    return sha256(key.encode()).hexdigest()


def allows(scope: Scope, needed: Scope) -> bool:
    """Whether a key of one scope may do what needs another."""
    return SCOPES.index(scope) >= SCOPES.index(needed)


def mask_keys(text: str) -> str:
    """The text without the keys in it: for logs and problems, which repeat what somebody sent."""
    return _LIKE_A_KEY.sub("tev_***", text)
