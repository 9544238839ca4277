"""Liveness, readiness and metrics of the service."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from app import __version__
from app.db.database import Database, bytes_of
from app.errors import NotFound, Unavailable
from app.store.read.revision import revision_of
from app.web.health import Readiness, ReadinessResult
from app.web.late_routes import LateRouter
from app.web.openapi.responses import problem_responses

if TYPE_CHECKING:
    from app.web.metrics import Metrics, Reading

router = LateRouter(tags=["Operations"])


class Health(BaseModel):
    """The response of a live process."""

    status: Literal["ok"] = Field(description="Always `ok`; a dead process gives no response.")
    version: str = Field(description="The version of the program.")


class Ready(BaseModel):
    """The response of a service that is ready for reads and writes."""

    status: Literal["ready"] = Field(description="Always `ready`; otherwise the response is a 503 problem.")
    revision: int = Field(description="The dataset's revision.")
    migrated: Literal[True] = Field(description="The database has the schema of this version of the program.")
    seeded: Literal[True] = Field(description="The database holds records.")
    writable: Literal[True] = Field(description="The database accepts writes; the check itself writes nothing.")


@router.get("/healthz", operation_id="get_health", summary="Whether the process lives", responses=problem_responses())
async def health(response: Response) -> Health:
    """For a supervisor: 200 while the process lives; it does not ask the database."""
    response.headers["Cache-Control"] = "no-store"
    return Health(status="ok", version=__version__)


@router.get(
    "/readyz", operation_id="get_readiness", summary="Whether the service is ready", responses=problem_responses()
)
async def readiness(request: Request, response: Response) -> Ready:
    """For a load balancer: 200 when the database is migrated, seeded and writable, else 503.

    Each entry of `errors` points to the field of this answer that does not hold. The check runs at most once a second.
    """
    state: Readiness = request.app.state.readiness
    found = await state.look()
    if found.faults:
        raise _not_ready_problem(found)
    response.headers["Cache-Control"] = "no-store"
    return Ready(status="ready", revision=found.revision, migrated=True, seeded=True, writable=True)


def _not_ready_problem(found: ReadinessResult) -> Unavailable:
    errors = [{"pointer": f"/{check}", "detail": detail} for check, detail in found.faults.items()]
    return Unavailable(" ".join(found.faults.values()), errors=errors, headers={"Retry-After": "1"})


@router.get("/metrics", include_in_schema=False)
async def get_metrics(request: Request) -> Response:
    """Prometheus metrics: requests by method, route and status, durations, the dataset's revision and size."""
    metrics: Metrics | None = request.app.state.metrics
    if metrics is None:
        raise NotFound("Metrics are switched off here; the setting TEV_METRICS=true switches them on.")
    from app.web.metrics import MEDIA_TYPE  # noqa: PLC0415  # probes need no prometheus_client

    database: Database = request.app.state.database
    readings = [
        ("tev_writes_waiting", "Writes that wait for their turn in this process.", request.app.state.queue.waiting)
    ]
    try:
        readings += await database.fetch(lambda connection: _dataset_readings(connection, database))
    except Unavailable:
        readings.append(("tev_database_up", "Whether the database answers.", 0))
    return Response(metrics.text(readings), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _dataset_readings(connection: Connection, database: Database) -> "list[Reading]":
    found = [
        ("tev_database_up", "Whether the database answers.", 1.0),
        ("tev_dataset_revision", "The dataset's revision.", revision_of(connection)),
        ("tev_database_bytes", "Size of the database.", bytes_of(connection)),
    ]
    log = Path(f"{database.reader.url.database}-wal")
    if database.dialect == "sqlite" and log.is_file():
        found.append(("tev_database_wal_bytes", "Size of SQLite's write-ahead log.", log.stat().st_size))
    return found
