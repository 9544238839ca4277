"""Alembic: runs the schema's history on the connection that the caller opened."""

from typing import Any

from alembic import context
from sqlmodel import SQLModel

import app.db.tables
import app.models  # noqa: F401  # declares the tables
from app.migrations.indexes import declare_list_indexes

declare_list_indexes()


def _is_ours(_object: Any, name: str | None, kind: str, is_reflected: bool, _declared: Any) -> bool:
    """Whether an object belongs to the models: the tables of the full-text index are in a migration alone."""
    return kind != "table" or not is_reflected or name in SQLModel.metadata.tables


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
    include_object=_is_ours,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    transaction_per_migration=False,
)
context.run_migrations()
