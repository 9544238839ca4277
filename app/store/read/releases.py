"""Reading the table of releases: by name, or as a list with the newest first."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, select, tuple_

from app.db.tables import RELEASE
from app.errors import NotFound, nearest
from app.json_codec import from_json


@dataclass(frozen=True)
class Release:
    """The metadata of a release, a frozen copy of the dataset."""

    name: str
    at: str
    revision: int
    previous: str | None
    sha256: str
    size: int
    counts: dict[str, int]
    difference: dict[str, Any]
    notes: str | None


def file_of(folder: Path, name: str) -> Path:
    """The path of a release's SQLite file."""
    return folder / f"{name}.sqlite3"


def find_release(connection: Connection, name: str) -> Release:
    """A release by name; NotFound with the nearest name."""
    found = connection.execute(select(RELEASE).where(RELEASE.c.name == name)).one_or_none()
    if found is None:
        close = nearest(name, connection.execute(_newest_first(select(RELEASE.c.name)).limit(500)).scalars())
        raise NotFound(f"There is no release {name!r}." + (f" Did you mean {close!r}?" if close else ""))
    return _release(found)


def list_releases(connection: Connection, limit: int, after: tuple[str, str] | None = None) -> list[Release]:
    """Releases, newest first, at most `limit`; `after` is time and name of the last one of the page before."""
    query = _newest_first(select(RELEASE)).limit(limit)
    if after is not None:
        query = query.where(tuple_(RELEASE.c.at, RELEASE.c.name) < after)
    return [_release(row) for row in connection.execute(query)]


def _newest_first(query: Select[Any]) -> Select[Any]:
    return query.order_by(RELEASE.c.at.desc(), RELEASE.c.name.desc())


def _release(row: Row[Any]) -> Release:
    values = dict(row._mapping)  # SQLAlchemy's public name for it
    return Release(**values | {"counts": from_json(values["counts"]), "difference": from_json(values["difference"])})
