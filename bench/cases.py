"""The cases under load: what is asked of whom, and which figure a goal is about."""

from collections.abc import Callable, Sequence
from time import perf_counter
from urllib.parse import urlencode

from app.settings import Settings
from bench.contestants import NGINX, OURS, UNCACHED, ours
from bench.files import FOLDER, forget, made_up
from bench.load import ContestantFailed, Server, Target, rounds_of
from bench.shared import Bench, Result, Values, cpu_ms, load_table, of

MOST_FREQUENT = {"treatment": "made-up-treatment-0", "condition": "made-up-condition-0"}
"""As app/cli/sample_data.py draws: low numbers are the most frequent."""
SIDE_EFFECTS = "/v1/side-effects"


def by_id(bench: Bench) -> Result:
    """One record, many different ones."""
    return bench.beside("by-id", bench.ids(), None)


def _of_treatments(bench: Bench, case: str) -> Result:
    counts = bench.treatments()
    return bench.beside(case, [{"treatment": one} for one in counts], [20] * len(counts))


def filtered_list(bench: Bench) -> Result:
    """Twenty records of many different treatments."""
    return _of_treatments(bench, "list")


def include(bench: Bench) -> Result:
    """The same, each with its condition."""
    return _of_treatments(bench, "include")


def nested(bench: Bench) -> Result:
    """The same by the address below a treatment, which must be there."""
    return _of_treatments(bench, "nested")


def sorted_list(bench: Bench) -> Result:
    """Twenty records of the most frequent treatment, by a number."""
    result = bench.beside("sorted", [{"treatment": MOST_FREQUENT["treatment"]}], [20])
    result.figures["sorted, ms"] = float(result.rows[0][2].replace(",", "")) / 1000
    return result


def _write_file_for_nginx(body: bytes, name: str) -> str:
    files = FOLDER / "nginx" / "files"
    files.mkdir(parents=True, exist_ok=True)
    (files / name).write_bytes(body)
    return f"/{name}"


def _nginx_takes_part(bench: Bench) -> bool:
    return NGINX in bench.only and not bench.address and NGINX.needs() is None


def cached_list(bench: Bench) -> Result:
    """The same list of about 12 kB again and again, with the settings that `tev serve` has by itself."""
    if _nginx_takes_part(bench):
        body = bench.server(OURS).ask(OURS.addresses["cached-list"]).body
        _write_file_for_nginx(body, "list.json")
    return bench.beside("cached-list", [{}], [14], mine=OURS)


def cached_list_coded(bench: Bench) -> Result:
    """The same list, compressed as the reader asks."""
    targets: list[Target] = []
    base: dict[str, str] = {}
    for coding in ("br", "zstd"):
        header = f"Accept-Encoding: {coding}"
        path = [OURS.addresses["cached-list"]]
        target = Target(f"ours, {coding}", bench.server(OURS), path, header)
        answer = target.server.ask(path[0], header)
        if {name.lower(): value for name, value in answer.headers.items()}.get("content-encoding") != coding:
            raise ContestantFailed(f"ours does not answer in {coding}: {answer.headers}")
        bare = bench.bare(target.check(), f"bare ASGI, as large as in {coding}")
        targets += [target, bare]
        base |= {target.label: bare.label, bare.label: bare.label}
    measured = rounds_of(targets, bench.rounds, bench.seconds)
    result = load_table(targets, measured, base)
    for coding in ("br", "zstd"):
        name = f"ours, {coding}"
        result.figures[f"cached-list-coded, {coding}"] = of(measured[base[name]], measured[name])
    result.notes.append("The peers compress each answer anew, or not at all, and are left out.")
    return result


def not_modified(bench: Bench) -> Result:
    """A 304 for the same list; with the id and log of requests off where settings do that."""
    quiet = {name: "false" for name in Settings.model_fields if "request_id" in name} | {"access_log": "false"}
    path = OURS.addresses["cached-list"]
    asked: list[tuple[str, Server, str]] = [("ours", bench.server(OURS), path)]
    notes = ["The peers but nginx send no ETag unless their users write that."]
    if len(quiet) > 1:
        asked.append(("ours, id and log off", bench.server(ours("ours, id and log off", **quiet)), path))
    else:
        notes.append("No setting takes the id off a request; the log is off by default.")
    if _nginx_takes_part(bench):
        asked.append((NGINX.name, bench.server(NGINX), _write_file_for_nginx(b"[]" * 6000, "same.json")))
    targets = [Target("bare ASGI", bench.bare(2).server, ["/304"], status=304)]
    for label, server, address in asked:
        answer = server.ask(address)
        tag = {name.lower(): value for name, value in answer.headers.items()}["etag"]
        targets.append(Target(label, server, [address], f"If-None-Match: {tag}", status=304))
    for target in targets:
        target.check()
    measured = rounds_of(targets, bench.rounds, bench.seconds)
    result = load_table(targets, measured, dict.fromkeys(measured, "bare ASGI"))
    result.notes += notes
    for label, key in (("ours", "not-modified"), ("ours, id and log off", "not-modified, quiet")):
        if label in measured:
            result.figures[key] = of(measured["bare ASGI"], measured[label])
    return result


def _deep(server: Server, selection: Values, steps: int) -> str:
    """The address of a page of twenty so many pages of two hundred behind the first, or the last but one."""
    cursor = ""
    for _ in range(steps):
        asked = {**selection, "limit": "200"} | ({"cursor": cursor} if cursor else {})
        answer = server.ask(f"{SIDE_EFFECTS}?{urlencode(asked)}")
        if answer.status != 200:
            raise ContestantFailed(f"{server.name}: {asked} gave {answer.status}")
        link = next((value for name, value in answer.headers.items() if name.lower() == "link"), "")
        if 'rel="next"' not in link:
            break
        cursor = link.partition("cursor=")[2].partition(">")[0].partition("&")[0]
    return f"{SIDE_EFFECTS}?{urlencode(selection)}&limit=20" + (f"&cursor={cursor}" if cursor else "")


def deep_page(bench: Bench) -> Result:
    """A page at depth beside the first one: of all records, of one filter, of two, the most frequent values."""
    server = bench.server(UNCACHED)
    targets: list[Target] = []
    base: dict[str, str] = {}
    one = {"treatment": MOST_FREQUENT["treatment"]}
    for name, selection, steps in (("all", {}, 50), ("by treatment", one, 50), ("by both", MOST_FREQUENT, 50)):
        asked = f"{SIDE_EFFECTS}?{urlencode({**selection, 'limit': '20'})}"
        first = Target(f"{name}: first page", server, [asked])
        deep = Target(f"{name}: page at depth", server, [_deep(server, selection, steps)])
        for target in (first, deep):
            target.check()
        targets += [first, deep]
        base |= {first.label: first.label, deep.label: first.label}
    measured = rounds_of(targets, bench.rounds, bench.seconds, is_alike=True)
    result = load_table(targets, measured, base)
    result.header = [word.replace("bare", "first page") for word in result.header]
    result.figures["deep-page"] = max(1 / of(measured[base[name]], measured[name]) for name in measured)
    result.notes.append("At depth: behind 10,000 records, or before the last page where there are fewer.")
    return result


def growth(bench: Bench) -> Result:
    """By id and a filtered list, beside the same with a hundredth of the records."""
    few = max(1000, bench.records // 100)
    targets: list[Target] = []
    base: dict[str, str] = {}
    for case in ("by-id", "list"):
        for records in (few, bench.records):
            treatments: Sequence[Values] = [{"treatment": one} for one in bench.treatments(records)]
            values = bench.ids(records) if case == "by-id" else treatments
            label = f"{case}, {records:,} records"
            targets.append(bench.target(UNCACHED, case, values, records=records, label=label))
            targets[-1].check()
            base[label] = f"{case}, {few:,} records"
    measured = rounds_of(targets, bench.rounds, bench.seconds, is_alike=True)
    result = load_table(targets, measured, base)
    result.header = [word.replace("bare", "few") for word in result.header]
    for case in ("by-id", "list"):
        few_rounds, many_rounds = measured[f"{case}, {few:,} records"], measured[f"{case}, {bench.records:,} records"]
        result.figures[f"growth, {case}"] = 1 / of(few_rounds, many_rounds)
    return result


def facet(bench: Bench) -> Result:
    """Counting the values of a field, over everything and within the most frequent treatment; then cold."""
    fields = ("term", "organ_class", "basis", "frequency")
    within = {"treatment": MOST_FREQUENT["treatment"]}
    server, targets = bench.server(UNCACHED), []
    for label, selection in (("over everything", {}), ("within the most frequent treatment", within)):
        asked = [f"{SIDE_EFFECTS}?{urlencode({**selection, 'facet': one, 'limit': '1'})}" for one in fields]
        targets.append(Target(label, server, asked))
        targets[-1].check()
    bare = bench.bare(targets[0].check())
    measured = rounds_of([*targets, bare], bench.rounds, bench.seconds)
    result = load_table([*targets, bare], measured, dict.fromkeys(measured, bare.label))
    failed = sum(one.failed for rounds in measured.values() for one in rounds)
    if not bench.address:
        said, cold_failed = _cold(bench, targets[1].paths[0])
        result.notes.append(said)
        failed += cold_failed
    result.figures["facet, ms"] = max(cpu_ms(measured[target.label]) for target in targets)
    result.figures["facet, failed"] = failed
    return result


def _cold(bench: Bench, path: str) -> tuple[str, bool]:
    """What the first answer takes after the start when the system holds nothing of the file, and whether it failed."""
    for running in list(bench.running):
        bench.running.pop(running).stop()  # a file that a process maps stays in memory
    forget(made_up(bench.records))
    server = bench.fresh(UNCACHED)
    before, used = perf_counter(), server.cpu_seconds()
    status = server.ask(path).status
    spent, busy = 1000 * (perf_counter() - before), 1000 * (server.cpu_seconds() - used)
    server.stop()
    return (
        f"Cold, within the most frequent treatment: {status} after {spent:.0f} ms ({busy:.0f} ms CPU).",
        status != 200,
    )


LOADED: dict[str, Callable[[Bench], Result]] = {
    "cached-list": cached_list,
    "cached-list-coded": cached_list_coded,
    "not-modified": not_modified,
    "by-id": by_id,
    "list": filtered_list,
    "include": include,
    "nested": nested,
    "deep-page": deep_page,
    "sorted": sorted_list,
    "growth": growth,
    "facet": facet,
}
ON_POSTGRESQL = ("by-id", "list", "cached-list")
