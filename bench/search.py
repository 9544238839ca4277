"""Measures search over many made-up records: `make bench-search RECORDS=… ENGINE=…`; prints a table for the docs.

Each figure is the time that a read takes on a warm database, in process and without HTTP; the last lines ask
`tev serve` over one connection, each question once, so that no answer is a kept one. The load stands beside them.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from random import Random
from urllib.parse import urlencode

from sqlalchemy import Connection

from app.cli.sample_data import SampleRecords
from app.db.database import Database
from app.models.side_effects import SideEffect
from app.reports.search.results import read_search
from app.reports.search.schemas import SearchQuery
from app.reports.search.suggest import Typed, read_suggestions
from app.store.read.facets import facets
from app.store.read.query import Query
from bench.files import made_up, postgresql
from tests.conftest import free_port, serving, untraced

REPEATS = 100


@contextmanager
def database_of(records: int, engine: str) -> Iterator[str]:
    """The address of a database of that many records: a file that stays, or PostgreSQL, which is let go again."""
    if engine == "postgresql":
        with postgresql(records) as url:
            yield url
    else:
        yield f"sqlite:///{made_up(records)}"


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
    return (*parts(spent), *parts(busy))


def parts(spent: list[float]) -> tuple[float, float]:
    """Median and 99th percentile."""
    ordered = sorted(spent)
    return ordered[len(ordered) // 2], ordered[int(0.99 * (len(ordered) - 1))]


def asked_of_server(url: str, records: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """What a caller waits for over HTTP, one question after the other: median and 99th percentile in milliseconds."""
    every = [text for name, some in questions(records).items() for text in dict.fromkeys(some)]
    environment = untraced() | {"TEV_DATABASE_URL": url, "TEV_PORT": str(free_port())}
    with serving(environment) as address:
        caller = HTTPConnection(address.removeprefix("http://"))
        for name, some in (("search", every), ("suggest", typed(records))):
            spent = []
            for text_asked in some:
                start = time.perf_counter()
                caller.request("GET", f"/v1/{name}?{urlencode({'q': text_asked})}")
                answer = caller.getresponse()
                answer.read()
                spent.append(1000 * (time.perf_counter() - start))
                if answer.status != 200:
                    raise SystemExit(f"{name} {text_asked!r}: {answer.status}")
            yield f"{name} over HTTP: {len(some)} different questions", parts(spent[10:])


def questions(records: int) -> dict[str, list[str]]:
    """What is asked, from the rare to what every text holds."""
    words, random = SampleRecords(records).words, Random(1)
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


def typed(records: int) -> list[str]:
    """What is typed into a box that completes names, letter by letter."""
    words = SampleRecords(records).words[:300]
    beginnings = [word[:length] for word in words for length in (2, 3, 4)]
    return list(dict.fromkeys([*beginnings, "ma", "made-up", "inv", "imaginary"]))


def works(records: int) -> Iterator[tuple[str, list[Work]]]:
    """What is measured."""
    for name, asked in questions(records).items():
        yield name, [partial(read_search, query=SearchQuery(text), address=str) for text in asked]
    yield "suggest", [partial(read_suggestions, typed=Typed(text), address=str) for text in typed(records)]
    fields = ("basis", "frequency", "organ_class", "term", "treatment", "source")
    for field in fields:
        every: list[Work] = [partial(facets, query=Query(SideEffect, facets=(field,)))]
        yield f"facet: {field} over all rows of side effects", every
    for field in ("basis", "term", "source"):
        treatments = [{"treatment": [f"made-up-treatment-{number}"]} for number in range(100)]
        within: list[Work] = [
            partial(facets, query=Query(SideEffect, treatment, facets=(field,))) for treatment in treatments
        ]
        yield f"facet: {field} within one treatment", within


def main(records: int, engine: str = "sqlite") -> None:
    """Print one line for each kind of question."""
    with database_of(records, engine) as url:
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        cores = os.cpu_count()
        print(f"{records} records, {engine}, {cores} cores, load average {load}, {REPEATS} questions a line\n")
        print("| what | p50 ms | p99 ms | p50 of processor time | p99 of processor time |")
        print("| --- | ---: | ---: | ---: | ---: |")
        database = Database(url, query_seconds=60)
        for name, some in works(records):
            print(f"| {name} | " + " | ".join(f"{one:.1f}" for one in timed(database, some)) + " |", flush=True)
        database.close()
        for name, (half, most) in asked_of_server(url, records):
            print(f"| {name} | {half:.1f} | {most:.1f} | | |", flush=True)
        load = " ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"\nload average at the end {load}")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
