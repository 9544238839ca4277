"""Permanent syntheses: each response over a release is archived under its input hash and served again byte for byte."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from app.db.tables import SYNTHESIS
from app.errors import NotFound
from app.json_codec import from_json, to_json
from app.models.study_results import StudyResult
from app.reports.synthesis.formats import Form

WORST_FIRST = ("retracted", "concern", "corrected", "current")
"""Source statuses, the worst first."""


@dataclass(frozen=True)
class ArchivedSynthesis:
    """An archived answer, with the source status of its study results in the dataset today."""

    release: str
    forms: Mapping[Form, str]
    source_status: str
    """The worst status of its study results in the live dataset."""
    live: str
    """URL of the same question over the live dataset."""


def compress_forms(forms: Mapping[Form, bytes]) -> bytes:
    """All formats of an answer as one value: zlib-compressed JSON, keyed by format."""
    return zlib.compress(to_json({form: content.decode() for form, content in forms.items()}), 9)


def decompress_forms(compressed: bytes) -> dict[Form, str]:
    """The formats of an answer, from a value made by `compress_forms`."""
    forms: dict[Form, str] = from_json(zlib.decompress(compressed))
    return forms


def find_archived(connection: Connection, digest: str) -> bytes | None:
    """The archived answer for an input hash, compressed; None if unknown."""
    return connection.execute(select(SYNTHESIS.c.answer).where(SYNTHESIS.c.hash == digest)).scalar()


def read_archived(connection: Connection, digest: str) -> ArchivedSynthesis:
    """The archived answer for an input hash; NotFound if unknown."""
    found = connection.execute(select(SYNTHESIS).where(SYNTHESIS.c.hash == digest)).one_or_none()
    if found is None:
        detail = "No synthesis has this hash. Only answers over a release have an address, which their `links` name."
        raise NotFound(detail)
    forms = decompress_forms(found.answer)
    content = from_json(forms["json"])
    status = _worst_status(connection, [entry["id"] for entry in content["results"]])
    return ArchivedSynthesis(found.release, forms, status, content["links"]["live"])


def _worst_status(connection: Connection, ids: list[str]) -> str:
    """The worst source status of these study results in the live dataset; `current` when none has one."""
    table = StudyResult.table()
    found = set(connection.execute(select(table.c.source_status).where(table.c.id.in_(ids))).scalars())
    return next((status for status in WORST_FIRST if status in found), WORST_FIRST[-1])
