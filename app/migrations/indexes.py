"""The indexes of lists in the metadata that Alembic compares: those of `store` instead of the models' own."""

from sqlalchemy import Index, text

from app.models import RESOURCES
from app.store.read.indexes import PUBLISHED, list_indexes


def declare_list_indexes() -> None:
    """Replace the single-column indexes of the tables of records by those that lists need; a second call is a no-op."""
    for resource in RESOURCES.values():
        table = resource.table()
        for old in [old for old in table.indexes if "_by_" not in str(old.name)]:
            table.indexes.discard(old)
        declared = {str(known.name) for known in table.indexes}
        for index in list_indexes(resource):
            if index.name not in declared:
                columns = [table.c[name] for name in index.columns]
                where = text(PUBLISHED) if index.is_partial else None
                Index(index.name, *columns, sqlite_where=where, postgresql_where=where)
