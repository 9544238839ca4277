"""Benefits and harms of a treatment on one scale: people out of 1,000."""

from typing import Annotated

from fastapi import Path, Request
from fastapi import Query as Parameters
from pydantic import Field, StringConstraints
from starlette.responses import Response

from app.errors import Gone, NotFound
from app.models.types import Slug
from app.reports.benefit_harm.report import read_benefit_harm
from app.reports.benefit_harm.schemas import BenefitHarm
from app.reports.synthesis.question import EXAMPLE, MOST_NAMED, Audience, Ids
from app.store.read.query import ReadParameters
from app.web.late_routes import LateRouter
from app.web.openapi.responses import documented
from app.web.read_context import json_read

router = LateRouter(prefix="/v1", tags=["Benefits and harms"])

BaselineText = Annotated[
    str, StringConstraints(max_length=250, pattern=r"^([a-z0-9-]+:)?([0-9]{1,4}(\.[0-9]{1,3})?|[a-z0-9-]+)$")
]


class BenefitHarmQuestion(ReadParameters):
    """The query parameters of benefits and harms."""

    condition: Slug = Field(description="The condition's id.", examples=[EXAMPLE.condition])
    outcome: Ids | None = Field(
        None, description="Only this outcome, or side effect as a slug; repeat it for any of several."
    )
    baseline: Annotated[list[BaselineText], Field(max_length=MOST_NAMED)] | None = Field(
        None,
        description="The baseline risk, without the treatment: the id of a study result or side effect of "
        "this answer, whose comparator arm is taken; or people out of 1,000 after the outcome, as `dysphagia:30`. A "
        "bare number needs one `outcome`. By default each row uses its own comparator arm. Repeat it for several.",
    )
    audience: Audience | None = Field(
        None, description="Adds the answer in words, for patients or for clinicians, under `plain`."
    )


@router.get(
    "/treatments/{id}/benefit-harm",
    operation_id="get_treatment_benefit_harm",
    summary="See benefits and harms per 1,000 people",
    document=documented(
        BenefitHarm, "Benefits and harms, and the records that cannot be expressed per 1,000 people.", NotFound, Gone
    ),
)
async def get_treatment_benefit_harm(
    request: Request,
    id: Annotated[Slug, Path(description="The id of the treatment.", examples=[EXAMPLE.treatment])],  # as in the path
    params: Annotated[BenefitHarmQuestion, Parameters()],
) -> Response:
    """People out of 1,000 with and without the treatment, for every record that counts people in two arms.

    Benefits and harms stand side by side, each with its baseline, its 95 % interval, the number needed to treat
    (through infinity where the interval holds no effect), its certainty and its citations. A record with several
    exposed arms has a row for each. `pooled` combines several results of an outcome where they may be pooled. A
    record without denominators, without a comparator or of a continuous outcome is refused with the reason, under
    `refused`.
    """
    read = json_read(request, BenefitHarmQuestion)
    content = await read.fetch(
        lambda connection: read_benefit_harm(
            connection,
            id,
            params.condition,
            outcomes=params.outcome or (),
            baselines=params.baseline or (),
            audience=params.audience,
            address=read.address,
        )
    )
    return read.answer(content)
