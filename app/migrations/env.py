"""Alembic: runs the schema's history on the connection that the caller opened."""

from alembic import context
from sqlmodel import SQLModel

import app.db.tables
import app.models  # noqa: F401  # declares the tables
from app.migrations.indexes import declare_list_indexes

declare_list_indexes()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=True,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    transaction_per_migration=False,
)
context.run_migrations()
