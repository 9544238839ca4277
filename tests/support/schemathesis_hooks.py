"""What schemathesis does not know by itself: how a batch is sent, and which ids there are.

A filter by an id that no record has is refused, which a schema cannot say. So an id that was made up for a filter is
replaced by one of the seed; what is no id stays as it was made up.
"""

import json
import re
from typing import Any
from zlib import crc32

import schemathesis

from app.fields import id_filters
from app.models import RESOURCES
from app.models.types import SLUG_PATTERN
from app.store.examples import SEED

schemathesis.serializer.alias("application/x-ndjson", "text/plain")

FILTERS = {name: plural for row in RESOURCES.values() for name, plural in id_filters(row).items() if name != "id"}
"""The filters whose values are ids, and the resource of each."""
IDS: dict[str, list[str]] = {
    plural: [record["id"] for record in records]
    for plural, records in json.loads(SEED.read_text("utf-8")).items()
    if plural in RESOURCES
}


def known(filters: dict[str, str], name: str, value: Any) -> Any:
    """An id of the seed in place of a made-up one, the same each time; another value as it is."""
    if isinstance(value, list):
        return [known(filters, name, each) for each in value]
    if name not in filters or not isinstance(value, str) or not re.fullmatch(SLUG_PATTERN, value):
        return value
    ids = IDS[filters[name]]
    return ids[crc32(value.encode()) % len(ids)]


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """The query parameters of a case, with ids that there are."""
    listed = RESOURCES.get(context.operation.path.rpartition("/")[2])
    filters = FILTERS | ({} if listed is None else id_filters(listed))  # `part_of` is another thing in each resource
    filters.pop("id", None)
    return query and {name: known(filters, name, value) for name, value in query.items()}
