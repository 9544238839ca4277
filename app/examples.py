"""Examples for the documentation, taken from the seed, so that none is made up and none goes stale."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.importers.seed import read
from app.models import RESOURCES, plural_of
from app.models.base import Record, Row
from app.models.types import plain_number

DATA = Path(__file__).parent.parent / "data"
SEED = DATA / "seed.json"
TEXTS = DATA / "texts"
CHECKED_ON = "2026-11-22T00:00:00Z"
"""The time that examples show as their creation: the day on which the seed was checked."""


@cache
def seed_records() -> dict[tuple[str, str], Record]:
    """Every record of the seed, by plural and id."""
    return {(plural_of(record), record.id): record for record in read(SEED.read_text(encoding="utf-8"))}


@cache
def example_of(row: type[Row]) -> dict[str, Any]:
    """The first record of a resource in the seed, as readers get it."""
    first = next(rows_of(row), None)
    if first is None:
        raise LookupError(f"data/seed.json has no {row.plural} yet; the documentation takes its example from there")
    return first


def rows_of(row: type[Row]) -> Iterator[dict[str, Any]]:
    """Every record of a resource in the seed, as readers get it."""
    return (_as_read(row, record) for (plural, _), record in seed_records().items() if plural == row.plural)


def _as_read(row: type[Row], record: Record) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: info.get_default(call_default_factory=True) for name, info in row.model_fields.items()
    }
    values |= record.model_dump(mode="json") | row.derive(record, _known)
    values |= {"created_at": CHECKED_ON, "updated_at": CHECKED_ON}
    values |= {"verification": "recorded" if values.get("citations") else None}
    return {name: plain_number(values[name]) for name in row.shown()}


def _known(plural: str, record_id: str) -> Mapping[str, Any]:
    return seed_records()[plural, record_id].model_dump(mode="json")


def example_id(plural: str) -> str:
    """The id of that record."""
    return str(example_of(RESOURCES[plural])["id"])
