"""The revision of the dataset, and the state of the database by which cached responses are known to be current."""

from collections.abc import Hashable
from itertools import count
from typing import NamedTuple

from sqlalchemy import Connection, func, select, text

from app.db.tables import REVISION

_LAST_REVISION = select(func.coalesce(func.max(REVISION.c.number), 0))
_ON_POSTGRESQL = text("SELECT (SELECT coalesce(max(number), 0) FROM revision), pg_current_snapshot()::text")
_NUMBERS = count()


class DatasetState(NamedTuple):
    """What a read sees of the database: two equal states have no commit between them."""

    revision: int
    """The number of the last write transaction that changed something; 0 for an empty dataset."""
    snapshot: Hashable
    """The transactions that are visible: on PostgreSQL the text of `pg_current_snapshot()`; on SQLite a number that is
    new each time, since there a state is read again only after a commit (`Database.cached_read`)."""


def revision_of(connection: Connection) -> int:
    """The number of the last write transaction that changed something; 0 for an empty dataset."""
    return int(connection.execute(_LAST_REVISION).scalar_one())


def dataset_state(connection: Connection) -> DatasetState:
    """The state of the database that this connection sees now."""
    if connection.dialect.name == "postgresql":
        return DatasetState(*connection.execute(_ON_POSTGRESQL).one())
    return DatasetState(revision_of(connection), next(_NUMBERS))
