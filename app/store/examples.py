"""Examples for the documentation, taken from the seed, so that none is invented or out of date."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from app.fields import includable
from app.formats.importers.seed import read
from app.json_codec import from_json
from app.models import plural_of
from app.models.base import Record, Row, references
from app.store.write.documents import RenderContext, render_document

DATA = Path(__file__).parent.parent.parent / "data"
SEED = DATA / "seed.json"
TEXTS = DATA / "texts"
CHECKED_ON = "2026-11-22T00:00:00Z"
"""The creation time that examples show: the day on which the seed was checked."""

RELEASE = CHECKED_ON[:10]
"""The release name that examples use."""


@cache
def seed_records() -> dict[tuple[str, str], Record]:
    """Every record of the seed, by plural and id."""
    return {(plural_of(record), record.id): record for record in read(SEED.read_text(encoding="utf-8"))}


@cache
def seed_texts() -> dict[str, str]:
    """The full texts that come with the seed, by the id of their source."""
    return texts_beside(SEED)


def texts_beside(seed: Path) -> dict[str, str]:
    """The texts beside a seed file, by the id of their source: `texts/<id>.txt`, and `.json` for structured sources."""
    files = sorted(path for path in (seed.parent / TEXTS.name).glob("*") if path.suffix in (".txt", ".json"))
    return {path.stem: path.read_bytes().decode("utf-8") for path in files}


@cache
def example_of(row: type[Row]) -> dict[str, Any]:
    """The first record of a resource in the seed, as its public document."""
    return dict(_example_document(row.plural, _first(row).id))


def rows_of(row: type[Row]) -> Iterator[dict[str, Any]]:
    """Every record of a resource in the seed, as its public document."""
    return (dict(_example_document(plural, record_id)) for plural, record_id in seed_records() if plural == row.plural)


def example_named(row: type[Row], record_id: str) -> dict[str, Any]:
    """One record of the seed, as its public document."""
    return dict(_example_document(row.plural, record_id))


@cache
def example_record(row: type[Row]) -> dict[str, Any]:
    """The first record of a resource as a request body: without derived fields and defaults."""
    return _first(row).model_dump(mode="json", exclude_defaults=True)


@cache
def example_patch(row: type[Row]) -> dict[str, Any]:
    """An example PATCH body for that record: its first text field after the id."""
    texts = {name: value for name, value in example_record(row).items() if name != "id" and isinstance(value, str)}
    return dict([next(iter(texts.items()))])


@cache
def example_included(row: type[Row], names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The records that it references by the given names, as in `included`: by plural, then by id."""
    included: dict[str, dict[str, Any]] = {}
    for reference in references(_first(row)):
        top = reference.path.split(".")[0]
        if top in names or (top not in includable(row) and reference.plural in names):
            included.setdefault(reference.plural, {})[reference.id] = _example_document(reference.plural, reference.id)
    return included


def _first(row: type[Row]) -> Record:
    record = next((record for (plural, _), record in seed_records().items() if plural == row.plural), None)
    if record is None:
        raise LookupError(f"data/seed.json has no {row.plural} yet; the documentation takes its example from there")
    return record


@cache
def _example_document(plural: str, record_id: str) -> dict[str, Any]:
    context = RenderContext(_example_document, _text_of, CHECKED_ON)
    values: dict[str, Any] = from_json(render_document(seed_records()[plural, record_id], None, context)["document"])
    return values


@cache
def _text_of(source: str) -> str | None:
    return seed_texts().get(source)
