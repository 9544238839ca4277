"""Reading drafts: author, proposed document, base version, and the changes that it would make."""

from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Connection, select

from app.db.tables import API_KEY, DRAFT, RECORD_VERSION
from app.errors import NotFound
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Key
from app.models.vocabulary import DraftAction, DraftState
from app.store.read.changes import changes_between
from app.store.read.cursors import read_numbers, write_cursor
from app.store.read.history import FieldChange
from app.store.read.missing import present_id
from app.store.read.versions import in_order

MARK = "drafts"


class DraftSummary(BaseModel):
    """A draft in a list: author, action, record and state."""

    id: int = Field(description="The draft's number.")
    state: DraftState = Field(description="Whether it waits for a review, is published, or was discarded.")
    action: DraftAction = Field(description="What it would do to the record.")
    kind: str = Field(description="The resource, as in the URL.")
    record: str = Field(description="The record's id.")
    base_version: int | None = Field(description="The version that it changes; null for a new record.")
    at: str = Field(description="When it was sent (UTC, RFC 3339).")
    author: str = Field(description="Who sent it.")
    reason: str | None = Field(description="The author's reason.")
    decided_at: str | None = Field(description="When it was published or discarded; null while it is open.")
    decided_by: str | None = Field(description="Who published or discarded it.")
    note: str | None = Field(description="The reviewer's comment.")
    revision: int | None = Field(description="The dataset's revision that published it.")
    url: str = Field(description="Where the draft is.")


class Draft(DraftSummary):
    """A draft with what it would change."""

    present_version: int | None = Field(
        description="The version that the record has now; null where readers see none. Where it differs from "
        "`base_version`, an open draft cannot be published any more."
    )
    changes: list[FieldChange] = Field(description="Its changes of the base version.")
    proposed: dict[str, Any] = Field(description="The record as it would be published.")


class DraftPage(BaseModel):
    """One page of the drafts that a key may see."""

    items: list[DraftSummary] = Field(description="The drafts, newest first.")
    next: str | None = Field(description="The cursor of the next page; null on the last one.")


def read_draft(connection: Connection, number: int, holder: str | None, public_url: str) -> Draft:
    """One draft; NotFound unless it belongs to `holder`, the id of an API key; None: any key."""
    row = connection.execute(_select_drafts().where(DRAFT.c.number == number)).one_or_none()
    if row is None or holder not in (None, row.holder):
        raise NotFound(f"There is no draft {number} that this key may see.")
    key = (row.kind, present_id(connection, RESOURCES[row.kind], row.record))
    proposed = from_json(row.document)
    before = _document_of_version(connection, key, row.base_version)
    return Draft(
        **_summary(row, public_url).model_dump(),
        present_version=_present_version(connection, key),
        changes=[FieldChange(**change._asdict()) for change in changes_between(row.kind, before, proposed)],
        proposed=proposed,
    )


def list_drafts(
    connection: Connection, conditions: dict[str, tuple[Any, ...]], limit: int, cursor: str | None, public_url: str
) -> DraftPage:
    """A page of drafts, newest first; `conditions` are the allowed values by column."""
    mark = f"{MARK}.{sorted(conditions.items())}"
    filters: list[ColumnElement[bool]] = [DRAFT.c[name].in_(values) for name, values in conditions.items()]
    if cursor:
        filters.append(DRAFT.c.number < read_numbers(cursor, mark, 1)[0])
    query = _select_drafts().where(*filters).order_by(DRAFT.c.number.desc()).limit(limit + 1)
    rows = connection.execute(query).all()
    return DraftPage(
        items=[_summary(row, public_url) for row in rows[:limit]],
        next=write_cursor(mark, [rows[limit - 1].number]) if len(rows) > limit else None,
    )


def _select_drafts() -> Any:
    return select(DRAFT, API_KEY.c.name.label("author")).join(API_KEY, API_KEY.c.id == DRAFT.c.holder)


def _summary(row: Any, public_url: str) -> DraftSummary:
    values = {name: getattr(row, name) for name in DraftSummary.model_fields if name not in ("id", "url")}
    return DraftSummary(**values, id=row.number, url=f"{public_url}/v1/drafts/{row.number}")


def _document_of_version(connection: Connection, key: Key, version: int | None) -> dict[str, Any] | None:
    """The last document that a record had in a version, or None."""
    own = (RECORD_VERSION.c.kind == key[0], RECORD_VERSION.c.id == key[1], RECORD_VERSION.c.version == version)
    document = connection.execute(
        in_order(select(RECORD_VERSION.c.document).where(*own), newest_first=True).limit(1)
    ).scalar()
    return None if document is None else from_json(document)


def _present_version(connection: Connection, key: Key) -> int | None:
    table = RESOURCES[key[0]].table()
    query = select(table.c.version).where(table.c.id == key[1], table.c.state == "published")
    version: int | None = connection.execute(query).scalar()
    return version
