"""The request body of the calculator: studies with the numbers of one measure, and how to pool them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from typing_extensions import TypeAliasType

from app.errors import invalid, pointer
from app.evidence.statistics.analysis import Also, MetaAnalysis, contradictions
from app.evidence.statistics.measures import GENERIC_LOG, MEASURES, Measure
from app.evidence.statistics.pooling import EstimatorName, IntervalName, Method, Model, Plan
from app.models.types import clean_line
from app.models.vocabulary import Direction

MOST_STUDIES = 1000
MOST_PEOPLE = 2_147_483_647
LARGEST = 1e12
"""The largest absolute value of a number: sums of squares up to it keep their digits."""

SynthesisMeasure = TypeAliasType(
    "SynthesisMeasure",
    Literal[
        "risk-ratio",
        "odds-ratio",
        "risk-difference",
        "mean-difference",
        "standardized-mean-difference",
        "ratio-of-means",
        "rate-ratio",
        "fisher-z",
        "proportion-logit",
        "proportion-freeman-tukey",
        "generic",
    ],
)
SynthesisModel = TypeAliasType("SynthesisModel", Model)
SynthesisMethod = TypeAliasType("SynthesisMethod", Method)
SynthesisEstimator = TypeAliasType("SynthesisEstimator", EstimatorName)
SynthesisInterval = TypeAliasType("SynthesisInterval", IntervalName)
SynthesisAddition = TypeAliasType("SynthesisAddition", Also)
"""Named types, so that each vocabulary is one schema in OpenAPI."""


def whole_number(value: Any) -> Any:
    """A whole number as an integer, because JSON does not distinguish 12 from 12.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


People = Annotated[int, Field(ge=0, le=MOST_PEOPLE), BeforeValidator(whole_number)]
Measured = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Spread = Annotated[float, Field(ge=0, le=LARGEST)]
Positive = Annotated[float, Field(gt=0, le=LARGEST)]
ShortLine = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean_line)]
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class SynthesisStudy(BaseModel):
    """One study: its label, and the numbers that the measure needs; the other fields are absent or null.

    Ratios and differences of risks: `events1`, `n1`, `events2`, `n2`. Differences and ratios of means: `mean1`, `sd1`,
    `n1`, `mean2`, `sd2`, `n2`. Rate ratio: `events1`, `time1`, `events2`, `time2`. Fisher's z: `r`, `n`. Proportions:
    `events`, `n`. Generic: `estimate`, `se`. Arm 1 is the treatment, arm 2 the comparator.
    """

    model_config = STRICT
    label: ShortLine | None = Field(None, description="Label of the study; by default `Study 1`, `Study 2`, …")
    subgroup: ShortLine | None = Field(None, description="The subgroup that it belongs to.")
    events1: People | None = Field(None, description="People with the event in arm 1; for rates, events.")
    n1: People | None = Field(None, description="People in arm 1.")
    time1: Positive | None = Field(None, description="Person-time of arm 1, in the unit of all studies.")
    mean1: Measured | None = Field(None, description="Mean in arm 1.")
    sd1: Spread | None = Field(None, description="Standard deviation in arm 1.")
    events2: People | None = Field(None, description="People with the event in arm 2; for rates, events.")
    n2: People | None = Field(None, description="People in arm 2.")
    time2: Positive | None = Field(None, description="Person-time of arm 2.")
    mean2: Measured | None = Field(None, description="Mean in arm 2.")
    sd2: Spread | None = Field(None, description="Standard deviation in arm 2.")
    events: People | None = Field(None, description="People with the event, in one group.")
    n: People | None = Field(None, description="People in the one group, or of the correlation.")
    r: Annotated[float, Field(ge=-1, le=1)] | None = Field(None, description="Correlation coefficient.")
    estimate: Measured | None = Field(None, description="An effect on the scale of the analysis: ratios as logarithms.")
    se: Positive | None = Field(None, description="Its standard error, on the same scale.")


@dataclass(frozen=True)
class Captions:
    """The labels of a synthesis: studies, subgroups, arms, outcome and the title of its plots."""

    labels: Sequence[str]
    subgroups: Sequence[str | None]
    title: str | None = None
    outcome: str = "the outcome"
    arm1: str = "treatment"
    arm2: str = "comparator"
    direction: Direction | None = None


class SynthesisRequest(BaseModel):
    """A meta-analysis to compute: the studies, and how to pool them."""

    model_config = STRICT
    measure: SynthesisMeasure = Field(
        description="The effect that each study has; it decides which numbers are needed."
    )
    model: SynthesisModel = Field(
        "random-effects", description="Whether the studies share one effect, or have effects around a mean."
    )
    method: SynthesisMethod = Field(
        "inverse-variance",
        description="How studies are weighted. `mantel-haenszel` pools risk ratios, odds ratios, risk differences and "
        "rate ratios, `peto` odds ratios; both under `common-effect`.",
    )
    estimator: SynthesisEstimator = Field(
        "reml",
        description="How τ² is estimated: DerSimonian–Laird, restricted maximum likelihood, Paule–Mandel, maximum "
        "likelihood, Hunter–Schmidt, Sidik–Jonkman, Hedges, empirical Bayes. Under `common-effect` it is not used.",
    )
    interval: SynthesisInterval = Field(
        "wald", description="`wald` takes the normal distribution, `knapp-hartung` t with its own variance."
    )
    level: float = Field(95.0, ge=50, le=99.9, description="Confidence level of all intervals, in percent.")
    estimates_are_log: bool = Field(
        False, description="Only with `generic`: the estimates are logarithms of ratios, such as hazard ratios."
    )
    also: Annotated[list[SynthesisAddition], Field(max_length=20)] = Field(
        [], description="Additional analyses to compute."
    )
    title: ShortLine | None = Field(None, description="Title of the plots.")
    arm1: ShortLine = Field("arm 1", description="Label of arm 1, the treatment, in plots.")
    arm2: ShortLine = Field("arm 2", description="Label of arm 2, the comparator, in plots.")
    direction: Direction = Field("unclear", description="Which direction is better; it labels the two sides of a plot.")
    studies: Annotated[list[SynthesisStudy], Field(min_length=1, max_length=MOST_STUDIES)] = Field(
        description=f"The studies, 1 to {MOST_STUDIES}."
    )

    def captions(self) -> Captions:
        """The labels of the response."""
        return Captions(
            labels=[study.label or f"Study {number}" for number, study in enumerate(self.studies, 1)],
            subgroups=[study.subgroup for study in self.studies],
            title=self.title,
            arm1=self.arm1,
            arm2=self.arm2,
            direction=self.direction,
        )


EXAMPLE = {
    "measure": "risk-ratio",
    "model": "random-effects",
    "method": "inverse-variance",
    "estimator": "reml",
    "interval": "knapp-hartung",
    "studies": [
        {"label": "Made-up A", "events1": 12, "n1": 100, "events2": 20, "n2": 98},
        {"label": "Made-up B", "events1": 5, "n1": 60, "events2": 9, "n2": 62},
        {"label": "Made-up C", "events1": 30, "n1": 240, "events2": 41, "n2": 236},
    ],
}
"""Example for the documentation; the names show that the numbers are invented."""


def parse_question(request_body: SynthesisRequest) -> MetaAnalysis:
    """The meta-analysis of a request body; InvalidBody with a JSON pointer for each study and field that is wrong."""
    measure = (
        GENERIC_LOG
        if request_body.estimates_are_log and request_body.measure == "generic"
        else MEASURES[request_body.measure]
    )
    errors = [*_misplaced(request_body, measure)]
    if errors:
        raise invalid(errors)
    rows = [measure.shape(**{name: getattr(study, name) for name in measure.fields}) for study in request_body.studies]
    question = MetaAnalysis(
        measure=measure,
        plan=Plan(
            request_body.measure,
            request_body.model,
            request_body.method,
            request_body.estimator,
            request_body.interval,
            request_body.level,
        ),
        rows=rows,
        subgroups=[study.subgroup for study in request_body.studies if study.subgroup is not None],
        also=frozenset(request_body.also),
    )
    errors = [{"pointer": pointer(name), "detail": detail} for name, detail in contradictions(question)]
    for index, row in enumerate(rows):
        errors += [{"pointer": pointer("studies", index, name), "detail": detail} for name, detail in row.faults()]
    if errors:
        raise invalid(errors)
    return question


def _misplaced(request_body: SynthesisRequest, measure: Measure) -> Iterator[dict[str, Any]]:
    """Errors for missing fields of the measure, and for fields of another measure."""
    if request_body.estimates_are_log and request_body.measure != "generic":
        yield {"pointer": "/estimates_are_log", "detail": "only measure generic takes estimates"}
    known = list(measure.fields)
    everywhere = {"label", "subgroup", *known}
    for index, study in enumerate(request_body.studies):
        for name in known:
            if getattr(study, name) is None:
                detail = f"{request_body.measure} needs {', '.join(known)}; {name} is absent"
                yield {"pointer": pointer("studies", index, name), "detail": detail}
        for name in sorted(study.model_fields_set - everywhere):
            if getattr(study, name) is not None:
                detail = f"{name} does not belong to {request_body.measure}, which takes {', '.join(known)}"
                yield {"pointer": pointer("studies", index, name), "detail": detail, "known": known}
        if "subgroups" in request_body.also and study.subgroup is None:
            yield {
                "pointer": pointer("studies", index, "subgroup"),
                "detail": "`also` asks for subgroups; name this one's",
            }
