"""The cases that are about processes: start, memory, the OpenAPI document, workers, and depth."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from app.settings import Settings
from bench.cases import MOST_FREQUENT
from bench.contestants import BARE, FASTIFY, LITESTAR, NAIVE, OURS, UNCACHED, Contestant, ours
from bench.depth import walk
from bench.files import for_peers, made_up, seeded
from bench.load import Server, Target, load, rounds_of
from bench.shared import Bench, Result, cpu_ms, load_table, of


def _started(contestant: Contestant, file: Path, path: str) -> tuple[Server, float, float]:
    """A server after its first answer, and the seconds until then: of the processor, and of the clock."""
    server = contestant.server(file if contestant.is_ours else for_peers(file), id="-")
    server.first = path
    before = perf_counter()
    server.start()
    return server, server.cpu_seconds(), perf_counter() - before


def start(bench: Bench) -> Result:
    """From the start to the first answer, on a migrated and seeded file."""
    file = seeded()
    takes_part = [OURS, NAIVE, BARE, *(peer for peer in (LITESTAR, FASTIFY) if peer in bench.only and not peer.needs())]
    seconds: dict[str, list[tuple[float, float]]] = {one.name: [] for one in takes_part}
    for number in range(bench.rounds):
        for one in takes_part if number % 2 == 0 else reversed(takes_part):
            path = {"ours": "/v1/side-effects?limit=1", BARE.name: "/100"}.get(one.name, "/side-effects?limit=1")
            server, *spent = _started(one, file, path)
            server.stop()
            seconds[one.name].append((spent[0], spent[1]))
    rows = []
    for name, times in seconds.items():
        ratio = median(mine[0] / theirs[0] for mine, theirs in zip(times, seconds[NAIVE.name], strict=True))
        cpu, wall = (median(one[place] for one in times) for place in (0, 1))
        rows.append((name, f"{ratio:.2f}", f"{cpu:.2f}", f"{wall:.2f}"))
    header = ("", f"CPU: this / {NAIVE.name}", "CPU s", "s")
    return Result(header, rows, {"start": float(rows[0][1]), "start, s": float(rows[0][2])})


def memory(bench: Bench) -> Result:
    """Memory after the first answer and after mixed load, beside the naive application."""
    bound = getattr(Settings(), "response_cache_bytes", 0) / 2**20
    rows, measured = [], {}
    for one in (OURS, NAIVE):
        server = bench.fresh(one)
        first = server.megabytes()
        for case in ("by-id", "list", "include", "nested", "sorted"):
            every = bench.ids() if case == "by-id" else [{"treatment": name} for name in bench.treatments()]
            paths = [one.addresses[case].format(**values) for values in every]
            load(Target(one.name, server, paths), max(1, bench.seconds))
        measured[one.name] = first, server.megabytes()
        server.stop()
        rows.append((one.name, f"{first:.0f}", f"{measured[one.name][1]:.0f}"))
    mine, naive = measured[OURS.name], measured[NAIVE.name]
    return Result(
        ("", "PSS MB after the first answer", "PSS MB after mixed load"),
        rows,
        {"memory, first": mine[0] / naive[0], "memory, loaded": (mine[1] - bound) / naive[1]},
        [f"The response cache may hold {bound:.0f} MB, which are taken off before ours is compared after load."],
    )


def openapi(bench: Bench) -> Result:
    """The first `/openapi.json` after a start: seconds until it is there."""
    file, rows, figures = seeded(), [], {}
    for one, path in ((OURS, "/v1/side-effects?limit=1"), (NAIVE, "/side-effects?limit=1")):
        seconds, busy = [], []
        for _ in range(bench.rounds):
            server, *_spent = _started(one, file, path)
            before, used = perf_counter(), server.cpu_seconds()
            size = len(server.ask("/openapi.json").body)
            seconds.append(perf_counter() - before)
            busy.append(server.cpu_seconds() - used)
            server.stop()
        rows.append((one.name, f"{median(seconds):.2f}", f"{median(busy):.2f}", f"{size:,}"))
        figures[f"openapi, {one.name}"] = median(seconds)
    return Result(("", "s", "CPU s", "bytes"), rows, figures)


def workers(bench: Bench) -> Result:
    """Processor time of a request with two workers on the same core, beside one."""
    two = ours("ours, uncached, two workers", response_cache_bytes="0", workers="2")
    targets: list[Target] = []
    base = {}
    cases: Sequence[tuple[str, list[dict[str, str]]]] = (
        ("by-id", [dict(values) for values in bench.ids()]),
        ("list", [{"treatment": name} for name in bench.treatments()]),
    )
    for case, values in cases:
        for label, one in ((f"{case}, one worker", UNCACHED), (f"{case}, two workers", two)):
            targets.append(bench.target(one, case, values, label=label))
            targets[-1].check()
            base[label] = f"{case}, one worker"
    measured = rounds_of(targets, bench.rounds, bench.seconds, is_alike=True)
    result = load_table(targets, measured, base)
    result.header = [word.replace("bare", "one worker") for word in result.header]
    worst = max(1 / of(measured[f"{case}, one worker"], measured[f"{case}, two workers"]) for case, _ in cases)
    result.figures["workers"] = worst
    result.notes.append(f"One worker by id: {cpu_ms(measured['by-id, one worker']):.3f} ms of CPU a request.")
    return result


def depth(bench: Bench) -> Result:
    """Which files of `app/` a warm, uncached list enters, and how often the file changes from call to call."""
    path = f"{UNCACHED.addresses['list'].format(treatment=MOST_FREQUENT['treatment'])}"
    files, changes = walk(made_up(bench.records), path)
    return Result(
        ("", "files", "changes of file"),
        [(path, str(len(files)), str(changes))],
        {"depth, files": len(files), "depth, changes": changes},
        [f"In the order in which they are entered: {', '.join(f'`{name}`' for name in files)}."],
    )


PROCESSES: dict[str, Callable[[Bench], Result]] = {
    "start": start,
    "memory": memory,
    "openapi": openapi,
    "workers": workers,
    "depth": depth,
}
