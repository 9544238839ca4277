"""API keys: creation, revocation, and the time of last use."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from app.api_keys import Scope, key_digest, new_key
from app.clock import ago, now
from app.db.database import Database
from app.db.failures import unavailable
from app.db.tables import API_KEY
from app.errors import BrokenSetting, nearest

SECONDS_BETWEEN_NOTES = 60
"""The last use is recorded at most once a minute, so that not every read with a key causes a write."""


def create_key(database: Database, name: str, scope: Scope, *, expires_at: str | None = None) -> str:
    """Create an API key and return it, the only time that it is known; BrokenSetting when the name was used before."""
    public, key = new_key()
    values = {"id": public, "name": name, "scope": scope, "digest": key_digest(key), "created_at": now()}
    with _writing(database) as connection:
        if connection.execute(select(API_KEY.c.id).where(API_KEY.c.name == name)).first():
            rule = "names stand in the history and are given once, revoked ones too"
            raise BrokenSetting(f"There is a key {name!r} already; {rule}.")
        connection.execute(insert(API_KEY).values(**values, expires_at=expires_at))
    return key


def revoke_key(database: Database, name: str) -> None:
    """Revoke an API key; BrokenSetting for an unknown name, with the nearest one, and for a revoked key."""
    with _writing(database) as connection:
        found = connection.execute(select(API_KEY.c.name, API_KEY.c.revoked_at))
        revoked_at: dict[str, str | None] = {key.name: key.revoked_at for key in found}
        if name not in revoked_at:
            close = nearest(name, revoked_at)
            raise BrokenSetting(f"There is no key {name!r}." + (f" Did you mean {close!r}?" if close else ""))
        if revoked_at[name] is not None:
            raise BrokenSetting(f"The key {name!r} was revoked already, at {revoked_at[name]}.")
        connection.execute(update(API_KEY).where(API_KEY.c.name == name).values(revoked_at=now()))


def note_use(database: Database, public: str) -> None:
    """Set `last_used_at` of a key, unless it was set less than a minute ago."""
    last = API_KEY.c.last_used_at
    due = or_(last.is_(None), last < ago(SECONDS_BETWEEN_NOTES))
    with _writing(database) as connection:
        connection.execute(update(API_KEY).where(API_KEY.c.id == public, due).values(last_used_at=now()))


@contextmanager
def _writing(database: Database) -> Iterator[Connection]:
    """A write transaction without a revision: keys are not a part of the dataset."""
    try:
        with database.write() as connection:
            yield connection
    except DBAPIError as failure:
        raise unavailable(failure) from failure
