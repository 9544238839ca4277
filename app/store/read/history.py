"""A record's history: its documents, newest first, with the changes, author and reason of each."""

from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import Connection, literal, select, tuple_

from app.db.tables import RECORD_VERSION
from app.models.base import Row
from app.models.vocabulary import ChangeType, State
from app.store.read.cursors import read_numbers, write_cursor
from app.store.read.missing import absent
from app.store.read.query import MOST_ROWS, USUAL_ROWS, Address, ReadParameters
from app.store.read.versions import RecordVersion, in_order, place, read_versions, select_versions

MARK = "history"
"""The fingerprint of history cursors; without the record's id, so that they stay valid after a renaming."""


class HistoryAsked(ReadParameters):
    """The query parameters of a history."""

    limit: int = Field(USUAL_ROWS, ge=1, le=MOST_ROWS, description=f"How many, 1–{MOST_ROWS}.")
    cursor: str | None = Field(None, max_length=4000, description="Where to go on: the `next` of the page before.")


class FieldChange(BaseModel):
    """One change of one field."""

    type: ChangeType = Field(description="What kind of change it is.")
    field: str | None = Field(description="The field; null where the record was created.")
    old: Any = Field(description="Its value before.")
    new: Any = Field(description="Its value after.")


class Written(BaseModel):
    """When, by whom and why something was written."""

    revision: int = Field(description="The dataset's revision that wrote it.")
    at: str = Field(description="When (UTC, RFC 3339).")
    author: str = Field(description="Who wrote it.")
    reason: str | None = Field(description="The author's reason.")
    reviewer: str | None = Field(description="Who published it, where the author had sent it as a draft.")
    note: str | None = Field(description="The reviewer's comment.")


class HistoryEntry(Written):
    """One edition of a record: its document as published from that revision on."""

    version: int = Field(description="The record's version.")
    is_new_version: bool = Field(
        description="Whether the record itself changed. If not, the same version shows what follows from another "
        "record, as when its source was retracted."
    )
    state: State = Field(description="Whether readers saw it from then on.")
    changes: list[FieldChange] = Field(description="What changed, in the order of the fields.")
    url: str = Field(description="The record as it was in that version, in its last edition.")


class History(BaseModel):
    """One page of a record's history."""

    items: list[HistoryEntry] = Field(description="The editions, newest first.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


def read_history(
    connection: Connection, resource: type[Row], record_id: str, params: HistoryAsked, address: Address
) -> History:
    """A page of the history, also of a withdrawn record; Moved for a former id, NotFound for an unknown one."""
    own = (RECORD_VERSION.c.kind == resource.plural, RECORD_VERSION.c.id == record_id)
    statement = in_order(select_versions().where(*own), newest_first=True)
    if params.cursor:
        before = tuple_(*map(literal, read_numbers(params.cursor, MARK, 2)))
        statement = statement.where(place() < before)
    versions = list(read_versions(connection, statement.limit(params.limit + 1)))
    if not versions and connection.execute(select(RECORD_VERSION.c.id).where(*own).limit(1)).scalar() is None:
        raise absent(connection, resource, record_id)
    page, more = versions[: params.limit], len(versions) > params.limit
    path = f"/v1/{resource.plural}/{record_id}"
    return History(
        items=[_entry(version, address(f"{path}?version={version.version}")) for version in page],
        next=write_cursor(MARK, (page[-1].revision, page[-1].position)) if more else None,
    )


def _entry(version: RecordVersion, url: str) -> HistoryEntry:
    return HistoryEntry(
        version=version.version,
        is_new_version=version.is_new_version,
        revision=version.revision,
        at=version.at,
        author=version.author,
        reason=version.reason,
        reviewer=version.reviewer,
        note=version.note,
        state=version.document["state"],
        changes=[FieldChange(**change._asdict()) for change in version.changes],
        url=url,
    )
