"""The registry of formats of a single record beside JSON, CSV and NDJSON: one table for content negotiation, for the
query parameter `format` and for the OpenAPI document.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.fields import includable
from app.formats import schema_org
from app.formats.citations import BibliographicReference, csl_text, reference_of, vancouver_text
from app.formats.claim_review import claim_review
from app.formats.ris_bibtex import bibtex_text, ris_text
from app.models import RESOURCES
from app.models.base import Row
from app.models.claims import Claim
from app.models.conditions import Condition
from app.models.dosing_intervals import DosingInterval
from app.models.indications import Indication
from app.models.sources import Source
from app.models.studies import Study
from app.models.study_results import StudyResult
from app.models.treatments import Treatment

Included = Mapping[str, Mapping[str, dict[str, Any]]]
Render = Callable[[Mapping[str, Any], Included, str], str]
"""Renders a record, given the records that it refers to (by plural, then by id) and the service's public URL."""

LINKED_DATA = "application/ld+json"
CITED_BY = ("source", Source.plural, "evidence")
"""Values of `include` that add a record's sources."""


@dataclass(frozen=True)
class Representation:
    """One format of a resource's single records."""

    resource: type[Row]
    word: str
    """The value of the query parameter `format`."""
    media_type: str
    render: Render
    reads: tuple[str, ...]
    """Values of `include` for the records that the renderer needs beside the record itself."""
    schema: Mapping[str, Any]
    """The JSON Schema in the OpenAPI document."""


@dataclass(frozen=True)
class ReferenceFormat:
    """One citation format for the sources of a record."""

    word: str
    media_type: str
    name: str
    """The format's name for people."""
    text: Callable[[Iterable[BibliographicReference]], str]
    schema: Mapping[str, Any]


def _text_schema(description: str) -> Mapping[str, Any]:
    return {"type": "string", "description": description}


REFERENCE_FORMATS = (
    ReferenceFormat(
        "vancouver",
        "text/x-bibliography",
        "Vancouver",
        vancouver_text,
        _text_schema("The sources of the record in Vancouver style, one a line."),
    ),
    ReferenceFormat(
        "csl-json",
        "application/vnd.citationstyles.csl+json",
        "CSL-JSON",
        csl_text,
        {"type": "array", "items": {"type": "object"}, "description": "The sources of the record in CSL-JSON 1.0.2."},
    ),
    ReferenceFormat(
        "ris", "application/x-research-info-systems", "RIS", ris_text, _text_schema("The sources of the record in RIS.")
    ),
    ReferenceFormat(
        "bibtex", "application/x-bibtex", "BibTeX", bibtex_text, _text_schema("The sources of the record in BibTeX.")
    ),
)


def sources_of(record: Mapping[str, Any], included: Included) -> list[Mapping[str, Any]]:
    """The sources that a record refers to, without duplicates: the quoted document first, the others in order.

    Withdrawn sources are not in `included`, and so are left out.
    """
    quoted = [record["source"]] if record.get("source") else []
    cited = [citation["source"] for citation in record.get("citations", ())]
    deciding = [ref["id"] for ref in record.get("evidence", ()) if ref["kind"] == Source.plural]
    known = included.get(Source.plural, {})
    named = dict.fromkeys([*quoted, *record.get(Source.plural, ()), *cited, *deciding])
    return [known[source] for source in named if source in known]


def _cited_as(form: ReferenceFormat, resource: type[Row]) -> Representation:
    def render(record: Mapping[str, Any], included: Included, _: str) -> str:
        sources = [record] if resource is Source else sources_of(record, included)
        return form.text(map(reference_of, sources))

    reads = tuple(word for word in CITED_BY if word in includable(resource))
    return Representation(resource, form.word, form.media_type, render, reads, form.schema)


Linked = Callable[[Mapping[str, Any], Included, str], schema_org.Node]
LINKED: Mapping[type[Row], tuple[Linked, tuple[str, ...], str]] = {
    Treatment: (schema_org.treatment_node, ("part_of",), "Drug or MedicalTherapy"),
    Condition: (lambda record, _, page: schema_org.condition_node(record, page), (), "MedicalCondition"),
    Indication: (schema_org.indication_node, ("treatment", "condition"), "MedicalIndication"),
    DosingInterval: (
        lambda record, included, _: schema_org.schedule_node(record, _unit(record, included)),
        ("treatment",),
        "DoseSchedule",
    ),
    Study: (schema_org.study_node, (Treatment.plural, Condition.plural), "MedicalStudy"),
    StudyResult: (schema_org.result_node, ("study", "treatment", "condition"), "MedicalStudy"),
    Source: (lambda record, _, page: schema_org.source_node(record, page), (), "ScholarlyArticle or CreativeWork"),
}
"""The resources that schema.org has types for, each with renderer, needed `include` values and schema.org type."""


def _unit(dosing: Mapping[str, Any], included: Included) -> str | None:
    treatment = schema_org.included_record(included, Treatment, dosing["treatment"])
    return treatment["dose_unit"]["label"] if treatment and treatment["dose_unit"] else None


def _linked_as(resource: type[Row]) -> Representation:
    make, reads, name = LINKED[resource]

    def render(record: Mapping[str, Any], included: Included, public_url: str) -> str:
        return schema_org.json_ld(make(record, included, f"{public_url}/{resource.plural}/{record['id']}"))

    schema = {"type": "object", "description": f"A {name} in the words of https://schema.org."}
    return Representation(resource, "jsonld", LINKED_DATA, render, reads, schema)


def _all() -> Iterator[Representation]:
    schema = {"type": "object", "description": "A ClaimReview of https://schema.org/ClaimReview."}
    yield Representation(Claim, "jsonld", LINKED_DATA, claim_review, ("source",), schema)
    yield from map(_linked_as, LINKED)
    for resource in RESOURCES.values():
        yield from (_cited_as(form, resource) for form in REFERENCE_FORMATS)


REPRESENTATIONS = tuple(_all())


@cache
def extra_formats(resource: type[Row]) -> dict[str, Representation]:
    """The registered formats of a resource's single records, keyed by the value of `format`."""
    return {
        representation.word: representation for representation in REPRESENTATIONS if representation.resource is resource
    }
