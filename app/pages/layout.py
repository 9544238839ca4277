"""What every page of a record has around its content: title, marks, how to cite it, how old it is, its JSON."""

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
from app.pages.context import Around, Link, Mark, marks_of
from app.pages.templates import report_address
from app.pages.wording import day_words, spaced
from app.reports.cards import EMBEDDED
from app.reports.record_page import AsOf, Facts


@dataclass(frozen=True)
class Where:
    """Where the page is asked for: our public address, where errors are reported, and the release that answers."""

    public_url: str
    contact_url: str
    release: str | None
    today: str


@dataclass(frozen=True)
class PageFrame:
    """All that the layout needs of a page."""

    title: str
    description: str
    crumbs: list[Link]
    marks: list[Mark]
    canonical: str
    json: str
    history: str
    """Where its former versions are; empty for what has none."""
    as_of: str
    version: int
    report: str | None
    cited: str
    formats: list[Link]
    linked: Markup
    oembed: str | None
    """Where oEmbed describes its card; None for a record that cannot be embedded."""


def frame_of(
    facts: Facts, around: Around, where: Where, *, title: str, description: str, crumbs: list[Link]
) -> PageFrame:
    """The frame of a record's page."""
    plural, record_id = facts.resource.plural, facts.record["id"]
    path, data = f"/{plural}/{record_id}", f"/v1/{plural}/{record_id}"
    canonical = where.public_url + around.to(path)
    as_of = as_of_words(facts.as_of, where.release)
    kind = spaced(plural).removesuffix("s")
    return PageFrame(
        title=title,
        description=description,
        crumbs=crumbs,
        marks=marks_of(facts.record, around, plural),
        canonical=canonical,
        json=around.to(data),
        history=around.to(f"{data}/history"),
        as_of=as_of,
        version=facts.version,
        report=report_address(where.contact_url, plural, record_id, facts.version),
        cited=f"{NAME}. {title} [{kind} record, version {facts.version}]. {as_of}. {canonical}",
        formats=[Link(form.name, around.to(data, format=form.word)) for form in REFERENCE_FORMATS],
        linked=Markup(linked_document(facts, where.public_url)),  # noqa: S704  # `<` is escaped in it
        oembed=oembed_address(where, canonical) if plural in EMBEDDED else None,
    )


def oembed_address(where: Where, canonical: str) -> str:
    """Where oEmbed describes the card of a page."""
    return f"{where.public_url}/oembed?{urlencode({'url': canonical})}"


def as_of_words(as_of: AsOf, release: str | None) -> str:
    """How old the data is: `Dataset revision 3 of 22 November 2026`."""
    named = f"Release {release}, revision" if release else "Dataset revision"
    return f"{named} {as_of.revision}" + (f" of {day_words(as_of.at)}" if as_of.at else "")


def linked_document(facts: Facts, public_url: str) -> str:
    """The record as JSON-LD, with what its page knows beside: the schedules of a treatment, who approved a use."""
    page = f"{public_url}/{facts.resource.plural}/{facts.record['id']}"
    if facts.resource not in LINKED:
        return extra_formats(facts.resource)["jsonld"].render(facts.record, facts.included, public_url)
    node = LINKED[facts.resource][0](facts.record, facts.included, page)
    if facts.resource is Treatment and node["@type"] == "Drug":
        unit = facts.record["dose_unit"]
        on_label = [one for one in facts.items(DosingInterval) if one["basis"] == "label"]
        schedules = [schema_org.schedule_node(one, unit and unit["label"]) for one in on_label]
        node["doseSchedule"] = schema_org.informative_nodes(schedules)
    if facts.resource is Indication:
        node = schema_org.approved(node, facts.items(Approval))
    if facts.resource is Condition:
        node["drug"] = approved_drugs(facts, public_url)
    return schema_org.json_ld(node)


def approved_drugs(facts: Facts, public_url: str) -> list[schema_org.Node]:
    """The treatments that a regulator approved for the condition, where they are drugs."""
    known: Mapping[str, Any] = facts.included.get(Treatment.plural, {})
    standing = [one for one in facts.items(Approval) if one["status"] in ("approved", "conditional")]
    ids = dict.fromkeys(one["treatment"] for one in standing if one["treatment"] in known)
    nodes = [{"@id": f"{public_url}/{Treatment.plural}/{one}", "name": known[one]["name"]} for one in ids]
    kinds = [schema_org.THERAPIES.get(known[one]["kind"]) for one in ids]
    return [{"@type": "Drug", **node} for node, kind in zip(nodes, kinds, strict=True) if kind == "Drug"]
