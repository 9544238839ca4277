"""Measures search over many made-up records, in process: `make bench-search RECORDS=…`; prints a table for the docs.

Each figure is the time that a read takes on a warm database, without HTTP; the load of the machine stands beside them.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

from sqlalchemy import Connection

from app.db import Database
from app.facets import facets
from app.made_up import MadeUp
from app.models.side_effects import SideEffect
from app.query import Query
from app.reports.search import read_search
from app.reports.search_page import SearchQuery
from app.reports.suggest import Typed, read_suggestions
from tests.conftest import ROOT

REPEATS = 100
FOLDER = ROOT / "build" / "bench"


def made(records: int) -> Path:
    """The database of that many records; it is made when it is not there."""
    file = FOLDER / f"made-up-{records}.db"
    if not file.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "app.cli", "bench", "data", str(file), "--records", str(records)]
        subprocess.run(command, cwd=ROOT, check=True)
    return file


Work = Callable[[Connection], object]


def timed(database: Database, works: Sequence[Work], repeats: int = REPEATS) -> tuple[float, ...]:
    """Median and 99th percentile in milliseconds, and the same of the processor's time alone."""
    spent, busy = [], []
    for number in range(-10, repeats):
        with database.read() as connection:
            start, start_busy = time.perf_counter(), time.thread_time()
            works[number % len(works)](connection)
            if number >= 0:
                spent.append(1000 * (time.perf_counter() - start))
                busy.append(1000 * (time.thread_time() - start_busy))
    return tuple(sorted(some)[int(part * (repeats - 1))] for some in (spent, busy) for part in (0.5, 0.99))


def questions(records: int) -> dict[str, list[str]]:
    """What is asked, from the rare to what every text holds."""
    words, random = MadeUp(records).words, Random(1)
    return {
        "search: a word that every record holds": ["made", "invented", "up"],
        "search: a word of half of all texts": ["halfway"],
        "search: frequent words of the texts": words[:20],
        "search: rare words of the texts": words[5000:5200],
        "search: two frequent words": [" ".join(random.sample(words[:40], 2)) for _ in range(50)],
        "search: five frequent words": [" ".join(random.sample(words[:40], 5)) for _ in range(50)],
        "search: a phrase of frequent words": [f'"{" ".join(random.sample(words[:10], 2))}"' for _ in range(50)],
        "search: a beginning of two letters": [f"{word[:2]}*" for word in words[:16]],
        "search: the name of a treatment": [f"imaginary {word}" for word in words[1000:1100]],
        "search: a mistyped name": [f"{word[:3]}{word[4:]}ex" for word in words[1000:1100]],
        "search: words that no record has together": [f"{one} qqqq{one} zzzz" for one in words[:40]],
    }


def works(records: int) -> Iterator[tuple[str, list[Work]]]:
    """What is measured."""
    for name, asked in questions(records).items():
        yield name, [partial(read_search, query=SearchQuery(text), address=str) for text in asked]
    typed = [word[:length] for word in MadeUp(records).words[:300] for length in (2, 3, 4)]
    some = [*typed, "ma", "made-up", "inv", "imaginary"]
    yield "suggest", [partial(read_suggestions, typed=Typed(text), address=str) for text in some]
    fields = ("basis", "frequency", "organ_class", "term", "treatment", "source")
    for field in fields:
        every: list[Work] = [partial(facets, query=Query(SideEffect, facets=(field,)))]
        yield f"facet: {field} over all rows of side effects", every
    for field in ("basis", "term", "source"):
        treatments = [{"treatment": [f"made-up-treatment-{number}"]} for number in range(100)]
        within: list[Work] = [partial(facets, query=Query(SideEffect, one, facets=(field,))) for one in treatments]
        yield f"facet: {field} within one treatment", within


def main(records: int) -> None:
    """Print one line for each kind of question."""
    database = Database(f"sqlite:///{made(records)}", query_seconds=60)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{records} records, {os.cpu_count()} cores, load average {load}, {REPEATS} questions a line\n")
    print("| what | p50 ms | p99 ms | p50 of processor time | p99 of processor time |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, some in works(records):
        print(f"| {name} | " + " | ".join(f"{one:.1f}" for one in timed(database, some)) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
