"""What is known: every resource of the API, found by importing the files of this folder."""

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
