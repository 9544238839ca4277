"""The home page, and the list pages of treatments and claims with a filter form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from app.formats.schema_org import dataset_node, json_ld
from app.models import RESOURCES
from app.models.claims import Claim
from app.models.conditions import Condition
from app.models.treatments import Treatment
from app.models.vocabulary import ClaimKind, TreatmentKind, Verdict
from app.pages.claims import claim_counts, claim_lines
from app.pages.context import Link, PageContext
from app.pages.layout import PageSettings, as_of_words
from app.pages.wording import spaced, titled
from app.reports.record_page import AsOf, FoundList, Landing

DESCRIPTION = (
    "Treatments, approvals, doses, side effects and study results as typed JSON. Every number carries its source, "
    "every approval its country and date, and every gap a reason."
)
Values = dict[str, Any]
Options = list[tuple[str, str]]
"""The options of a filter: the value, and its label."""


@dataclass(frozen=True)
class Filter:
    """One select field of the filter form."""

    name: str
    label: str
    options: Options
    chosen: str


def treatment_list(found: FoundList, filters: Mapping[str, Any], settings: PageSettings) -> Values:
    """The template values of the list of treatments."""
    context = _context_of(found, settings)
    entries = [
        {
            "link": Link(item["name"], context.page(Treatment.plural, item["id"])),
            "brands": ", ".join(item["brand_names"]),
            "kind": titled(item["kind"]),
            "definition": item["definition"] or "",
            "above": context.link(Treatment, item["part_of"]) if item["part_of"] else None,
        }
        for item in found.items
    ]
    fields = [
        Filter("kind", "Kind", _options(get_args(TreatmentKind.__value__)), filters.get("kind", "")),
        Filter("part_of", "Class", _classes(found), filters.get("part_of", "")),
    ]
    return _list_values(found, filters, context, Treatment.plural, fields) | {"entries": entries}


def claim_list(found: FoundList, filters: Mapping[str, Any], settings: PageSettings) -> Values:
    """The template values of the list of claims."""
    context = _context_of(found, settings)
    harmful = "" if filters.get("safety_flag") is None else str(filters["safety_flag"]).lower()
    fields = [
        Filter("verdict", "Verdict", _options(get_args(Verdict.__value__)), filters.get("verdict", "")),
        Filter("kind", "About", _options(get_args(ClaimKind.__value__)), filters.get("kind", "")),
        Filter("treatment", "Treatment", _names(found, Treatment), filters.get("treatment", "")),
        Filter("condition", "Condition", _names(found, Condition), filters.get("condition", "")),
        Filter("safety_flag", "Harm", [("true", "Could do harm"), ("false", "No such mark")], harmful),
    ]
    hidden = [(name, filters[name]) for name in ("source",) if name in filters]
    values = _list_values(found, filters, context, Claim.plural, fields)
    return values | {"entries": claim_lines(found.items, context), "hidden": hidden}


def _context_of(found: FoundList, settings: PageSettings) -> PageContext:
    return PageContext(found.included, release=settings.release, today=settings.today)


def _list_values(
    found: FoundList, filters: Mapping[str, Any], context: PageContext, plural: str, fields: Iterable[Filter]
) -> Values:
    """The values common to both lists: total, links for paging and formats, filter fields, dataset revision."""
    params = {name: str(value).lower() if isinstance(value, bool) else value for name, value in filters.items()}
    path = f"/{plural}"
    next_path = context.to(path, **params, cursor=found.next) if found.next else None
    return {
        "total": found.total,
        "next": next_path,
        "first": context.to(path, **params) if found.is_later else None,
        "everything": context.to(path) if filters else None,
        "fields": list(fields),
        "release": context.release,
        "json": context.to(f"/v1/{plural}", **params),
        "csv": context.to(f"/v1/{plural}", **params, format="csv"),
        "as_of": as_of_words(found.as_of, context.release),
        "hidden": [],
    }


def _options(words: Iterable[str]) -> Options:
    return [(word, titled(word)) for word in words]


def _classes(found: FoundList) -> Options:
    """The treatments that are a class of others, as options."""
    parents = {treatment["part_of"] for treatment in found.choices[Treatment.plural]}
    return [option for option in _names(found, Treatment) if option[0] in parents]


def _names(found: FoundList, row: type[Treatment] | type[Condition]) -> Options:
    records = found.choices[row.plural]
    return [(record["id"], record.get("name") or spaced(record["id"])) for record in records]


def landing_values(found: Landing, settings: PageSettings) -> Values:
    """The template values of the home page: treatments, conditions and counts."""
    context = PageContext({}, release=settings.release, today=settings.today)
    return {
        "treatments": [
            {
                "link": Link(treatment["name"], context.page(Treatment.plural, treatment["id"])),
                "brands": ", ".join(treatment["brand_names"]),
            }
            for treatment in found.treatments
        ],
        "conditions": [
            Link(condition["name"], context.page(Condition.plural, condition["id"])) for condition in found.conditions
        ],
        "counts": claim_counts(found.verdicts, context),
        "totals": found.totals,
        "as_of": as_of_words(found.as_of, settings.release),
        "public_url": settings.public_url,
    }


def dataset_document(as_of: AsOf, settings: PageSettings) -> str:
    """The dataset as a schema.org `Dataset` in JSON-LD, with an NDJSON download for each resource."""
    suffix = "" if settings.release is None else f"&release={settings.release}"
    return json_ld(
        dataset_node(
            DESCRIPTION,
            public_url=settings.public_url,
            version=settings.release or str(as_of.revision),
            day=None if as_of.at is None else as_of.at[:10],
            downloads={plural: f"{settings.public_url}/v1/{plural}?format=ndjson{suffix}" for plural in RESOURCES},
        )
    )
