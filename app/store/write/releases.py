"""Insert the database row of a release once its file is complete."""

from dataclasses import asdict

from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from app.db.database import Database
from app.db.failures import unavailable
from app.db.tables import RELEASE
from app.json_codec import to_json
from app.store.read.releases import Release


def record_release(database: Database, release: Release) -> bool:
    """Insert the row of a release whose file exists; False when its name has been taken meanwhile."""
    values = asdict(release)
    values |= {"counts": to_json(release.counts).decode(), "difference": to_json(release.difference).decode()}
    try:
        with database.write() as connection:
            if connection.execute(select(RELEASE.c.name).where(RELEASE.c.name == release.name)).first():
                return False
            connection.execute(insert(RELEASE).values(values))
    except DBAPIError as failure:
        raise unavailable(failure) from failure
    return True
