"""Every operation of the OpenAPI document with every kind of key: each is let in or refused as the document says."""

import asyncio
from collections.abc import Iterator
from typing import Any

from app.api_keys import SCOPES
from app.db.database import Database
from app.models import RESOURCES
from app.store.examples import RELEASE, example_of
from tests.reliability.bench import Bench
from tests.reliability.calls import Caller
from tests.reliability.figures import Figure, none_of
from tests.reliability.servers import Server
from tests.support.api import made_keys


def probe(bench: Bench) -> Iterator[Figure]:
    """Requests without a body or a version, which change nothing even where the key is accepted."""
    for engine in bench.engines:
        with bench.server(engine) as server:
            database = Database(server.url)
            keys = made_keys(database)
            database.close()
            yield from asyncio.run(look(server, engine, keys))


async def look(server: Server, engine: str, keys: dict[str, str]) -> list[Figure]:
    """Ask everything with everything."""
    caller, wrong, of = Caller(server), [], 0
    document = (await caller.ask("GET", "/openapi.json")).json()
    for method, path, operation in operations(document):
        for name in (None, *keys):
            answer = await caller.ask(
                method, path, **({} if name is None else {"Authorization": f"Bearer {keys[name]}"})
            )
            found = answer.status if answer.status in (401, 403) else 200
            of += 1
            if found != expected(name, needed(method, operation)):
                wrong.append(f"{method} {path}, {name or 'no key'}: {answer.status}")
    await caller.close()
    return [none_of("requests let in or refused wrongly", engine, wrong, of)]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, address and declaration of each operation."""
    for template, methods in document["paths"].items():
        plural = template.split("/")[2] if template.startswith("/v1/") else ""
        known = example_of(RESOURCES[plural])["id"] if plural in RESOURCES else "none"
        for method, operation in methods.items():
            yield method.upper(), template.replace("{id}", known).replace("{name}", RELEASE), operation


def needed(method: str, operation: dict[str, Any]) -> str | None:
    """The scope that an operation names (OpenAPI 3.1, 4.8.30), else `write`; None where it needs no key."""
    security = operation.get("security")
    if not security:
        return None
    named = next(iter(security[0].values()))
    return str(named[0]) if named else "write"


def expected(key: str | None, scope: str | None) -> int:
    """The expected status: 401, 403, or 200 where the key is accepted."""
    if key is not None and key not in SCOPES:
        return 401
    if scope is None:
        return 200
    if key is None:
        return 401
    return 200 if [*SCOPES].index(key) >= [*SCOPES].index(scope) else 403  # type: ignore[arg-type]  # a scope by now
