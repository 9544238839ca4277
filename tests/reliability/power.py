"""The power fails: of what was written to the files only that is kept which was flushed; every answered write is there.

One server runs under `shim`, which logs each write and flush of the database's files, and each caller notes how long
the log was when its answer came. So every place of the log can be the moment of the cut: the files are rebuilt as a
disk may hold them then, SQLite recovers them, and whatever was answered before must be found.
"""

import asyncio
import random
import shutil
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.bench import Bench
from tests.reliability.calls import Caller, at_once
from tests.reliability.figures import Figure, none_of
from tests.reliability.servers import Server
from tests.reliability.shim import Shim, compiler

RECORD = struct.Struct("qqqq")
WRITE, TRUNCATE, SYNC = 1, 2, 3
SECTOR = 512
WRITERS = 8


@dataclass(frozen=True)
class Entry:
    """One write, truncation or flush of one of the files, and where it ends in the log."""

    op: int
    file: int
    offset: int
    content: bytes
    end: int


def probe(bench: Bench) -> Iterator[Figure]:
    """25 cuts, each with everything unflushed dropped, and with some of it torn."""
    if compiler() is None:
        yield Figure("power cut", "sqlite", "not measured: there is no C compiler", "0 lost", is_kept=False)
        return
    shim = Shim(bench.folder, logs=True)
    server = bench.prepare("sqlite", environment=shim.environment)
    base = server.file.read_bytes()
    server.start()
    try:
        answered = asyncio.run(write(server, shim.log, bench.rounds(60, 6)))
    finally:
        server.kill()
    entries = list(read(shim.log))
    dice = random.Random(1)
    rounds = bench.rounds(25, 4)
    cuts = [entries[-1].end, *(dice.choice(entries).end for _ in range(rounds - 1))]
    lost = [fault for cut in cuts for fault in faults(bench.folder, base, entries, answered, cut, None)]
    yield none_of(f"answered writes lost in {rounds} cuts", "sqlite", lost, len(answered))
    torn = [fault for cut in cuts for fault in faults(bench.folder, base, entries, answered, cut, dice)]
    yield none_of("the same, with some of the rest written and torn", "sqlite", torn, len(answered))
    careless = [entry for entry in entries if entry.op != SYNC]
    missed = list(faults(bench.folder, base, careless, answered, entries[-1].end, None))
    yield Figure("what this finds if nothing is flushed", "sqlite", f"{len(missed)} lost", "> 0", bool(missed))
    if not bench.is_short:
        yield Figure("power cut", "postgresql", "not applicable: the operator's server", "", is_kept=True)


async def write(server: Server, log: Path, each: int) -> list[tuple[str, int]]:
    """The ids of the writes that were answered, each with the length of the log at that moment."""

    async def writer(_: int) -> list[tuple[str, int]]:
        caller, found = Caller(server, key=True), []
        for _ in range(each):
            answer = await caller.create()
            assert answer.status == 201, answer
            found.append((answer.json()["id"], length_of(log)))
        await caller.close()
        return found

    return [one for many in await at_once(WRITERS, writer) for one in many]


def length_of(log: Path) -> int:
    """How long the log is by now."""
    return log.stat().st_size


def read(log: Path) -> Iterator[Entry]:
    """The log, entry by entry."""
    content, place = log.read_bytes(), 0
    while place + RECORD.size <= len(content):
        op, file, offset, length = RECORD.unpack_from(content, place)
        place += RECORD.size + length
        yield Entry(op, file, offset, content[place - length : place], place)


def faults(
    folder: Path,
    base: bytes,
    entries: list[Entry],
    answered: list[tuple[str, int]],
    cut: int,
    dice: random.Random | None,
) -> Iterator[str]:
    """What is wrong after a cut at this place of the log: a database that is broken, answered writes that are gone."""
    database, wal = rebuilt(base, [entry for entry in entries if entry.end <= cut], dice)
    place = folder / "after-the-cut"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (place / "a.db").write_bytes(database)
    (place / "a.db-wal").write_bytes(wal)
    with closing(sqlite3.connect(place / "a.db")) as connection:
        try:
            if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                yield f"cut at {cut}: integrity_check"
            there = {row[0] for row in connection.execute("SELECT id FROM condition")}
        except sqlite3.DatabaseError as failure:
            yield f"cut at {cut}: {failure}"
            return
    yield from (f"cut at {cut}: {record}" for record, end in answered if end <= cut and record not in there)


def rebuilt(base: bytes, entries: list[Entry], dice: random.Random | None) -> tuple[bytes, bytes]:
    """The database and its write-ahead log as flushed; with dice, some sectors of the rest are there too."""
    kept = {1: bytearray(base), 2: bytearray()}
    waiting: dict[int, list[Entry]] = {1: [], 2: []}
    for entry in entries:
        if entry.op == SYNC:
            for one in waiting[entry.file]:
                apply(kept[entry.file], one)
            waiting[entry.file] = []
        else:
            waiting[entry.file].append(entry)
    for file, some in waiting.items() if dice is not None else ():
        for one in some:
            for sector in range(0, len(one.content), SECTOR):
                if dice is not None and dice.random() < 0.5:
                    piece = one.content[sector : sector + SECTOR]
                    apply(kept[file], Entry(WRITE, file, one.offset + sector, piece, 0))
    return bytes(kept[1]), bytes(kept[2])


def apply(content: bytearray, entry: Entry) -> None:
    """Do to the content what was done to the file."""
    if entry.op == TRUNCATE:
        del content[entry.offset :]
        return
    content.extend(bytes(max(0, entry.offset - len(content))))
    content[entry.offset : entry.offset + len(entry.content)] = entry.content
