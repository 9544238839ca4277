"""Answers that stay: packed into one value when they are first given, and given again as the same bytes."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, select

from app.db.tables import SYNTHESIS
from app.errors import NotFound
from app.models.study_results import StudyResult
from app.reports.synthesis.formats import Form

WORST_FIRST = ("retracted", "concern", "corrected", "current")


@dataclass(frozen=True)
class KeptSynthesis:
    """An answer as it was first given, and how what it rests on stands today."""

    release: str
    forms: Mapping[Form, str]
    source_status: str
    live: str
    """The address of the same question to the dataset as it stands."""


def packed(forms: Mapping[Form, bytes]) -> bytes:
    """Every form of an answer in one compressed value."""
    return zlib.compress(to_json({form: content.decode() for form, content in forms.items()}), 9)


def unpacked(kept: bytes) -> dict[Form, str]:
    """The forms of an answer."""
    forms: dict[Form, str] = from_json(zlib.decompress(kept))
    return forms


def find_archived(connection: Connection, digest: str) -> bytes | None:
    """What is kept under a hash."""
    return connection.execute(select(SYNTHESIS.c.answer).where(SYNTHESIS.c.hash == digest)).scalar()


def read_kept(connection: Connection, digest: str) -> KeptSynthesis:
    """An answer by its hash; NotFound where none is kept under it."""
    found = connection.execute(select(SYNTHESIS).where(SYNTHESIS.c.hash == digest)).one_or_none()
    if found is None:
        words = "No synthesis has this hash. Only answers over a release have an address, which their `links` name."
        raise NotFound(words)
    forms = unpacked(found.answer)
    content = from_json(forms["json"])
    status = _worst_today(connection, [entry["id"] for entry in content["results"]])
    return KeptSynthesis(found.release, forms, status, content["links"]["live"])


def _worst_today(connection: Connection, ids: list[str]) -> str:
    """The worst standing that the results have in the dataset as it is now."""
    table = StudyResult.table()
    found = set(connection.execute(select(table.c.source_status).where(table.c.id.in_(ids))).scalars())
    return next((status for status in WORST_FIRST if status in found), WORST_FIRST[-1])
