"""The first page, and the lists of treatments and claims with their filters as a form that keeps what was chosen."""

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
from app.pages.context import Around, Link
from app.pages.layout import Where, as_of_words
from app.pages.wording import spaced, titled
from app.reports.record_page import AsOf, FoundList, Landing

DESCRIPTION = (
    "Treatments, approvals, doses, side effects and study results as typed JSON. Every number carries its source, "
    "every approval its country and date, and every gap a reason."
)
Values = dict[str, Any]
Options = list[tuple[str, str]]
"""The choices of a filter: the value, and how it reads."""


@dataclass(frozen=True)
class Filter:
    """One field of the form."""

    name: str
    label: str
    options: Options
    chosen: str


def treatment_list(found: FoundList, filters: Mapping[str, Any], where: Where) -> Values:
    """The treatments."""
    around = _around(found, where)
    entries = [
        {
            "link": Link(item["name"], around.page(Treatment.plural, item["id"])),
            "brands": ", ".join(item["brand_names"]),
            "kind": titled(item["kind"]),
            "definition": item["definition"] or "",
            "above": around.link(Treatment, item["part_of"]) if item["part_of"] else None,
        }
        for item in found.items
    ]
    fields = [
        Filter("kind", "Kind", _words(get_args(TreatmentKind.__value__)), filters.get("kind", "")),
        Filter("part_of", "Class", _classes(found), filters.get("part_of", "")),
    ]
    return _page(found, filters, around, Treatment.plural, fields) | {"entries": entries}


def claim_list(found: FoundList, filters: Mapping[str, Any], where: Where) -> Values:
    """The claims."""
    around = _around(found, where)
    harmful = "" if filters.get("safety_flag") is None else str(filters["safety_flag"]).lower()
    fields = [
        Filter("verdict", "Verdict", _words(get_args(Verdict.__value__)), filters.get("verdict", "")),
        Filter("kind", "About", _words(get_args(ClaimKind.__value__)), filters.get("kind", "")),
        Filter("treatment", "Treatment", _names(found, Treatment), filters.get("treatment", "")),
        Filter("condition", "Condition", _names(found, Condition), filters.get("condition", "")),
        Filter("safety_flag", "Harm", [("true", "Could do harm"), ("false", "No such mark")], harmful),
    ]
    hidden = [(name, filters[name]) for name in ("source",) if name in filters]
    values = _page(found, filters, around, Claim.plural, fields)
    return values | {"entries": claim_lines(found.items, around), "hidden": hidden}


def _around(found: FoundList, where: Where) -> Around:
    return Around(found.included, release=where.release, today=where.today)


def _page(
    found: FoundList, filters: Mapping[str, Any], around: Around, plural: str, fields: Iterable[Filter]
) -> Values:
    """What every list has: how many, where it goes on, and the state of the data."""
    kept = {name: str(value).lower() if isinstance(value, bool) else value for name, value in filters.items()}
    path = f"/{plural}"
    following = around.to(path, **kept, cursor=found.next) if found.next else None
    return {
        "total": found.total,
        "next": following,
        "first": around.to(path, **kept) if found.is_later else None,
        "everything": around.to(path) if filters else None,
        "fields": list(fields),
        "release": around.release,
        "json": around.to(f"/v1/{plural}", **kept),
        "csv": around.to(f"/v1/{plural}", **kept, format="csv"),
        "as_of": as_of_words(found.as_of, around.release),
        "hidden": [],
    }


def _words(words: Iterable[str]) -> Options:
    return [(word, titled(word)) for word in words]


def _classes(found: FoundList) -> Options:
    """The treatments that others belong to."""
    held = {one["part_of"] for one in found.choices[Treatment.plural]}
    return [option for option in _names(found, Treatment) if option[0] in held]


def _names(found: FoundList, row: type[Treatment] | type[Condition]) -> Options:
    records = found.choices[row.plural]
    return [(record["id"], record.get("name") or spaced(record["id"])) for record in records]


def landing_values(found: Landing, where: Where) -> Values:
    """The first page: what there is, by name and in numbers."""
    around = Around({}, release=where.release, today=where.today)
    return {
        "treatments": [
            {
                "link": Link(treatment["name"], around.page(Treatment.plural, treatment["id"])),
                "brands": ", ".join(treatment["brand_names"]),
            }
            for treatment in found.treatments
        ],
        "conditions": [
            Link(condition["name"], around.page(Condition.plural, condition["id"])) for condition in found.conditions
        ],
        "counts": claim_counts(found.verdicts, around),
        "totals": found.totals,
        "as_of": as_of_words(found.as_of, where.release),
        "public_url": where.public_url,
    }


def dataset_document(as_of: AsOf, where: Where) -> str:
    """The dataset in the words of schema.org, as JSON-LD."""
    suffix = "" if where.release is None else f"&release={where.release}"
    return json_ld(
        dataset_node(
            DESCRIPTION,
            public_url=where.public_url,
            version=where.release or str(as_of.revision),
            day=None if as_of.at is None else as_of.at[:10],
            downloads={plural: f"{where.public_url}/v1/{plural}?format=ndjson{suffix}" for plural in RESOURCES},
        )
    )
