"""The layout of a record's page: title, warnings, how to cite it, the dataset revision, links to JSON, and JSON-LD."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from app.formats import schema_org
from app.formats.claim_review import NAME
from app.formats.registry import LINKED, REFERENCE_FORMATS, extra_formats
from app.models.approvals import Approval
from app.models.conditions import Condition
from app.models.dosing_intervals import DosingInterval
from app.models.indications import Indication
from app.models.treatments import Treatment
from app.pages.context import Link, Mark, PageContext, marks_of
from app.pages.templates import report_address
from app.pages.wording import day_words, spaced
from app.reports.cards import EMBEDDED
from app.reports.record_page import AsOf, Facts


@dataclass(frozen=True)
class PageSettings:
    """Settings of the service and of the request: public URL, URL for error reports, release (None: live), today."""

    public_url: str
    contact_url: str
    release: str | None
    today: str


@dataclass(frozen=True)
class PageFrame:
    """The view model of the layout template."""

    title: str
    description: str
    crumbs: list[Link]
    marks: list[Mark]
    canonical: str
    json: str
    history: str
    """Path of its version history; empty where there is none."""
    as_of: str
    version: int
    report: str | None
    cited: str
    formats: list[Link]
    linked: Markup
    oembed: str | None
    """URL of the oEmbed response for its card; None for a record that cannot be embedded."""


def frame_of(
    facts: Facts, context: PageContext, settings: PageSettings, *, title: str, description: str, crumbs: list[Link]
) -> PageFrame:
    """The layout's view model for a record's page."""
    plural, record_id = facts.resource.plural, facts.record["id"]
    path, data = f"/{plural}/{record_id}", f"/v1/{plural}/{record_id}"
    canonical = settings.public_url + context.to(path)
    as_of = as_of_words(facts.as_of, settings.release)
    kind = spaced(plural).removesuffix("s")
    return PageFrame(
        title=title,
        description=description,
        crumbs=crumbs,
        marks=marks_of(facts.record, context, plural),
        canonical=canonical,
        json=context.to(data),
        history=context.to(f"{data}/history"),
        as_of=as_of,
        version=facts.version,
        report=report_address(settings.contact_url, plural, record_id, facts.version),
        cited=f"{NAME}. {title} [{kind} record, version {facts.version}]. {as_of}. {canonical}",
        formats=[Link(form.name, context.to(data, format=form.word)) for form in REFERENCE_FORMATS],
        linked=Markup(linked_document(facts, settings.public_url)),  # noqa: S704  # `<` is escaped in it
        oembed=oembed_address(settings, canonical) if plural in EMBEDDED else None,
    )


def oembed_address(settings: PageSettings, canonical: str) -> str:
    """The URL of the oEmbed response for the page at the canonical URL."""
    return f"{settings.public_url}/oembed?{urlencode({'url': canonical})}"


def as_of_words(as_of: AsOf, release: str | None) -> str:
    """The dataset revision or release, with its date: `Dataset revision 3 of 22 November 2026`."""
    named = f"Release {release}, revision" if release else "Dataset revision"
    return f"{named} {as_of.revision}" + (f" of {day_words(as_of.at)}" if as_of.at else "")


def linked_document(facts: Facts, public_url: str) -> str:
    """The record as JSON-LD (schema.org), with data of other records on its page.

    A drug gets the dose schedules of its labels, an indication its approvals, a condition its approved drugs.
    """
    page = f"{public_url}/{facts.resource.plural}/{facts.record['id']}"
    if facts.resource not in LINKED:
        return extra_formats(facts.resource)["jsonld"].render(facts.record, facts.included, public_url)
    node = LINKED[facts.resource][0](facts.record, facts.included, page)
    if facts.resource is Treatment and node["@type"] == "Drug":
        unit = facts.record["dose_unit"]
        on_label = [dosing for dosing in facts.items(DosingInterval) if dosing["basis"] == "label"]
        schedules = [schema_org.schedule_node(dosing, unit and unit["label"]) for dosing in on_label]
        node["doseSchedule"] = schema_org.informative_nodes(schedules)
    if facts.resource is Indication:
        node = schema_org.approved(node, facts.items(Approval))
    if facts.resource is Condition:
        node["drug"] = approved_drugs(facts, public_url)
    return schema_org.json_ld(node)


def approved_drugs(facts: Facts, public_url: str) -> list[schema_org.Node]:
    """schema.org `Drug` nodes for the treatments that a regulator approved, conditionally too, for the condition."""
    known: Mapping[str, Any] = facts.included.get(Treatment.plural, {})
    approvals = [approval for approval in facts.items(Approval) if approval["status"] in ("approved", "conditional")]
    ids = dict.fromkeys(approval["treatment"] for approval in approvals if approval["treatment"] in known)
    nodes = [
        {"@id": f"{public_url}/{Treatment.plural}/{treatment_id}", "name": known[treatment_id]["name"]}
        for treatment_id in ids
    ]
    kinds = [schema_org.THERAPIES.get(known[treatment_id]["kind"]) for treatment_id in ids]
    return [{"@type": "Drug", **node} for node, kind in zip(nodes, kinds, strict=True) if kind == "Drug"]
