"""The disk is full, the file cannot be written to, pages are destroyed: told as it is, read on, nothing lost."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from tests.reliability.bench import Bench
from tests.reliability.calls import PROBLEM, Answer, Caller
from tests.reliability.figures import Figure, none_of
from tests.reliability.servers import Server
from tests.reliability.shim import FULL, NOTHING, READ_ONLY, compiler

SOON_SECONDS = 5
READS = ("/v1/treatments", "/v1/conditions/chronic-migraine", "/v1/claims?limit=200", "/v1/study-results?format=ndjson")


def probe(bench: Bench) -> Iterator[Figure]:
    """All on SQLite: PostgreSQL's disk is its operator's."""
    if compiler() is None:
        yield Figure("disk full", "sqlite", "not measured: there is no C compiler", "507", is_kept=False)
        return
    for fault, status, name in ((FULL, 507, "full disk"), (READ_ONLY, 503, "read-only file")):
        with bench.server("sqlite", with_shim=True) as server:
            bench.shim.set(fault=fault)
            faults, of = asyncio.run(refused(server, status))
            ready = not until(lambda: not server.is_ready())
            bench.shim.set(fault=NOTHING)
            faults += asyncio.run(well_again(server)) if fault == FULL else []
            faults += [] if until(server.is_ready) else ["/readyz stays not ready"]
        yield none_of(f"{name}: answers other than {status}, reads that fail", "sqlite", faults, of)
        yield Figure(f"{name}: /readyz", "sqlite", "ready" if ready else "not ready", "not ready", not ready)
    if bench.is_short:
        return
    with bench.server("sqlite") as server:
        destroy(server, "side_effect")
        faults, of = asyncio.run(partly(server))
    yield none_of("destroyed pages: answers other than 503, reads of the rest that fail", "sqlite", faults, of)


def until(holds: Callable[[], bool]) -> bool:
    """Whether it holds soon: the service looks at its database once a second."""
    deadline = time.monotonic() + SOON_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


async def refused(server: Server, status: int) -> tuple[list[str], int]:
    """What is wrong while nothing can be written."""
    caller, faults = Caller(server, key=True), []
    for _ in range(5):
        answer = await caller.create()
        if answer.status != status or answer.headers["content-type"] != PROBLEM:
            faults.append(told(answer))
    reads = [await caller.ask("GET", path) for path in READS]
    faults += [told(answer) for answer in reads if answer.status != 200]
    await caller.close()
    return faults, 5 + len(READS)


async def well_again(server: Server) -> list[str]:
    """What is wrong once there is room again."""
    caller = Caller(server, key=True)
    created = await caller.create()
    read = await caller.ask("GET", f"/v1/conditions/{created.json().get('id')}")
    await caller.close()
    return [told(answer) for answer in (created, read) if answer.status not in (200, 201)]


def destroy(server: Server, table: str) -> None:
    """Overwrite the pages of a table, and of its indexes, in the file of a server that has not read them."""
    with closing(sqlite3.connect(server.file)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = ?", [table]).fetchall()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with server.file.open("r+b") as file:
        for (root,) in roots:
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)


async def partly(server: Server) -> tuple[list[str], int]:
    """What is wrong while one table cannot be read."""
    caller, faults = Caller(server, key=True), []
    broken = [await caller.ask("GET", path) for path in ("/v1/side-effects", "/v1/side-effects?format=csv")]
    faults += [told(one) for one in broken if one.status != 503 or one.headers["content-type"] != PROBLEM]
    whole = [await caller.ask("GET", path) for path in READS]
    faults += [told(one) for one in whole if one.status != 200]
    created = await caller.create()
    faults += [] if created.status == 201 else [told(created)]
    await caller.close()
    return faults, 3 + len(READS)


def told(answer: Answer) -> str:
    """An answer in a line."""
    return f"{answer.status} {answer.content[:200]!r}"
