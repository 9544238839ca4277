"""Lookup of records by a code of an external system (ATC, RxNorm, DOI, PMID, NCT, …)."""

from typing import Annotated, Any, get_args

from fastapi import Query as Parameters
from fastapi import Request
from pydantic import AfterValidator, BaseModel, Field
from starlette.responses import Response

from app.errors import NotFound, nearest
from app.json_codec import PydanticCustomError, to_json
from app.models.sources import canonical_doi
from app.models.vocabulary import CodeSystem
from app.store.read.query import MOST_ROWS, ReadParameters
from app.store.read.records import lookup
from app.web.late_routes import LateRouter
from app.web.openapi.responses import documented
from app.web.read_context import json_read

SYSTEMS: tuple[str, ...] = get_args(CodeSystem.__value__)

router = LateRouter(prefix="/v1", tags=["Lookup"])


def known_system(value: str) -> str:
    """Normalise the name of a code system to our vocabulary (`ICD-10`, `RxNorm`); an unknown one is refused."""
    word = value.strip().lower().replace(" ", "-").replace("_", "-")
    if word not in SYSTEMS:
        raise PydanticCustomError(
            "unknown_name",
            "{word} is not a code system that we know",
            {"word": word, "nearest": nearest(word, SYSTEMS) or ""},
        )
    return word


class LookupQuestion(ReadParameters):
    """The query parameters of a lookup."""

    system: Annotated[str, AfterValidator(known_system)] = Field(
        min_length=1,
        max_length=40,
        description=f"The code system, in upper or lower case: {', '.join(SYSTEMS)}. `icd-10` finds `icd-10-cm` too.",
        examples=["doi"],
    )
    code: str = Field(
        min_length=1,
        max_length=300,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="The code; a DOI may be given as an address.",
        examples=["10.1212/wnl.56.10.1290"],
    )


class LookupHit(BaseModel):
    """A record that has the code."""

    kind: str = Field(description="The resource, as in the URL.")
    id: str = Field(description="The record's id.")
    url: str = Field(description="Where the record is.")
    record: dict[str, Any] = Field(description="The record itself.")


class LookupAnswer(BaseModel):
    """The records that have a code; empty when none does."""

    items: list[LookupHit] = Field(description=f"By kind and id, at most {MOST_ROWS}.")


@router.get(
    "/lookup",
    operation_id="lookup_code",
    summary="Find records by a code",
    document=documented(LookupAnswer, "The records that have the code.", NotFound),
)
async def lookup_code(request: Request, params: Annotated[LookupQuestion, Parameters()]) -> Response:
    """Find treatments, conditions, studies and sources by a code of an external system."""
    read = json_read(request, LookupQuestion)
    code = canonical_doi(params.code) if params.system == "doi" else params.code.strip()
    hits = await read.fetch(lambda connection: lookup(connection, params.system, code), short=True)
    entries = (
        f'{{"kind":{_json_text(kind)},"id":{_json_text(row_id)},'
        f'"url":{_json_text(read.address(f"/v1/{kind}/{row_id}"))},"record":{document}}}'
        for kind, row_id, document in hits
    )
    return read.answer(f'{{"items":[{",".join(entries)}]}}')


def _json_text(value: str) -> str:
    return to_json(value).decode()
