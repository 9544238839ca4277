"""Request metrics in the Prometheus text format, of one process or of all worker processes together.

Label values come from the program alone (route templates, known methods, statuses), so that callers cannot add series.
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
"""Environment variable with the folder of shared counters; prometheus_client reads it when it is imported."""
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
Reading = tuple[str, str, float]
"""Name, help text and value of a gauge that is measured at scrape time."""


@contextmanager
def shared_by(workers: int) -> Iterator[None]:
    """Set the environment variable FOLDER to a temporary folder for several processes; one process needs none."""
    if workers == 1 or FOLDER in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="tev-metrics-") as folder:
        os.environ[FOLDER] = folder
        yield


class Metrics:
    """The request metrics of one process."""

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
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        if FOLDER not in os.environ:
            ProcessCollector(registry=self.registry)

    def begin(self) -> None:
        """Count a request as in flight."""
        self.in_flight.inc()

    def end(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record a finished request; status 0 when the client disconnected before the response."""
        self.in_flight.dec()
        counter, histogram = self._labelled(method if method in METHODS else "other", route, status)
        counter.inc()
        histogram.observe(seconds)

    def _labelled(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """The counter and the histogram for these labels, cached because the look-up of the library is slower."""
        found = self._children.get((method, route, status))
        if found is None:
            found = self.requests.labels(method, route, status), self.seconds.labels(method, route)
            self._children[method, route, status] = found
        return found

    def text(self, readings: list[Reading]) -> bytes:
        """The Prometheus text of all metrics, with gauges for the readings."""
        registry = self.registry
        if FOLDER in os.environ:
            registry = CollectorRegistry()
            _remove_gauges_of_ended_processes(Path(os.environ[FOLDER]))
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no annotations there
        now = CollectorRegistry()
        now.register(_Readings(readings))
        return generate_latest(registry) + generate_latest(now)


class _Readings(Collector):
    def __init__(self, readings: list[Reading]) -> None:
        self.readings = readings

    def collect(self) -> Iterator[Metric]:
        """One gauge for each reading."""
        for name, help_text, value in self.readings:
            yield GaugeMetricFamily(name, help_text, value=value)


def _remove_gauges_of_ended_processes(folder: Path) -> None:
    """Delete the in-flight gauges of processes that have ended; their counters stay."""
    for file in folder.glob("gauge_live*_*.db"):
        process_id = file.stem.rpartition("_")[2]
        with suppress(ValueError, PermissionError):
            try:
                os.kill(int(process_id), 0)
            except ProcessLookupError:
                file.unlink(missing_ok=True)
