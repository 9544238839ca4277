"""What a probe found, beside what must hold."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table. A figure that is a time, or follows from one, is not asserted in the short form."""

    what: str
    engine: str
    figure: str
    limit: str
    is_kept: bool
    is_time: bool = False


def none_of(what: str, engine: str, faults: Sequence[object], of: int, *, is_time: bool = False) -> Figure:
    """That nothing went wrong in so many cases; the first fault is shown."""
    found = f"{len(faults)} of {of}" + (f", first: {str(faults[0])[:300]}" if faults else "")
    return Figure(what, engine, found, "0", not faults and of > 0, is_time)


def at_most(what: str, engine: str, value: float, limit: float, unit: str, *, is_time: bool = True) -> Figure:
    """That a value does not exceed its limit."""
    return Figure(what, engine, f"{value:.4g} {unit}", f"≤ {limit:g} {unit}", value <= limit, is_time)


def at_least(what: str, engine: str, value: float, limit: float, unit: str) -> Figure:
    """That a rate is reached."""
    return Figure(what, engine, f"{value:.4g} {unit}", f"≥ {limit:g} {unit}", value >= limit, is_time=True)


def p99(values: Sequence[float]) -> float:
    """The 99th percentile: the smallest value that 99 of 100 do not exceed."""
    return sorted(values)[-(-99 * len(values) // 100) - 1]


def milliseconds(seconds: float) -> float:
    """Seconds as milliseconds."""
    return seconds * 1000


def table(figures: Sequence[tuple[str, Figure]]) -> str:
    """The figures with the names of their cases, as Markdown."""
    lines = ["| case | what | engine | figure | limit | ok |", "| --- | --- | --- | --- | --- | --- |"]
    for case, one in figures:
        verdict = "yes" if one.is_kept else "**NO**"
        lines.append(f"| {case} | {one.what} | {one.engine} | {one.figure} | {one.limit} | {verdict} |")
    return "\n".join(lines)
