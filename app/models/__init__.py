"""What is known: one file a resource, found by importing the files of this folder.

A file declares a `Record` (what a person, an importer or the seed may say: the body of a POST, the row of the seed)
and its table row (the same, plus what the server owns). `base` holds what all records share, `types` and `vocabulary`
the types and word lists of fields. In come values, out comes a valid record or each rule it breaks, with its pointer.
No query, no request and no rendering belongs here.
"""

from importlib import import_module
from pkgutil import iter_modules

from app.models.base import Record, Row

for _module in iter_modules(__path__, prefix=f"{__name__}."):
    import_module(_module.name)

RESOURCES: dict[str, type[Row]] = {row.plural: row for row in sorted(Row.__subclasses__(), key=lambda row: row.plural)}
"""Every resource by its plural. Nobody keeps this list: a new file in this folder is enough."""
_PLURALS: dict[type[Record], str] = {row.record_class(): plural for plural, row in RESOURCES.items()}


def plural_of(record: Record) -> str:
    """The resource that a record belongs to."""
    return _PLURALS[type(record)]
