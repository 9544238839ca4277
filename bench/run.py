"""`make bench`: measures the service beside its peers, and writes RESULTS.md.

`python -m bench.run [CASE …] [--records N] [--rounds N] [--seconds N] [--engine postgresql] [--results FILE]`
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.cases import LOADED, ON_POSTGRESQL
from bench.contestants import PROGRAMS, wrk_is_missing
from bench.files import FOLDER
from bench.load import ContestantFailed
from bench.processes import PROCESSES
from bench.report import RESULTS, load_average, show, write
from bench.shared import Bench, Result

CASES: dict[str, Callable[[Bench], Result]] = LOADED | PROCESSES
RECORDS = {"sqlite": 1_000_000, "postgresql": 100_000}
LEAST_ROUNDS = 5
"""Fewer are for trying: their figures are printed and not written into RESULTS.md."""


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; default: all")
    parser.add_argument("--records", type=int, help="default: 1000000; 100000 on PostgreSQL")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS)
    parser.add_argument("--seconds", type=int, default=1, help="of one contestant in one round")
    parser.add_argument("--engine", choices=RECORDS, default="sqlite")
    parser.add_argument("--peers", nargs="*", help="those that take part beside bare ASGI; default: all")
    parser.add_argument("--results", type=Path, help="write into this file, whatever the size of the run")
    asked = parser.parse_args(words)
    known = ON_POSTGRESQL if asked.engine == "postgresql" else tuple(CASES)
    if unknown := set(asked.cases) - set(known):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; cases: {', '.join(known)}")
    return asked


def run(bench: Bench, cases: Sequence[str]) -> dict[str, Result]:
    """Measure, one case after the other, and print each."""
    results = {}
    for case in cases:
        try:
            results[case] = CASES[case](bench)
        except ContestantFailed as failure:
            results[case] = Result((case,), [("not measured",)], notes=[str(failure)])
        show(case, results[case])
    return results


def main(words: Sequence[str]) -> None:
    """Run what the command line asks for."""
    asked = arguments(words)
    if missing := wrk_is_missing():
        raise SystemExit(missing)
    FOLDER.mkdir(parents=True, exist_ok=True)
    records = asked.records or RECORDS[asked.engine]
    every = ON_POSTGRESQL if asked.engine == "postgresql" else tuple(CASES)
    peers = PROGRAMS if asked.peers is None else [one for one in PROGRAMS if one.name in asked.peers]
    bench = Bench(records, asked.rounds, asked.seconds, asked.engine, peers)
    before = load_average()
    with bench:
        results = run(bench, asked.cases or every)
        load = f"load average {before} before, {load_average()} at the end"
        print(f"\n{load}")
        is_whole = asked.rounds >= LEAST_ROUNDS and records == RECORDS[asked.engine] and asked.peers is None
        if asked.results or is_whole:
            write(asked.results or RESULTS, results, bench, load, f"python -m bench.run {shlex.join(words)}".rstrip())
        else:
            print(f"Not written into {RESULTS.name}: fewer rounds, records or peers than its figures have.")


if __name__ == "__main__":
    main(sys.argv[1:])
