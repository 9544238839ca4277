"""What the cases of one run share: the records, the servers, and how a case is made into targets."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import median

from bench.contestants import BARE, PROGRAMS, UNCACHED, Contestant
from bench.files import for_peers, made_up, postgresql, side_effects, treatments
from bench.load import ContestantFailed, Round, Server, Target, rounds_of

Values = Mapping[str, str]
MANY = 4096
"""So many different addresses are asked where an answer shall not be a kept one."""


@dataclass
class Result:
    """What a case gave: a table, the figures that goals are about, and what must be known beside them."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass
class Bench:
    """One run; as a context, it ends what it started."""

    records: int = 1_000_000
    rounds: int = 5
    seconds: int = 1
    engine: str = "sqlite"
    only: Sequence[Contestant] = PROGRAMS
    """The peers that take part."""
    stack: ExitStack = field(default_factory=ExitStack)
    running: dict[tuple[str, int], Server] = field(default_factory=dict)
    address: str = ""

    def __enter__(self) -> "Bench":
        if self.engine == "postgresql":
            self.address = self.stack.enter_context(postgresql(self.records))
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def file(self, contestant: Contestant, records: int) -> Path:
        """The database of a contestant; the address of PostgreSQL stands for ours there."""
        if self.address and contestant.is_ours:
            return Path(self.address)
        original = made_up(records)
        return original if contestant.is_ours else for_peers(original)

    def server(self, contestant: Contestant, records: int = 0) -> Server:
        """The contestant's server over so many records, started when it is first asked for."""
        key = contestant.name, records or self.records
        if key not in self.running:
            self.running[key] = self.fresh(contestant, key[1])
        return self.running[key]

    def fresh(self, contestant: Contestant, records: int = 0) -> Server:
        """A server of its own, started now."""
        where = self.address if self.address and contestant.is_ours else self.file(contestant, records or self.records)
        server = contestant.server(where, id="made-up-side-effect-0")
        self.stack.callback(server.stop)
        return server.start()

    def ids(self, records: int = 0) -> list[Values]:
        """Many different side effects, at random; the same in every run."""
        random, count = Random(1), side_effects(records or self.records)
        return [{"id": f"made-up-side-effect-{random.randrange(count)}"} for _ in range(MANY)]

    def treatments(self, records: int = 0) -> dict[str, int]:
        """The treatments with at least twenty side effects, and how many those are, the most frequent first."""
        return treatments(records or self.records)

    def target(self, contestant: Contestant, case: str, values: Sequence[Values], **how: object) -> Target:
        """What a contestant is asked in a case."""
        records = int(str(how.pop("records", self.records)))
        server = self.server(contestant, records)
        stem = self.file(contestant, records).stem
        paths = [contestant.addresses[case].format(database=stem, **each) for each in values]
        return Target(str(how.pop("label", contestant.name)), server, paths, **how)  # type: ignore[arg-type]  # fields of Target

    def bare(self, size: int, label: str = BARE.name) -> Target:
        """Bare ASGI with bodies of that size."""
        target = Target(label, self.server(BARE), [f"/{size}"])
        target.check(size)
        return target

    def beside(
        self, case: str, values: Sequence[Values], items: Sequence[int] | None, mine: Contestant = UNCACHED
    ) -> Result:
        """A case in which ours and the peers are asked the same; the answers are judged first."""
        first = self.target(mine, case, values, items=items)
        size = first.check()
        targets, notes = [first, self.bare(size)], []
        for peer in () if self.address else self.only:
            reason = peer.lacks.get(case) or peer.needs()
            if reason is not None:
                notes.append(f"Without {peer.name}: {reason}.")
                continue
            try:
                targets.append(self.target(peer, case, values, items=items))
                targets[-1].check(size)
            except ContestantFailed as failure:
                targets = [target for target in targets if target.label != peer.name]
                notes.append(f"Without {peer.name}, which failed: {failure}")
        measured = rounds_of(targets, self.rounds, self.seconds)
        result = load_table(targets, measured, dict.fromkeys(measured, BARE.name))
        result.notes += notes
        result.figures[case] = of(measured[BARE.name], measured[first.label])
        for peer in self.only:
            if peer.name in measured:
                result.figures[f"{case}, {peer.name}"] = of(measured[peer.name], measured[first.label])
        return result


HEADER = (
    "", "CPU: bare / this", "CPU µs", "req/s", "req/s: this / bare",
    "p50 ms", "p99 ms", "by", "PSS MB", "body", "failed",
)  # fmt: skip


def of(base: Iterable[Round], these: Iterable[Round]) -> float:
    """How much of the processor's time the base takes for each of this one's: the median over the rounds."""
    return median(one.cpu_us / max(0.01, this.cpu_us) for one, this in zip(base, these, strict=True))


def cpu_ms(rounds: Iterable[Round]) -> float:
    """Processor time of a request in milliseconds: the median over the rounds."""
    return median(one.cpu_us for one in rounds) / 1000


def load_table(targets: Sequence[Target], measured: Mapping[str, Sequence[Round]], base: Mapping[str, str]) -> Result:
    """The table of a case under load; `base` names each line's bare ASGI."""
    rows = []
    for target in targets:
        these, those = measured[target.label], measured[base[target.label]]
        numbers = [median(one[place] for one in these) for place in range(4)]
        rate = median(one.per_second / two.per_second for one, two in zip(these, those, strict=True))
        size = len(target.server.ask(target.paths[0], target.header).body)
        found = [f"{of(those, these):.3f}", f"{numbers[0]:,.1f}", f"{numbers[1]:,.0f}", f"{rate:.3f}"]
        found += [f"{numbers[2]:.2f}", f"{numbers[3]:.2f}", str(these[0].connections)]
        found += [f"{target.server.megabytes():.0f}", f"{size:,}"]
        rows.append([target.label, *found, str(sum(one.failed for one in these))])
    return Result(HEADER, rows)
