"""Texts of sources, each saved beside the source whose `sha256` it has."""

from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import delete, insert, select

from app.db.tables import SOURCE_TEXT
from app.errors import InvalidRecord
from app.models.base import Key, Record
from app.store.write.batch import error_at, name_of
from app.store.write.transaction import Write


def save_texts(write: Write, texts: Mapping[str, str], batch: Mapping[Key, Record]) -> None:
    """Save texts of sources; InvalidRecord unless each has the `sha256` of its source record."""
    for source, text in texts.items():
        key = ("sources", source)
        if key not in batch and not write.loaded.existing([key]):
            detail = "there is no such source for the text"
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "", detail)])
        named, digest = write.loaded.known(*key)["sha256"], sha256(text.encode()).hexdigest()
        if named != digest:
            detail = f"sha256 is {named}, but the stored text has {digest}"
            raise InvalidRecord(f"{name_of(key)}: {detail}.", errors=[error_at(key, "/sha256", detail)])
        stored = write.connection.execute(select(SOURCE_TEXT.c.text).where(SOURCE_TEXT.c.source == source)).scalar()
        if stored == text:
            continue
        write.make_revision()
        write.connection.execute(delete(SOURCE_TEXT).where(SOURCE_TEXT.c.source == source))
        write.connection.execute(insert(SOURCE_TEXT).values(source=source, text=text))
        write.touched.append(key)
