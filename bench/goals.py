"""What was hoped for, and what 0.3.0 did: the rows of the first table of RESULTS.md."""

from typing import NamedTuple


class Goal(NamedTuple):
    """A figure and the limit that it shall keep."""

    figure: str
    """Its name in the results of the cases."""
    what: str
    before: str
    """In 0.3.0, measured on a busy machine; empty where it was not measured."""
    limit: float
    is_least: bool = True
    unit: str = ""

    @property
    def asked(self) -> str:
        """The goal as a cell of the table."""
        return f"{'≥' if self.is_least else '≤'} {self.limit:g}{self.unit}"

    def found(self, value: float) -> str:
        """What was measured as a cell of the table, and whether it keeps the limit."""
        holds = value >= self.limit if self.is_least else value <= self.limit
        digits = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
        return f"{digits}{self.unit}" if holds else f"**{digits}{self.unit}, missed**"


GOALS = (
    Goal("cached-list", "cached list, of bare ASGI", "0.013", 0.8),
    Goal("cached-list-coded, br", "cached list in br, of bare ASGI", "0.010", 0.8),
    Goal("cached-list-coded, zstd", "cached list in zstd, of bare ASGI", "", 0.8),
    Goal("not-modified", "304 by default, of bare ASGI", "0.008", 0.75),
    Goal("not-modified, quiet", "304 with log and request id off, of bare ASGI", "", 0.85),
    Goal("by-id", "by id, of bare ASGI", "0.018–0.021", 0.45),
    Goal("by-id, Fastify + better-sqlite3", "by id, times as fast as Fastify", "0.06–0.09", 1),
    Goal("list", "list of 20, of bare ASGI", "0.005", 0.25),
    Goal("list, Fastify + better-sqlite3", "list of 20, times as fast as Fastify", "0.09", 2),
    Goal("include", "list of 20 with `include`, of bare ASGI", "0.003", 0.12),
    Goal("nested", "nested list of 20, of bare ASGI", "0.005", 0.22),
    Goal("deep-page", "any page, times the first one", "no answer within 1 s when filtered", 1.5, is_least=False),
    Goal("sorted, ms", "sorted by a number, CPU", "", 5, is_least=False, unit=" ms"),
    Goal("growth, by-id", "by id at 1 M, times 10 k", "1.19", 1.2, is_least=False),
    Goal("growth, list", "filtered list at 1 M, times 10 k", "2.3–20", 1.2, is_least=False),
    Goal("facet, ms", "facet, CPU", "6.8 ms over everything (p99)", 20, is_least=False, unit=" ms"),
    Goal("facet, failed", "facets that failed, cold too", "503 when cold", 0, is_least=False),
    Goal("start", "start, times the naive application, CPU", "3.3", 1.3, is_least=False),
    Goal("memory, first", "memory after the first answer, times naive", "134 MB", 1.4, is_least=False),
    Goal("memory, loaded", "memory after load without the cache, times naive", "142–163 MB", 1.4, is_least=False),
    Goal("openapi, ours", "first `/openapi.json`", "", 0.5, is_least=False, unit=" s"),
    Goal("workers", "CPU a request with two workers, times one", "not decidable", 1.1, is_least=False),
    Goal("depth, files", "files that a list enters", "20", 12, is_least=False),
    Goal("depth, changes", "changes of file in a list", "103", 40, is_least=False),
)
