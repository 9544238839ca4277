"""The revision of the dataset: a number that each write transaction which changes something increments."""

from sqlalchemy import Connection, func, select

from app.db.tables import REVISION

_LAST_REVISION = select(func.coalesce(func.max(REVISION.c.number), 0))


def revision_of(connection: Connection) -> int:
    """The number of the last write transaction that changed something; 0 for an empty dataset."""
    return int(connection.execute(_LAST_REVISION).scalar_one())
