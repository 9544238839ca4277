"""Many records at once, all or none."""

from typing import Annotated

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.errors import MOST_ERRORS, Conflict, IdempotencyMismatch, PreconditionFailed
from app.formats.csv_ndjson import ndjson_lines
from app.json_codec import to_json
from app.models import RESOURCES
from app.store.examples import example_record
from app.web.late_routes import LateRouter
from app.web.middleware.checks import LARGER_BODIES
from app.web.openapi.responses import HEADERS, problem_responses
from app.web.openapi.writes import BODIES, IDEMPOTENCY_KEY, KEYED, LOCATION, WRITING
from app.web.responses import JSON
from app.web.writes.bulk import NDJSON, BatchParameters, save_batch
from app.web.writes.ndjson import LARGEST_LINE, MOST_RECORDS

PATH = "/v1/batch"
router = LateRouter(tags=["Batch"])
DESCRIPTION = f"""One record a line (NDJSON), at most {MOST_RECORDS:,} of them, {LARGEST_LINE:,} bytes each and
{LARGER_BODIES[PATH]:,} together; in any order, they may point to each other. All are saved in one transaction, as one
revision, or none.

A line is `{{"kind": "conditions", "record": {{…}}}}`. With `kind=` in the address each line is a record of that
resource by itself, as `format=ndjson` and `tev export` give it, so that an exported file can be changed and sent back.

**Changing.** A record that is there already is changed in the version that its line names (`version`, as it was
exported): 412 when it has another one by now. A line without a version can only create a record, or repeat
an existing one unchanged: else 409, unless `replace=true` allows replacing existing records.

Each entry of `errors` has its `line` and the place in that line as a JSON pointer; checking stops after {MOST_ERRORS}
errors."""


class BatchSaved(BaseModel):
    """The result of a batch."""

    created: int = Field(description="How many records are new.")
    changed: int = Field(description="How many have a new version.")
    unchanged: int = Field(description="How many are the same as before.")
    revision: int = Field(description="The revision of the dataset that contains the batch.")


def example_batch() -> str:
    """An NDJSON body: the first record of each of the first two resources of the seed."""
    examples = list(RESOURCES.items())[:2]
    return ndjson_lines(to_json({"kind": kind, "record": example_record(row)}).decode() for kind, row in examples)


@router.post(
    PATH,
    operation_id="save_batch",
    summary="Save many records, all or none",
    description=DESCRIPTION,
    response_model=BatchSaved,
    openapi_extra={
        **KEYED,
        "parameters": [IDEMPOTENCY_KEY],
        "requestBody": {
            "required": True,
            "content": {NDJSON: {"schema": {"type": "string"}, "examples": {"seed": {"value": example_batch()}}}},
        },
    },
    responses={
        200: {
            "description": "All records are saved.",
            "content": {JSON: {"example": '{"created":2,"changed":0,"unchanged":0,"revision":2}'}},
            "headers": {name: (HEADERS | LOCATION)[name] for name in ("Dataset-Revision", "Idempotency-Replayed")},
        },
        **problem_responses(*WRITING, *BODIES, Conflict, IdempotencyMismatch, PreconditionFailed),
    },
)
async def save(request: Request, params: Annotated[BatchParameters, Parameters()]) -> Response:
    """Save a batch; DESCRIPTION is this operation's description in the OpenAPI document."""
    return await save_batch(request, params)
