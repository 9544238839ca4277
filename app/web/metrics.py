"""Counts and times of requests in the text format of Prometheus, of one process or of all that serve together.

Labels come from the program alone (templates of routes, known methods, statuses), so that no caller makes them grow.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes share their counts; prometheus_client reads this variable when it is imported."""
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
Reading = tuple[str, str, float]
"""Name, explanation and value of what is measured when it is asked for."""


@contextmanager
def shared_by(workers: int) -> Iterator[None]:
    """A folder for the counts of several processes, which they find in their environment; one process needs none."""
    if workers == 1 or FOLDER in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="tev-metrics-") as folder:
        os.environ[FOLDER] = folder
        yield


class Metrics:
    """What one process notes about its requests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tev_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "tev_http_request_duration_seconds",
            "From the end of the head of a request to the last byte of its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "tev_http_requests_in_flight",
            "Requests that are being answered.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self._found: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        if FOLDER not in os.environ:
            ProcessCollector(registry=self.registry)

    def begin(self) -> None:
        """A request has come."""
        self.in_flight.inc()

    def end(self, method: str, route: str, status: int, seconds: float) -> None:
        """It has been answered, with status 0 when the caller went away before."""
        self.in_flight.dec()
        counter, histogram = self._labelled(method if method in METHODS else "other", route, status)
        counter.inc()
        histogram.observe(seconds)

    def _labelled(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """The counter and the histogram of these labels: found here once, for the library takes longer to find them."""
        found = self._found.get((method, route, status))
        if found is None:
            found = self.requests.labels(method, route, status), self.seconds.labels(method, route)
            self._found[method, route, status] = found
        return found

    def text(self, readings: list[Reading]) -> bytes:
        """All of it, with what was read just now."""
        registry = self.registry
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            _forget_the_dead(Path(os.environ[FOLDER]))
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no annotations there
        now = CollectorRegistry()
        now.register(_Readings(readings))
        return generate_latest(registry) + generate_latest(now)


class _Readings(Collector):
    def __init__(self, readings: list[Reading]) -> None:
        self.readings = readings

    def collect(self) -> Iterator[Metric]:
        """One gauge each."""
        for name, words, value in self.readings:
            yield GaugeMetricFamily(name, words, value=value)


def _forget_the_dead(folder: Path) -> None:
    """Let what processes that ended had in flight count no more; their totals stay."""
    for file in folder.glob("gauge_live*_*.db"):
        number = file.stem.rpartition("_")[2]
        with suppress(ValueError, PermissionError):
            try:
                os.kill(int(number), 0)
            except ProcessLookupError:
                file.unlink(missing_ok=True)
