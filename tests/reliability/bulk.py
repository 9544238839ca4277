"""Very many made-up conditions, written straight into the tables: what the service does with them is measured."""

from typing import Any

from sqlalchemy import create_engine, event, text

from tests.reliability.servers import Server

COUNTED = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count) "
FILLER = "made up, at length. "


def fill(server: Server, count: int, size: int) -> None:
    """Add so many copies of a seed record, each with a definition of about so many characters."""
    engine = create_engine(server.url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _in_one_go)
    definition = FILLER * (size // len(FILLER))
    with engine.begin() as connection:
        model: dict[str, Any] = dict(
            connection.execute(text("SELECT * FROM condition WHERE id = 'chronic-migraine'")).one()._mapping
        )
        names = [name for name in model if name not in ("id", "document", "definition")]
        columns = ", ".join(["id", "document", "definition", *names])
        new = "'made-up-bulk-' || i"
        document = 'replace(replace(document, \'"id":"chronic-migraine"\', \'"id":"\' || ' + new + " || '\"'), "
        document += "'\"synonyms\":[]', '\"synonyms\":[\"' || :definition || '\"]')"
        connection.execute(
            text(f"{COUNTED}INSERT INTO registry (kind, id) SELECT 'conditions', {new} FROM n"), {"count": count}
        )
        connection.execute(
            text(
                f"{COUNTED}INSERT INTO condition ({columns}) SELECT {new}, {document}, :definition, {', '.join(names)} "
                "FROM n, condition WHERE condition.id = 'chronic-migraine'"
            ),
            {"count": count, "definition": definition},
        )
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()


def _in_one_go(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
