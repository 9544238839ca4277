"""`make reliability`: every probe in full, or those that are named; prints the table and fails when one falls short."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.reliability import (
    bad,
    bodies,
    clock,
    disk,
    expensive,
    exports,
    fuzz,
    idle,
    keys,
    kill,
    once,
    paging,
    power,
    stop,
    workers,
    writers,
)
from tests.reliability.bench import Bench, open_bench
from tests.reliability.figures import Figure, table

CASES: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "kill": kill.probe,
    "power": power.probe,
    "writers": writers.probe,
    "workers": workers.probe,
    "once": once.probe,
    "paging": paging.probe,
    "idle": idle.probe,
    "exports": exports.probe,
    "bodies": bodies.probe,
    "expensive": expensive.probe,
    "bad": bad.probe,
    "keys": keys.probe,
    "fuzz": fuzz.probe,
    "stop": stop.probe,
    "disk": disk.probe,
    "clock": clock.probe,
}
REPORT = Path("build/reliability.txt")


def main(names: list[str]) -> int:
    """0 when every figure is kept."""
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"There is no case {unknown[0]}; cases: {', '.join(CASES)}.", file=sys.stderr)
        return 2
    found: list[tuple[str, Figure]] = []
    with open_bench(is_short=False) as bench:
        for name in names or CASES:
            began = time.monotonic()
            try:
                found += [(name, figure) for figure in CASES[name](bench)]
            except Exception as failure:
                found.append((name, Figure("the probe itself", "", repr(failure)[:500], "no failure", is_kept=False)))
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    text = table(found)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(text + "\n")
    print(text)
    return 0 if all(figure.is_kept for _, figure in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
