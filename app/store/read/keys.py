"""API keys as they are stored, for the commands of operators."""

from typing import Any

from sqlalchemy import Connection, Row, select

from app.db.tables import API_KEY


def list_keys(connection: Connection) -> list[Row[Any]]:
    """All API keys in order of name, revoked and expired ones included."""
    return list(connection.execute(select(API_KEY).order_by(API_KEY.c.name)))
