"""Models of the records: one module a resource, found by importing the modules of this package.

A module declares a `Record` (the fields that a person, an importer or the seed may set: the body of a POST) and its
table row (the same, plus the fields that the server sets). `base` holds the shared base classes, `types` the types of
fields, `vocabulary` their controlled vocabularies. Validation returns a record, or every rule that it breaks with its
JSON pointer. Queries, requests and rendering do not belong here.
"""

from importlib import import_module
from pkgutil import iter_modules

from app.models.base import Record, Row

for _module in iter_modules(__path__, prefix=f"{__name__}."):
    import_module(_module.name)

RESOURCES: dict[str, type[Row]] = {row.plural: row for row in sorted(Row.__subclasses__(), key=lambda row: row.plural)}
"""Every resource by its plural, collected automatically from the modules of this package."""
_PLURALS: dict[type[Record], str] = {row.record_class(): plural for plural, row in RESOURCES.items()}


def plural_of(record: Record) -> str:
    """The plural of a record's resource."""
    return _PLURALS[type(record)]
