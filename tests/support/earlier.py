"""A database as 0.3.0 left it: its schema and its documents, made from one of today by leaving out what came later."""

import gzip
import json
from functools import cache
from typing import Any

from sqlalchemy import Connection, MetaData, delete, insert, select, text, update

from app.db.database import Database
from app.db.schema import migrate_schema
from app.db.tables import RECORD_VERSION, REFERENCE
from app.json_codec import from_json, to_json
from app.models import RESOURCES
from tests.contract.test_compatibility import PROMISED

SCHEMA = "0010"
"""The schema version of 0.3.0."""


def database_of_0_3_0(today: str, earlier: str) -> Database:
    """A database at the empty address `earlier` with the records of the one at `today`, as 0.3.0 would hold them."""
    source, target = Database(today), Database(earlier)
    with target.writer.begin() as connection:
        migrate_schema(connection, SCHEMA)
        old = MetaData()
        old.reflect(connection)
    new = MetaData()
    with source.read() as reading, target.writer.begin() as writing:
        new.reflect(reading)
        if writing.dialect.name == "postgresql":
            writing.execute(text("SET session_replication_role = replica"))
        else:
            writing.execute(text("PRAGMA defer_foreign_keys = on"))
        for table in old.sorted_tables:
            if table.name.startswith(("search_", "facet_", "alembic_version", "shape")) or table.name not in new.tables:
                continue
            there = new.tables[table.name]
            columns = [there.c[column.name] for column in table.columns if column.name in there.c]
            rows = [_as_it_was(table.name, dict(row)) for row in reading.execute(select(*columns)).mappings()]
            if rows:
                writing.execute(insert(table), rows)
        _forget_later_references(writing)
    source.close()
    return target


def _forget_later_references(connection: Connection) -> None:
    """Delete the references of fields that 0.3.0 did not have."""
    for plural, row in RESOURCES.items():
        had = set(_promised()["schemas"][row.__name__]["properties"])
        paths = connection.scalars(select(REFERENCE.c.path).where(REFERENCE.c.from_kind == plural).distinct()).all()
        later = [path for path in paths if path.split(".")[0] not in had]
        connection.execute(delete(REFERENCE).where(REFERENCE.c.from_kind == plural, REFERENCE.c.path.in_(later)))


def edit(database: Database, plural: str, record_id: str, **fields: Any) -> None:
    """Change fields of a stored record and of its last version, as a program without today's rules would hold them."""
    table = RESOURCES[plural].table().name
    with database.writer.begin() as connection:
        named = {"id": record_id}
        stored = connection.execute(text(f'SELECT document FROM "{table}" WHERE id = :id'), named).scalar_one()
        document = to_json({**from_json(stored), **fields}).decode()
        values = {"document": document, "id": record_id}
        connection.execute(text(f'UPDATE "{table}" SET document = :document WHERE id = :id'), values)
        connection.execute(
            update(RECORD_VERSION)
            .where(RECORD_VERSION.c.kind == plural, RECORD_VERSION.c.id == record_id)
            .where(RECORD_VERSION.c.document == stored)
            .values(document=document)
        )


def _as_it_was(table: str, row: dict[str, Any]) -> dict[str, Any]:
    kinds = {resource.table().name: plural for plural, resource in RESOURCES.items()}
    plural = row["kind"] if table == RECORD_VERSION.name else kinds.get(table)
    if plural is None or not row.get("document"):
        return row
    return row | {"document": to_json(without_later_fields(from_json(row["document"]), _schema(plural))).decode()}


def without_later_fields(value: Any, schema: dict[str, Any]) -> Any:
    """A value with the fields of its schema alone."""
    schemas = _promised()["schemas"]
    if "$ref" in schema:
        return without_later_fields(value, schemas[schema["$ref"].split("/")[-1]])
    if isinstance(value, list):
        return [without_later_fields(item, schema.get("items", {})) for item in value]
    for option in schema.get("anyOf", []):
        if value is not None and option.get("type") != "null":
            return without_later_fields(value, option)
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    fields = schema["properties"]
    return {name: without_later_fields(inner, fields[name]) for name, inner in value.items() if name in fields}


@cache
def _promised() -> dict[str, Any]:
    with gzip.open(PROMISED, "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


@cache
def _schema(plural: str) -> dict[str, Any]:
    content = _promised()["paths"][f"/v1/{plural}/{{id}}"]["get"]["responses"]["200"]["content"]
    schema: dict[str, Any] = content["application/json"]["schema"]
    return schema
