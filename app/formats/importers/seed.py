"""Parser of the seed file: a JSON object with a list of records under each resource's plural."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from app.errors import InvalidRecord, escaped_step, nearest
from app.json_codec import from_json
from app.models import RESOURCES
from app.models.base import Record

MOST_ERRORS = 100
"""How many errors one InvalidRecord lists."""


def read(text: str) -> list[Record]:
    """Parse a seed file; InvalidRecord lists each invalid record with the JSON pointer and the rule that it breaks."""
    try:
        content = from_json(text, allow_inf_nan=False)
    except ValueError as failure:
        raise InvalidRecord(f"This is not JSON: {failure}.") from failure
    if not isinstance(content, dict) or not all(isinstance(rows, list) for rows in content.values()):
        raise InvalidRecord("A seed is an object with a list of records under each plural.")
    errors: list[dict[str, str]] = []
    records: list[Record] = []
    for plural, rows in content.items():
        if plural not in RESOURCES:
            close = nearest(plural, RESOURCES)
            raise InvalidRecord(f"There is no resource {plural!r}." + (f" Did you mean {close!r}?" if close else ""))
        for index, values in enumerate(rows):
            try:
                records.append(RESOURCES[plural].record_class().model_validate(values))
            except ValidationError as failure:
                errors += describe_faults(failure, _name(plural, index, values))
    if errors:
        first = errors[0]
        raise InvalidRecord(f"{first['record']}{first['pointer']}: {first['detail']}.", errors=errors[:MOST_ERRORS])
    return records


def describe_faults(failure: ValidationError, record: str) -> Iterable[dict[str, str]]:
    """One error entry for each broken rule: the record, the JSON pointer (RFC 6901) and the message."""
    for error in failure.errors(include_url=False, include_input=False, include_context=False):
        pointer = "".join(f"/{escaped_step(str(step))}" for step in error["loc"])
        yield {"record": record, "pointer": pointer, "detail": error["msg"].removeprefix("Value error, ")}


def _name(plural: str, index: int, values: Any) -> str:
    record_id = values.get("id") if isinstance(values, Mapping) else None
    return f"{plural}/{record_id}" if isinstance(record_id, str) else f"{plural}[{index}]"
